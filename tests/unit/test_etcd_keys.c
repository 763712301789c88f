/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "etcd/keys.h"

static struct ip ip_of(const char *text)
{
    struct ip ip = {0};
    assert_int_equal(ip_parse(text, &ip), 0);
    return ip;
}

static void test_written(void **state)
{
    struct ip v4 = ip_of("10.0.0.50"), v6 = ip_of("FD00:0::1:0:0:50");
    char key[KEYS_TEXT_MAX], node[300];
    (void)state;
    keys_election(&v4, key);
    assert_string_equal(key, "talos:v1:vip:election:10.0.0.50/");
    keys_candidate(&v4, 0x13b0a204c2370b06, key);
    assert_string_equal(key, "talos:v1:vip:election:10.0.0.50/13b0a204c2370b06");
    keys_candidate(&v6, 255, key);
    assert_string_equal(key, "talos:v1:vip:election:fd00::1:0:0:50/ff");
    keys_released(&v6, key);
    assert_string_equal(key, "talosvip/v1/released/fd00::1:0:0:50");
    keys_request(&v4, key);
    assert_string_equal(key, "talosvip/v1/requests/10.0.0.50");
    keys_history_prefix(&v4, key);
    assert_string_equal(key, "talosvip/v1/history/10.0.0.50/");
    keys_history(&v4, 255, key);
    assert_string_equal(key, "talosvip/v1/history/10.0.0.50/00000000000000ff");
    keys_history_stay(&v4, 255, 14, key);
    assert_string_equal(key, "talosvip/v1/history/10.0.0.50/00000000000000ff-000000000000000e");
    assert_int_equal(keys_node("cp-1", key), 0);
    assert_string_equal(key, "talosvip/v1/nodes/cp-1");
    assert_int_equal(keys_peers("cp-1", key), 0);
    assert_string_equal(key, "talosvip/v1/peers/cp-1");
    assert_int_equal(keys_peers("a/b", key), -EINVAL);
    assert_int_equal(keys_node("", key), -EINVAL);
    assert_int_equal(keys_node("a/b", key), -EINVAL);
    assert_int_equal(keys_node("a\nb", key), -EINVAL);
    memset(node, 'n', sizeof(node));
    node[KEYS_NODE_MAX + 1] = '\0';
    assert_int_equal(keys_node(node, key), -EINVAL);
    node[KEYS_NODE_MAX] = '\0';
    assert_int_equal(keys_node(node, key), 0);
}

static void test_read_back(void **state)
{
    static const char *const ips[] = {"10.0.0.50",      "255.255.255.255", "::1",
                                      "fd00::1:0:0:50", "::ffff:1.2.3.4",  "1:2:3:4:5:6:7:8"};
    static const int64_t numbers[] = {1, 255, 0x13b0a204c2370b06, INT64_MAX};
    (void)state;
    for (size_t i = 0; i < 6; i++) {
        for (size_t n = 0; n < 4; n++) {
            char key[KEYS_TEXT_MAX];
            struct ip ip = ip_of(ips[i]), got = {0};
            int64_t number = 0, term = 77;
            keys_candidate(&ip, numbers[n], key);
            assert_int_equal(keys_candidate_parse(key, strlen(key), &got, &number), 0);
            assert_true(ip_equal(&ip, &got) && number == numbers[n]);
            keys_history(&ip, numbers[n], key);
            number = 0;
            assert_int_equal(keys_history_parse(key, strlen(key), &got, &number, &term), 0);
            assert_true(ip_equal(&ip, &got) && number == numbers[n] && term == 0);
            keys_history_stay(&ip, 255, numbers[n], key);
            assert_int_equal(keys_history_parse(key, strlen(key), &got, &number, &term), 0);
            assert_true(ip_equal(&ip, &got) && number == 255 && term == numbers[n]);
            keys_released(&ip, key);
            assert_int_equal(keys_released_parse(key, strlen(key), &got), 0);
            keys_request(&ip, key);
            assert_int_equal(keys_request_parse(key, strlen(key), &got), 0);
            assert_true(ip_equal(&ip, &got));
        }
    }
    char node[KEYS_NODE_MAX + 1];
    assert_int_equal(keys_node_parse("talosvip/v1/nodes/cp-1", 22, node), 0);
    assert_string_equal(node, "cp-1");
    assert_int_equal(keys_peers_parse("talosvip/v1/peers/cp-2", 22, node), 0);
    assert_string_equal(node, "cp-2");
    assert_int_equal(keys_peers_parse(KEYS_PEERKEY, strlen(KEYS_PEERKEY), node), -EINVAL);
    assert_int_equal(keys_peers_parse("talosvip/v1/nodes/cp-1", 22, node), -EINVAL);
}

static void test_refused(void **state)
{
#define E "talos:v1:vip:election:"
#define H "talosvip/v1/history/10.0.0.50/00000000000000ff"
    static const char *const bad[] = {
        "",
        "x",
        E,
        E "10.0.0.50",
        E "10.0.0.50/",
        E "/ff",
        E "10.0.0.050/ff",
        E "10.0.0.50/0ff",
        E "10.0.0.50/FF",
        E "10.0.0.50/0",
        E "10.0.0.50/fg",
        E "10.0.0.50/ff/",
        E "10.0.0.50/-1",
        E "10.0.0.50/8000000000000000",
        E "10.0.0.50/10000000000000000",
        E "10.0.0.300/ff",
        E "FD00::1/ff",
        E "fd00:0::1/ff",
        E "0000000000000000000000000000000000000000000000000000::1/ff",
        "talosvip/v1/history/10.0.0.50/ff",
        H "-",
        H "-ff",
        H "-0000000000000000",
        H "+000000000000000e",
        H "-000000000000000e0",
        H "-8000000000000000",
    };
    struct ip ip = {.family = 77};
    int64_t number = 77, term = 77;
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(keys_candidate_parse(bad[i], strlen(bad[i]), &ip, &number), -EINVAL);
        assert_int_equal(keys_history_parse(bad[i], strlen(bad[i]), &ip, &number, &term), -EINVAL);
        assert_int_equal(keys_released_parse(bad[i], strlen(bad[i]), &ip), -EINVAL);
    }
    static const char nul[] = E "10.0.0.50\0/ff";
    assert_int_equal(keys_candidate_parse(nul, sizeof(nul) - 1, &ip, &number), -EINVAL);
    assert_int_equal(ip.family, 77);
    assert_int_equal(number, 77);
    assert_int_equal(term, 77);
    char node[KEYS_NODE_MAX + 1];
    assert_int_equal(keys_node_parse("talosvip/v1/nodes/", 18, node), -EINVAL);
    assert_int_equal(keys_node_parse("talosvip/v1/nodes/a/b", 21, node), -EINVAL);
    assert_int_equal(keys_node_parse("talosvip/v1/nodes/a\0b", 21, node), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_written),
        cmocka_unit_test(test_read_back),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
