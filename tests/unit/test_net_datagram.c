/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "net/datagram.h"

static const struct datagram_keys keys = {.key = "0123456789abcdef0123456789abcde"};

static const struct datagram sample = {
    .kind = DATAGRAM_ACKNOWLEDGEMENT,
    .from = {.lease = 0x0102030405060708, .incarnation = 0xfffefdfcfbfaf9f8},
    .owner = {.lease = INT64_MAX, .incarnation = 7},
    .number = 0x1122334455667788,
    .term = 42,
    .window_us = 500000,
};

static void seal(uint8_t data[DATAGRAM_SIZE], const uint8_t *key)
{
    assert_non_null(HMAC(EVP_sha256(), key, DATAGRAM_KEY_SIZE, data, DATAGRAM_SIZE - 32,
                         data + DATAGRAM_SIZE - 32, NULL));
}

static bool is_equal(const struct datagram *a, const struct datagram *b)
{
    return a->kind == b->kind && a->from.lease == b->from.lease &&
           a->from.incarnation == b->from.incarnation && a->owner.lease == b->owner.lease &&
           a->owner.incarnation == b->owner.incarnation && a->number == b->number &&
           a->term == b->term && a->window_us == b->window_us;
}

static void test_layout(void **state)
{
    static const uint8_t want[DATAGRAM_SIZE - 32] =
        "\x01\x02\0\0\x00\x07\xa1\x20"
        "\x01\x02\x03\x04\x05\x06\x07\x08\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8"
        "\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0\0\0\0\x07"
        "\x11\x22\x33\x44\x55\x66\x77\x88\0\0\0\0\0\0\0\x2a";
    uint8_t out[DATAGRAM_SIZE], sealed[DATAGRAM_SIZE];
    (void)state;
    assert_int_equal(datagram_write(&sample, &keys, out), 0);
    assert_memory_equal(out, want, sizeof(want));
    memcpy(sealed, out, sizeof(sealed));
    seal(sealed, keys.key);
    assert_memory_equal(out, sealed, sizeof(sealed));
}

static void test_every_kind_comes_back(void **state)
{
    (void)state;
    for (enum datagram_kind kind = DATAGRAM_HEARTBEAT; kind <= DATAGRAM_LEAVING; kind++) {
        struct datagram d = sample, got;
        uint8_t out[DATAGRAM_SIZE];
        d.kind = kind;
        if (kind == DATAGRAM_HEARTBEAT)
            d.owner = d.from;
        assert_int_equal(datagram_write(&d, &keys, out), 0);
        assert_int_equal(datagram_read(out, sizeof(out), &keys, &got), 0);
        assert_true(is_equal(&d, &got));
        assert_string_not_equal(datagram_kind_name(kind), "?");
    }
    assert_string_equal(datagram_kind_name(0), "?");
    assert_string_equal(datagram_kind_name(DATAGRAM_LEAVING + 1), "?");
}

static void test_each_bit_counts(void **state)
{
    uint8_t out[DATAGRAM_SIZE];
    struct datagram got = {.window_us = 77};
    (void)state;
    assert_int_equal(datagram_write(&sample, &keys, out), 0);
    for (size_t bit = 0; bit < 8 * sizeof(out); bit++) {
        out[bit / 8] ^= (uint8_t)(1 << bit % 8);
        int want = bit < 8 ? -EPROTO : -EKEYREJECTED;
        assert_int_equal(datagram_read(out, sizeof(out), &keys, &got), want);
        out[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_int_equal(got.window_us, 77);
    assert_int_equal(datagram_read(out, sizeof(out), &keys, &got), 0);
}

static void test_only_this_length(void **state)
{
    uint8_t out[DATAGRAM_SIZE + 8] = {0};
    struct datagram got;
    (void)state;
    assert_int_equal(datagram_write(&sample, &keys, out), 0);
    for (size_t len = 0; len < sizeof(out); len++)
        if (len != DATAGRAM_SIZE)
            assert_int_equal(datagram_read(out, len, &keys, &got), -EBADMSG);
    out[0] = 2; /* a later version may have any length */
    assert_int_equal(datagram_read(out, 3, &keys, &got), -EPROTO);
}

static void test_keys(void **state)
{
    struct datagram_keys next = {.key = "another", .has_other = true}, stranger = next;
    uint8_t out[DATAGRAM_SIZE];
    struct datagram got;
    (void)state;
    memcpy(next.other, keys.key, sizeof(next.other));
    assert_int_equal(datagram_write(&sample, &keys, out), 0);
    assert_int_equal(datagram_read(out, sizeof(out), &next, &got), 0);
    assert_int_equal(datagram_read(out, sizeof(out), &stranger, &got), -EKEYREJECTED);
    next.has_other = false;
    assert_int_equal(datagram_read(out, sizeof(out), &next, &got), -EKEYREJECTED);
    assert_int_equal(datagram_write(&sample, &next, out), 0);
    assert_int_equal(datagram_read(out, sizeof(out), &keys, &got), -EKEYREJECTED);
}

/* An agent of a key's right may still be wrong. */
static void test_authentic_nonsense(void **state)
{
    static const struct {
        size_t at, n;
        uint8_t value;
        int want;
    } cases[] = {
        {1, 1, 0, -EPROTO}, /* kinds that there are not */
        {1, 1, DATAGRAM_LEAVING + 1, -EPROTO},
        {1, 1, DATAGRAM_HEARTBEAT, -EBADMSG}, /* about somebody else */
        {2, 1, 1, -EBADMSG},
        {3, 1, 1, -EBADMSG},
        {8, 8, 0, -EBADMSG},    /* no lease */
        {8, 1, 0x80, -EBADMSG}, /* a negative one */
        {16, 8, 0, -EBADMSG},   /* no incarnation */
        {24, 8, 0, -EBADMSG},
        {24, 16, 0, -EBADMSG},
        {48, 1, 0x80, -EBADMSG}, /* a negative term */
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t out[DATAGRAM_SIZE];
        struct datagram got;
        assert_int_equal(datagram_write(&sample, &keys, out), 0);
        memset(out + cases[i].at, cases[i].value, cases[i].n);
        seal(out, keys.key);
        assert_int_equal(datagram_read(out, sizeof(out), &keys, &got), cases[i].want);
    }
}

static void test_nothing_unsound_is_written(void **state)
{
    struct datagram d = sample;
    uint8_t out[DATAGRAM_SIZE] = {0}, untouched[DATAGRAM_SIZE] = {0};
    (void)state;
    d.kind = DATAGRAM_HEARTBEAT;
    assert_int_equal(datagram_write(&d, &keys, out), -EINVAL);
    d.kind = 0;
    assert_int_equal(datagram_write(&d, &keys, out), -EINVAL);
    d = sample;
    d.owner = (struct datagram_session){.lease = 0};
    assert_int_equal(datagram_write(&d, &keys, out), -EINVAL);
    assert_memory_equal(out, untouched, sizeof(out));
    d.kind = DATAGRAM_LEAVING; /* to everybody */
    assert_int_equal(datagram_write(&d, &keys, out), 0);
    d.from.incarnation = 0;
    assert_int_equal(datagram_write(&d, &keys, out), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_every_kind_comes_back),
        cmocka_unit_test(test_each_bit_counts),
        cmocka_unit_test(test_only_this_length),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_authentic_nonsense),
        cmocka_unit_test(test_nothing_unsound_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
