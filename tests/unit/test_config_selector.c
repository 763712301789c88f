/* SPDX-License-Identifier: MIT */
#include "config_support.h"

#include "../../src/config/arena.h"
#include "../../src/config/selector.h"
#include "../../src/config/sha256.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_glob(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *text;
        bool match;
    } cases[] = {
        {"", "", true},
        {"", "a", false},
        {"a", "", false},
        {"*", "", true},
        {"*", "anything", true},
        {"**", "x", true},
        {"00:50:56:*", "00:50:56:aa:bb:cc", true},
        {"00:50:56:*", "00:50:57:aa:bb:cc", false},
        {"00:50:56:*", "x00:50:56:aa", false},
        {"*:cc", "aa:bb:cc", true},
        {"*:cc", "aa:bb:cc:dd", false},
        {"a*b*c", "a-b-b-c", true},
        {"a*b*c", "a-c-b", false},
        {"*ab", "aab", true},
        {"a*a", "a", false},
        {"VIRTIO*", "virtio_net", false},
        {"a?c", "abc", false},
        {"[a]", "a", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (selector_glob(cases[i].pattern, cases[i].text) != cases[i].match)
            fail_msg("%s on %s", cases[i].pattern, cases[i].text);
}

/* A pattern that backtracks much must still be fast: 100 stars on 200 bytes. */
static void test_glob_is_not_exponential(void **state)
{
    (void)state;
    char pattern[256], text[256];
    for (size_t i = 0; i < 200; i += 2)
        memcpy(pattern + i, "*a", 2);
    strcpy(pattern + 200, "b");
    memset(text, 'a', 255);
    text[255] = '\0';
    assert_false(selector_glob(pattern, text));
}

static void test_match(void **state)
{
    (void)state;
    const struct config_device device = {.mac = "52:54:00:aa:01:01",
                                         .pci_id = "1AF4:1000",
                                         .driver = "virtio_net",
                                         .bus_path = "0000:00:03.0",
                                         .physical = true};
    struct config_selector s = {.n_terms = 0};
    assert_int_equal(selector_add(&s, CONFIG_FIELD_MAC, "52:54:00:*", false), 0);
    assert_int_equal(selector_add(&s, CONFIG_FIELD_PCI_ID, "1AF4:*", false), 0);
    assert_int_equal(selector_add(&s, CONFIG_FIELD_BUS_PATH, "0000:0*", false), 0);
    assert_int_equal(selector_add(&s, CONFIG_FIELD_DRIVER, "virtio_net", false), 0);
    assert_true(config_selector_match(&s, &device));
    s.has_physical = true;
    assert_false(config_selector_match(&s, &device));
    s.physical = true;
    assert_true(config_selector_match(&s, &device));
    /* All must hold, and what is not known matches nothing. */
    assert_int_equal(selector_add(&s, CONFIG_FIELD_PERMANENT_MAC, "*", false), 0);
    assert_false(config_selector_match(&s, &device));
    struct config_selector exact = {.n_terms = 0};
    assert_int_equal(selector_add(&exact, CONFIG_FIELD_DRIVER, "virtio*", true), 0);
    assert_false(config_selector_match(&exact, &device));
}

static void test_full(void **state)
{
    (void)state;
    struct config_selector s = {.n_terms = 0};
    for (unsigned i = 0; i < CONFIG_TERMS_MAX; i++)
        assert_int_equal(selector_add(&s, CONFIG_FIELD_MAC, "*", false), 0);
    assert_int_equal(selector_add(&s, CONFIG_FIELD_MAC, "*", false), -ENOSPC);
}

static const struct {
    const char *expression;
    const char *wanted; /* config_selector_format; NULL when it is refused */
    size_t at;
} expressions[] = {
    {"mac(link.permanent_addr) == \"00:1a:2b:3c:4d:5e\"",
     "permanentAddr=00:1a:2b:3c:4d:5e, physical=true", 0},
    {" mac( link.hardware_addr )=='aa' ", "hardwareAddr=aa, physical=true", 0},
    {"'aa' == mac(link.hardware_addr)", "hardwareAddr=aa, physical=true", 0},
    {"glob(\"00:*\", mac(link.permanent_addr))", "permanentAddr=00:*, physical=true", 0},
    {"glob('0000:*', link.bus_path) && link.driver == \"e1000\"",
     "busPath=0000:*, driver=e1000, physical=true", 0},
    {"link.pciid == '1AF4:1000'", "pciID=1AF4:1000, physical=true", 0},
    {"link.kind == ''", "physical=true", 0},
    {"link.type == 1 && link.kind == \"\"", "physical=true", 0},
    {"true", "physical=true", 0},
    {"(link.driver == 'a') && ((link.bus_path == 'b' && true))",
     "driver=a, busPath=b, physical=true", 0},
    {"", NULL, 0},
    {"false", NULL, 0},
    {"!link.up", NULL, 0},
    {"link.drivers == 'a'", NULL, 0},
    {"link.driver == 'a' &&", NULL, 21},
    {"link.driver == 'a' link.driver", NULL, 19},
    {"(link.driver == 'a'", NULL, 19},
    {"link.driver == 'a\\'b'", NULL, 15},
    {"link.type == 2", NULL, 13},
    {"link.type == 'loopback'", NULL, 0},
    {"glob(link.driver, 'a')", NULL, 5},
    {"glob('a' link.driver)", NULL, 9},
    {"mac link", NULL, 4},
    {"mac(link.driver)", NULL, 4},
    {"((((((((((((((((((true))))))))))))))))))", NULL, 17},
    {"link.driver.startsWith('e')", NULL, 0},
};

static void test_cel(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(expressions) / sizeof(expressions[0]); i++) {
        struct arena *arena = arena_new();
        struct config_selector selector;
        struct cel_error error = {SIZE_MAX, NULL};
        char text[200];
        int r = cel_parse(expressions[i].expression, arena, &selector, &error);
        if (expressions[i].wanted) {
            if (r == 0)
                config_selector_format(&selector, text, sizeof(text));
            if (r != 0 || strcmp(text, expressions[i].wanted) != 0)
                fail_msg("%s: %d %s", expressions[i].expression, r, r ? error.why : text);
        } else if (r != -EINVAL || error.at != expressions[i].at || !error.why) {
            fail_msg("%s: %d at %zu: %s", expressions[i].expression, r, error.at, error.why);
        }
        arena_free(arena);
    }
}

static void test_cel_bounds(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    struct config_selector selector;
    struct cel_error error;
    char text[2000] = "";
    for (unsigned i = 0; i < CONFIG_TERMS_MAX; i++)
        strcat(text, "link.driver == 'a' && ");
    strcat(text, "link.driver == 'a'");
    assert_int_equal(cel_parse(text, arena, &selector, &error), -EINVAL);
    assert_string_equal(error.why, "too many conditions");
    memset(text, 'x', sizeof(text) - 1);
    memcpy(text, "link.driver == '", 16);
    text[1990] = '\'';
    text[1991] = '\0';
    assert_int_equal(cel_parse(text, arena, &selector, &error), -EINVAL);
    assert_string_equal(error.why, "this text is too long");
    arena_free(arena);
}

static void test_vlan_name(void **state)
{
    (void)state;
    char name[CONFIG_LINK_NAME_MAX + 1];
    assert_int_equal(config_vlan_name("eth0", 5, name), 0);
    assert_string_equal(name, "eth0.5");
    assert_int_equal(config_vlan_name("enp129s0f0", 4094, name), 0); /* 10 bytes: just fits */
    assert_string_equal(name, "enp129s0f0.4094");
    assert_int_equal(config_vlan_name("enp129s0f01", 1, name), 0);
    /* printf enp129s0f01 | sha256sum */
    assert_string_equal(name, "enp177f818.1");
    assert_int_equal(config_vlan_name("", 1, name), -EINVAL);
    assert_int_equal(config_vlan_name("eth0", 0, name), -EINVAL);
    assert_int_equal(config_vlan_name("eth0", 4095, name), -EINVAL);
}

/* FIPS 180-4 examples, and lengths around the block's end. */
static void test_sha256(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *hash;
    } cases[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqr"
         "lmnopqrsmnopqrstnopqrstu",
         "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t hash[SHA256_SIZE];
        char hex[2 * SHA256_SIZE + 1];
        sha256(cases[i].text, strlen(cases[i].text), hash);
        for (size_t k = 0; k < SHA256_SIZE; k++)
            snprintf(hex + 2 * k, 3, "%02x", hash[k]);
        assert_string_equal(hex, cases[i].hash);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_glob),      cmocka_unit_test(test_glob_is_not_exponential),
        cmocka_unit_test(test_match),     cmocka_unit_test(test_full),
        cmocka_unit_test(test_cel),       cmocka_unit_test(test_cel_bounds),
        cmocka_unit_test(test_vlan_name), cmocka_unit_test(test_sha256),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
