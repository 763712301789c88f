/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/queue.h"

/* The lease is 100 more than the create revision. */
static struct candidate candidate(int64_t create)
{
    return (struct candidate){.lease = 100 + create, .create_revision = create, .name = "cp"};
}

static void put(struct queue *q, int64_t create)
{
    struct candidate c = candidate(create);
    assert_true(queue_put(q, create, &c));
}

static void expect_creates(const struct queue *q, unsigned n, const int64_t *creates)
{
    assert_int_equal(q->n, n);
    for (unsigned i = 0; i < n; i++)
        assert_int_equal(q->at[i].create_revision, creates[i]);
}

#define EXPECT(q, ...)                                                                             \
    expect_creates(q, sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t), (int64_t[]){__VA_ARGS__})

static void test_empty(void **state)
{
    struct queue q = {0};
    (void)state;
    assert_null(queue_leader(&q));
    assert_null(queue_find(&q, 1));
    assert_null(queue_before(&q, 1));
    queue_forget(&q, 1);
    assert_true(queue_list(&q, 5, NULL, 0, 0));
    assert_false(q.is_partial);
    assert_null(queue_leader(&q));
}

static void test_list_is_sorted(void **state)
{
    struct candidate list[] = {candidate(9), candidate(4), candidate(12), candidate(7)};
    struct queue q = {0};
    (void)state;
    assert_true(queue_list(&q, 20, list, 4, 4));
    EXPECT(&q, 4, 7, 9, 12);
    assert_int_equal(queue_leader(&q)->lease, 104);
    assert_null(queue_before(&q, 104));
    assert_int_equal(queue_before(&q, 107)->create_revision, 4);
    assert_int_equal(queue_before(&q, 112)->create_revision, 9);
    assert_null(queue_before(&q, 999));
    assert_int_equal(queue_find(&q, 109)->create_revision, 9);
    assert_null(queue_find(&q, 9));
    assert_string_equal(queue_find(&q, 109)->name, "cp");
}

/* A list and a watch come over different connections. */
static void test_old_news_is_dropped(void **state)
{
    struct candidate list[] = {candidate(4), candidate(7)}, c = candidate(9);
    struct queue q = {0}, before;
    (void)state;
    assert_true(queue_list(&q, 20, list, 2, 2));
    before = q;
    assert_false(queue_put(&q, 20, &c));
    assert_false(queue_put(&q, 9, &c));
    assert_false(queue_delete(&q, 20, 104));
    assert_false(queue_delete(&q, 15, 104));
    assert_false(queue_list(&q, 19, NULL, 0, 0));
    assert_memory_equal(&q, &before, sizeof(q));
    assert_true(queue_delete(&q, 21, 104));
    EXPECT(&q, 7);
    /* A list older than an event would bring back what is gone. */
    assert_false(queue_list(&q, 20, list, 2, 2));
    EXPECT(&q, 7);
    assert_true(queue_list(&q, 21, list, 2, 2));
    EXPECT(&q, 4, 7);
}

/* One txn of etcd, a revoked lease say, gives several events of one revision. */
static void test_events_of_one_revision(void **state)
{
    struct candidate list[] = {candidate(4), candidate(7), candidate(9)};
    struct queue q = {0};
    (void)state;
    assert_true(queue_list(&q, 20, list, 3, 3));
    assert_true(queue_delete(&q, 21, 104));
    assert_true(queue_delete(&q, 21, 107));
    EXPECT(&q, 9);
    assert_true(queue_delete(&q, 22, 555)); /* news, though it names nobody */
    assert_int_equal(q.revision, 22);
}

static void test_put_again(void **state)
{
    struct queue q = {0};
    struct candidate c = candidate(7);
    (void)state;
    put(&q, 4);
    put(&q, 7);
    put(&q, 9);
    /* Proclaimed: a new value, the same create revision. */
    memcpy(c.name, "new", 4);
    assert_true(queue_put(&q, 30, &c));
    EXPECT(&q, 4, 7, 9);
    assert_string_equal(queue_find(&q, 107)->name, "new");
    /* Deleted and written again under the same lease: last of all. */
    c.create_revision = 31;
    assert_true(queue_put(&q, 31, &c));
    EXPECT(&q, 4, 9, 31);
}

static void test_forget(void **state)
{
    struct queue q = {0};
    (void)state;
    put(&q, 4);
    put(&q, 7);
    queue_forget(&q, 104);
    EXPECT(&q, 7);
    assert_int_equal(q.revision, 7);
    queue_forget(&q, 104);
    EXPECT(&q, 7);
}

/* The head counts; whoever does not fit is missing at the tail. */
static void test_too_many(void **state)
{
    struct queue q = {0};
    (void)state;
    for (int64_t i = 0; i < QUEUE_MAX; i++)
        put(&q, 10 + i);
    assert_false(q.is_partial);
    assert_int_equal(q.n, QUEUE_MAX);
    put(&q, 1000);
    assert_true(q.is_partial);
    assert_int_equal(q.n, QUEUE_MAX);
    assert_null(queue_find(&q, 1100));
    struct candidate first = candidate(1);
    assert_true(queue_put(&q, 1001, &first));
    assert_int_equal(queue_leader(&q)->create_revision, 1);
    assert_int_equal(q.n, QUEUE_MAX);
    assert_null(queue_find(&q, 100 + 10 + QUEUE_MAX - 1));
    assert_int_equal(q.at[QUEUE_MAX - 1].create_revision, 10 + QUEUE_MAX - 2);
}

static void test_partial_list(void **state)
{
    struct candidate list[QUEUE_MAX + 8];
    struct queue q = {0};
    (void)state;
    for (int64_t i = 0; i < QUEUE_MAX + 8; i++)
        list[i] = candidate(500 - i);
    assert_true(queue_list(&q, 600, list, 3, 40));
    assert_true(q.is_partial);
    EXPECT(&q, 498, 499, 500);
    assert_true(queue_list(&q, 601, list, QUEUE_MAX + 8, QUEUE_MAX + 8));
    assert_true(q.is_partial);
    assert_int_equal(q.n, QUEUE_MAX);
    assert_int_equal(queue_leader(&q)->create_revision, 500 - QUEUE_MAX - 7);
    assert_true(queue_list(&q, 602, list, 2, 2));
    assert_false(q.is_partial);
    EXPECT(&q, 499, 500);
}

/* Who comes after the part that is known has others before it that are not. */
static void test_after_the_part(void **state)
{
    struct candidate list[2] = {candidate(3), candidate(90)}, again;
    struct queue q = {0};
    (void)state;
    assert_true(queue_list(&q, 100, list, 2, 40));
    put(&q, 101);
    EXPECT(&q, 3, 90);
    assert_true(q.is_partial);
    again = candidate(90);
    snprintf(again.name, sizeof(again.name), "renamed");
    assert_true(queue_put(&q, 102, &again)); /* our own, written once more, keeps its place */
    EXPECT(&q, 3, 90);
    assert_string_equal(q.at[1].name, "renamed");
    assert_true(queue_delete(&q, 103, 103));
    assert_true(queue_delete(&q, 104, 190));
    put(&q, 105);
    assert_null(queue_leader(&q)); /* whoever that is */
}

/* The oldest in any order, and our own, once. */
static void test_keep(void **state)
{
    struct candidate list[QUEUE_MAX], c;
    const int64_t own = 100 + 2000;
    unsigned n = 0;
    (void)state;
    for (int64_t i = 2 * QUEUE_MAX; i > 0; i--) {
        c = candidate(i);
        n = queue_keep(list, n, &c, own);
    }
    for (unsigned twice = 0; twice < 2; twice++) {
        c = candidate(2000);
        n = queue_keep(list, n, &c, own);
    }
    c = candidate(1);
    n = queue_keep(list, n, &c, own);
    assert_int_equal(n, QUEUE_MAX);
    struct queue q = {0};
    assert_true(queue_list(&q, 3000, list, n, n + 1));
    for (unsigned i = 0; i < QUEUE_MAX - 1; i++)
        assert_int_equal(q.at[i].create_revision, i + 1);
    assert_int_equal(q.at[QUEUE_MAX - 1].create_revision, 2000);
    c = candidate(QUEUE_MAX); /* younger than all but ours, which stays */
    assert_int_equal(queue_keep(list, n, &c, own), QUEUE_MAX);
    assert_true(queue_list(&q, 3001, list, n, n + 1));
    assert_non_null(queue_find(&q, own));
}

/* Any order of puts and deletes gives what sorting would. */
static void test_random_events(void **state)
{
    struct queue q = {0};
    bool has[QUEUE_MAX] = {0};
    uint32_t x = 12345;
    (void)state;
    for (int64_t revision = 1; revision < 20000; revision++) {
        x = x * 1664525 + 1013904223;
        unsigned i = (x >> 16) % QUEUE_MAX;
        struct candidate c = candidate((int64_t)i + 1);
        has[i] = x >> 31;
        if (has[i])
            assert_true(queue_put(&q, revision, &c));
        else
            assert_true(queue_delete(&q, revision, c.lease));
        unsigned n = 0;
        for (unsigned k = 0; k < QUEUE_MAX; k++)
            if (has[k])
                assert_int_equal(q.at[n++].create_revision, (int64_t)k + 1);
        assert_int_equal(q.n, n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_list_is_sorted),
        cmocka_unit_test(test_old_news_is_dropped),
        cmocka_unit_test(test_events_of_one_revision),
        cmocka_unit_test(test_put_again),
        cmocka_unit_test(test_forget),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_partial_list),
        cmocka_unit_test(test_after_the_part),
        cmocka_unit_test(test_keep),
        cmocka_unit_test(test_random_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
