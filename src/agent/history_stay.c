/* SPDX-License-Identifier: MIT */
/* etcd's leader changed, and the owner stayed: a record that says so, for whoever wonders later
 * what a slow minute was. The agents learn of it from the raft term in etcd's answers, each by
 * itself. It is a record of its owner's epoch and no move. */
#include "history.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A leader that flaps is followed up this often; the log has them all. */
#define FOLLOW_US (60 * SECOND_US)
/* The owner's record comes after a renewal and a key check; then everybody else adds to it. */
#define KEPT_AFTER_US (1500 * MS_US)

/* Nothing but silence can be wrong then: a sign of life is at hand, and another one is asked for.
 */
static void watch_owner(struct history *h, unsigned i, uint64_t was_term)
{
    struct agent *a = h->agent;
    const struct track *t = &h->tracks[i];
    const struct observe *view = &a->slots[i].view;
    if (!t->now.epoch || !t->now.is_agent || t->now.lease == a->election.session.lease ||
        view->is_own || view->is_blind || !view->heard_us)
        return;
    struct job *job = calloc(1, sizeof(*job));
    if (!job)
        return; /* the record will lack our part */
    job->kind = JOB_KEPT;
    job->slot = i;
    job->ip = a->slots[i].ip;
    job->born_us = clock_now_us();
    job->due_us = NEVER_US;
    job->gone_us = h->quiet_us;
    job->max_us = t->pause_us;
    job->move.epoch = t->now.epoch;
    job->move.term = (int64_t)was_term;
    history_add_job(h, job);
    sight_hint(a, i);
}

static void follow_up(struct history *h, uint64_t was_term)
{
    struct agent *a = h->agent;
    h->noted_us = clock_now_us();
    h->proofs = 0;
    h->stay = (struct record_move){.cause = RECORD_CAUSE_STAYED,
                                   .detail = "lease kept",
                                   .is_planned = true,
                                   .term = (int64_t)h->term,
                                   .gone_wall_us = clock_wall_us(),
                                   .last_sign_us = -1,
                                   .won_us = -1,
                                   .probed_us = -1,
                                   .set_us = -1,
                                   .announced_us = -1,
                                   .observers = peers_count(a),
                                   .n_seen = 1};
    h->stay.seen[0] = (struct record_seen){.seen_ms = 0, .outage_us = -1, .error_us = -1};
    for (unsigned i = 0; i < a->election.n; i++) {
        h->tracks[i].is_staying = a->slots[i].is_used && a->vips[i].state == VIP_HELD;
        if (a->slots[i].is_used && !h->tracks[i].is_staying)
            watch_owner(h, i, was_term);
    }
}

static void begin_quiet(struct history *h)
{
    h->quiet_us = clock_now_us();
    for (unsigned i = 0; i < h->agent->election.n; i++)
        h->tracks[i].pause_us = 0;
}

void history_term(struct agent *a, const struct etcd_header *header)
{
    struct history *h = a->history;
    if (!h || header->raft_term == 0 || header->raft_term >= INT64_MAX)
        return;
    uint64_t was = header->cluster_id == h->cluster_id ? h->term : 0;
    if (header->raft_term < was)
        return; /* a member that lags behind */
    h->cluster_id = header->cluster_id;
    h->term = header->raft_term;
    if (was && was != h->term) {
        log_event(LOG_INFO, "etcd_leader_changed", NULL,
                  LOG_FIELDS(LOG_NUMBER("from", was), LOG_NUMBER("to", h->term)),
                  "etcd has elected a leader: raft term %" PRIu64 ", it was %" PRIu64, h->term,
                  was);
        if (!h->noted_us || clock_now_us() >= h->noted_us + FOLLOW_US)
            follow_up(h, was);
    }
    begin_quiet(h);
}

static void note_stay(struct history *h, unsigned i)
{
    struct agent *a = h->agent;
    struct track *t = &h->tracks[i];
    struct job *job = calloc(1, sizeof(*job));
    if (!job)
        return;
    job->kind = JOB_STAY;
    job->slot = i;
    job->ip = a->slots[i].ip;
    job->born_us = job->due_us = clock_now_us();
    job->held = a->vips[i].revision;
    job->lease = a->election.session.lease;
    job->move = h->stay;
    job->move.epoch = job->move.previous_epoch = job->held;
    memcpy(job->move.from, a->settings.node, sizeof(job->move.from));
    memcpy(job->move.to, a->settings.node, sizeof(job->move.to));
    memcpy(job->move.seen[0].node, a->settings.node, sizeof(job->move.seen[0].node));
    int64_t *place = &t->stays[t->n_stays++ % HISTORY_STAYS_MAX];
    job->obsolete = *place;
    *place = job->move.term;
    history_add_job(h, job);
}

void history_proved(struct agent *a, enum history_proof proof, uint64_t term)
{
    struct history *h = a->history;
    if (!h || !h->stay.term || term < (uint64_t)h->stay.term)
        return;
    h->proofs |= proof;
    if (h->proofs != (HISTORY_RENEWED | HISTORY_CHECKED))
        return;
    for (unsigned i = 0; i < a->election.n; i++) {
        if (h->tracks[i].is_staying && a->slots[i].is_used && a->vips[i].state == VIP_HELD)
            note_stay(h, i);
        h->tracks[i].is_staying = false;
    }
    h->stay.term = 0;
}

void history_heard(struct agent *a, unsigned i, uint64_t before_us)
{
    struct history *h = a->history;
    struct track *t = &h->tracks[i];
    const struct observe *view = &a->slots[i].view;
    if (!before_us || view->heard_us <= before_us)
        return;
    uint64_t pause_us = view->heard_us - before_us;
    t->pause_us = pause_us > t->pause_us ? pause_us : t->pause_us;
    for (struct job *job = h->first; job; job = job->next) {
        if (job->kind != JOB_KEPT || job->is_seen || job->slot != i ||
            !ip_equal(&job->ip, &a->slots[i].ip) || view->moved.at_us >= job->gone_us)
            continue;
        const struct observe_turn *turn = &view->turn;
        bool is_gap = turn->at_us >= job->gone_us && turn->is_measured && turn->min_us > 0;
        job->is_seen = true;
        job->is_measured = is_gap;
        job->seen_us = view->heard_us;
        job->min_us = is_gap ? turn->min_us : 0;
        if (is_gap || pause_us > job->max_us)
            job->max_us = is_gap ? turn->max_us : pause_us;
        job->due_us = view->heard_us + KEPT_AFTER_US + (uint64_t)random() % (KEPT_AFTER_US / 4);
        history_arm(h);
    }
}

bool history_stay_is_early(const struct history *h, const struct job *stay)
{
    for (const struct job *job = h->first; job; job = job->next)
        if (job->kind == JOB_RECORD && job->move.epoch == stay->held &&
            ip_equal(&job->ip, &stay->ip))
            return true;
    return false;
}

bool history_kept_tell(const struct job *kept, const char *node, struct record_move *move)
{
    struct record_seen *seen = history_own_part(move, node);
    if (!seen || seen->seen_ms >= 0)
        return false;
    seen->seen_ms = (int64_t)((kept->seen_us - kept->born_us) / MS_US);
    if (kept->is_measured) {
        history_measure(seen, kept->min_us, kept->max_us);
    } else {
        seen->outage_us = 0;
        seen->error_us = (int64_t)kept->max_us;
    }
    return true;
}
