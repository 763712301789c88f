/* SPDX-License-Identifier: MIT */
#include "cause.h"

#include <stdio.h>
#include <string.h>

/* An owner is mute for at least 0.3 s before its lease can end (deadline_margin()). One that was
 * heard later lived when its key went. */
#define MUTE_US 300000

static const struct {
    const char *released; /* election_cause_name(), or the guardian's */
    const char *told;
    bool is_planned;
} causes[] = {
    {"shutdown", "shutdown", true},           {"resign", "resign", true},
    {"config", "no longer configured", true}, {"link_down", "link down", false},
    {"health_check", "health check", false},  {"address_failed", "address refused", false},
    {"agent_died", "agent died", false},      {"mute", "no peer hears it", false},
};

static void set(char *to, size_t size, const char *text)
{
    snprintf(to, size, "%s", text);
}

/* Its record exists, it said good-bye as an owner, or it was seen: not just a key that led. */
static bool had_it(const struct cause_facts *f)
{
    return f->was_seen || (f->released && f->released->revision == f->before.epoch) ||
           (f->newest && f->newest->epoch == f->before.epoch);
}

static void tell_released(const struct record_released *r, struct record_move *move)
{
    for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
        if (strcmp(r->cause, causes[i].released) != 0)
            continue;
        set(move->cause, sizeof(move->cause), causes[i].told);
        set(move->detail, sizeof(move->detail), r->detail);
        move->is_planned = causes[i].is_planned;
        return;
    }
    /* "silent, ended by peers: ..." of the peer lease, or of a newer version. */
    bool is_silent = strncmp(r->cause, "silent", 6) == 0;
    set(move->cause, sizeof(move->cause), is_silent ? "silent" : r->cause);
    set(move->detail, sizeof(move->detail),
        r->detail[0] ? r->detail
        : is_silent  ? "ended by peers"
                     : "");
}

static void tell_unreleased(const struct cause_facts *f, struct record_move *move)
{
    bool is_ours = f->before.epoch == move->previous_epoch;
    if (is_ours && !f->before.is_agent) {
        set(move->cause, sizeof(move->cause), "unknown");
    } else if (is_ours && f->session && f->session == f->before.lease) {
        set(move->cause, sizeof(move->cause), "key deleted");
        set(move->detail, sizeof(move->detail), "by hand");
    } else if (is_ours && f->last_sign_us >= 0 && f->last_sign_us < MUTE_US) {
        set(move->cause, sizeof(move->cause), "etcd session lost");
        set(move->detail, sizeof(move->detail), move->from);
    } else {
        set(move->cause, sizeof(move->cause), "lease expired");
        snprintf(move->detail, sizeof(move->detail), "%s lost", move->from);
    }
}

void cause_tell(const struct cause_facts *f, struct record_move *move)
{
    if (f->before.epoch && had_it(f)) {
        set(move->from, sizeof(move->from), f->before.node);
        move->previous_epoch = f->before.epoch;
    } else if (f->released && (!f->newest || f->released->revision > f->newest->epoch)) {
        set(move->from, sizeof(move->from), f->released->node);
        move->previous_epoch = f->released->revision;
    } else if (f->newest) {
        set(move->from, sizeof(move->from), f->newest->to);
        move->previous_epoch = f->newest->epoch;
    } else if (f->before.epoch && !f->before.is_agent) {
        set(move->from, sizeof(move->from), f->before.node);
        move->previous_epoch = f->before.epoch;
    }
    if (move->previous_epoch == 0)
        set(move->cause, sizeof(move->cause), "first election");
    else if (f->released && f->released->revision == move->previous_epoch)
        tell_released(f->released, move);
    else
        tell_unreleased(f, move);
}

bool cause_missing(const struct cause_facts *f, struct record_move *ret_move)
{
    struct record_move move = {.last_sign_us = -1,
                               .won_us = -1,
                               .probed_us = -1,
                               .set_us = -1,
                               .announced_us = -1,
                               .cause = "unknown"};
    int64_t known = f->newest ? f->newest->epoch : 0;
    if (f->before.epoch > known && f->before.is_agent && had_it(f)) {
        move.epoch = f->before.epoch;
        move.gone_wall_us = f->before.since_wall_us;
        set(move.to, sizeof(move.to), f->before.node);
    } else if (f->released && f->released->revision > known) {
        move.epoch = f->released->revision;
        move.gone_wall_us = f->released->wall_us;
        set(move.to, sizeof(move.to), f->released->node);
    } else {
        return false;
    }
    if (f->newest) {
        set(move.from, sizeof(move.from), f->newest->to);
        move.previous_epoch = known;
    }
    *ret_move = move;
    return true;
}

bool cause_correct(struct record_move *move, const char *own, const char *detail)
{
    static const char *const inferred[] = {"lease expired", "etcd session lost", "unknown"};
    static const char *const lost[] = {"session_lost", "lease_expired", "key_deleted"};
    bool is_inferred = false, is_lost = false;
    for (size_t i = 0; i < sizeof(inferred) / sizeof(inferred[0]); i++) {
        is_inferred |= strcmp(move->cause, inferred[i]) == 0;
        is_lost |= strcmp(own, lost[i]) == 0;
    }
    if (!is_lost || !is_inferred ||
        (strcmp(move->cause, "etcd session lost") == 0 && strcmp(move->detail, detail) == 0))
        return false;
    set(move->cause, sizeof(move->cause), "etcd session lost");
    set(move->detail, sizeof(move->detail), detail);
    return true;
}
