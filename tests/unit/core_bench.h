/* SPDX-License-Identifier: MIT */
/* One core on the bench: events go in by hand, each step is checked for what must hold after every
 * step (the invariants of src/core/election.c, by their numbers), and its actions can be looked
 * at. Slot 0 is the VIP under test. */
#ifndef TALOSVIP_TESTS_CORE_BENCH_H
#define TALOSVIP_TESTS_CORE_BENCH_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/deadline.h"
#include "core/election.h"

/* Our key and lease, and those of the one before us. */
enum { LEASE = 100, KEY = 7, LEASE_BEFORE = 50, KEY_BEFORE = 5 };
enum { BENCH_VIPS_MAX = 200 };

struct bench {
    struct election e;
    struct vip *vips;
    unsigned n_vips;
    uint64_t now;
    int64_t revision; /* of the newest thing etcd said */
    bool is_unsent;   /* no probe can be sent */
    bool is_armed[BENCH_VIPS_MAX], is_shut[BENCH_VIPS_MAX];
    struct election_actions out;
};

/* A core with `n` VIPs, not started. */
void bench_init(struct bench *b, unsigned n);
void bench_done(struct bench *b);
/* The same core again; the copy is to be freed too. */
void bench_copy(struct bench *to, const struct bench *from);

/* Feeds it now; `ev->now_us` is set here. Fails the test when something is broken after it. */
void bench_feed(struct bench *b, struct election_event ev);
void bench_timer(struct bench *b, uint64_t at_us);
/* Feeds EV_TIMER whenever it is due, until then. */
void bench_run_until(struct bench *b, uint64_t at_us);

/* The newest action of that type of the last step for slot 0, or NULL. */
const struct election_action *bench_find(const struct bench *b, enum election_action_type type);
/* As above; fails the test when there is none. */
const struct election_action *bench_expect(const struct bench *b, enum election_action_type type);
/* The last step gave these and nothing else, in this order; ends with ACT_TYPES. */
void bench_expect_actions(const struct bench *b, const enum election_action_type *types);
#define BENCH_EXPECT(b, ...)                                                                       \
    bench_expect_actions(b, (const enum election_action_type[]){__VA_ARGS__, ACT_TYPES})

/* Slot 0 comes to that state by events alone, from nothing. */
void bench_drive(struct bench *b, enum vip_state state);

/* Events with everything in them that the state waits for. */
struct election_event bench_granted(const struct bench *b);
struct election_event bench_renewed(const struct bench *b);
/* We lead, or stand behind the one before us. */
struct election_event bench_proved(const struct bench *b, bool is_first, int64_t released);
struct election_event bench_bar(unsigned bar, bool is_up);

#endif
