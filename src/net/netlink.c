/* SPDX-License-Identifier: MIT */
#include "net/netlink.h"

#include <errno.h>
#include <netlink/errno.h>
#include <netlink/handlers.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "netlink_call.h"

/* rtnetlink answers within the send, dumps at each read: this only ends what is broken. */
#define TIMEOUT_MS 500
/* Longest datagram of a dump is 32 KiB; a link with many virtual functions may take more. */
#define MESSAGE_MAX (64u << 10)
#define LIST_MAX 65536

struct netlink {
    struct nl_sock *sock;
};

struct call {
    netlink_reply_fn fn;
    void *arg;
    uint32_t seq;
    int error;
    bool is_done;
    bool is_interrupted;
};

static int set_options(int fd)
{
    struct timeval timeout = {.tv_usec = TIMEOUT_MS * 1000};
    int on = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) < 0)
        return -errno;
    /* Lets the kernel filter dumps (4.20 and later). Elsewhere the replies are filtered here. */
    setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
    return 0;
}

int netlink_open_protocol(int protocol, struct netlink **ret_netlink)
{
    struct netlink *nl = calloc(1, sizeof(*nl));
    if (!nl)
        return -ENOMEM;
    nl->sock = nl_socket_alloc();
    if (!nl->sock) {
        free(nl);
        return -ENOMEM;
    }
    nl_socket_disable_msg_peek(nl->sock);
    errno = 0;
    int r = nl_connect(nl->sock, protocol);
    if (r < 0)
        r = errno > 0 ? -errno : r == -NLE_NOMEM ? -ENOMEM : -EIO;
    if (r == 0 && nl_socket_set_msg_buf_size(nl->sock, MESSAGE_MAX) < 0)
        r = -ENOMEM;
    if (r == 0)
        r = set_options(nl_socket_get_fd(nl->sock));
    if (r < 0) {
        netlink_close(nl);
        return r;
    }
    *ret_netlink = nl;
    return 0;
}

int netlink_open(struct netlink **ret_netlink)
{
    return netlink_open_protocol(NETLINK_ROUTE, ret_netlink);
}

void netlink_close(struct netlink *nl)
{
    if (!nl)
        return;
    nl_socket_free(nl->sock);
    free(nl);
}

uint32_t netlink_port(const struct netlink *nl)
{
    return nl_socket_get_local_port(nl->sock);
}

/* An answer that came after its call had timed out must not be taken for this one's. */
static int on_seq_check(struct nl_msg *msg, void *arg)
{
    const struct call *call = arg;
    return nlmsg_hdr(msg)->nlmsg_seq == call->seq ? NL_OK : NL_SKIP;
}

static int on_valid(struct nl_msg *msg, void *arg)
{
    struct call *call = arg;
    if (call->fn && call->error == 0)
        call->error = call->fn(call->arg, nlmsg_hdr(msg));
    return NL_OK; /* the rest of the answer is read all the same, else the next call gets it */
}

static int on_end(struct nl_msg *msg, void *arg)
{
    struct call *call = arg;
    (void)msg;
    call->is_done = true;
    return NL_STOP;
}

static int on_interrupted(struct nl_msg *msg, void *arg)
{
    struct call *call = arg;
    (void)msg;
    call->is_interrupted = true;
    return NL_OK;
}

static int on_overrun(struct nl_msg *msg, void *arg)
{
    struct call *call = arg;
    (void)msg;
    call->error = call->error < 0 ? call->error : -ENOBUFS;
    return NL_STOP;
}

/* libnl's own error codes lose most of the kernel's, so the original is kept. */
static int on_error(struct sockaddr_nl *from, struct nlmsgerr *err, void *arg)
{
    struct call *call = arg;
    (void)from;
    call->error = err->error < 0 ? err->error : -EPROTO;
    call->is_done = true;
    return NL_STOP;
}

static int receive(struct netlink *nl, struct nl_cb *cb, struct call *call)
{
    while (!call->is_done) {
        int r = nl_recvmsgs(nl->sock, cb);
        if (call->is_done)
            break;
        if (r == -NLE_AGAIN)
            return -ETIMEDOUT;
        if (r == -NLE_NOMEM)
            return -ENOMEM;
        if (r < 0)
            return call->error < 0 ? call->error : -EIO;
    }
    if (call->error == 0 && call->is_interrupted)
        return -EAGAIN;
    return call->error;
}

int netlink_call(struct netlink *nl, struct nl_msg *msg, netlink_reply_fn fn, void *arg)
{
    struct call call = {.fn = fn, .arg = arg};
    struct nl_cb *cb = msg ? nl_cb_alloc(NL_CB_DEFAULT) : NULL;
    int r = -ENOMEM;
    if (!cb)
        goto out;
    nl_cb_set(cb, NL_CB_SEQ_CHECK, NL_CB_CUSTOM, on_seq_check, &call);
    nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_valid, &call);
    nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, on_end, &call);
    nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_end, &call);
    nl_cb_set(cb, NL_CB_DUMP_INTR, NL_CB_CUSTOM, on_interrupted, &call);
    nl_cb_set(cb, NL_CB_OVERRUN, NL_CB_CUSTOM, on_overrun, &call);
    nl_cb_err(cb, NL_CB_CUSTOM, on_error, &call);
    nl_complete_msg(nl->sock, msg);
    call.seq = nlmsg_hdr(msg)->nlmsg_seq;
    errno = 0;
    if (nl_send(nl->sock, msg) < 0) {
        r = errno == EAGAIN ? -ETIMEDOUT : errno > 0 ? -errno : -EIO;
        goto out;
    }
    r = receive(nl, cb, &call);
out:
    nl_cb_put(cb);
    nlmsg_free(msg);
    return r;
}

struct nl_msg *netlink_request(int type, int flags, const void *header, size_t len)
{
    struct nl_msg *msg = nlmsg_alloc_simple(type, NLM_F_REQUEST | flags);
    if (msg && nlmsg_append(msg, (void *)(uintptr_t)header, len, NLMSG_ALIGNTO) < 0) {
        nlmsg_free(msg);
        return NULL;
    }
    return msg;
}

uint32_t netlink_u32(const struct nlattr *attr)
{
    return attr && nla_len(attr) >= 4 ? nla_get_u32(attr) : 0;
}

uint8_t netlink_u8(const struct nlattr *attr)
{
    return attr && nla_len(attr) >= 1 ? nla_get_u8(attr) : 0;
}

int netlink_ip(const struct nlattr *attr, struct ip *ret_ip)
{
    struct ip ip = {0};
    int len = attr ? nla_len(attr) : 0;
    if (len != 4 && len != 16)
        return -EBADMSG;
    ip.family = len == 4 ? IP_V4 : IP_V6;
    memcpy(ip.bytes, nla_data(attr), (size_t)len);
    *ret_ip = ip;
    return 0;
}

void netlink_text(const struct nlattr *attr, char *out, size_t size)
{
    out[0] = '\0';
    if (attr)
        nla_strlcpy(out, attr, size);
}

int netlink_family(const struct ip *ip)
{
    return ip->family == IP_V4 ? AF_INET : AF_INET6;
}

int netlink_grow(void **list, size_t n, size_t size)
{
    if (n >= LIST_MAX)
        return -E2BIG;
    /* Full whenever the count is 0 or a power of two from 8 on. */
    if (n != 0 && (n < 8 || (n & (n - 1)) != 0))
        return 0;
    void *grown = realloc(*list, (n == 0 ? 8 : 2 * n) * size);
    if (!grown)
        return -ENOMEM;
    *list = grown;
    return 0;
}
