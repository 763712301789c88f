/* SPDX-License-Identifier: MIT */
#include "net/echo.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "packet_filter.h"

#define RECEIVE_MAX 2048

struct echo {
    struct loop_io *io;
    echo_fn fn;
    void *arg;
    struct mac macs[ECHO_MACS_MAX];
    size_t n;
    int fd;
};

static bool is_watched(const struct echo *e, const struct mac *mac)
{
    for (size_t i = 0; i < e->n; i++)
        if (mac_equal(&e->macs[i], mac))
            return true;
    return false;
}

static void on_readable(void *arg, int fd, unsigned what)
{
    struct echo *e = arg;
    uint8_t data[RECEIVE_MAX];
    struct sockaddr_ll from = {0};
    socklen_t from_len = sizeof(from);
    struct frame frame;
    (void)what;
    ssize_t n = recvfrom(fd, data, sizeof(data), MSG_DONTWAIT, (struct sockaddr *)&from, &from_len);
    if (n < 0 || from.sll_pkttype > PACKET_MULTICAST)
        return;
    if (frame_parse(data, (size_t)n, &frame) == 0 && is_watched(e, &frame.ether_source))
        e->fn(e->arg, from.sll_ifindex, &frame);
}

static int attach_filter(const struct echo *e, const struct mac *macs, size_t n)
{
    struct sock_filter code[PACKET_FILTER_MAX];
    size_t len = packet_filter_echo(macs, n, code);
    struct sock_fprog filter = {.len = (unsigned short)len, .filter = code};
    return setsockopt(e->fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) < 0 ? -errno
                                                                                        : 0;
}

/* Protocol 0 receives nothing until bind(), so that the filter is there first. Bound to a protocol
 * and no link, it stands where the kernel's own ARP does: behind VLANs, bridges and bonds. */
static int open_socket(struct echo *e)
{
    const struct sockaddr_ll self = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ARP)};
    e->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (e->fd < 0)
        return -errno;
    int r = attach_filter(e, NULL, 0);
    if (r == 0 && bind(e->fd, (const struct sockaddr *)&self, sizeof(self)) < 0)
        r = -errno;
    return r;
}

int echo_open(struct loop *loop, echo_fn fn, void *arg, struct echo **ret_echo)
{
    struct echo *e = calloc(1, sizeof(*e));
    if (!e)
        return -ENOMEM;
    e->fn = fn;
    e->arg = arg;
    int r = open_socket(e);
    if (r == 0)
        r = loop_io_new(loop, e->fd, LOOP_READ, on_readable, e, &e->io);
    if (r < 0) {
        echo_close(e);
        return r;
    }
    *ret_echo = e;
    return 0;
}

void echo_close(struct echo *e)
{
    if (!e)
        return;
    loop_io_free(e->io);
    if (e->fd >= 0)
        close(e->fd);
    free(e);
}

int echo_watch(struct echo *e, const struct mac *macs, size_t n)
{
    if (n > ECHO_MACS_MAX)
        return -E2BIG;
    int r = attach_filter(e, macs, n);
    if (r < 0)
        return r;
    if (n > 0)
        memcpy(e->macs, macs, n * sizeof(*macs));
    e->n = n;
    return 0;
}
