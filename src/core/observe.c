/* SPDX-License-Identifier: MIT */
#include "core/observe.h"

#include <string.h>

#define PATIENT_INTERVAL_US (200 * MS_US)
/* Two moves within a second make two turns; two stations that both answer make one per frame. */
#define FLIPS_MAX 3
#define FLIPS_US SECOND_US
#define CLAIMS_MAX 2 /* beside our own address */

static bool is_same(const struct mac *a, const struct mac *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

void observe_start(struct observe *o, uint64_t first_us)
{
    *o = (struct observe){.next_us = first_us, .since_us = first_us};
}

static bool is_silent(const struct observe *o)
{
    return !o->is_own && o->missed > 0 && o->last_us - o->missed_us >= OBSERVE_SILENT_US;
}

uint64_t observe_silent_us(const struct observe *o, uint64_t now)
{
    return is_silent(o) ? now - (o->heard_us ? o->heard_us : o->missed_us) : 0;
}

/* Only a look in time proves that there was no answer: one that waits in the socket of a process
 * that was held up is an answer all the same. */
static void note_missing(struct observe *o, uint64_t now)
{
    bool was_silent = is_silent(o);
    if (now > o->next_us + OBSERVE_HOLDUP_US)
        return;
    if (o->missed++ == 0) {
        o->missed_us = o->asked_us;
        o->since_us = now;
    }
    o->last_us = o->asked_us;
    o->has_news |= !was_silent && is_silent(o);
}

static uint64_t pace(const struct observe *o, uint64_t now, uint64_t interval_us, uint64_t eager_us)
{
    uint64_t searched = now - o->since_us;
    if (o->has_other && interval_us > SECOND_US)
        return SECOND_US;
    if (o->is_own || searched >= OBSERVE_PATIENT_US)
        return interval_us;
    if (searched >= OBSERVE_EAGER_US && eager_us < PATIENT_INTERVAL_US)
        return PATIENT_INTERVAL_US;
    return o->missed ? eager_us : OBSERVE_ANSWER_US;
}

/* Of two stations, one that has been quiet for long is none any more. */
static void forget_quiet(struct observe *o, uint64_t now)
{
    bool is_other_quiet = now >= o->other_us + OBSERVE_OTHER_US;
    if (!o->has_other || (!is_other_quiet && (o->is_own || now < o->heard_us + OBSERVE_OTHER_US)))
        return;
    if (!is_other_quiet) {
        o->mac = o->other;
        o->heard_us = o->other_us;
    }
    o->has_other = false;
    o->flips = 0;
    o->has_news = true;
}

bool observe_timer(struct observe *o, uint64_t now, uint64_t interval_us, uint64_t eager_us)
{
    forget_quiet(o, now);
    if (o->is_blind || now < o->next_us)
        return false;
    if (o->is_asked && !o->is_own)
        note_missing(o, now);
    o->next_us = now + pace(o, now, interval_us, eager_us);
    return true;
}

void observe_sent(struct observe *o, uint64_t now, bool is_sent)
{
    o->is_asked = is_sent;
    o->asked_us = now;
    if (!is_sent)
        o->missed = 0;
}

static void turn(struct observe *o, uint64_t now, bool is_new)
{
    o->has_news |= is_new || is_silent(o);
    o->turn = (struct observe_turn){.at_us = now, .is_new = is_new, .is_measured = o->heard_us};
    if (o->heard_us)
        o->turn.max_us = now - o->heard_us;
    if (o->missed)
        o->turn.min_us = o->last_us - o->missed_us;
    if (is_new)
        o->moved = o->turn;
    o->missed = 0;
}

/* One more of the signs that there are two; after enough of them it is certain. */
static bool is_second(struct observe *o, uint64_t now, unsigned enough)
{
    if (o->flips == 0 || now - o->flip_us > FLIPS_US) {
        o->flips = 0;
        o->flip_us = now;
    }
    o->flips++;
    /* One more question tells a second owner from a new one. */
    if (o->next_us > now + OBSERVE_ANSWER_US)
        o->next_us = now + OBSERVE_ANSWER_US;
    if (o->flips < enough || o->has_other)
        return false;
    o->has_other = o->has_news = true;
    return true;
}

static void hear_beside_own(struct observe *o, const struct mac *mac, uint64_t now)
{
    if (!is_same(&o->other, mac))
        o->flips = 0;
    o->other = *mac;
    o->other_us = now;
    is_second(o, now, CLAIMS_MAX);
}

static void hear_another(struct observe *o, const struct mac *mac, uint64_t now)
{
    turn(o, now, true);
    o->other = o->mac;
    o->other_us = o->heard_us;
    o->mac = *mac;
    o->heard_us = now;
    if (!is_second(o, now, FLIPS_MAX))
        return;
    /* Who had it first stays the one. */
    o->mac = o->other;
    o->heard_us = o->other_us;
    o->other = *mac;
    o->other_us = now;
}

void observe_heard(struct observe *o, const struct mac *mac, uint64_t now, uint64_t interval_us)
{
    if (o->is_asked && !o->is_own)
        o->next_us = o->asked_us + interval_us;
    o->is_asked = false;
    o->sign_us = now;
    if (o->is_own) {
        hear_beside_own(o, mac, now);
    } else if (o->has_other && is_same(&o->other, mac)) {
        o->other_us = now;
    } else if (o->has_mac && !is_same(&o->mac, mac)) {
        hear_another(o, mac, now);
    } else {
        if (!o->has_mac || o->missed)
            turn(o, now, !o->has_mac);
        o->mac = *mac;
        o->has_mac = true;
        o->heard_us = now;
    }
}

void observe_own(struct observe *o, const struct mac *mac, bool is_own, uint64_t since_us,
                 uint64_t now)
{
    if (o->is_own == is_own) {
        o->mac = is_own ? *mac : o->mac;
        return;
    }
    o->has_news = true;
    o->is_asked = o->has_other = false;
    o->flips = 0;
    o->other_us = 0;
    o->is_own = is_own;
    if (is_own) {
        turn(o, now, true);
        o->mac = *mac;
        o->has_mac = true;
        return;
    }
    /* Here it was for certain until then, and from now on it is not. */
    o->heard_us = since_us;
    o->missed_us = o->last_us = o->since_us = now;
    o->missed = 1;
    o->next_us = now;
}

void observe_doubt(struct observe *o)
{
    o->heard_us = 0;
    o->missed = 0;
    o->is_asked = false;
}

void observe_blind(struct observe *o, bool is_blind, uint64_t now)
{
    if (o->is_blind == is_blind)
        return;
    struct observe_turn last = o->turn, moved = o->moved;
    bool was_own = o->is_own;
    struct mac own = o->mac;
    observe_start(o, now);
    o->turn = last;
    o->moved = moved;
    o->is_blind = is_blind;
    o->is_own = o->has_mac = was_own;
    o->mac = own;
    o->has_news = true;
}

void observe_hint(struct observe *o, uint64_t now)
{
    o->since_us = now;
    if (!o->is_own && o->next_us > now)
        o->next_us = now;
}
