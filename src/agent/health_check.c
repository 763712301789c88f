/* SPDX-License-Identifier: MIT */
#include "health_check.h"

void health_check_init(struct health_check *c, unsigned rise, unsigned fall, bool is_up)
{
    *c = (struct health_check){.rise = rise, .fall = fall, .is_up = is_up, .last = is_up};
}

bool health_check_note(struct health_check *c, bool has_passed)
{
    unsigned enough = has_passed ? c->rise : c->fall;
    if (has_passed != c->last)
        c->streak = 0;
    c->last = has_passed;
    if (c->streak < enough)
        c->streak++;
    if (c->streak < enough || (c->is_decided && c->is_up == has_passed))
        return false;
    c->is_up = has_passed;
    c->is_decided = true;
    return true;
}

uint64_t health_check_pause(const struct health_check *c, uint64_t interval_us, uint64_t random)
{
    if (!c->is_decided && interval_us > HEALTH_FIRST_US)
        interval_us = HEALTH_FIRST_US;
    uint64_t tenth = interval_us / 10;
    return interval_us - tenth + random % (2 * tenth + 1);
}
