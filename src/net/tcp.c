/* SPDX-License-Identifier: MIT */
#include "net/tcp.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "netlink_call.h"

/* Listeners live on for the address's return; TIME_WAIT (6) and CLOSE (7) have no peer to tell. */
#define TCP_NEW_SYN_RECV 12
#define STATES                                                                                     \
    (1u << TCP_ESTABLISHED | 1u << TCP_SYN_SENT | 1u << TCP_SYN_RECV | 1u << TCP_FIN_WAIT1 |       \
     1u << TCP_FIN_WAIT2 | 1u << TCP_CLOSE_WAIT | 1u << TCP_LAST_ACK | 1u << TCP_CLOSING |         \
     1u << TCP_NEW_SYN_RECV)

struct target {
    struct inet_diag_sockid id;
    uint8_t family;
};

struct dump {
    struct target *list;
    size_t n, max;
    struct ip vip;
    bool is_cut;
};

static bool is_source(const struct inet_diag_msg *m, const struct ip *vip)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    const uint8_t *src = (const uint8_t *)m->id.idiag_src;
    if (m->idiag_family == AF_INET)
        return vip->family == IP_V4 && memcmp(src, vip->bytes, 4) == 0;
    if (m->idiag_family != AF_INET6)
        return false;
    if (vip->family == IP_V6)
        return memcmp(src, vip->bytes, 16) == 0;
    return memcmp(src, mapped, 12) == 0 && memcmp(src + 12, vip->bytes, 4) == 0;
}

static int on_socket(void *arg, struct nlmsghdr *hdr)
{
    struct dump *d = arg;
    if (hdr->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
        nlmsg_datalen(hdr) < (int)sizeof(struct inet_diag_msg))
        return 0;
    const struct inet_diag_msg *m = nlmsg_data(hdr);
    if (!is_source(m, &d->vip))
        return 0;
    if (d->n >= d->max) {
        d->is_cut = true;
        return 0;
    }
    int r = netlink_grow((void **)&d->list, d->n, sizeof(*d->list));
    if (r == 0)
        d->list[d->n++] = (struct target){.id = m->id, .family = m->idiag_family};
    return r;
}

/* Lets the kernel pick by source address: one condition, and a length that ends right behind the
 * program for yes, beyond it for no. */
static int add_filter(struct nl_msg *msg, const struct ip *vip)
{
    uint8_t filter[sizeof(struct inet_diag_bc_op) + sizeof(struct inet_diag_hostcond) + 16];
    struct inet_diag_bc_op op = {.code = INET_DIAG_BC_S_COND};
    struct inet_diag_hostcond cond = {
        .family = (uint8_t)netlink_family(vip),
        .prefix_len = ip_bits(vip),
        .port = -1,
    };
    size_t len = sizeof(op) + sizeof(cond) + ip_len(vip);
    op.yes = (unsigned char)len;
    op.no = (unsigned short)(len + 4);
    memcpy(filter, &op, sizeof(op));
    memcpy(filter + sizeof(op), &cond, sizeof(cond));
    memcpy(filter + sizeof(op) + sizeof(cond), vip->bytes, ip_len(vip));
    return nla_put(msg, INET_DIAG_REQ_BYTECODE, (int)len, filter);
}

static int list_sockets(struct netlink *nl, uint8_t family, struct dump *d)
{
    struct inet_diag_req_v2 req = {
        .sdiag_family = family,
        .sdiag_protocol = IPPROTO_TCP,
        .idiag_states = STATES,
    };
    struct nl_msg *msg = netlink_request(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &req, sizeof(req));
    if (msg && add_filter(msg, &d->vip) < 0) {
        nlmsg_free(msg);
        return -ENOMEM;
    }
    int r = netlink_call(nl, msg, on_socket, d);
    return r == -EAGAIN ? 0 : r; /* sockets come and go during any dump */
}

static int destroy(struct netlink *nl, const struct target *t)
{
    struct inet_diag_req_v2 req = {
        .sdiag_family = t->family,
        .sdiag_protocol = IPPROTO_TCP,
        .idiag_states = UINT32_MAX,
        .id = t->id,
    };
    return netlink_call(nl, netlink_request(SOCK_DESTROY, NLM_F_ACK, &req, sizeof(req)), NULL,
                        NULL);
}

int tcp_close_all(const struct ip *vip, size_t max, size_t *ret_closed)
{
    struct netlink *nl;
    struct dump d = {.vip = *vip, .max = max};
    *ret_closed = 0;
    int r = netlink_open_protocol(NETLINK_SOCK_DIAG, &nl);
    if (r < 0)
        return r;
    if (vip->family == IP_V4)
        r = list_sockets(nl, AF_INET, &d);
    if (r == 0)
        r = list_sockets(nl, AF_INET6, &d);
    for (size_t i = 0; i < d.n && (r == 0 || r == -ENOENT); i++) {
        r = destroy(nl, &d.list[i]);
        *ret_closed += r == 0;
    }
    if (d.n > 0 && r == -ENOENT)
        r = 0; /* it ended by itself meanwhile */
    if (r == 0 && d.is_cut)
        r = -E2BIG;
    free(d.list);
    netlink_close(nl);
    return r;
}
