/* SPDX-License-Identifier: MIT */
/* Who has an address on the wire, as one node sees it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/observe.h"

#define INTERVAL (400 * MS_US)

static const struct mac a = {{2, 0, 0, 0, 0, 0xa}}, b = {{2, 0, 0, 0, 0, 0xb}};
static const uint64_t start = 1000 * SECOND_US;

/* A wire: who answers, and how long after the question. */
struct wire {
    struct observe o;
    uint64_t now;
    bool has_a, has_b;
    unsigned probes;
};

static void wire_start(struct wire *w)
{
    *w = (struct wire){.now = start};
    observe_start(&w->o, start);
}

static void answer(struct wire *w)
{
    if (w->has_a && !(w->o.is_own))
        observe_heard(&w->o, &a, w->now, INTERVAL);
    if (w->has_b)
        observe_heard(&w->o, &b, w->now, INTERVAL);
}

static void run(struct wire *w, uint64_t us)
{
    uint64_t end = w->now + us;
    while (w->now < end) {
        w->now += MS_US;
        if (!observe_timer(&w->o, w->now, INTERVAL, OBSERVE_ANSWER_US))
            continue;
        observe_sent(&w->o, w->now, true);
        w->probes++;
        answer(w);
    }
}

static void test_answers(void **state)
{
    struct wire w;
    (void)state;
    wire_start(&w);
    w.has_a = true;
    run(&w, 4 * SECOND_US);
    assert_in_range(w.probes, 9, 11);
    assert_true(w.o.has_mac);
    assert_memory_equal(&w.o.mac, &a, sizeof(a));
    assert_int_equal(observe_silent_us(&w.o, w.now), 0);
    assert_true(w.o.has_news); /* the first answer */
    w.o.has_news = false;
    run(&w, 4 * SECOND_US);
    assert_false(w.o.has_news);
}

/* An owner that goes mute is known within an interval and the time it takes to be sure. */
static void test_mute(void **state)
{
    struct wire w;
    (void)state;
    wire_start(&w);
    w.has_a = true;
    run(&w, SECOND_US);
    w.has_a = w.o.has_news = false;
    run(&w, INTERVAL + OBSERVE_SILENT_US + 3 * OBSERVE_ANSWER_US);
    assert_true(w.o.has_news);
    assert_in_range(observe_silent_us(&w.o, w.now), OBSERVE_SILENT_US, SECOND_US);
    w.o.has_news = false;
    w.has_a = true;
    run(&w, 2 * OBSERVE_ANSWER_US);
    assert_true(w.o.has_news);
    assert_int_equal(observe_silent_us(&w.o, w.now), 0);
    assert_false(w.o.turn.is_new);
}

/* The true outage lies between the two bounds, whenever it begins. */
static void test_outage(void **state)
{
    (void)state;
    for (uint64_t offset = 0; offset < INTERVAL; offset += 13 * MS_US) {
        struct wire w;
        uint64_t down;
        wire_start(&w);
        w.has_a = true;
        run(&w, SECOND_US + offset);
        w.has_a = false;
        down = w.now;
        run(&w, 700 * MS_US);
        uint64_t outage = w.now - down;
        w.has_b = true;
        answer(&w); /* announces itself */
        assert_int_equal(w.o.turn.at_us, w.now);
        assert_true(w.o.turn.is_new && w.o.turn.is_measured);
        assert_in_range(outage, w.o.turn.min_us, w.o.turn.max_us);
        assert_true(w.o.turn.max_us - w.o.turn.min_us <= INTERVAL + 3 * OBSERVE_ANSWER_US);
        run(&w, SECOND_US);
        assert_false(w.o.has_other);
    }
}

/* Whoever had the address itself knows when it went. */
static void test_outage_of_the_owner_before(void **state)
{
    struct wire w;
    (void)state;
    wire_start(&w);
    observe_own(&w.o, &a, true, w.now, w.now);
    run(&w, SECOND_US);
    assert_true(w.o.is_own);
    uint64_t down = w.now;
    w.now += 7 * MS_US; /* as long as the kernel took */
    observe_own(&w.o, &a, false, down, w.now);
    run(&w, 8 * MS_US);
    observe_heard(&w.o, &b, w.now, INTERVAL);
    assert_int_equal(w.o.turn.max_us, w.now - down);
    assert_true(w.o.turn.min_us <= 8 * MS_US);
    assert_true(w.o.turn.is_new);
    /* A gap of the new owner's own does not replace what was seen of the move. */
    w.has_b = true;
    run(&w, SECOND_US);
    w.has_b = false;
    run(&w, SECOND_US);
    w.has_b = true;
    run(&w, SECOND_US);
    assert_false(w.o.turn.is_new);
    assert_true(w.o.moved.is_new && w.o.moved.max_us < 100 * MS_US);
}

static void test_new_owner(void **state)
{
    struct wire w;
    (void)state;
    wire_start(&w);
    w.has_a = true;
    run(&w, SECOND_US);
    w.has_a = false;
    run(&w, SECOND_US);
    observe_own(&w.o, &b, true, w.now, w.now);
    assert_memory_equal(&w.o.mac, &b, sizeof(b));
    assert_int_equal(observe_silent_us(&w.o, w.now), 0);
    assert_true(w.o.turn.is_measured);
    assert_in_range(SECOND_US, w.o.turn.min_us, w.o.turn.max_us);
    assert_true(w.o.sign_us < w.now - 600 * MS_US);
}

static void test_duplicate(void **state)
{
    struct wire w;
    (void)state;
    wire_start(&w);
    w.has_a = true;
    run(&w, SECOND_US);
    w.has_b = true;
    w.o.has_news = false;
    run(&w, INTERVAL + 3 * OBSERVE_ANSWER_US);
    assert_true(w.o.has_other && w.o.has_news);
    assert_memory_equal(&w.o.mac, &a, sizeof(a));
    assert_memory_equal(&w.o.other, &b, sizeof(b));
    /* It stays one, without news. */
    w.o.has_news = false;
    run(&w, 5 * SECOND_US);
    assert_true(w.o.has_other && !w.o.has_news);
    /* Until one of the two is quiet, whichever. */
    struct wire v = w;
    w.has_b = false;
    run(&w, OBSERVE_OTHER_US + 2 * INTERVAL);
    assert_true(!w.o.has_other && w.o.has_news);
    assert_memory_equal(&w.o.mac, &a, sizeof(a));
    v.has_a = false;
    run(&v, OBSERVE_OTHER_US + 2 * INTERVAL);
    assert_true(!v.o.has_other && v.o.has_news);
    assert_memory_equal(&v.o.mac, &b, sizeof(b));
}

static void test_duplicate_of_our_own(void **state)
{
    struct wire w;
    (void)state;
    wire_start(&w);
    observe_own(&w.o, &a, true, w.now, w.now);
    run(&w, SECOND_US);
    assert_false(w.o.has_other);
    /* The last word of the owner before is not a second owner. */
    observe_heard(&w.o, &b, w.now, INTERVAL);
    assert_false(w.o.has_other);
    run(&w, 2 * SECOND_US);
    w.has_b = true;
    run(&w, INTERVAL + 3 * OBSERVE_ANSWER_US);
    assert_true(w.o.has_other);
    assert_memory_equal(&w.o.other, &b, sizeof(b));
    assert_memory_equal(&w.o.mac, &a, sizeof(a));
}

/* A move there and back within a second is no duplicate. */
static void test_there_and_back(void **state)
{
    struct wire w;
    (void)state;
    wire_start(&w);
    w.has_a = true;
    run(&w, SECOND_US);
    w.has_a = false;
    w.has_b = true;
    answer(&w);
    run(&w, 200 * MS_US);
    w.has_a = true;
    w.has_b = false;
    answer(&w);
    run(&w, 2 * SECOND_US);
    assert_false(w.o.has_other);
    assert_memory_equal(&w.o.mac, &a, sizeof(a));
}

/* What a process that was held up did not see proves nothing. */
static void test_held_up(void **state)
{
    struct wire w;
    (void)state;
    wire_start(&w);
    w.has_a = true;
    run(&w, SECOND_US);
    w.now = w.o.next_us;
    assert_true(observe_timer(&w.o, w.now, INTERVAL, OBSERVE_ANSWER_US));
    observe_sent(&w.o, w.now, true);
    w.now += 900 * MS_US; /* the answer waits in the socket */
    assert_true(observe_timer(&w.o, w.now, INTERVAL, OBSERVE_ANSWER_US));
    observe_sent(&w.o, w.now, true);
    assert_int_equal(w.o.missed, 0);
    w.o.has_news = false;
    answer(&w);
    assert_int_equal(observe_silent_us(&w.o, w.now), 0);
    assert_false(w.o.has_news);
}

/* Silence costs less and less. */
static void test_pace(void **state)
{
    struct wire w;
    (void)state;
    wire_start(&w);
    run(&w, OBSERVE_EAGER_US);
    assert_in_range(w.probes, 740, 760);
    w.probes = 0;
    run(&w, OBSERVE_PATIENT_US - OBSERVE_EAGER_US);
    assert_in_range(w.probes, 215, 235);
    w.probes = 0;
    run(&w, 40 * SECOND_US);
    assert_in_range(w.probes, 99, 101);
    observe_hint(&w.o, w.now);
    w.probes = 0;
    run(&w, SECOND_US);
    assert_in_range(w.probes, 49, 51);
}

static void test_blind(void **state)
{
    struct wire w;
    (void)state;
    wire_start(&w);
    w.has_a = true;
    run(&w, SECOND_US);
    w.probes = 0;
    observe_blind(&w.o, true, w.now);
    run(&w, 10 * SECOND_US);
    assert_int_equal(w.probes, 0);
    assert_false(w.o.has_mac);
    assert_int_equal(observe_silent_us(&w.o, w.now), 0);
    observe_blind(&w.o, false, w.now);
    run(&w, 100 * MS_US);
    assert_true(w.o.has_mac);
    /* Nothing was measured while nothing could be seen. */
    assert_false(w.o.turn.is_measured);
    /* Nor when a probe cannot be sent. */
    for (int i = 0; i < 20; i++) {
        w.now = w.o.next_us;
        assert_true(observe_timer(&w.o, w.now, INTERVAL, OBSERVE_ANSWER_US));
        observe_sent(&w.o, w.now, false);
    }
    assert_int_equal(observe_silent_us(&w.o, w.now), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_mute),
        cmocka_unit_test(test_outage),
        cmocka_unit_test(test_outage_of_the_owner_before),
        cmocka_unit_test(test_new_owner),
        cmocka_unit_test(test_duplicate),
        cmocka_unit_test(test_duplicate_of_our_own),
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_held_up),
        cmocka_unit_test(test_pace),
        cmocka_unit_test(test_blind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
