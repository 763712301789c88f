/* SPDX-License-Identifier: MIT */
#include "cause.h"

#include <stdio.h>
#include <string.h>

/* An owner is mute for at least 0.3 s before its lease can end (deadline_margin()). One that was
 * heard later lived when its key went. */
#define MUTE_US 300000
#define LOST "etcd session lost"

static const struct {
    const char *released; /* election_cause_name(), or the guardian's */
    const char *told;
    bool is_planned;
} causes[] = {
    {"shutdown", "shutdown", true},
    {"resign", "resign", true},
    {"config", "no longer configured", true},
    {"link_down", "link down", false},
    {"health_check", "health check", false},
    {"address_failed", "address refused", false},
    {"agent_died", "agent died", false},
    {"mute", "no peer hears it", false},
    {"session_lost", LOST, false},
    {"lease_expired", LOST, false},
    {"ended_by_peers", LOST, false},
    {"key_deleted", "key deleted", false},
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

static bool tell_known(const char *cause, const char *detail, struct record_move *move)
{
    for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
        if (strcmp(cause, causes[i].released) != 0)
            continue;
        set(move->cause, sizeof(move->cause), causes[i].told);
        set(move->detail, sizeof(move->detail), detail);
        move->is_planned = causes[i].is_planned;
        return true;
    }
    return false;
}

static void tell_released(const struct record_released *r, struct record_move *move)
{
    if (tell_known(r->cause, r->detail, move))
        return;
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
        set(move->cause, sizeof(move->cause), LOST);
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
        if (f->released && f->released->revision == known)
            tell_released(f->released, &move);
    }
    *ret_move = move;
    return true;
}

static bool is_one_of(const char *cause, const char *const *list)
{
    while (*list && strcmp(cause, *list) != 0)
        list++;
    return *list != NULL;
}

bool cause_correct(struct record_move *move, const char *own, const char *detail)
{
    /* Who ends a lease deletes the keys first, the record of voters among them, and so does who
     * revokes it: which of them the owner hears of first is chance. */
    static const char *const lost[] = {"session_lost", "lease_expired", "key_deleted",
                                       "ended_by_peers", NULL};
    static const char *const inferred[] = {"lease expired", LOST, "unknown", NULL};
    struct record_move was = *move;
    bool is_lost = is_one_of(own, lost);
    if (!is_one_of(move->cause, inferred) && (is_lost || strcmp(move->cause, "silent") != 0))
        return false;
    return tell_known(own, detail, move) &&
           (strcmp(move->cause, was.cause) != 0 || strcmp(move->detail, was.detail) != 0);
}
