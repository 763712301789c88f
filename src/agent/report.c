/* SPDX-License-Identifier: MIT */
/* What is logged, and what systemd is told. Only changes are; the steady state is silent. */
#include "state.h"

#include "etcd/keys.h"

#include <inttypes.h>
#include <string.h>

#define LATE_TELL_US SECOND_US
#define CAUSE_TEXT_MAX (API_NAME_MAX + 32)

static const char *const causes_told[CAUSES] = {
    [CAUSE_NONE] = "",
    [CAUSE_SHUTDOWN] = "shutdown",
    [CAUSE_RESIGN] = "resign",
    [CAUSE_LAPSED] = "the lease was not confirmed in time",
    [CAUSE_SESSION_LOST] = "our lease is gone in etcd",
    [CAUSE_KEY_LOST] = "our key is gone in etcd",
    [CAUSE_LINK_DOWN] = "link down",
    [CAUSE_CONFIG] = "no longer configured",
    [CAUSE_ADDRESS] = "the kernel refused the address",
    [CAUSE_GUARDIAN] = "no guardian",
    [CAUSE_PEERS] = "our lease was ended, by our peers or by hand",
    [CAUSE_MUTE] = "no peer hears us",
};

/* The cause in words; of a health check with its name. */
static void tell_cause(const struct agent *a, enum election_cause cause, char out[CAUSE_TEXT_MAX])
{
    if (cause == CAUSE_HEALTH)
        snprintf(out, CAUSE_TEXT_MAX, "health check %s failed", health_culprit(a));
    else
        snprintf(out, CAUSE_TEXT_MAX, "%s", causes_told[cause]);
}

/* Ends the fields of a line. */
static struct log_field check_field(const struct agent *a, enum election_cause cause)
{
    return cause == CAUSE_HEALTH ? LOG_TEXT("check", health_culprit(a)) : LOG_TEXT(NULL, NULL);
}

static unsigned position(const struct queue *q, int64_t lease)
{
    for (unsigned i = 0; i < q->n; i++)
        if (q->at[i].lease == lease)
            return i;
    return q->n;
}

static void tell_queued(struct agent *a, unsigned i)
{
    const struct slot *slot = &a->slots[i];
    const struct queue *q = &a->vips[i].queue;
    const struct candidate *leader = queue_leader(q);
    unsigned at = position(q, a->election.session.lease);
    if (!leader || at == 0)
        return;
    if (at == 1)
        log_event(LOG_INFO, "standby", slot->text,
                  LOG_FIELDS(LOG_TEXT("holder", leader->name), LOG_NUMBER("position", at)),
                  "standby: next after %s", leader->name);
    else
        log_event(LOG_INFO, "standby", slot->text,
                  LOG_FIELDS(LOG_TEXT("holder", leader->name), LOG_NUMBER("position", at)),
                  "standby: number %u%s in the queue, %s leads", at,
                  q->is_partial && at == QUEUE_MAX - 1 ? " or later" : "", leader->name);
}

static void tell_held(struct agent *a, unsigned i)
{
    struct slot *slot = &a->slots[i];
    const struct vip *v = &a->vips[i];
    uint64_t ms = slot->elected_us ? (v->held_us - slot->elected_us) / MS_US : 0;
    slot->has_told_seen = false;
    log_event(LOG_INFO, "acquired", slot->text,
              LOG_FIELDS(LOG_TEXT("iface", slot->link_name),
                         LOG_TEXT("from", slot->previous[0] ? slot->previous : "(none)"),
                         LOG_NUMBER("epoch", v->revision), LOG_NUMBER("after_ms", ms)),
              "HELD here: address set on %s, announced, %" PRIu64 " ms after election",
              slot->link_name, ms);
}

static void tell_released(struct agent *a, const struct election_action *action)
{
    struct slot *slot = &a->slots[action->vip];
    const struct session *ss = &a->election.session;
    uint64_t now = clock_now_us();
    char who[RECORD_TEXT_MAX] = "", why[CAUSE_TEXT_MAX];
    tell_cause(a, action->cause, why);
    if (action->cause == CAUSE_RESIGN)
        requests_detail(a, action->vip, who);
    uint64_t left_ms = ss->deadline_us > now ? (ss->deadline_us - now) / MS_US : 0;
    bool is_planned = action->cause == CAUSE_SHUTDOWN || action->cause == CAUSE_CONFIG ||
                      action->cause == CAUSE_RESIGN;
    /* Without a link nobody can be heard. */
    slot->released_us = slot->link && slot->link->is_running ? now : 0;
    if (action->cause == CAUSE_LAPSED) {
        uint64_t end = ss->deadline_us + deadline_margin(ss->ttl_us, a->election.is_fenced);
        double before = end > now ? (double)(end - now) / 1e6 : 0;
        log_event(
            LOG_ERROR, "released", slot->text,
            LOG_FIELDS(LOG_TEXT("cause", election_cause_name(action->cause)),
                       LOG_NUMBER("silent_ms", (now - ss->renewed_us) / MS_US)),
            "released: no renewal for %.1f s; the address goes off %s %.1f s before the lease "
            "can end",
            (double)(now - ss->renewed_us) / 1e6, slot->link_name, before);
    } else
        log_event(is_planned ? LOG_INFO : LOG_WARN, "released", slot->text,
                  LOG_FIELDS(LOG_TEXT("cause", election_cause_name(action->cause)),
                             LOG_TEXT("iface", slot->link_name), LOG_NUMBER("left_ms", left_ms),
                             check_field(a, action->cause)),
                  "released: %s%s%s", why, who[0] ? " by " : "", who);
}

static void tell_left(const struct agent *a, const struct election_action *action)
{
    char why[CAUSE_TEXT_MAX];
    if (action->from == VIP_DROPPING || action->from == VIP_RESIGNING ||
        action->cause == CAUSE_SHUTDOWN)
        return;
    tell_cause(a, action->cause, why);
    log_event(LOG_WARN, "left", a->slots[action->vip].text,
              LOG_FIELDS(LOG_TEXT("cause", election_cause_name(action->cause)),
                         check_field(a, action->cause)),
              "left the queue: %s", why);
}

static void tell_systemd(struct agent *a)
{
    unsigned held = 0, waiting = 0, n = 0;
    char text[256], one[96] = "";
    for (unsigned i = 0; i < a->election.n; i++) {
        const struct vip *v = &a->vips[i];
        if (!a->slots[i].is_used || v->state == VIP_UNUSED)
            continue;
        n++;
        held += v->state == VIP_HELD;
        waiting += v->state == VIP_JOINING || (v->state == VIP_OFF && v->bars == 0);
        snprintf(one, sizeof(one), "%s %s", a->slots[i].text, vip_state_name(v->state));
    }
    uint64_t ttl_s = a->election.session.ttl_us / SECOND_US;
    if (n == 1)
        snprintf(text, sizeof(text), "STATUS=%s, lease %" PRIu64 " s, %u peers", one, ttl_s,
                 peers_count(a));
    else
        snprintf(text, sizeof(text),
                 "STATUS=%u of %u VIPs held here, lease %" PRIu64 " s, %u peers", held, n, ttl_s,
                 peers_count(a));
    notify_send(text);
    if (waiting == 0 && !a->has_told_ready) {
        a->has_told_ready = true;
        notify_send("READY=1");
    }
}

void report_state(struct agent *a, const struct election_action *action)
{
    struct slot *slot = &a->slots[action->vip];
    bool was_first = action->from == VIP_CONFIRMING || action->from == VIP_PROBING;
    switch (action->to) {
    case VIP_QUEUED:
        tell_queued(a, action->vip);
        break;
    case VIP_CONFIRMING:
    case VIP_PROBING:
    case VIP_TAKING:
        if (!was_first)
            slot->elected_us = clock_now_us();
        break;
    case VIP_HELD:
        tell_held(a, action->vip);
        break;
    case VIP_DROPPING:
        tell_released(a, action);
        break;
    case VIP_RESIGNING:
        if (action->from == VIP_QUEUED && action->cause == CAUSE_RESIGN && !a->is_paused)
            log_event(LOG_INFO, "stepped_behind", slot->text,
                      LOG_FIELDS(LOG_TEXT("to", slot->asked.to)),
                      "stepping behind %s, who is to have it", slot->asked.to);
        break;
    case VIP_OFF:
        tell_left(a, action);
        break;
    default:
        break;
    }
    log_event(LOG_DEBUG, "state", slot->text,
              LOG_FIELDS(LOG_TEXT("from", vip_state_name(action->from)),
                         LOG_TEXT("to", vip_state_name(action->to))),
              "%s -> %s", vip_state_name(action->from), vip_state_name(action->to));
    report_event(a, slot->text, vip_state_name(action->from), vip_state_name(action->to),
                 election_cause_name(action->cause));
    tell_systemd(a);
}

/* The words come from our own tables: nothing in them needs escaping. */
void report_event(struct agent *a, const char *vip, const char *from, const char *to,
                  const char *cause)
{
    char line[320], now[CLOCK_TEXT_MAX];
    clock_format_utc(clock_wall_us(), now);
    snprintf(line, sizeof(line),
             "{\"time\":\"%s\",\"vip\":\"%s\",\"from\":\"%s\",\"to\":\"%s\",\"cause\":\"%s\"}", now,
             vip, from, to, cause);
    api_server_publish(a->api, line);
}

void report_session(struct agent *a, const struct election_action *action)
{
    const struct session *ss = &a->election.session;
    char lease[20];
    report_event(a, "", session_state_name(action->from_session),
                 session_state_name(action->to_session), election_cause_name(action->cause));
    snprintf(lease, sizeof(lease), "%" PRIx64, (uint64_t)ss->lease);
    if (action->to_session == SESSION_LIVE)
        log_event(LOG_INFO, "session", NULL,
                  LOG_FIELDS(LOG_TEXT("lease", lease), LOG_NUMBER("ttl_ms", ss->ttl_us / MS_US)),
                  "lease %s granted for %" PRIu64 " s by %s", lease, ss->ttl_us / SECOND_US,
                  etcd_client_endpoint(a->etcd));
    else if (action->to_session == SESSION_RESTING)
        log_event(LOG_WARN, "session_lost", NULL, NULL,
                  "our lease is gone in etcd; addresses come off, a new session follows in 1 s");
}

void report_unprobed(struct agent *a, unsigned i)
{
    log_event(LOG_ERROR, "probe_unsent", a->slots[i].text,
              LOG_FIELDS(LOG_TEXT("iface", a->slots[i].link_name)),
              "no probe can be sent on %s, so nobody knows whether another has it; not taking it",
              a->slots[i].link_name);
    hooks_fire(a, CONFIG_ON_FAULT, i, "probe_unsent", a->vips[i].revision);
}

void report_foreign(struct agent *a, unsigned i)
{
    log_event(LOG_ERROR, "foreign_owner", a->slots[i].text,
              LOG_FIELDS(LOG_TEXT("iface", a->slots[i].link_name)),
              "somebody outside this election answers for it on %s; not taking it",
              a->slots[i].link_name);
    hooks_fire(a, CONFIG_ON_FAULT, i, "foreign_owner", a->vips[i].revision);
    /* At the start that is a mistake of the set-up, and nobody is served by waiting. */
    if (a->vips[i].taken == 0 && a->vips[i].predecessor == 0 && a->election.n == 1) {
        a->exit_code = 1;
        feed_simple(a, EV_STOP, 0, false);
    }
}

void report_late_renewal(struct agent *a)
{
    const struct session *ss = &a->election.session;
    uint64_t now = clock_now_us(), limit = 2 * deadline_interval(ss->ttl_us, a->election.is_fenced);
    if (ss->state != SESSION_LIVE || ss->has_lapsed || ss->failures == 0 ||
        now < ss->renewed_us + limit || now < a->late_told_us + LATE_TELL_US)
        return;
    a->late_told_us = now;
    /* It may pass between the step that looked at it and now. */
    uint64_t left_us = ss->deadline_us > now ? ss->deadline_us - now : 0;
    log_event(
        LOG_WARN, "renewal_late", NULL,
        LOG_FIELDS(LOG_NUMBER("silent_ms", (now - ss->renewed_us) / MS_US),
                   LOG_NUMBER("left_ms", left_us / MS_US)),
        "renewal late: %.1f s since the last answer (limit %.1f s), %.1f s until self-fencing",
        (double)(now - ss->renewed_us) / 1e6, (double)limit / 1e6, (double)left_us / 1e6);
}

void report_conflict(struct agent *a, unsigned i, const struct mac *mac)
{
    char text[MAC_TEXT_MAX];
    uint64_t n = a->vips[i].conflicts;
    if (n & (n + 1)) /* the 1st, 2nd, 4th, 8th ... */
        return;
    mac_format(mac, text);
    log_event(LOG_ERROR, "conflict", a->slots[i].text,
              LOG_FIELDS(LOG_TEXT("mac", text), LOG_NUMBER("count", n + 1)),
              "%s claims this address too (%" PRIu64 " times); %s", text, n + 1,
              a->election.peer.owner.is_mute ? "we are mute" : "answering");
    hooks_fire(a, CONFIG_ON_FAULT, i, "conflict", a->vips[i].revision);
}

void report_taken_over(struct agent *a, unsigned i, const struct mac *mac)
{
    struct slot *slot = &a->slots[i];
    char text[MAC_TEXT_MAX];
    if (slot->released_us == 0)
        return;
    const struct candidate *leader = queue_leader(&a->vips[i].queue);
    uint64_t ms = (clock_now_us() - slot->released_us) / MS_US;
    /* Our own key, or that of a session that we lost, may still stand first in what we know. */
    bool is_known = leader && strcmp(leader->name, a->settings.node) != 0;
    mac_format(mac, text);
    slot->released_us = 0;
    log_event(LOG_INFO, "taken_over", slot->text,
              LOG_FIELDS(LOG_TEXT("to", is_known ? leader->name : ""), LOG_TEXT("mac", text),
                         LOG_NUMBER("after_ms", ms)),
              "%s took over after %.3f s", is_known ? leader->name : text, (double)ms / 1e3);
    finish_if_taken_over(a);
}

void report_seen(struct agent *a, unsigned i, unsigned answered, unsigned asked)
{
    struct slot *slot = &a->slots[i];
    if (slot->has_told_seen || asked == 0 || answered < asked)
        return;
    slot->has_told_seen = true;
    uint64_t ms = (clock_now_us() - a->vips[i].held_us) / MS_US;
    log_event(LOG_INFO, "seen", slot->text,
              LOG_FIELDS(LOG_NUMBER("peers", answered), LOG_NUMBER("after_ms", ms)),
              "seen by %u/%u peers, %" PRIu64 " ms after it was set", answered, asked, ms);
}

void report_alone(struct agent *a)
{
    for (unsigned i = 0; i < a->election.n; i++)
        if (a->slots[i].is_used && a->slots[i].released_us)
            log_event(LOG_WARN, "not_taken_over", a->slots[i].text, NULL,
                      "resigned; nobody has taken over yet");
}

/* For a person who started it by hand. */
static void print_start(const struct agent *a)
{
    const struct settings *s = &a->settings;
    fprintf(stderr, "talosvip " TALOSVIP_VERSION " on %s, config %s%s\n", s->node,
            a->options->files[0], a->options->n_files > 1 ? " and more" : "");
    for (unsigned i = 0; i < a->election.n; i++)
        fprintf(stderr, "  vip        %s on %s, lease %.1f s, renewed every %.1f s\n",
                a->slots[i].text, a->slots[i].link_name, (double)s->ttl_us / 1e6,
                (double)deadline_interval(s->ttl_us, !a->fence_reason) / 1e6);
    fprintf(stderr, "  etcd       %s%s%s%s\n", s->endpoints[0],
            s->n_endpoints > 1 ? " and others" : "", s->cert ? ", client certificate" : "",
            s->user ? ", user and password" : "");
    for (unsigned i = 0; i < a->election.n; i++)
        fprintf(stderr, "  election   " KEYS_ELECTION_PREFIX "%s\n", a->slots[i].text);
    fprintf(stderr, "  fences     guardian, address lifetime, packet fence %s\n",
            a->fence_reason ? "no" : "yes");
}

void report_start(struct agent *a)
{
    const struct settings *s = &a->settings;
    if (log_is_human())
        print_start(a);
    for (unsigned i = 0; i < a->election.n && !log_is_human(); i++)
        log_event(LOG_INFO, "start", a->slots[i].text,
                  LOG_FIELDS(LOG_TEXT("iface", a->slots[i].link_name),
                             LOG_TEXT("version", TALOSVIP_VERSION)),
                  "talosvip " TALOSVIP_VERSION " on %s: %s, lease %.1f s, %zu etcd endpoints",
                  s->node, a->slots[i].link_name, (double)s->ttl_us / 1e6, s->n_endpoints);
    if (a->fence_reason)
        log_event(LOG_WARN, "no_packet_fence", NULL,
                  LOG_FIELDS(LOG_TEXT("reason", a->fence_reason)),
                  "no packet fence: %s; the right ends 1.5 s earlier instead", a->fence_reason);
}
