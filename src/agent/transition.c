/* SPDX-License-Identifier: MIT */
/* What a new state of a VIP means to those outside: it was acquired, released, or lost by a fault.
 */
#include "state.h"

static bool is_fault(enum election_cause cause)
{
    return cause != CAUSE_NONE && cause != CAUSE_SHUTDOWN && cause != CAUSE_CONFIG &&
           cause != CAUSE_RESIGN;
}

static bool is_queued(enum vip_state state)
{
    return state == VIP_JOINING || state == VIP_QUEUED || state == VIP_CONFIRMING ||
           state == VIP_PROBING;
}

/* The kernel has said that the address is off. */
static void released(struct agent *a, const struct election_action *action)
{
    struct slot *slot = &a->slots[action->vip];
    int64_t epoch = slot->was_held ? a->vips[action->vip].owned : 0;
    const char *cause = election_cause_name(action->cause);
    if (slot->was_held) {
        slot->counters.released[action->cause]++;
        hooks_fire(a, CONFIG_ON_RELEASED, action->vip, cause, epoch);
    }
    if (is_fault(action->cause))
        hooks_fire(a, CONFIG_ON_FAULT, action->vip, cause, epoch);
    slot->was_held = false;
}

void transition(struct agent *a, const struct election_action *action)
{
    struct slot *slot = &a->slots[action->vip];
    bool is_out = action->to == VIP_OFF || action->to == VIP_RESIGNING;
    if (action->to == VIP_HELD) {
        slot->was_held = true;
        hooks_fire(a, CONFIG_ON_ACQUIRED, action->vip, "", a->vips[action->vip].revision);
    } else if (action->from == VIP_DROPPING) {
        released(a, action);
    } else if (is_queued(action->from) && is_out && is_fault(action->cause)) {
        hooks_fire(a, CONFIG_ON_FAULT, action->vip, election_cause_name(action->cause), 0);
    }
}
