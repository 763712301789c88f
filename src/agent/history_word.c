/* SPDX-License-Identifier: MIT */
/* Who writes a record infers from what it sees why the last owner lost the address; that owner, if
 * it lives, knows. Its word waits until there is a record, however late etcd is back. */
#include "history.h"

#include <stdlib.h>
#include <string.h>

/* Before what others saw: this is news. */
#define WORD_AFTER_US (30 * MS_US)
/* After these, some 0.8 s, it is no agent that leads. */
#define NEAR_TRIES 5

static bool is_word_for(const struct job *job, const struct ip *ip, int64_t held)
{
    return job->kind == JOB_WORD && ip_equal(&job->ip, ip) && (!held || job->held == held);
}

/* It was taken back under the same key since: that loss moved nothing. */
static void take_back(struct history *h, const struct ip *ip, int64_t held)
{
    struct job *job = h->first;
    while (job && !is_word_for(job, ip, held))
        job = job->next;
    if (job)
        history_drop_job(h, job);
    history_arm(h);
}

/* A shutdown waits for its release to be written, and nothing is left to say afterwards. What an
 * owner does that was held up, or that no peer hears, may come after its peers ended it. */
static bool is_worth_saying(const struct agent *a, enum election_cause cause)
{
    bool was_taken_away = cause == CAUSE_LAPSED || cause == CAUSE_SESSION_LOST ||
                          cause == CAUSE_KEY_LOST || cause == CAUSE_PEERS;
    bool is_certain = !a->election.is_doubtful && !a->election.peer.owner.is_mute;
    return cause != CAUSE_SHUTDOWN && (was_taken_away || is_certain);
}

void history_word_note(struct history *h, unsigned i, enum election_cause cause)
{
    struct agent *a = h->agent;
    const struct track *t = &h->tracks[i];
    struct job *word;
    take_back(h, &a->slots[i].ip, t->held);
    if (!t->held || t->was_frozen || !is_worth_saying(a, cause) ||
        !(word = calloc(1, sizeof(*word))))
        return;
    word->kind = JOB_WORD;
    word->slot = i;
    word->ip = a->slots[i].ip;
    word->held = t->held;
    word->lease = a->election.session.lease;
    word->lost_us = t->lost_us;
    word->lost_cause = cause;
    word->due_us = NEVER_US;
    history_explain(a, i, cause, word->lost_detail);
    history_add_job(h, word);
}

void history_word_wake(struct history *h, const struct ip *ip)
{
    uint64_t now = clock_now_us();
    for (struct job *job = h->first; job; job = job->next) {
        if (!is_word_for(job, ip, 0) || job == h->current)
            continue;
        job->born_us = now;
        job->due_us = now + WORD_AFTER_US;
        job->tries = 0;
    }
    history_arm(h);
}

bool history_word_is_ripe(const struct agent *a, struct job *word)
{
    const struct session *ss = &a->election.session;
    if (word->lost_cause != CAUSE_KEY_LOST)
        return true;
    if (ss->lease == word->lease)
        return ss->renewed_us - ss->latency_us > word->lost_us; /* the lease lived after that */
    word->lost_cause = CAUSE_SESSION_LOST;
    snprintf(word->lost_detail, sizeof(word->lost_detail), "%s", a->settings.node);
    return true;
}

bool history_word_is_near(const struct job *word)
{
    return word->due_us != NEVER_US && word->tries < NEAR_TRIES;
}

bool history_word_tell(const struct job *word, struct record_move *move)
{
    return move->previous_epoch == word->held &&
           cause_correct(move, election_cause_name(word->lost_cause), word->lost_detail);
}

void history_word_tell_own(struct history *h, struct job *record)
{
    for (struct job *job = h->first; job; job = job->next)
        if (is_word_for(job, &record->ip, record->move.previous_epoch) &&
            history_word_is_ripe(h->agent, job))
            history_word_tell(job, &record->move);
}
