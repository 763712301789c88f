/* SPDX-License-Identifier: MIT */
/* The peer lease of one core, by hand: as owner, as voter, as candidate. */
#include "core_bench.h"

#include <string.h>

#define WINDOW (500 * MS_US)

static const struct peer_session us = {LEASE, 1}, one = {201, 2}, two = {202, 3},
                                 before = {LEASE_BEFORE, 4};

static struct election_event setup(void)
{
    return (struct election_event){
        .type = EV_PEER_SETUP,
        .yes = true,
        .peer = {.window_us = WINDOW, .name = "cp-2", .number = us.incarnation}};
}

static void start(struct bench *b, enum vip_state state)
{
    bench_init(b, 1);
    bench_feed(b, setup());
    bench_drive(b, state);
}

static void members(struct bench *b, unsigned n)
{
    const struct peer_session list[] = {us, one, two};
    bench_feed(
        b, (struct election_event){.type = EV_PEER_MEMBERS, .peer = {.sessions = list, .n = n}});
}

static void acked(struct bench *b, struct peer_session from, uint64_t number, int64_t given_up)
{
    bench_feed(b, (struct election_event){
                      .type = EV_PEER_ACKED,
                      .peer = {.from = from, .owner = us, .number = number, .term = given_up}});
}

static void published(struct bench *b, enum election_result result, int64_t revision,
                      const struct peer_record *there)
{
    bench_feed(b, (struct election_event){.type = EV_PEER_PUBLISHED,
                                          .req = b->e.peer.owner.req,
                                          .result = result,
                                          .revision = revision,
                                          .peer = {.records = there, .n = there ? 1 : 0}});
}

static int index_of(const struct bench *b, enum election_action_type type)
{
    for (unsigned i = 0; i < b->out.n; i++)
        if (b->out.at[i].type == type)
            return (int)i;
    return -1;
}

/* Held, and with two voters beside it. */
static void introduce(struct bench *b)
{
    start(b, VIP_HELD);
    assert_true(b->e.peer.owner.is_proposing); /* the empty record, at the start */
    assert_int_equal(b->e.peer.owner.next.n, 0);
    published(b, RESULT_OK, 20, NULL);
    members(b, 3);
    bench_run_until(b, b->e.peer.owner.beat_us);
    const struct election_action *beat = bench_expect(b, ACT_PEER_BEAT);
    uint64_t number = beat->at_us;
    acked(b, one, number, 0);
    acked(b, two, number, 0);
}

/* Rules 1 and 5: obeyed first, then published. */
static void test_introduction(void **state)
{
    struct bench b;
    (void)state;
    introduce(&b);
    int deadline = index_of(&b, ACT_DEADLINE), publish = index_of(&b, ACT_PEER_PUBLISH);
    assert_true(deadline >= 0 && publish > deadline);
    assert_int_equal(b.out.at[deadline].at_us, peer_right_of(b.now, WINDOW));
    assert_int_equal(b.out.at[deadline].right_us, b.e.session.deadline_us);
    const struct peer_record *r = b.out.at[publish].record;
    assert_int_equal(b.out.at[publish].revision, 20);
    assert_int_equal(r->n, 3);
    assert_true(r->term > 1 && r->window_us == WINDOW);
    published(&b, RESULT_OK, 21, NULL);
    assert_int_equal(bench_expect(&b, ACT_PEER_NOTE)->note, PEER_NOTE_ON);
    /* Two voters are none: published first, obeyed until known. */
    members(&b, 2);
    assert_int_equal(bench_expect(&b, ACT_PEER_PUBLISH)->record->n, 0);
    assert_true(b.e.peer.owner.right_us != NEVER_US);
    published(&b, RESULT_FAILED, 0, NULL);
    assert_true(b.e.peer.owner.right_us != NEVER_US);
    bench_run_until(&b, b.e.peer.owner.due_us);
    published(&b, RESULT_OK, 22, NULL);
    assert_true(b.e.peer.owner.right_us == NEVER_US);
    assert_int_equal(b.e.deadline_us, b.e.session.deadline_us);
    bench_done(&b);
}

/* I14: mute past P, and the address stays. */
static void test_mute(void **state)
{
    struct bench b;
    (void)state;
    introduce(&b);
    published(&b, RESULT_OK, 21, NULL);
    bench_run_until(&b, b.e.peer.owner.right_us);
    assert_true(b.e.peer.owner.is_mute);
    assert_int_equal(b.vips[0].state, VIP_HELD);
    bench_feed(&b, (struct election_event){.type = EV_CONFLICT});
    assert_null(bench_find(&b, ACT_DEFEND));
    assert_null(bench_find(&b, ACT_ANNOUNCE));
    /* One that gave us up counts for nothing; the other opens. */
    uint64_t number = b.e.peer.owner.sequence;
    acked(&b, one, number, b.e.peer.owner.current.term);
    assert_true(b.e.peer.owner.is_mute);
    assert_null(bench_find(&b, ACT_ANNOUNCE));
    /* And a new term, under which it counts again. */
    assert_true(bench_expect(&b, ACT_PEER_PUBLISH)->record->term > 2);
    acked(&b, two, number, 0);
    assert_false(b.e.peer.owner.is_mute);
    assert_int_equal(bench_expect(&b, ACT_ANNOUNCE)->count, 0);
    bench_done(&b);
}

/* Nothing opens by what was said long ago. */
static void test_late_wake_up(void **state)
{
    struct bench b;
    (void)state;
    introduce(&b);
    published(&b, RESULT_OK, 21, NULL);
    bench_run_until(&b, b.e.peer.owner.beat_us);
    uint64_t number = b.e.peer.owner.sequence;
    b.now += 2 * SECOND_US;
    acked(&b, one, number, 0);
    assert_true(b.e.peer.owner.is_mute);
    assert_true(b.e.deadline_us < b.now);
    acked(&b, one, number + 1000, 0); /* never sent */
    assert_true(b.e.peer.owner.is_mute);
    bench_done(&b);
}

static void expect_lost(struct bench *b)
{
    assert_int_equal(b->e.session.state, SESSION_RESTING);
    assert_int_equal(b->vips[0].cause, CAUSE_PEERS);
    assert_int_equal(bench_expect(b, ACT_DEADLINE)->at_us, 0);
    assert_true(index_of(b, ACT_DEADLINE) < index_of(b, ACT_FENCE_SHUT));
    bench_expect(b, ACT_ADDRESS_DELETE);
}

static void test_ended(void **state)
{
    (void)state;
    for (unsigned how = 0; how < 3; how++) {
        struct bench b;
        introduce(&b);
        if (how == 0) {
            published(&b, RESULT_GONE, 0, NULL);
        } else {
            published(&b, RESULT_OK, 21, NULL);
            bench_feed(&b,
                       (struct election_event){.type = how == 1 ? EV_PEER_DELETED : EV_PEER_LISTED,
                                               .revision = 20, /* of before it was written */
                                               .peer = {.name = "cp-2"}});
            assert_int_equal(b.e.session.state, SESSION_LIVE);
            bench_feed(&b,
                       (struct election_event){.type = how == 1 ? EV_PEER_DELETED : EV_PEER_LISTED,
                                               .revision = 30,
                                               .peer = {.name = "cp-2"}});
        }
        expect_lost(&b);
        bench_done(&b);
    }
}

/* The answer was lost: the same txn again says that it was carried out. */
static void test_answer_lost(void **state)
{
    struct bench b;
    (void)state;
    introduce(&b);
    struct peer_record there = *bench_expect(&b, ACT_PEER_PUBLISH)->record;
    uint32_t req = b.e.peer.owner.req;
    b.now = b.e.peer.owner.due_us;
    bench_feed(&b, (struct election_event){.type = EV_TIMER});
    assert_int_equal(bench_expect(&b, ACT_PEER_PUBLISH)->revision, 20);
    assert_int_equal(bench_expect(&b, ACT_PEER_PUBLISH)->record->term, there.term);
    bench_feed(&b, (struct election_event){
                       .type = EV_PEER_PUBLISHED, .req = req, .revision = 21}); /* I7 */
    assert_true(b.e.peer.owner.is_proposing);
    there.revision = 21;
    published(&b, RESULT_GONE, 0, &there);
    assert_false(b.e.peer.owner.is_proposing);
    assert_int_equal(b.e.peer.owner.current.revision, 21);
    bench_done(&b);
}

static struct peer_record record(void)
{
    struct peer_record r = {.name = "cp-1",
                            .owner = before,
                            .term = 7,
                            .window_us = WINDOW,
                            .revision = 5,
                            .n = 3,
                            .voters = {before, us, one}};
    return r;
}

static void hear(struct bench *b, uint64_t number)
{
    bench_feed(b, (struct election_event){
                      .type = EV_PEER_HEARTBEAT,
                      .peer = {.from = before, .number = number, .window_us = WINDOW}});
}

static void asked(struct bench *b, int64_t term)
{
    bench_feed(
        b, (struct election_event){
               .type = EV_PEER_ASKED,
               .peer = {
                   .from = one, .owner = before, .term = term, .number = 9, .window_us = WINDOW}});
}

/* I10, I12 */
static void test_voter(void **state)
{
    struct bench b;
    (void)state;
    start(&b, VIP_QUEUED);
    asked(&b, 7);
    assert_null(bench_find(&b, ACT_PEER_GRANT)); /* not listened for long enough */
    bench_run_until(&b, b.now + SECOND_US);
    hear(&b, 3);
    assert_int_equal(bench_expect(&b, ACT_PEER_ACK)->term, 0);
    hear(&b, 3);
    hear(&b, 2);
    assert_null(bench_find(&b, ACT_PEER_ACK)); /* a replay */
    uint64_t heard = b.now;
    bench_run_until(&b, heard + peer_patience(WINDOW) - 1);
    asked(&b, 7);
    assert_null(bench_find(&b, ACT_PEER_GRANT));
    bench_run_until(&b, heard + peer_patience(WINDOW));
    asked(&b, 7);
    const struct election_action *a = bench_expect(&b, ACT_PEER_GRANT);
    assert_true(a->term == 7 && a->at_us == 9 && peer_is_same(&a->peer, &one));
    hear(&b, 4);
    assert_int_equal(bench_expect(&b, ACT_PEER_ACK)->term, 7);
    asked(&b, 7); /* it stays given up, whoever asks */
    bench_expect(&b, ACT_PEER_GRANT);
    asked(&b, 8);
    assert_null(bench_find(&b, ACT_PEER_GRANT));
    bench_done(&b);
}

/* Rules 3 and 4. */
static void test_candidate(void **state)
{
    struct bench b;
    struct peer_record r = record();
    (void)state;
    start(&b, VIP_QUEUED);
    bench_feed(&b, (struct election_event){.type = EV_PEER_PUT, .peer = {.records = &r, .n = 1}});
    bench_run_until(&b, b.now + SECOND_US);
    struct peer_hunt *h = &b.e.peer.hunts[0];
    assert_int_equal(h->state, HUNT_ASKING);
    struct election_event grant = {
        .type = EV_PEER_GRANTED,
        .peer = {.from = one, .owner = before, .term = 7, .number = h->nonce + 1}};
    bench_feed(&b, grant); /* of another question */
    assert_int_equal(h->state, HUNT_ASKING);
    grant.peer.number--;
    grant.peer.from = two; /* no voter */
    bench_feed(&b, grant);
    assert_int_equal(h->state, HUNT_ASKING);
    grant.peer.from = one;
    bench_feed(&b, grant);
    assert_int_equal(bench_expect(&b, ACT_PEER_END)->record->revision, 5);
    /* The record changed: from the start. */
    r.revision = 6;
    r.term = 8;
    bench_feed(&b, (struct election_event){.type = EV_PEER_ENDED,
                                           .req = h->req,
                                           .result = RESULT_GONE,
                                           .peer = {.records = &r, .n = 1}});
    bench_run_until(&b, b.now + 60 * MS_US);
    assert_int_equal(h->state, HUNT_ASKING);
    assert_int_equal(h->granted, 0);
    hear(&b, 1);
    assert_int_equal(h->state, HUNT_CALM);
    bench_run_until(&b, b.now + SECOND_US);
    grant.peer.term = 8;
    grant.peer.number = h->nonce;
    bench_feed(&b, grant);
    bench_expect(&b, ACT_PEER_END);
    bench_feed(&b, (struct election_event){.type = EV_PEER_ENDED, .req = h->req});
    assert_int_equal(bench_expect(&b, ACT_PEER_REVOKE)->lease, LEASE_BEFORE);
    bench_feed(&b, (struct election_event){.type = EV_PEER_REVOKED, .req = h->req});
    assert_int_equal(h->record.name[0], 0);
    bench_done(&b);
}

/* The owner strikes us off before we go; without an owner that lives, nothing is waited for. */
static void test_leaving(void **state)
{
    struct bench b;
    struct peer_record r = record();
    (void)state;
    start(&b, VIP_QUEUED);
    bench_feed(&b, (struct election_event){.type = EV_PEER_PUT, .peer = {.records = &r, .n = 1}});
    hear(&b, 1);
    bench_feed(&b, (struct election_event){.type = EV_STOP});
    bench_expect(&b, ACT_PEER_LEAVE);
    assert_null(bench_find(&b, ACT_LEASE_REVOKE));
    r.revision++;
    r.voters[1] = two;
    bench_feed(&b, (struct election_event){.type = EV_PEER_PUT, .peer = {.records = &r, .n = 1}});
    bench_expect(&b, ACT_LEASE_REVOKE);
    bench_done(&b);
}

static struct election_event sample(enum election_event_type type, const struct peer_record *r)
{
    static const struct peer_session list[] = {{LEASE, 1}, {201, 2}, {202, 3}};
    struct election_event ev = {.type = type,
                                .revision = 40,
                                .req = 1,
                                .peer = {.from = {201, 2},
                                         .owner = {LEASE_BEFORE, 4},
                                         .number = 1,
                                         .term = 7,
                                         .window_us = WINDOW,
                                         .name = "cp-1",
                                         .records = r,
                                         .sessions = list,
                                         .n = type == EV_PEER_MEMBERS ? 3 : 1}};
    return ev;
}

/* Every event in every state; the bench looks at each step. */
static void test_every_event(void **state)
{
    struct peer_record r = record();
    (void)state;
    for (unsigned is_on = 0; is_on < 2; is_on++)
        for (enum vip_state from = VIP_UNUSED; from < VIP_STATES; from++)
            for (enum election_event_type type = EV_PEER_MEMBERS; type < EV_TYPES; type++)
                for (unsigned result = RESULT_OK; result <= RESULT_FAILED; result++) {
                    struct bench b;
                    bench_init(&b, 1);
                    if (is_on)
                        bench_feed(&b, setup());
                    bench_drive(&b, from);
                    struct election_event ev = sample(type, &r);
                    ev.result = result;
                    if (type == EV_PEER_PUBLISHED)
                        ev.req = b.e.peer.owner.req;
                    bench_feed(&b, ev);
                    if (!is_on)
                        assert_int_equal(b.out.n, 0);
                    bench_feed(&b, ev);
                    assert_int_equal(b.vips[0].state, from);
                    bench_run_until(&b, b.now + SECOND_US);
                    bench_done(&b);
                }
}

static void test_names(void **state)
{
    (void)state;
    for (enum peer_note note = 0; note < PEER_NOTES; note++)
        assert_true(strlen(peer_note_name(note)) > 1);
    assert_string_equal(peer_note_name(PEER_NOTES), "?");
    assert_true(peer_right_of(0, PEER_WINDOW_MIN_US) < PEER_WINDOW_MIN_US);
    assert_true(peer_patience(PEER_WINDOW_MIN_US) > PEER_WINDOW_MIN_US);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_introduction), cmocka_unit_test(test_mute),
        cmocka_unit_test(test_late_wake_up), cmocka_unit_test(test_ended),
        cmocka_unit_test(test_answer_lost),  cmocka_unit_test(test_voter),
        cmocka_unit_test(test_candidate),    cmocka_unit_test(test_leaving),
        cmocka_unit_test(test_every_event),  cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
