/* SPDX-License-Identifier: MIT */
/* Rule 2 and the voter's half of rule 3: what this agent says to others about an owner. */
#include "step.h"

#include <string.h>

/* An owner that nobody names any more and that was silent for so long is forgotten. */
#define FORGET_US (60 * SECOND_US)

static struct peer_seen *find(struct peer_lease *p, const struct peer_session *owner)
{
    for (unsigned i = 0; i < p->seen_n; i++)
        if (peer_is_same(&p->seen[i].owner, owner))
            return &p->seen[i];
    return NULL;
}

uint64_t voter_heard(const struct peer_lease *p, const struct peer_session *owner)
{
    for (unsigned i = 0; i < p->seen_n; i++)
        if (peer_is_same(&p->seen[i].owner, owner))
            return p->seen[i].heard_us;
    return 0;
}

/* What was given up must be kept for as long as that session may come back. */
static bool may_forget(const struct step *s, const struct peer_seen *seen)
{
    return s->now > seen->used_us + FORGET_US && !owner_has_member(s->e, &seen->owner) &&
           !ender_has_record(s->e, &seen->owner);
}

/* NULL when there is no room: then it is neither acknowledged nor given up. */
static struct peer_seen *take(struct step *s, const struct peer_session *owner)
{
    struct peer_lease *p = &s->e->peer;
    struct peer_seen *seen = find(p, owner);
    if (seen || owner->lease <= 0)
        return seen;
    for (unsigned i = 0; i < p->seen_n && !seen; i++)
        if (may_forget(s, &p->seen[i]))
            seen = &p->seen[i];
    if (!seen && p->seen_n < PEER_SEEN_MAX)
        seen = &p->seen[p->seen_n++];
    if (seen)
        *seen = (struct peer_seen){.owner = *owner};
    return seen;
}

void voter_on_heartbeat(struct step *s, const struct peer_input *in)
{
    struct peer_seen *seen;
    if (s->e->session.state != SESSION_LIVE || peer_is_self(s->e, &in->from))
        return;
    seen = take(s, &in->from);
    if (!seen || in->number <= seen->sequence)
        return; /* old, or a replay */
    seen->sequence = in->number;
    seen->heard_us = seen->used_us = s->now;
    struct election_action *a = step_act(s, ACT_PEER_ACK);
    a->peer = in->from;
    a->at_us = in->number;
    a->term = seen->given_up;
    if (s->e->is_stopping)
        step_act(s, ACT_PEER_LEAVE);
}

bool voter_grant(struct step *s, const struct peer_session *owner, int64_t term, uint64_t window_us)
{
    struct peer_lease *p = &s->e->peer;
    struct peer_seen *seen = find(p, owner);
    uint64_t patience = peer_patience(window_us);
    if (seen && seen->given_up >= term)
        return true;
    if (s->now < p->up_us + patience || (seen && s->now < seen->heard_us + patience))
        return false;
    seen = take(s, owner);
    if (!seen)
        return false;
    seen->given_up = term;
    seen->used_us = s->now;
    p->grants++;
    struct election_action *a = peer_note(s, PEER_NOTE_GRANTED);
    a->peer = *owner;
    a->term = term;
    a->ttl_us = window_us;
    return true;
}

void voter_on_asked(struct step *s, const struct peer_input *in)
{
    const struct election *e = s->e;
    if (e->session.state != SESSION_LIVE || peer_is_self(e, &in->owner) || in->term <= 0 ||
        !peer_is_window(in->window_us) || !voter_grant(s, &in->owner, in->term, in->window_us))
        return;
    struct election_action *a = step_act(s, ACT_PEER_GRANT);
    a->peer = in->from;
    a->owner = in->owner;
    a->term = in->term;
    a->at_us = in->number;
}
