/* SPDX-License-Identifier: MIT */
/* From the address to out of the queue. */
#include "step.h"

#define DELETE_RETRY_US (50 * MS_US)

/* Still within the right: clients are told that their connections end. */
static bool is_planned(enum election_cause cause)
{
    return cause == CAUSE_SHUTDOWN || cause == CAUSE_RESIGN || cause == CAUSE_LINK_DOWN ||
           cause == CAUSE_HEALTH || cause == CAUSE_CONFIG;
}

static void delete_address(struct step *s, unsigned i)
{
    struct vip *v = &s->e->vips[i];
    struct election_action *a;
    v->req = step_request(s, ACT_ADDRESS_DELETE, &a);
    a->vip = i;
    v->due_us = s->now + DELETE_RETRY_US;
}

void give_drop(struct step *s, unsigned i, enum election_cause cause)
{
    struct vip *v = &s->e->vips[i];
    v->has_resign = is_planned(cause) || cause == CAUSE_ADDRESS || cause == CAUSE_MUTE;
    v->proof_req = 0;
    announce_stop(&v->announce);
    vip_set_state(s, i, VIP_DROPPING, cause);
    step_act(s, is_planned(cause) ? ACT_CLOSE_CONNECTIONS : ACT_FENCE_SHUT)->vip = i;
    delete_address(s, i);
}

/* The kernel would not, or did not say: whatever becomes of our key meanwhile, be mute. */
void give_delete_again(struct step *s, unsigned i)
{
    step_act(s, ACT_FENCE_SHUT)->vip = i;
    delete_address(s, i);
}

void give_on_cleared(struct step *s, unsigned i, enum election_result result)
{
    struct vip *v = &s->e->vips[i];
    if (result != RESULT_OK) {
        step_act(s, ACT_FENCE_SHUT)->vip = i;
        v->due_us = s->now + DELETE_RETRY_US;
        return;
    }
    v->has_address = false;
    step_act(s, ACT_FENCE_DISARM)->vip = i;
    bool has_key = s->e->session.state == SESSION_LIVE && v->revision != 0;
    if (has_key && v->cause == CAUSE_LAPSED)
        vip_set_state(s, i, VIP_QUEUED, CAUSE_LAPSED);
    else if (has_key && v->has_resign)
        give_resign(s, i, true, v->cause);
    else
        give_off(s, i, v->cause);
}

void give_resign(struct step *s, unsigned i, bool is_recorded, enum election_cause cause)
{
    struct vip *v = &s->e->vips[i];
    struct election_action *a;
    if (v->state != VIP_RESIGNING) {
        v->has_resign = is_recorded;
        vip_set_state(s, i, VIP_RESIGNING, cause);
    }
    v->proof_req = 0;
    v->req = step_request(s, ACT_RESIGN, &a);
    a->vip = i;
    a->lease = s->e->session.lease;
    a->revision = v->revision;
    a->yes = v->has_resign;
    a->cause = v->cause;
    v->due_us = s->now + REQUEST_TIMEOUT_US;
}

void give_on_resigned(struct step *s, unsigned i, enum election_result result)
{
    struct vip *v = &s->e->vips[i];
    if (result == RESULT_FAILED) {
        v->req = 0;
        v->due_us = s->now + RETRY_US;
        return;
    }
    give_off(s, i, v->cause);
}

void give_off(struct step *s, unsigned i, enum election_cause cause)
{
    struct vip *v = &s->e->vips[i];
    v->revision = 0;
    v->req = v->proof_req = 0;
    queue_forget(&v->queue, s->e->session.lease);
    v->join_us = cause == CAUSE_RESIGN ? s->now : s->now + REJOIN_US;
    vip_set_state(s, i, VIP_OFF, cause);
}

void give_lost_key(struct step *s, unsigned i)
{
    struct vip *v = &s->e->vips[i];
    v->revision = 0;
    if (v->has_address)
        give_drop(s, i, CAUSE_KEY_LOST);
    else
        give_off(s, i, CAUSE_KEY_LOST);
}
