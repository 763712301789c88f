/* SPDX-License-Identifier: MIT */
#include "status_snapshot.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OK, WARNING, CRITICAL, UNKNOWN };

void status_keep(struct snapshot *s, const struct ip *vip)
{
    unsigned n = 0;
    for (unsigned i = 0; i < s->n_vips; i++)
        if (ip_equal(&s->vips[i].ip, vip))
            s->vips[n++] = s->vips[i];
    s->n_vips = n;
    n = 0;
    for (unsigned i = 0; i < s->n_history; i++)
        if (ip_equal(&s->history[i].vip, vip))
            s->history[n++] = s->history[i];
    s->n_history = n;
    n = 0;
    for (unsigned i = 0; i < s->n_alerts; i++)
        if (s->alerts[i].vip.family == IP_NONE || ip_equal(&s->alerts[i].vip, vip))
            s->alerts[n++] = s->alerts[i];
    s->n_alerts = n;
    for (unsigned k = 0; k < s->n_nodes; k++) {
        struct snapshot_node *node = &s->nodes[k];
        n = 0;
        for (unsigned i = 0; i < node->n_views; i++)
            if (ip_equal(&node->views[i].vip, vip))
                node->views[n++] = node->views[i];
        node->n_views = n;
    }
}

static bool is_silent_etcd(const struct snapshot *s)
{
    return s->age_us < 0 || s->etcd.state == SNAPSHOT_ETCD_UNREACHABLE ||
           s->etcd.state == SNAPSHOT_ETCD_NO_QUORUM;
}

enum exit_code status_code(const struct snapshot *s)
{
    enum exit_code code = EXIT_DONE;
    if (is_silent_etcd(s))
        return EXIT_UNKNOWN;
    if (s->n_vips == 0)
        return EXIT_NO;
    for (unsigned i = 0; i < s->n_vips; i++) {
        if (s->vips[i].state == SNAPSHOT_VIP_STALE)
            return EXIT_UNKNOWN;
        if (s->vips[i].state != SNAPSHOT_VIP_HELD)
            code = EXIT_NO;
    }
    for (unsigned i = 0; i < s->n_alerts && code != EXIT_NO; i++) {
        const struct snapshot_alert *a = &s->alerts[i];
        if (a->cleared_us >= 0 || a->severity == SNAPSHOT_INFO)
            continue;
        /* What is critical about an address says that it is not held as it should be. */
        code = a->severity == SNAPSHOT_CRIT && a->vip.family != IP_NONE ? EXIT_NO : EXIT_DEGRADED;
    }
    return code;
}

static void add_ids(const struct snapshot *s, struct buf *out)
{
    struct buf seen;
    buf_init(&seen, 0);
    for (unsigned i = 0; i < s->n_alerts; i++) {
        const struct snapshot_alert *a = &s->alerts[i];
        if (a->cleared_us >= 0 || a->severity == SNAPSHOT_INFO || strstr(buf_str(&seen), a->id))
            continue;
        buf_puts(&seen, a->id);
        buf_printf(out, ", %s", a->id);
    }
    buf_done(&seen);
}

/* Behind a "|" a plugin's figures stand, so no name may bring one. */
static void add_name(const char *name, struct buf *out)
{
    char text[SNAPSHOT_NAME_MAX];
    snprintf(text, sizeof(text), "%s", name);
    for (char *bar = text; (bar = strchr(bar, '|'));)
        *bar = '?';
    text_add_plain(out, text);
}

static void add_one(const struct snapshot *s, const struct snapshot_vip *vip, struct buf *out)
{
    const struct snapshot_node *holder = snapshot_find_node(s, vip->holder);
    char ip[IP_TEXT_MAX];
    ip_format(&vip->ip, ip);
    buf_printf(out, "%s %s", ip, snapshot_vip_state_name(vip->state));
    if (vip->holder[0]) {
        buf_puts(out, vip->state == SNAPSHOT_VIP_STALE ? " last by " : " by ");
        add_name(vip->holder, out);
    }
    add_ids(s, out);
    buf_puts(out, " |");
    if (vip->remaining_us >= 0 && vip->state != SNAPSHOT_VIP_STALE)
        buf_printf(out, " ttl_ms=%" PRId64 ";%" PRId64 ";%" PRId64, vip->remaining_us / 1000,
                   vip->granted_us / 2000, vip->granted_us / 5000);
    if (holder && holder->latency_us >= 0)
        buf_printf(out, " renew_ms=%" PRId64, (holder->latency_us + 999) / 1000);
    buf_printf(out, " observers=%u;;", vip->observers);
}

static void add_all(const struct snapshot *s, struct buf *out)
{
    unsigned held = 0;
    for (unsigned i = 0; i < s->n_vips; i++)
        held += s->vips[i].state == SNAPSHOT_VIP_HELD;
    buf_printf(out, "%u of %u held", held, s->n_vips);
    add_ids(s, out);
    buf_printf(out, " | held=%u;;%u: vips=%u", held, s->n_vips, s->n_vips);
}

int status_check(const struct snapshot *s, struct buf *out)
{
    static const char *const words[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};
    enum exit_code code = status_code(s);
    int result = code == EXIT_DONE ? OK : code == EXIT_DEGRADED ? WARNING : CRITICAL;
    if (code == EXIT_UNKNOWN)
        result = UNKNOWN;
    buf_printf(out, "VIP %s - ", words[result]);
    if (s->age_us < 0)
        buf_puts(out, "etcd does not answer");
    else if (s->n_vips == 0)
        buf_puts(out, "no address");
    else if (s->n_vips == 1)
        add_one(s, &s->vips[0], out);
    else
        add_all(s, out);
    buf_putc(out, '\n');
    return result;
}
