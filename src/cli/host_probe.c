/* SPDX-License-Identifier: MIT */
/* --probe: three probes per address as in RFC 5227 section 2.1.1, but within 100 ms: who sits on a
 * LAN answers in a few. */
#include "host_facts.h"
#include "host_facts_state.h"

#include "base/clock.h"
#include "base/loop.h"
#include "net/packet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PROBES 3
#define PROBE_GAP_US 20000
#define WINDOW_US 100000

/* The addresses asked for on one link. */
struct probe {
    struct host_facts *facts;
    struct loop *loop;
    struct packet *packet;
    struct loop_timer *timer;
    const struct link *link;
    struct ip vips[PACKET_WATCH_MAX];
    size_t n;
    unsigned sent;
    uint64_t end_us;
    int error;
};

static void on_frame(void *arg, const struct frame *frame)
{
    struct probe *p = arg;
    struct host_facts *f = p->facts;
    struct mac mac;
    for (size_t i = 0; i < p->n; i++) {
        bool is_known = !frame_claims(frame, &p->vips[i], &mac);
        for (size_t k = 0; k < f->n_answers && !is_known; k++)
            is_known =
                ip_equal(&f->answers[k].vip, &p->vips[i]) && mac_equal(&f->answers[k].mac, &mac);
        if (!is_known && f->n_answers < ANSWERS_MAX)
            f->answers[f->n_answers++] =
                (struct validate_probe_answer){.vip = p->vips[i], .mac = mac};
    }
}

/* An own IPv6 address of the link: a probe from `::` would look like somebody's test of the
 * address (RFC 4862). */
static const struct ip *source_of(const struct probe *p)
{
    for (size_t i = 0; i < p->facts->n_addresses; i++)
        if (p->facts->addresses[i].ifindex == p->link->ifindex &&
            p->facts->addresses[i].ip.family == IP_V6)
            return &p->facts->addresses[i].ip;
    return NULL;
}

static void on_timer(void *arg)
{
    struct probe *p = arg;
    if (p->sent == PROBES) {
        loop_stop(p->loop);
        return;
    }
    for (size_t i = 0; i < p->n && p->error == 0; i++)
        p->error = packet_probe(p->packet, &p->vips[i], source_of(p));
    if (p->error < 0) {
        loop_stop(p->loop);
        return;
    }
    p->sent++;
    loop_timer_set(p->timer, p->sent == PROBES ? p->end_us : clock_now_us() + PROBE_GAP_US);
}

static int run_probe(struct probe *p)
{
    p->loop = loop_new();
    if (!p->loop)
        return -ENOMEM;
    p->end_us = clock_now_us() + WINDOW_US;
    int r = packet_open(p->loop, p->link->ifindex, &p->link->mac, on_frame, p, &p->packet);
    if (r == 0)
        r = packet_watch(p->packet, p->vips, p->n);
    if (r == 0)
        r = loop_timer_new(p->loop, on_timer, p, &p->timer);
    if (r == 0) {
        loop_timer_set(p->timer, 0);
        r = loop_run(p->loop);
    }
    loop_timer_free(p->timer);
    packet_close(p->packet);
    loop_free(p->loop);
    return r < 0 ? r : p->error;
}

static const struct link *find_link(const struct host_facts *f, const char *name)
{
    for (size_t i = 0; i < f->n_links; i++)
        if (strcmp(f->links[i].name, name) == 0)
            return &f->links[i];
    for (size_t i = 0; i < f->n_links; i++)
        if (link_has_name(&f->links[i], name))
            return &f->links[i];
    return NULL;
}

static int explain(const struct link *link, int error, struct complaint *c)
{
    if (error == -EPERM || error == -EACCES) {
        complaint_set(c, "cannot probe on %s: CAP_NET_RAW is missing", link->name);
        complaint_hint(c, "run as root or: setcap cap_net_admin,cap_net_raw+ep "
                          "/usr/local/sbin/talosvip");
        return -EPERM;
    }
    complaint_set(c, "cannot probe on %s: %s", link->name,
                  error == -ENETDOWN ? "the link is down" : strerror(-error));
    return error;
}

static int add_vip(const struct host_facts *f, const struct validate_vip *vip, const char *iface,
                   struct probe *probes, size_t *n_probes, struct complaint *c)
{
    char ip[IP_TEXT_MAX];
    const char *name = iface ? iface : vip->link;
    const struct link *link = name ? find_link(f, name) : NULL;
    ip_format(&vip->ip, ip);
    if (!link || !link->is_ether || !link->has_mac) {
        complaint_set(c, "cannot probe for %s: %s \"%.64s\" on this host", ip,
                      link ? "no Ethernet link" : "no interface", name ? name : "");
        if (!iface)
            complaint_hint(c, "name the interface with --iface IF");
        return -ENODEV;
    }
    size_t i = 0;
    while (i < *n_probes && probes[i].link != link)
        i++;
    if (i == *n_probes)
        probes[(*n_probes)++].link = link;
    for (size_t k = 0; k < probes[i].n; k++)
        if (ip_equal(&probes[i].vips[k], &vip->ip))
            return 0;
    if (probes[i].n < PACKET_WATCH_MAX)
        probes[i].vips[probes[i].n++] = vip->ip;
    return 0;
}

int host_facts_probe(struct host_facts *facts, const struct validate_report *report,
                     const char *iface, struct validate_options *to,
                     struct complaint *ret_complaint)
{
    struct probe *probes = calloc(facts->n_links + 1, sizeof(*probes));
    size_t n_probes = 0;
    int r = 0;
    facts->answers = calloc(ANSWERS_MAX, sizeof(*facts->answers));
    facts->owners = calloc(ANSWERS_MAX, sizeof(*facts->owners));
    if (!probes || !facts->answers || !facts->owners) {
        free(probes);
        complaint_set(ret_complaint, "out of memory");
        return -ENOMEM;
    }
    for (size_t i = 0; i < report->n_files && r == 0; i++)
        for (size_t k = 0; k < report->files[i].n_vips && r == 0; k++)
            r = add_vip(facts, &report->files[i].vips[k], iface, probes, &n_probes, ret_complaint);
    for (size_t i = 0; i < n_probes && r == 0; i++) {
        probes[i].facts = facts;
        r = run_probe(&probes[i]);
        if (r < 0)
            r = explain(probes[i].link, r, ret_complaint);
    }
    free(probes);
    if (r == 0)
        host_owner_find(facts, report);
    to->answers = facts->answers;
    to->n_answers = facts->n_answers;
    return r;
}
