/* SPDX-License-Identifier: MIT */
#include "config_support.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define E SEVERITY_ERROR

static void test_fixture(void **state)
{
    (void)state;
    struct loaded l;
    loaded_files(&l, 1, (const char *[]){FIXTURES "agent.yaml"});
    assert_int_equal(l.result, 0);
    assert_int_equal(l.findings.n, 0);
    const struct config *c = l.config;
    assert_string_equal(c->node, "cp-1");
    assert_int_equal(c->node_where.line, 3);
    assert_int_equal(c->n_vips, 2);
    assert_string_equal(loaded_vip(&l, "2001:db8::50")->link, "eth0");
    assert_int_equal(loaded_vip(&l, "192.0.2.50")->form, CONFIG_FORM_AGENT);
    assert_int_equal(loaded_vip(&l, "192.0.2.50")->where.line, 5);
    assert_int_equal(loaded_vip(&l, "192.0.2.50")->where.column, 10);
    assert_int_equal(c->etcd.n_endpoints, 2);
    assert_string_equal(c->etcd.endpoints[0], "https://127.0.0.1:2379");
    assert_string_equal(c->etcd.endpoints[1], "https://[2001:db8::1]:2379");
    assert_string_equal(c->etcd.ca_file, "/etc/talosvip/ca.crt");
    assert_string_equal(c->etcd.cert_file, "/etc/talosvip/client.crt");
    assert_string_equal(c->etcd.key_file, "/etc/talosvip/client.key");
    assert_string_equal(c->etcd.username, "talosvip");
    assert_string_equal(c->etcd.password_file, "/etc/talosvip/password");
    assert_int_equal(c->etcd.where.line, 8);
    assert_int_equal(c->ttl_us, 5000000);
    assert_int_equal(c->ttl_where.line, 15);
    assert_string_equal(c->ttl_where.yaml_path, "/lease/ttl");
    assert_int_equal(c->refresh_us, 30000000);
    assert_int_equal(c->peers.window_us, 250000);
    assert_int_equal(c->peers.port, 19755);
    assert_false(c->peers.is_enabled);
    assert_string_equal(c->peers.where.yaml_path, "/peers");
    assert_string_equal(c->api.socket, "/run/talosvip/agent.sock");
    assert_int_equal(c->api.metrics_port, 9754);
    assert_int_equal(c->api.metrics_ip.family, IP_V4);
    assert_int_equal(c->api.metrics_where.column, 12);
    loaded_done(&l);
}

static void test_fixture_lists(void **state)
{
    (void)state;
    struct loaded l;
    loaded_files(&l, 1, (const char *[]){FIXTURES "agent.yaml"});
    assert_int_equal(l.result, 0);
    const struct config *c = l.config;
    assert_int_equal(c->n_health, 3);
    assert_string_equal(c->health[0].name, "apiserver");
    assert_int_equal(c->health[0].kind, CONFIG_HEALTH_HTTPS);
    assert_string_equal(c->health[0].url, "https://127.0.0.1:6443/readyz");
    assert_string_equal(c->health[0].ca_file, "/etc/kubernetes/pki/ca.crt");
    assert_int_equal(c->health[0].interval_us, 1500000);
    assert_int_equal(c->health[0].timeout_us, 1000000);
    assert_int_equal(c->health[0].rise, 2);
    assert_int_equal(c->health[0].fall, 4);
    assert_int_equal(c->health[1].kind, CONFIG_HEALTH_EXEC);
    assert_string_equal(c->health[1].command[0], "/usr/local/bin/check-disk");
    assert_string_equal(c->health[1].command[1], "--quick");
    assert_null(c->health[1].command[2]);
    assert_int_equal(c->health[1].interval_us, 1000000);
    assert_int_equal(c->health[1].rise, 2);
    assert_int_equal(c->health[1].fall, 3);
    assert_int_equal(c->health[1].where.line, 25);
    assert_int_equal(c->health[2].kind, CONFIG_HEALTH_TCP);
    assert_string_equal(c->health[2].address, "127.0.0.1:6443");
    assert_int_equal(c->n_hooks, 2);
    assert_int_equal(c->hooks[0].on, CONFIG_ON_ACQUIRED | CONFIG_ON_RELEASED | CONFIG_ON_FAULT);
    assert_string_equal(c->hooks[0].command[0], "/etc/talosvip/notify");
    assert_int_equal(c->hooks[1].on, CONFIG_ON_FAULT);
    assert_string_equal(c->hooks[1].command[1], "me");
    loaded_done(&l);
}

static void test_defaults(void **state)
{
    (void)state;
    struct loaded l;
    loaded_text(&l, WITH_VIP AGENT);
    assert_int_equal(l.result, 0);
    assert_null(l.config->node);
    assert_int_equal(l.config->node_where.line, 0);
    assert_int_equal(l.config->ttl_us, 5000000);
    assert_int_equal(l.config->ttl_where.line, 0);
    assert_int_equal(l.config->refresh_us, 10000000);
    assert_int_equal(l.config->etcd.n_endpoints, 0);
    assert_null(l.config->etcd.ca_file);
    assert_int_equal(l.config->n_health, 0);
    assert_int_equal(l.config->n_hooks, 0);
    assert_string_equal(l.config->api.socket, "/run/talosvip/agent.sock");
    assert_int_equal(l.config->api.metrics_ip.family, IP_NONE);
    assert_true(l.config->peers.is_enabled);
    assert_int_equal(l.config->peers.window_us, 500000);
    assert_int_equal(l.config->peers.port, 9755);
    loaded_done(&l);
}

#define BAD(lines, id, line, column, message, help)                                                \
    {                                                                                              \
        WITH_VIP AGENT lines, id, E, line, column, message, help                                   \
    }
#define ENDPOINT(url, shown, why)                                                                  \
    BAD("etcd: {endpoints: [\"" url "\"]}\n", "TV103", 8, 20, shown " an etcd endpoint: " why, NULL)
#define HEALTH(fields, line, column, message)                                                      \
    BAD("health:\n  - " fields "\n", "TV103", line, column, message, NULL)
#define DURATION_HELP "write it like 5s, 1500ms or 1m30s"
#define LONG                                                                                       \
    "/a123456789012345678901234567890123456789012345678901234567890123456789012345678901234"

static const struct finding_case cases[] = {
    BAD("leese: {ttl: 5s}\n", "TV102", 8, 1, "unknown key \"leese\" in AgentConfig",
        "did you mean \"lease\"?"),
    BAD("lease: {TTL: 5s}\n", "TV102", 8, 9, "unknown key \"TTL\" in lease",
        "did you mean \"ttl\"?"),
    BAD("somethingelse: 1\n", "TV102", 8, 1, "unknown key \"somethingelse\" in AgentConfig", NULL),
    BAD("lease: {ttl: 5 s}\n", "TV103", 8, 14, "lease.ttl: \"5 s\" is not a duration",
        DURATION_HELP),
    BAD("lease: {ttl: 5}\n", "TV103", 8, 14, "lease.ttl: \"5\" is not a duration", DURATION_HELP),
    BAD("lease: {ttl: 1999ms}\n", "TV103", 8, 14,
        "lease.ttl: \"1999ms\" is not between 2s and 600s", NULL),
    BAD("lease: {ttl: 601s}\n", "TV103", 8, 14, "lease.ttl: \"601s\" is not between 2s and 600s",
        NULL),
    BAD("lease: {ttl: 99999999h}\n", "TV103", 8, 14,
        "lease.ttl: \"99999999h\" is not between 2s and 600s", NULL),
    BAD("lease: {ttl: [5s]}\n", "TV103", 8, 14,
        "lease.ttl: this must be a duration such as 5s, not a list", NULL),
    BAD("lease: 5s\n", "TV103", 8, 8, "lease: this must be a mapping, not text", NULL),
    BAD("announce: {refresh: 10ms}\n", "TV103", 8, 21,
        "announce.refresh: \"10ms\" is not between 1s and 3600s", NULL),
    BAD("peers: {window: 99ms}\n", "TV103", 8, 17,
        "peers.window: \"99ms\" is not between 100ms and 5s", NULL),
    BAD("peers: {window: 5001ms}\n", "TV103", 8, 17,
        "peers.window: \"5001ms\" is not between 100ms and 5s", NULL),
    BAD("peers: {port: 0}\n", "TV103", 8, 15,
        "peers.port: \"0\" is not a whole number from 1 to 65535", NULL),
    BAD("peers: {port: 65536}\n", "TV103", 8, 15,
        "peers.port: \"65536\" is not a whole number from 1 to 65535", NULL),
    BAD("peers: {enabled: maybe}\n", "TV103", 8, 18,
        "peers.enabled: \"maybe\" is neither true nor false", NULL),
    BAD("peers: {windows: 1s}\n", "TV102", 8, 9, "unknown key \"windows\" in peers",
        "did you mean \"window\"?"),
    BAD("node: a/b\n", "TV103", 8, 7,
        "\"a/b\" is not a node's name: only letters, digits, '.', '-' and '_' may be in it", NULL),
    BAD("node: ''\n", "TV103", 8, 7, "\"\" is not a node's name: it is empty", NULL),
    BAD("node: {a: b}\n", "TV103", 8, 7, "node: this must be text, not a mapping", NULL),
    BAD("etcd: {endpoints: https://a}\n", "TV103", 8, 19,
        "etcd.endpoints: this must be a list, not text", NULL),
    BAD("etcd: {endpoints: [~]}\n", "TV103", 8, 20, "etcd.endpoints[0]: an empty item", NULL),
    ENDPOINT("127.0.0.1:2379", "\"127.0.0.1:2379\" is not",
             "it must begin with https:// or http://"),
    ENDPOINT("ftp://127.0.0.1", "\"ftp://127.0.0.1\" is not",
             "it must begin with https:// or http://"),
    ENDPOINT("https://", "\"https://\" is not", "the host is missing or too long"),
    ENDPOINT("https://[::1", "\"https://[::1\" is not", "a ']' is missing"),
    ENDPOINT("https://[::1]x", "\"https://[::1]x\" is not", "only a port may follow the host"),
    ENDPOINT("https://a_b!", "\"https://a_b!\" is not",
             "the host is neither a name nor an address"),
    ENDPOINT("https://[fe80::x]:1", "\"https://[fe80::x]:1\" is not",
             "the host is neither a name nor an address"),
    ENDPOINT("https://2001:db8::1:2379", "\"https://2001:db8::1:2379\" is not",
             "an IPv6 address needs brackets: [2001:db8::1]:2379"),
    ENDPOINT("https://10.0.0.300:2379", "\"https://10.0.0.300:2379\" is not",
             "the host is neither a name nor an address"),
    ENDPOINT("https://a:0", "\"https://a:0\" is not", "the port must be a number from 1 to 65535"),
    ENDPOINT("https://a:65536", "\"https://a:65536\" is not",
             "the port must be a number from 1 to 65535"),
    ENDPOINT("https://a/v3", "\"https://a/v3\" is not", "it must end with the host and the port"),
    ENDPOINT("https://a b", "\"https://a b\" is not",
             "it has a space or a character that needs an escape"),
    ENDPOINT("https://root:hunter2@a:2379", "not", "a user name has no place here"),
    BAD("etcd: {certFile: /c}\n", "TV502", 8, 18, "\"certFile\" needs \"keyFile\" beside it", NULL),
    BAD("etcd: {keyFile: /k}\n", "TV502", 8, 17, "\"keyFile\" needs \"certFile\" beside it", NULL),
    BAD("etcd: {username: u}\n", "TV502", 8, 18, "\"username\" needs \"passwordFile\" beside it",
        NULL),
    BAD("etcd: {password: hunter2}\n", "TV102", 8, 8, "unknown key \"password\" in etcd", NULL),
    BAD("health:\n  - name: a\n", "TV104", 9, 5,
        "a health check has exactly one of https, tcp and exec", NULL),
    BAD("health:\n  - {name: a, tcp: {address: 'a:1'}, exec: {command: [/x]}}\n", "TV104", 9, 5,
        "a health check has exactly one of https, tcp and exec", NULL),
    BAD("health:\n  - tcp: {address: 'a:1'}\n", "TV104", 9, 5,
        "\"name\" is missing or empty in health[0]", NULL),
    BAD("health:\n  - {name: a, tcp: {}}\n", "TV104", 9, 20,
        "\"address\" is missing or empty in health[0].tcp", NULL),
    BAD("health:\n  - {name: a, tcp: {address: 'a:1'}}\n  - {name: a, tcp: {address: 'a:1'}}\n",
        "TV503", 10, 12, "another health check has this name", NULL),
    HEALTH("{name: a, tcp: {address: a}}", 9, 30,
           "\"a\" is not an address to check: the port is missing"),
    HEALTH("{name: a, https: {url: 'http://a'}}", 9, 28,
           "\"http://a\" is not a URL to check: it must begin with https://"),
    HEALTH("{name: a, https: {url: 'https://u:hunter2@a'}}", 9, 28,
           "not a URL to check: a user name has no place here"),
    HEALTH("{name: a, exec: {command: [check]}}", 9, 32,
           "\"check\" is not a command: it must be an absolute path"),
    HEALTH("{name: a, exec: {command: /check}}", 9, 31,
           "health[0].exec.command: this must be a list, not text"),
    HEALTH("{name: a, tcp: {address: 'a:1'}, rise: 0}", 9, 44,
           "health[0].rise: \"0\" is not a whole number from 1 to 100"),
    HEALTH("{name: a, tcp: {address: 'a:1'}, fall: 1.5}", 9, 44,
           "health[0].fall: \"1.5\" is not a whole number from 1 to 100"),
    HEALTH("{name: a, tcp: {address: 'a:1'}, fall: 01}", 9, 44,
           "health[0].fall: \"01\" is not a whole number from 1 to 100"),
    HEALTH("text", 9, 5, "health[0]: this must be a mapping, not text"),
    BAD("hooks:\n  - {on: [aquired], command: [/x]}\n", "TV103", 9, 11,
        "hooks[0].on[0]: \"aquired\" is none of acquired, released, fault",
        "did you mean \"acquired\"?"),
    BAD("hooks:\n  - {on: [], command: [/x]}\n", "TV104", 9, 5,
        "\"on\" is missing or empty in hooks[0]", NULL),
    BAD("hooks:\n  - {on: [fault]}\n", "TV104", 9, 5, "\"command\" is missing or empty in hooks[0]",
        NULL),
    BAD("api: {metrics: ':9754'}\n", "TV103", 8, 16,
        "\":9754\" is not an address to listen on: the host is missing or too long", NULL),
    BAD("api: {metrics: 'localhost:9754'}\n", "TV103", 8, 16,
        "\"localhost:9754\" is not an address to listen on: an IP address is wanted", NULL),
    BAD("api: {metrics: 127.0.0.1}\n", "TV103", 8, 16,
        "\"127.0.0.1\" is not an address to listen on: the port is missing", NULL),
    BAD("api: {socket: agent.sock}\n", "TV103", 8, 15,
        "\"agent.sock\" is not a socket: it must be an absolute path", NULL),
    BAD("vips: [{ip: 192.0.2.2}]\n", "TV104", 8, 8, "\"link\" is missing or empty in vips[0]",
        NULL),
    BAD("vips: [{ip: 10.0.0.300, link: eth0}]\n", "TV103", 8, 13,
        "\"10.0.0.300\" is not an IP address: 300 is greater than 255", NULL),
    BAD("vips: [{ip: 192.0.2.1, link: eth1}]\n", "TV213", 8, 13,
        "VIP 192.0.2.1 is there twice, on two links", NULL),
    {WITH_VIP "apiVersion: talosvip/v1\nkind: AgentConfiguration\n", "TV101", E, 7, 7,
     "unknown kind \"AgentConfiguration\" of talosvip/v1", NULL},
    {WITH_VIP "apiVersion: talosvip/v1\nkind: agentconfig\n", "TV101", E, 7, 7,
     "unknown kind \"agentconfig\" of talosvip/v1", "did you mean AgentConfig?"},
    {WITH_VIP "apiVersion: talosvip/v2\nkind: AgentConfig\n", "TV101", E, 6, 13,
     "unknown apiVersion of the agent's settings", "this program knows talosvip/v1"},
    {WITH_VIP "apiVersion: v1alpha1\nkind: AgentConfig\n", "TV101", E, 6, 13,
     "unknown apiVersion of the agent's settings", "this program knows talosvip/v1"},
    {WITH_VIP AGENT "---\n" AGENT "lease: {ttl: 0}\n", "TV103", E, 11, 14,
     "lease.ttl: \"0\" is not between 2s and 600s", NULL},
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        finding_case_check(&cases[i]);
}

static void test_accepted(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "lease: {ttl: 2s}\n",
        "lease: {ttl: 600s}\n",
        "lease: {ttl: 2500ms}\n",
        "lease: ~\netcd:\nhealth: []\nhooks: null\n",
        "etcd: {endpoints: ['http://etcd-1.example:2379/', 'https://10.0.0.1']}\n",
        "api: {metrics: '[::1]:9754'}\n",
        "health: [{name: a, tcp: {address: '[2001:db8::1]:22'}, timeout: 500ms}]\n",
        "health: [{name: a, https: {url: 'https://[::1]:6443/readyz?verbose'}}]\n",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct loaded l;
        char text[400];
        snprintf(text, sizeof(text), WITH_VIP AGENT "%s", texts[i]);
        loaded_text(&l, text);
        if (l.result != 0 || l.findings.n != 0) {
            loaded_print(&l);
            fail_msg("%s", texts[i]);
        }
        loaded_done(&l);
    }
}

/* `n` times `unit`, its # being the number. */
static void fill(char *text, size_t size, const char *begin, const char *unit, unsigned n,
                 const char *end)
{
    size_t len = (size_t)snprintf(text, size, WITH_VIP AGENT "%s", begin);
    for (unsigned i = 0; i < n; i++)
        for (const char *p = unit; *p; p++)
            if (*p == '#')
                len += (size_t)snprintf(text + len, size - len, "%u", i);
            else
                text[len++] = *p;
    snprintf(text + len, size - len, "%s", end);
}

static void test_list_bounds(void **state)
{
    (void)state;
    static const struct {
        const char *begin, *unit;
        unsigned max;
        const char *end;
        unsigned column;
        const char *message;
    } lists[] = {
        {"etcd: {endpoints: [", "https://a#,", CONFIG_ENDPOINTS_MAX, "]}\n", 19,
         "more than 16 items"},
        {"health: [", "{name: n#, tcp: {address: 'a:1'}},", CONFIG_HEALTH_MAX, "]\n", 9,
         "more than 32 items"},
        {"hooks: [", "{on: [fault], command: [/h#]},", CONFIG_HOOKS_MAX, "]\n", 8,
         "more than 32 items"},
        {"hooks: [{on: [fault], command: [", "/c#,", CONFIG_COMMAND_MAX, "]}]\n", 32,
         "more than 64 items"},
    };
    char text[8000];
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        struct loaded l;
        fill(text, sizeof(text), lists[i].begin, lists[i].unit, lists[i].max, lists[i].end);
        loaded_text(&l, text);
        assert_int_equal(l.result, 0);
        loaded_done(&l);
        fill(text, sizeof(text), lists[i].begin, lists[i].unit, lists[i].max + 1, lists[i].end);
        finding_case_check(
            &(struct finding_case){text, "TV103", E, 8, lists[i].column, lists[i].message, NULL});
    }
}

static void test_vip_bound(void **state)
{
    (void)state;
    static char text[20000];
    struct loaded l;
    fill(text, sizeof(text), "vips:\n", " - {ip: '2001:db8::#', link: e#}\n", CONFIG_VIPS_MAX - 1,
         "");
    loaded_text(&l, text);
    assert_int_equal(l.result, 0);
    assert_int_equal(l.config->n_vips, CONFIG_VIPS_MAX);
    loaded_done(&l);
    fill(text, sizeof(text), "vips:\n", " - {ip: '2001:db8::#', link: e#}\n", CONFIG_VIPS_MAX + 5,
         "");
    finding_case_check(&(struct finding_case){text, "TV103", E, 9 + CONFIG_VIPS_MAX - 1, 9,
                                              "more than 200 VIPs", NULL});
}

static void test_socket_length(void **state)
{
    (void)state;
    struct loaded l;
    loaded_text(&l, WITH_VIP AGENT "api: {socket: " LONG LONG "}\n");
    assert_int_equal(l.result, -EINVAL);
    assert_int_equal(l.findings.n, 1);
    assert_true(loaded_has(&l, "TV103", 8, 15));
    assert_non_null(strstr(l.findings.list[0].message, "the path is too long"));
    loaded_done(&l);
}

/* Passwords in the wrong place do not get into messages. */
static void test_no_secrets(void **state)
{
    (void)state;
    struct loaded l;
    loaded_text(&l, WITH_VIP AGENT "etcd: {endpoints: ['https://u:hunter2@a'], password: hunter2,"
                                   " username: [hunter2]}\n"
                                   "health: [{name: x, https: {url: 'https://u:hunter2@x'}}]\n"
                                   "node: {hunter2: hunter2}\n");
    assert_int_equal(l.result, -EINVAL);
    assert_true(l.findings.n >= 4);
    for (size_t i = 0; i < l.findings.n; i++) {
        assert_null(strstr(l.findings.list[i].message, "hunter2"));
        assert_true(!l.findings.list[i].help || !strstr(l.findings.list[i].help, "hunter2"));
    }
    loaded_done(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fixture),    cmocka_unit_test(test_fixture_lists),
        cmocka_unit_test(test_defaults),   cmocka_unit_test(test_cases),
        cmocka_unit_test(test_accepted),   cmocka_unit_test(test_list_bounds),
        cmocka_unit_test(test_vip_bound),  cmocka_unit_test(test_socket_length),
        cmocka_unit_test(test_no_secrets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
