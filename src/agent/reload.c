/* SPDX-License-Identifier: MIT */
/* The configuration's VIPs as slots; on SIGHUP, only what differs is touched. */
#include "state.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static int slot_with(const struct agent *a, const struct ip *ip)
{
    for (unsigned i = 0; i < ELECTION_VIPS_MAX; i++)
        if (a->slots[i].is_used && ip_equal(&a->slots[i].ip, ip))
            return (int)i;
    return -1;
}

static void add_vip(struct agent *a, const struct config_vip *vip, const char *link_name)
{
    unsigned i = 0;
    while (i < ELECTION_VIPS_MAX && a->slots[i].is_used)
        i++;
    if (i == ELECTION_VIPS_MAX)
        return; /* the configuration has no more than that */
    struct slot *slot = &a->slots[i];
    *slot = (struct slot){.is_used = true, .ip = vip->ip};
    ip_format(&vip->ip, slot->text);
    snprintf(slot->link_name, sizeof(slot->link_name), "%s", link_name);
    int r = links_add_vip(a, i);
    if (r < 0) {
        log_event(LOG_ERROR, "vip_failed", slot->text, LOG_FIELDS(LOG_TEXT("error", strerror(-r))),
                  "cannot take part for this VIP: %s", strerror(-r));
        *slot = (struct slot){.is_used = false};
        return;
    }
    unsigned bars = (health_is_barred(a) ? BAR_HEALTH : 0) | (a->is_paused ? BAR_PAUSE : 0) |
                    (links_is_barred(slot) ? BAR_LINK : 0);
    struct election_event added = {.type = EV_VIP_ADDED, .vip = i, .bar = bars};
    feed(a, &added);
    sight_add_vip(a, i);
}

/* As at the start, but only this one is refused. Until the next reload, or another VIP has gone. */
static bool is_untouched(struct agent *a, const struct ip *vip)
{
    struct address foreign;
    char name[LINK_NAME_MAX], text[IP_TEXT_MAX];
    int r = host_find_foreign(a, vip, &foreign, name);
    ip_format(vip, text);
    if (r < 0)
        log_event(LOG_ERROR, "vip_failed", text, LOG_FIELDS(LOG_TEXT("error", strerror(-r))),
                  "cannot find out whether it is set here already: %s", strerror(-r));
    else if (r > 0)
        log_event(LOG_ERROR, "vip_failed", text,
                  LOG_FIELDS(LOG_TEXT("error", "already set"), LOG_TEXT("iface", name)),
                  "it is already set on %s, and not by talosvip; take it off there first (ip addr "
                  "del %s/%u dev %s) and reload",
                  name, text, foreign.bits, name);
    return r == 0;
}

void reload_add_missing(struct agent *a)
{
    for (size_t k = 0; k < a->config->n_vips; k++) {
        const struct config_vip *vip = &a->config->vips[k];
        char name[LINK_NAME_MAX];
        struct buf why;
        if (slot_with(a, &vip->ip) >= 0)
            continue;
        buf_init(&why, 512);
        if (links_resolve(a, vip, name, &why) == 0 && is_untouched(a, &vip->ip))
            add_vip(a, vip, name);
        buf_done(&why);
    }
}

void reload_forget_vip(struct agent *a, unsigned i)
{
    struct slot *slot = &a->slots[i];
    store_cancel(&slot->proof);
    store_cancel(&slot->resign);
    links_remove_vip(a, i);
    log_event(LOG_INFO, "vip_removed", slot->text, NULL, "no longer configured");
    *slot = (struct slot){.is_used = false};
    if (!a->is_stopping)
        reload_add_missing(a); /* it may have moved to another link */
    peerlease_soon(a);
}

int reload_resolve(struct agent *a, const struct config *config)
{
    int result = 0;
    for (size_t k = 0; k < config->n_vips; k++) {
        const struct config_vip *vip = &config->vips[k];
        char name[LINK_NAME_MAX], text[IP_TEXT_MAX];
        struct buf why;
        buf_init(&why, 1024);
        int r = links_resolve(a, vip, name, &why);
        if (r < 0) {
            ip_format(&vip->ip, text);
            log_event(LOG_ERROR, "no_link", text, NULL, "%s:%u:%u: %s", vip->where.file,
                      vip->where.line, vip->where.column, buf_str(&why));
            result = r;
        }
        buf_done(&why);
    }
    return result;
}

/* Bars what the new configuration does not have at that place. */
static void drop_missing(struct agent *a)
{
    for (unsigned i = 0; i < a->election.n; i++) {
        const struct slot *slot = &a->slots[i];
        bool is_kept = false;
        for (size_t k = 0; slot->is_used && k < a->config->n_vips; k++) {
            char name[LINK_NAME_MAX] = "";
            struct buf why;
            buf_init(&why, 512);
            if (ip_equal(&a->config->vips[k].ip, &slot->ip) &&
                links_resolve(a, &a->config->vips[k], name, &why) == 0)
                is_kept = strcmp(name, slot->link_name) == 0;
            buf_done(&why);
        }
        if (!slot->is_used || is_kept)
            continue;
        struct election_event ev = {.type = EV_BAR, .vip = i, .bar = BAR_CONFIG, .yes = true};
        feed(a, &ev);
    }
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_etcd(const struct settings *a, const struct settings *b)
{
    if (a->n_endpoints != b->n_endpoints)
        return false;
    for (size_t i = 0; i < a->n_endpoints; i++)
        if (strcmp(a->endpoints[i], b->endpoints[i]) != 0)
            return false;
    return same_text(a->cacert, b->cacert) && same_text(a->cert, b->cert) &&
           same_text(a->key, b->key) && same_text(a->user, b->user) &&
           same_text(a->password_file, b->password_file);
}

/* Requests that were out are repeated by the core when their time is over. */
static void reopen_etcd(struct agent *a)
{
    bool was_started = a->watch != NULL;
    store_close(a);
    if (store_open(a) < 0 || (was_started && watch_open(a) < 0)) {
        log_event(LOG_ERROR, "reload_failed", NULL, NULL, "cannot use the new etcd settings");
        a->exit_code = 1;
        loop_stop(a->loop);
        return;
    }
    if (!was_started)
        store_begin(a);
}

static void log_findings(const struct findings *findings)
{
    for (size_t i = 0; i < findings->n; i++) {
        struct buf line;
        buf_init(&line, 2048);
        if (finding_format_short(&findings->list[i], &line) == 0)
            log_event(LOG_ERROR, "config", NULL, NULL, "%s", buf_str(&line));
        buf_done(&line);
    }
}

static int load(struct agent *a, struct config **ret_config, struct settings *ret_settings)
{
    struct findings findings;
    struct config *config = NULL;
    struct buf why;
    findings_init(&findings);
    buf_init(&why, 512);
    int r = config_load(a->options->files, a->options->n_files, &config, &findings);
    if (r < 0)
        log_findings(&findings);
    if (r == 0)
        r = settings_resolve(ret_settings, a->options, config, &why);
    if (r == 0)
        r = settings_check_ttl(ret_settings, fence_is_active(a->fence), &why);
    if (r == 0 && strcmp(ret_settings->node, a->settings.node) != 0) {
        log_event(LOG_ERROR, "config", NULL, NULL, "another node name needs a restart");
        r = -EINVAL;
    }
    if (r < 0 && why.len)
        log_event(LOG_ERROR, "config", NULL, NULL, "%s", buf_str(&why));
    if (r == 0)
        r = reload_resolve(a, config);
    buf_done(&why);
    findings_done(&findings);
    if (r < 0)
        config_free(config);
    else
        *ret_config = config;
    return r;
}

/* What cannot be had is said, and the rest serves. */
static void reload_rest(struct agent *a)
{
    const struct {
        const char *what;
        int r;
    } parts[] = {{"run all health checks", health_reload(a)},
                 {"run all hooks", hooks_reload(a)},
                 {"listen for api.metrics", metrics_listen(a)}};
    for (unsigned i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        if (parts[i].r < 0)
            log_event(LOG_ERROR, "reload_partial", NULL,
                      LOG_FIELDS(LOG_TEXT("error", strerror(-parts[i].r))), "cannot %s: %s",
                      parts[i].what, strerror(-parts[i].r));
}

void reload(struct agent *a)
{
    struct config *config, *old = a->config;
    struct settings settings;
    notify_send("RELOADING=1");
    if (load(a, &config, &settings) < 0) {
        log_event(LOG_ERROR, "reload_refused", NULL, NULL,
                  "the new configuration is not valid; the old one stays in force");
        notify_send("READY=1");
        return;
    }
    bool is_same = same_etcd(&a->settings, &settings);
    a->config = config;
    a->settings = settings;
    a->election.ttl_us = settings.ttl_us;
    a->election.refresh_us = settings.refresh_us;
    if (!is_same)
        reopen_etcd(a);
    drop_missing(a);
    reload_add_missing(a);
    reload_rest(a);
    peerlease_update(a);
    config_free(old);
    guardian_restart(a); /* it keeps a copy of the settings */
    log_event(LOG_INFO, "reloaded", NULL, NULL, "configuration reloaded");
    notify_send("READY=1");
}
