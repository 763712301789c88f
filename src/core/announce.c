/* SPDX-License-Identifier: MIT */
#include "core/announce.h"

#include "core/deadline.h"

static const uint64_t schedule_us[] = {0,           20 * MS_US,   100 * MS_US,  300 * MS_US,
                                       700 * MS_US, 1200 * MS_US, 2200 * MS_US, 5000 * MS_US};
#define ROUNDS (sizeof(schedule_us) / sizeof(schedule_us[0]))

#define ASKS_MAX 10
#define ASK_INTERVAL_US (50 * MS_US)

void announce_start(struct announce *a, uint64_t now_us)
{
    *a = (struct announce){.started_us = now_us,
                           .next_us = now_us,
                           .ask_us = now_us,
                           .asks_left = ASKS_MAX,
                           .unanswered = 1};
}

void announce_stop(struct announce *a)
{
    *a = (struct announce){.next_us = NEVER_US, .ask_us = NEVER_US};
}

unsigned announce_step(struct announce *a, uint64_t now_us, uint64_t refresh_us)
{
    unsigned due = ANNOUNCE_NOTHING;
    if (now_us >= a->next_us) {
        due |= ANNOUNCE_TELL;
        a->round++;
        if (a->round < ROUNDS)
            a->next_us = a->started_us + schedule_us[a->round];
        /* After a late wake-up the rounds that were missed are not made up for. */
        if (a->round >= ROUNDS || a->next_us <= now_us)
            a->next_us = now_us + (a->round < ROUNDS ? schedule_us[1] : refresh_us);
    }
    if (now_us >= a->ask_us && a->asks_left > 0 && a->unanswered > 0) {
        due |= ANNOUNCE_ASK;
        a->asks_left--;
        a->ask_us = a->asks_left ? now_us + ASK_INTERVAL_US : NEVER_US;
    }
    return due;
}

void announce_report(struct announce *a, unsigned unanswered)
{
    a->unanswered = unanswered;
}

uint64_t announce_wake(const struct announce *a)
{
    uint64_t ask = a->unanswered && a->asks_left ? a->ask_us : NEVER_US;
    return ask < a->next_us ? ask : a->next_us;
}
