/* SPDX-License-Identifier: MIT */
/* When to tell the network. Pure; times in microseconds of CLOCK_BOOTTIME.
 *
 * A gratuitous ARP or unsolicited NA is never acknowledged (RFC 5227 section 3, RFC 4861 section
 * 7.2.6 allows repeats), so it is repeated on a schedule that thins out; beside it the peers we
 * know are asked something as the VIP, and their answer confirms that they switched. */
#ifndef TALOSVIP_CORE_ANNOUNCE_H
#define TALOSVIP_CORE_ANNOUNCE_H

#include <stdbool.h>
#include <stdint.h>

struct announce {
    uint64_t started_us; /* of this run of the schedule */
    uint64_t next_us;    /* next announcement; NEVER_US when silent */
    unsigned round;      /* announcements sent in this run */
    uint64_t ask_us;     /* next question to peers that have not answered */
    unsigned asks_left;
    unsigned unanswered; /* peers, as last reported */
};

enum announce_due { ANNOUNCE_NOTHING = 0, ANNOUNCE_TELL = 1, ANNOUNCE_ASK = 2 };

#define ANNOUNCE_REFRESH_DEFAULT_US (10 * 1000000ull)

/* Starts the whole schedule; the first announcement is due at once. */
void announce_start(struct announce *a, uint64_t now_us);
void announce_stop(struct announce *a);
/* What is due now (enum announce_due bits); moves the schedule on. */
unsigned announce_step(struct announce *a, uint64_t now_us, uint64_t refresh_us);
/* How many of the peers asked have not answered yet. */
void announce_report(struct announce *a, unsigned unanswered);
/* The next time announce_step() has something to do. */
uint64_t announce_wake(const struct announce *a);

#endif
