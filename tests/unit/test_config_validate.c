/* SPDX-License-Identifier: MIT */
/* The corpus of tests/validate/files: what is found in each file, where, and how bad it is; and
 * what the options and several files together change. Every check is hit here at least once. */
#include "config/validate.h"

#include "base/buf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define FILES "tests/validate/files/"
#define PATHS_MAX 8

struct corpus_case {
    const char *file, *wanted;
};

/* clang-format off */
static const struct corpus_case corpus[] = {
    {"ok-0.11-join.yaml",
     ""},
    {"ok-0.12-equinix.yaml",
     "I TV217 10:15"},
    {"ok-0.13-hcloud.yaml",
     "I TV217 10:15"},
    {"ok-0.14-vlan.yaml",
     ""},
    {"ok-0.9-vip.yaml",
     ""},
    {"ok-1.1-selector.yaml",
     ""},
    {"ok-1.10-full.yaml",
     ""},
    {"ok-1.12-bond-vlan-alias.yaml",
     ""},
    {"ok-1.12-documents.yaml",
     ""},
    {"ok-1.12-hcloud.yaml",
     "I TV217 9:7"},
    {"ok-1.13-alias-numbered.yaml",
     ""},
    {"ok-1.13-kinds.yaml",
     ""},
    {"ok-1.14-api-port.yaml",
     ""},
    {"ok-1.14-kube.yaml",
     ""},
    {"ok-1.14-vrf.yaml",
     ""},
    {"ok-1.3-bond.yaml",
     ""},
    {"ok-1.6-wireguard-kubespan.yaml",
     ""},
    {"ok-1.7-physical.yaml",
     ""},
    {"ok-1.8-bridge.yaml",
     ""},
    {"ok-1.9-permanent.yaml",
     ""},
    {"ok-agent.yaml",
     ""},
    {"ok-anchors.yaml",
     ""},
    {"ok-bom.yaml",
     ""},
    {"ok-crlf.yaml",
     ""},
    {"ok-flow.yaml",
     ""},
    {"ok-patch-delete.yaml",
     ""},
    {"ok-patch.yaml",
     ""},
    {"ok-suppressed.yaml",
     "(E TV203 10:15), (W TV208 12:15), (W TV207 13:19)"},
    {"ok-talosconfig",
     ""},
    {"ok-unknown-elsewhere.yaml",
     ""},
    {"ok-utf8.yaml",
     ""},
    {"ok-worker.yaml",
     ""},
    {"tv001-alias-self.yaml",
     "E TV001 2:9"},
    {"tv001-behind-template.yaml",
     "E TV001 17:9"},
    {"tv001-bomb.yaml",
     "E TV001 6:11"},
    {"tv001-colon.yaml",
     "E TV001 2:16"},
    {"tv001-deep.yaml",
     "E TV001 1:67"},
    {"tv001-latin1.yaml",
     "E TV001 2:7"},
    {"tv001-nul.yaml",
     "E TV001 2:10"},
    {"tv001-quote.yaml",
     "E TV001 4:1"},
    {"tv001-secret.yaml",
     "E TV001 5:1"},
    {"tv001-tab.yaml",
     "E TV001 2:1"},
    {"tv001-utf16.yaml",
     "E TV001 1:1"},
    {"tv002-interface.yaml",
     "W TV208 7:15, E TV002 8:9"},
    {"tv002-root.yaml",
     "E TV002 3:1"},
    {"tv003-comments.yaml",
     "W TV003 1:1"},
    {"tv003-document.yaml",
     "W TV003 16:1"},
    {"tv003-empty.yaml",
     "W TV003 1:1"},
    {"tv101-api-version.yaml",
     "E TV101 1:13"},
    {"tv101-json-patch.yaml",
     "W TV101 1:1"},
    {"tv101-k8s-manifest.yaml",
     "E TV101 1:13"},
    {"tv101-kind.yaml",
     "E TV101 2:7"},
    {"tv101-list.yaml",
     "E TV101 1:1"},
    {"tv101-neither.yaml",
     "E TV101 1:1"},
    {"tv101-newer-kind.yaml",
     "W TV101 3:7"},
    {"tv101-no-kind.yaml",
     "E TV101 1:1"},
    {"tv101-no-version.yaml",
     "E TV101 1:1"},
    {"tv101-old-version.yaml",
     "E TV101 1:10"},
    {"tv101-unknown.yaml",
     "E TV101 2:7"},
    {"tv101-version-missing.yaml",
     "W TV101 1:1"},
    {"tv102-anchor.yaml",
     "E TV102 6:36"},
    {"tv102-document.yaml",
     "E TV102 5:1, E TV102 10:1, E TV102 12:5"},
    {"tv102-legacy.yaml",
     "E TV102 7:9, E TV102 8:9, E TV102 9:16, E TV102 11:13, W TV207 13:19, E TV102 13:30, E TV102 14:5"},
    {"tv102-section.yaml",
     "E TV102 4:3"},
    {"tv102-strict.yaml",
     ""},
    {"tv103-link-config.yaml",
     "E TV103 4:23, E TV103 5:13, E TV103 7:18, E TV103 8:18, E TV103 14:18"},
    {"tv103-address.yaml",
     "E TV103 7:19, E TV103 9:19, E TV103 11:19, E TV103 15:23"},
    {"tv103-document.yaml",
     "E TV103 3:7, E TV103 10:11, E TV103 15:9"},
    {"tv103-link-address.yaml",
     "E TV103 7:21, E TV103 7:35, E TV103 8:48"},
    {"tv103-type.yaml",
     "E TV103 3:9, E TV103 7:15, E TV103 8:14, E TV103 9:20, E TV103 10:14, E TV103 11:16, E TV103 12:20"},
    {"tv104-document.yaml",
     "E TV104 1:1, E TV104 5:1, E TV104 9:1, I TV217 11:7, E TV104 14:1"},
    {"tv104-legacy.yaml",
     "E TV104 6:9, E TV104 8:25, E TV104 9:25, E TV104 12:17, E TV104 14:14, E TV104 16:17"},
    {"tv104-twice.yaml",
     "E TV104 12:15, E TV104 18:28, E TV103 27:19"},
    {"tv106-document.yaml",
     "E TV106 5:1, E TV106 9:1, E TV106 16:1"},
    {"tv106-machine.yaml",
     "E TV106 4:1"},
    {"tv2-escapes.yaml",
     "E TV204 8:7, W TV214 9:7"},
    {"tv107-sops.yaml",
     "W TV107 8:15, W TV107 10:15, W TV107 19:1"},
    {"tv107-template.yaml",
     "W TV107 5:11"},
    {"tv107-quotes.yaml",
     "W TV107 9:41"},
    {"tv107-values.yaml",
     "W TV107 8:21, W TV107 9:14, W TV107 11:15, W TV107 23:10, W TV107 28:7"},
    {"tv108-no-type.yaml",
     "W TV108 1:1"},
    {"tv108-whole.yaml",
     "E TV108 1:1"},
    {"tv109-disk.yaml",
     "E TV109 9:5"},
    {"tv109-install.yaml",
     "W TV101 2:1, W TV109 2:1"},
    {"tv201-join.yaml",
     "E TV201 10:15"},
    {"tv201-worker.yaml",
     "E TV201 10:15, E TV201 14:23"},
    {"tv202-worker.yaml",
     "E TV202 12:7, E TV202 17:7, I TV217 17:7"},
    {"tv203-document.yaml",
     "E TV203 10:7"},
    {"tv203-legacy.yaml",
     "E TV203 10:15"},
    {"tv203-vlan.yaml",
     "E TV203 11:23"},
    {"tv204-own.yaml",
     "E TV204 10:15"},
    {"tv205-edges.yaml",
     "E TV205 8:19, E TV205 11:19, E TV205 13:19, E TV205 15:19, E TV205 17:19, E TV205 19:19, E TV205 21:19"},
    {"tv206-servers.yaml",
     "W TV206 9:19, W TV206 12:19, W TV206 15:19"},
    {"tv207-dhcp.yaml",
     "W TV208 7:15, W TV207 9:15"},
    {"tv207-none.yaml",
     "I TV207 3:7"},
    {"tv208-document.yaml",
     "W TV208 8:7"},
    {"tv209-single.yaml",
     "W TV209 7:21, W TV209 10:21, W TV209 13:35"},
    {"tv210-prefix.yaml",
     "E TV103 9:15, I TV210 9:15"},
    {"tv211-address.yaml",
     "W TV211 13:15"},
    {"tv211-local-port.yaml",
     "W TV211 13:15"},
    {"tv211-port.yaml",
     "W TV211 13:15"},
    {"tv212-default.yaml",
     "W TV212 8:19"},
    {"tv212-pods.yaml",
     "W TV212 10:15, E TV212 10:15"},
    {"tv213-hcloud.yaml",
     "E TV213 13:7, I TV217 13:7"},
    {"tv213-legacy.yaml",
     "E TV213 13:19"},
    {"tv213-mixed.yaml",
     "E TV213 17:7"},
    {"tv213-spelling.yaml",
     "E TV213 13:7"},
    {"tv214-bridge.yaml",
     "E TV214 10:7"},
    {"tv214-ignore.yaml",
     "E TV214 9:19"},
    {"tv214-member.yaml",
     "E TV214 10:19"},
    {"tv214-unknown.yaml",
     "W TV214 9:7"},
    {"tv215-alias.yaml",
     "W TV215 5:10"},
    {"tv215-selector.yaml",
     "W TV215 6:25"},
    {"tv216-talosconfig",
     ""},
    {"tv218-case.yaml",
     "W TV218 6:40"},
    {"tv218-cel.yaml",
     "I TV218 5:10"},
    {"tv219-member-address.yaml",
     "E TV219 14:21, E TV219 16:15"},
    {"tv219-members.yaml",
     "E TV219 11:50"},
    {"tv5-agent-bad.yaml",
     "E TV213 5:10, E TV102 6:9, E TV103 8:11, E TV103 8:31"},
    {"tv5-peers-bad.yaml",
     "E TV103 4:11, E TV103 5:9, E TV103 6:12, E TV102 7:3"},
    {"tv501-ttl.yaml",
     "W TV501 3:14, W TV501 5:5"},
    {"tv502-together.yaml",
     "E TV502 4:13, E TV502 5:13"},
    {"tv503-names.yaml",
     "E TV503 5:12"},
    {"tv504-plain.yaml",
     "W TV504 4:41"},
    {"tv506-long.yaml",
     "W TV506 4:11"},
    {"tv506-short.yaml",
     "W TV506 4:17"},
};
/* clang-format on */

static bool seen[1000]; /* by the number of the check */

static struct validate_report check(const struct validate_options *options, size_t n,
                                    const char *const *files)
{
    struct validate_report report;
    char paths[PATHS_MAX][128];
    const char *list[PATHS_MAX];
    assert_true(n <= PATHS_MAX);
    for (size_t i = 0; i < n; i++) {
        snprintf(paths[i], sizeof(paths[i]), FILES "%s", files[i]);
        list[i] = paths[i];
    }
    assert_int_equal(validate_files(list, n, options, &report), 0);
    assert_int_equal(report.n_files, n);
    return report;
}

/* "E TV203 10:15, (W TV208 7:15)"; those of other files have the file's number in front. */
static void describe(const struct validate_report *report, struct buf *out)
{
    for (size_t i = 0; i < report->findings.n; i++) {
        const struct finding *f = &report->findings.list[i];
        size_t file = 0;
        while (file < report->n_files && strcmp(report->files[file].path, f->at.file) != 0)
            file++;
        assert_true(file < report->n_files);
        unsigned number = 0;
        assert_int_equal(sscanf(f->id, "TV%3u", &number), 1);
        seen[number] = true;
        buf_puts(out, i ? ", " : "");
        buf_puts(out, f->is_suppressed ? "(" : "");
        if (file > 0)
            buf_printf(out, "#%zu ", file + 1);
        char severity = "IWE"[f->severity];
        buf_printf(out, "%c %s %u:%u%s", severity, f->id, f->at.line, f->at.column,
                   f->is_suppressed ? ")" : "");
    }
}

static void check_counters(const struct validate_report *report)
{
    size_t errors = 0, warnings = 0, infos = 0, suppressed = 0;
    for (size_t i = 0; i < report->findings.n; i++) {
        const struct finding *f = &report->findings.list[i];
        suppressed += f->is_suppressed;
        errors += !f->is_suppressed && f->severity == SEVERITY_ERROR;
        warnings += !f->is_suppressed && f->severity == SEVERITY_WARNING;
        infos += !f->is_suppressed && f->severity == SEVERITY_INFO;
    }
    assert_int_equal(report->errors, errors);
    assert_int_equal(report->warnings, warnings);
    assert_int_equal(report->infos, infos);
    assert_int_equal(report->suppressed, suppressed);
    assert_int_equal(report->is_valid, errors == 0);
}

static void expect(const struct validate_options *options, size_t n, const char *const *files,
                   const char *wanted)
{
    struct validate_report report = check(options, n, files);
    struct buf text;
    buf_init(&text, 0);
    describe(&report, &text);
    if (strcmp(buf_str(&text), wanted) != 0)
        fail_msg("%s\nwanted %s\ngot    %s", files[0], wanted, buf_str(&text));
    check_counters(&report);
    buf_done(&text);
    validate_report_done(&report);
}

/* The same for one text. */
static void expect_text(const struct validate_options *options, const char *text,
                        const char *wanted)
{
    struct validate_report report;
    struct buf got;
    buf_init(&got, 0);
    assert_int_equal(validate_memory("t.yaml", text, strlen(text), options, &report), 0);
    describe(&report, &got);
    if (strcmp(buf_str(&got), wanted) != 0)
        fail_msg("%s\nwanted %s\ngot    %s", text, wanted, buf_str(&got));
    check_counters(&report);
    buf_done(&got);
    validate_report_done(&report);
}

#define EXPECT(options, wanted, ...)                                                               \
    expect(options, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *),                        \
           (const char *[]){__VA_ARGS__}, wanted)

static const struct validate_options plain, strict = {.is_strict = true};

static void test_corpus(void **state)
{
    (void)state;
    size_t n = sizeof(corpus) / sizeof(corpus[0]);
    assert_true(n >= 60);
    for (size_t i = 0; i < n; i++)
        EXPECT(&plain, corpus[i].wanted, corpus[i].file);
}

/* What begins with "ok" has no error and, but for provider VIPs, nothing at all to say. */
static void test_no_false_alarm(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(corpus) / sizeof(corpus[0]); i++) {
        if (strncmp(corpus[i].file, "ok-", 3) != 0)
            continue;
        struct validate_report report = check(&plain, 1, &corpus[i].file);
        assert_true(report.is_valid && report.files[0].is_valid);
        assert_int_equal(report.files[0].errors, 0);
        validate_report_done(&report);
    }
}

static void test_strict(void **state)
{
    (void)state;
    EXPECT(&strict, "E TV208 7:15, E TV207 9:15", "tv207-dhcp.yaml");
    EXPECT(&strict, "E TV102 11:3", "tv102-strict.yaml");
    EXPECT(&strict, "I TV217 10:15", "ok-0.13-hcloud.yaml");
    EXPECT(&strict, "E TV102 11:3, E TV102 16:3, E TV102 17:1", "ok-unknown-elsewhere.yaml");
    EXPECT(&strict, "", "ok-1.10-full.yaml");
    EXPECT(&strict, "", "ok-0.9-vip.yaml");
    EXPECT(&strict, "(E TV203 10:15), (E TV208 12:15), (E TV207 13:19)", "ok-suppressed.yaml");
}

static void test_options(void **state)
{
    (void)state;
    static const char *const allow[] = {"TV208", "TV203"};
    static struct ip_prefix right, wrong;
    assert_int_equal(ip_prefix_parse("10.0.0.0/24", &right), 0);
    assert_int_equal(ip_prefix_parse("10.0.2.0/24", &wrong), 0);
    EXPECT((&(struct validate_options){.allow = allow, .n_allow = 2}),
           "(W TV208 7:15), W TV207 9:15", "tv207-dhcp.yaml");
    EXPECT((&(struct validate_options){.subnets = &right, .n_subnets = 1}), "W TV208 7:15",
           "tv207-dhcp.yaml");
    EXPECT((&(struct validate_options){.subnets = &right, .n_subnets = 1}), "", "tv207-none.yaml");
    EXPECT((&(struct validate_options){.subnets = &wrong, .n_subnets = 1}), "E TV203 3:7",
           "tv207-none.yaml");
    EXPECT((&(struct validate_options){.vip_only = true}), "W TV207 13:19, E TV102 13:30",
           "tv102-legacy.yaml");
    EXPECT((&(struct validate_options){.vip_only = true}), "E TV102 5:1", "tv102-document.yaml");
    EXPECT((&(struct validate_options){.vip_only = true}), "", "tv501-ttl.yaml");
    EXPECT((&(struct validate_options){.is_found = (const bool[]){true, true, false}}),
           "W TV101 1:13, #2 W TV101 1:1, #3 E TV101 1:1", "tv101-k8s-manifest.yaml",
           "tv101-neither.yaml", "tv101-list.yaml");
}

static void test_across(void **state)
{
    (void)state;
    EXPECT(&plain, "", "nodes/cp-1.yaml", "nodes/cp-2.yaml", "nodes/cp-3.yaml",
           "nodes/worker-1.yaml");
    EXPECT(&plain, "W TV304 3:9", "nodes/cp-1.yaml", "nodes/cp-2.yaml");
    EXPECT(&plain, "W TV304 3:9", "nodes/cp-1.yaml", "nodes/worker-1.yaml");
    EXPECT(&plain, "E TV301 11:15, #2 E TV301 15:15", "nodes/cp-1.yaml",
           "nodes/cp-2-other-vip.yaml", "nodes/cp-3.yaml");
    EXPECT(&plain, "E TV301 11:15", "nodes/cp-1.yaml", "nodes/cp-2-no-vip.yaml", "nodes/cp-3.yaml");
    EXPECT(&plain, "E TV301 3:9, E TV301 3:9", "nodes/cp-2-no-vip.yaml", "nodes/cp-1.yaml",
           "nodes/cp-3.yaml");
    EXPECT(&plain, "#2 E TV302 5:15, #2 E TV302 9:13", "nodes/cp-1.yaml", "nodes/cp-2-copy.yaml",
           "nodes/cp-3.yaml");
    EXPECT(&plain, "#2 E TV204 11:15, E TV303 11:15, #3 E TV303 11:15", "nodes/cp-1.yaml",
           "nodes/cp-2-taken.yaml", "nodes/cp-3.yaml");
    EXPECT(&plain, "E TV301 11:15", "nodes/cp-1.yaml", "nodes/cp-2-vlan.yaml", "nodes/cp-3.yaml");
    EXPECT(&plain, "", "nodes/cp-1.yaml", "nodes/cp-other-cluster.yaml");
    EXPECT(&plain, "W TV216 4:28", "tv216-talosconfig", "ok-1.1-selector.yaml");
    EXPECT(&plain, "", "ok-talosconfig", "ok-1.1-selector.yaml");
}

/* The findings about several files come last, and count in none. */
static void test_across_counts(void **state)
{
    (void)state;
    static const char *const files[] = {"nodes/cp-1.yaml", "nodes/cp-2-other-vip.yaml"};
    struct validate_report report = check(&plain, 2, files);
    assert_true(report.files[0].is_valid && report.files[1].is_valid);
    assert_false(report.is_valid);
    assert_int_equal(report.errors, 2);
    for (size_t i = 0; i < report.findings.n; i++)
        assert_true(report.findings.list[i].is_across);
    const struct finding *f = &report.findings.list[1];
    assert_string_equal(f->message, "the nodes do not agree on the VIP of eth0");
    assert_int_equal(f->n_related, 2);
    assert_string_equal(f->related[0].message, "10.0.0.50");
    assert_string_equal(f->related[1].message, "10.0.0.51");
    assert_string_equal(f->related[1].at.file, FILES "nodes/cp-2-other-vip.yaml");
    validate_report_done(&report);
}

static int certificate(void *arg, const char *path, bool is_bundle, int *ret_days)
{
    (void)arg;
    assert_int_equal(is_bundle, strstr(path, "ca.crt") != NULL);
    *ret_days = strstr(path, "kubernetes") ? -1 : is_bundle ? 400 : 3;
    return strstr(path, "client.key") ? -EACCES : 0;
}

static int executable(void *arg, const char *path)
{
    (void)arg;
    return strstr(path, "notify") ? -ENOENT : 0;
}

static struct validate_link links[] = {
    {.name = "lo", .is_up = true, .has_carrier = true},
    {.name = "enp1s0",
     .altnames = {"enx525400aa0101", "eth9"},
     .is_up = true,
     .has_carrier = true,
     .n_addresses = 1,
     .device = {.mac = "52:54:00:aa:01:01", .driver = "virtio_net", .physical = true}},
    {.name = "enp2s0",
     .n_addresses = 1,
     .device = {.mac = "52:54:00:aa:01:02", .driver = "virtio_net", .physical = true}},
};

static void test_host(void **state)
{
    (void)state;
    static const struct validate_sysctl sysctls[] = {{"net.ipv4.conf.all.arp_ignore", "8"},
                                                     {"net.ipv4.conf.enp1s0.rp_filter", "1"},
                                                     {"net.ipv4.ip_nonlocal_bind", "0"}};
    static const struct validate_sysctl nonlocal[] = {{"net.ipv4.ip_nonlocal_bind", "1"}};
    struct validate_host host = {.lacks_net_raw = true,
                                 .sysctls = sysctls,
                                 .n_sysctls = 3,
                                 .certificate = certificate,
                                 .executable = executable};
    struct validate_options options = {.links = links, .n_links = 3};
    assert_int_equal(ip_prefix_parse("10.0.0.11/24", &links[1].addresses[0]), 0);
    assert_int_equal(ip_prefix_parse("10.1.0.11/24", &links[2].addresses[0]), 0);
    EXPECT(&options, "", "ok-1.1-selector.yaml");
    EXPECT(&options, "E TV401 4:7", "tv207-none.yaml");
    EXPECT(&options, "W TV215 6:25", "tv215-selector.yaml");
    EXPECT(&options, "E TV401 6:20, W TV208 7:15", "tv207-dhcp.yaml");
    options.host = &host;
    EXPECT(&options, "E TV404 0:0, W TV403 9:19, W TV403 9:19", "ok-1.1-selector.yaml");
    EXPECT(&options,
           "E TV404 0:0, E TV401 5:10, W TV404 9:13, E TV404 10:12, E TV404 16:59, E TV505 21:15",
           "ok-agent.yaml");
    host.sysctls = nonlocal;
    host.n_sysctls = 1;
    EXPECT(&options, "E TV404 0:0, W TV403 9:19", "ok-1.1-selector.yaml");
}

/* all.disable_ipv6 says what was written to all links once, not what they have. */
static void test_host_ipv6(void **state)
{
    (void)state;
    static const char vip[] = "apiVersion: talosvip/v1\nkind: AgentConfig\n"
                              "vips: [{ip: \"2001:db8::50\", link: enp1s0}]\n";
    struct validate_sysctl sysctls[] = {{"net.ipv6.conf.all.disable_ipv6", "1"},
                                        {"net.ipv6.conf.enp1s0.disable_ipv6", "0"}};
    struct validate_host host = {.sysctls = sysctls, .n_sysctls = 2};
    struct validate_options options = {.links = links, .n_links = 3, .host = &host};
    assert_int_equal(ip_prefix_parse("2001:db8::11/64", &links[1].addresses[0]), 0);
    expect_text(&options, vip, "");
    sysctls[0].value = "0";
    sysctls[1].value = "1";
    expect_text(&options, vip, "W TV403 3:13");
}

static void test_probe(void **state)
{
    (void)state;
    struct validate_probe_answer answer = {.owner = NULL};
    struct validate_options options = {.answers = &answer, .n_answers = 1};
    assert_int_equal(ip_parse("10.0.0.50", &answer.vip), 0);
    assert_int_equal(mac_parse("52:54:00:aa:01:09", &answer.mac), 0);
    EXPECT(&options, "E TV402 11:15", "ok-1.7-physical.yaml");
    answer.owner = "eth1 of this host";
    EXPECT(&options, "E TV402 11:15", "ok-1.7-physical.yaml");
    answer.owner = "cp-2";
    answer.is_agent = true;
    EXPECT(&options, "I TV402 11:15", "ok-1.7-physical.yaml");
    answer = (struct validate_probe_answer){.vip = answer.vip};
    assert_int_equal(mac_parse("52:54:00:aa:01:0b", &answer.mac), 0);
    EXPECT(&options, "I TV402 9:15", "ok-1.9-holder.yaml");
    EXPECT(&options, "E TV402 11:15", "ok-1.7-physical.yaml");
    EXPECT(&options, "I TV402 11:15, #2 I TV402 9:15, W TV304 3:9", "ok-1.7-physical.yaml",
           "ok-1.9-holder.yaml");
    assert_int_equal(ip_parse("10.0.0.51", &answer.vip), 0);
    EXPECT(&options, "", "ok-1.7-physical.yaml");
}

static void test_texts(void **state)
{
    (void)state;
    static const char *const file[] = {"tv203-legacy.yaml"};
    struct validate_report report = check(&plain, 1, file);
    const struct finding *f = &report.findings.list[0];
    assert_string_equal(f->message, "VIP 10.0.1.50 is outside every subnet of eth0");
    assert_string_equal(f->label, "not in 10.0.0.0/24");
    assert_string_equal(f->suggestion, "10.0.0.50");
    assert_string_equal(f->help, "did you mean 10.0.0.50? The cluster endpoint (line 13) uses it");
    assert_string_equal(f->at.yaml_path, "/machine/network/interfaces/0/vip/ip");
    assert_string_equal(f->related[0].message, "eth0 is in 10.0.0.0/24");
    assert_int_equal(f->at.end_column, 24);
    assert_string_equal(report.files[0].type, "talos/v1alpha1");
    assert_string_equal(report.files[0].machine_type, "controlplane");
    assert_int_equal(report.files[0].n_vips, 1);
    assert_string_equal(report.files[0].vips[0].link, "eth0");
    validate_report_done(&report);
}

static void test_suppression_reason(void **state)
{
    (void)state;
    static const char *const file[] = {"ok-suppressed.yaml"};
    struct validate_report report = check(&plain, 1, file);
    assert_int_equal(report.files[0].suppressed, 3);
    assert_string_equal(report.findings.list[0].suppression_reason, "routed by BGP");
    assert_string_equal(report.findings.list[1].suppression_reason, "not in the pool");
    assert_null(report.findings.list[2].suppression_reason);
    validate_report_done(&report);
}

static bool is_hidden(const struct validate_file *file, const char *text)
{
    const char *at = memmem(file->text, file->len, text, strlen(text));
    if (!at)
        fail_msg("%s is not in %s", text, file->path);
    size_t start = (size_t)(at - file->text), end = start + strlen(text);
    for (size_t i = 0; i < file->n_secrets; i++)
        if (file->secrets[i].start <= start && end <= file->secrets[i].end)
            return true;
    return false;
}

/* A comment is not what looks like one in a text. */
static void test_suppression_in_text(void **state)
{
    (void)state;
    static const char head[] = "apiVersion: v1alpha1\nkind: Layer2VIPConfig\nlink: eth0\nname: ";
    static const struct {
        const char *name, *wanted;
    } cases[] = {
        {"\"10.0.0 # talosvip: allow TV103\"", "E TV103 4:7"},
        {"'10.0.0' # talosvip: allow TV103", "(E TV103 4:7)"},
        {"10.0.0 # talosvip: allow TV103\n", "(E TV103 4:7)"},
        {"\n# talosvip: allow TV103\n  10.0.0", "(E TV103 6:3)"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[512];
        snprintf(text, sizeof(text), "%s%s", head, cases[i].name);
        expect_text(&plain, text, cases[i].wanted);
    }
}

static void test_secrets(void **state)
{
    (void)state;
    static const char *const files[] = {"ok-1.10-full.yaml", "tv001-secret.yaml",
                                        "ok-1.13-kinds.yaml"};
    struct validate_report report = check(&plain, 3, files);
    const struct validate_file *full = &report.files[0], *broken = &report.files[1];
    static const char *const hidden[] = {"hl0kyb.r5tzw1gtbkzrzvqt",
                                         "BFRDI1NTE5IFBSSVZBVEUg",
                                         "ABCDEFAAAA",
                                         "secretpassword",
                                         "user:secretpassword@",
                                         "supersecret",
                                         "p5ot7w.17vj",
                                         "z01mye6j16bs"};
    static const char *const shown[] = {"10.0.0.50", "enp1s0", "https://10.0.0.50:6443",
                                        "installer/3765"};
    for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
        if (!is_hidden(full, hidden[i]))
            fail_msg("%s is shown", hidden[i]);
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
        assert_false(is_hidden(full, shown[i]));
    assert_true(is_hidden(broken, "hunter2.verysecret"));
    assert_true(is_hidden(broken, "LS0tLS1CRUdJTiBQUklWQVRF"));
    assert_true(is_hidden(&report.files[2], "TS_AUTHKEY=abc"));
    assert_true(is_hidden(&report.files[2], "?token=a"));
    for (size_t i = 0; i + 1 < full->n_secrets; i++)
        assert_true(full->secrets[i].end < full->secrets[i + 1].start);
    validate_report_done(&report);
}

/* Whatever is below a key that sounds secret; broken files are judged by their lines. */
static void test_secrets_below(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "machine: {a: {apiToken: {value: S3CRET}}}\n",
        "hcloud:\n  apiToken: {foo: {bar: [S3CRET]}}\n",
        "wireguard:\n  privateKey:\n    v: S3CRET\n  peers: [{endpoint: eth0}]\n",
        "privateKey: {secretName: S3CRET}\n",
        "privateKey:\n- S3CRET\n- S3CRET\nname: eth0\n]\n",
        "apiToken: {foo: S3CRET}\nname: eth0\n]\n",
        "apiToken:\n  foo:\n    bar: S3CRET\nname: eth0\n]\n",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct validate_report report;
        assert_int_equal(validate_memory("t.yaml", texts[i], strlen(texts[i]), &plain, &report), 0);
        if (!is_hidden(&report.files[0], "S3CRET"))
            fail_msg("shown: %s", texts[i]);
        if (strstr(texts[i], "eth0") && is_hidden(&report.files[0], "eth0"))
            fail_msg("too much is hidden: %s", texts[i]);
        validate_report_done(&report);
    }
}

static void test_unreadable(void **state)
{
    (void)state;
    EXPECT(&plain, "E TV004 0:0, #2 E TV004 0:0", "does-not-exist.yaml", "nodes");
    static const char *const file[] = {"does-not-exist.yaml"};
    struct validate_report report = check(&plain, 1, file);
    assert_true(report.files[0].is_unreadable);
    assert_null(report.files[0].text);
    validate_report_done(&report);
    assert_int_equal(validate_files(NULL, 0, &plain, &report), 0);
    assert_true(report.is_valid);
    validate_report_done(&report);
    validate_report_done(&report);
    validate_report_done(NULL);
}

/* More findings than are kept are still errors. */
static void test_many(void **state)
{
    (void)state;
    struct buf text;
    struct validate_report report;
    buf_init(&text, 0);
    buf_puts(&text, "apiVersion: v1alpha1\nkind: LinkConfig\nname: eth0\n");
    for (unsigned i = 0; i < FINDINGS_MAX + 50; i++)
        buf_printf(&text, "wrong%u: 1\n", i);
    assert_int_equal(validate_memory("many", buf_str(&text), text.len, &plain, &report), 0);
    assert_int_equal(report.findings.n, FINDINGS_MAX);
    assert_int_equal(report.errors, FINDINGS_MAX + 50);
    assert_int_equal(report.files[0].errors, FINDINGS_MAX + 50);
    assert_false(report.is_valid);
    validate_report_done(&report);
    buf_done(&text);
}

/* For the agent, what is left open is wrong, and so is nothing to do. */
static void test_agent(void **state)
{
    (void)state;
    static const struct validate_options agent = {.is_for_agent = true};
    EXPECT(&agent, "E TV105 0:0", "ok-worker.yaml");
    EXPECT(&agent, "E TV107 5:11", "tv107-template.yaml");
    EXPECT(&agent, "E TV108 1:1", "tv108-no-type.yaml");
    EXPECT(&agent, "", "ok-1.10-full.yaml");
    EXPECT(&agent, "E TV108 2:1, I TV207 9:15", "ok-patch-install.yaml");
    EXPECT(&agent, "#2 I TV207 9:15, #2 E TV213 9:15", "ok-1.10-full.yaml",
           "ok-patch-install.yaml");
}

/* Only on metal is a disk asked for. */
#define LAYER2 "apiVersion: v1alpha1\nkind: Layer2VIPConfig\nname: 10.0.0.50\nlink: net0\n"
#define TYPE "---\nversion: v1alpha1\nmachine: {type: controlplane}\n"
#define ALIAS(name, match)                                                                         \
    "---\napiVersion: v1alpha1\nkind: LinkAliasConfig\nname: " name "\nselector: {match: '" match  \
    "'}\n"

/* For the agent all that its loader refuses is an error, and said once. */
static void test_refusals(void **state)
{
    (void)state;
    static const struct validate_options agent = {.is_for_agent = true};
    expect_text(&agent, LAYER2 TYPE ALIAS("net1", "link.mtu > 1500u"),
                "W TV214 4:7, I TV218 12:19");
    expect_text(&agent, LAYER2 TYPE ALIAS("net0", "link.mtu > 1500u"),
                "W TV207 3:7, E TV218 12:19");
    expect_text(&agent, LAYER2 TYPE ALIAS("net%d", "link.driver == \"e1000\""),
                "W TV207 3:7, E TV218 3:7");
    expect_text(&plain, LAYER2 TYPE ALIAS("net%d", "link.driver == \"e1000\""), "W TV207 3:7");
    expect_text(&agent, LAYER2 "$patch: delete # talosvip: allow TV102\n" TYPE,
                "E TV105 0:0, E TV102 5:1");
}

/* What Talos refuses of an alias. */
static void test_aliases(void **state)
{
    (void)state;
    static const struct {
        const char *text, *wanted;
    } cases[] = {
        {ALIAS("net%d", "true"), ""},
        {ALIAS("net%dx", "true"), "E TV103 4:7"},
        {ALIAS("\"%d\"", "true"), "E TV103 4:7"},
        {ALIAS("net%s", "true"), "E TV103 4:7"},
        {ALIAS("net%d%d", "true"), "E TV103 4:7"},
        {ALIAS("net0", "link.driver == "), "E TV218 5:19"},
        {ALIAS("net0", "link.driver == \"a\" &&"), "E TV218 5:19"},
        {ALIAS("net0", "(link.mtu > 1500u"), "I TV218 5:19"},
        {ALIAS("net0", "(link.driver == \"a\""), "E TV218 5:19"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        expect_text(&plain, cases[i].text, cases[i].wanted);
}

static void test_mode(void **state)
{
    (void)state;
    static const struct validate_options cloud = {.mode = VALIDATE_CLOUD},
                                         container = {.mode = VALIDATE_CONTAINER};
    EXPECT(&cloud, "", "tv109-disk.yaml");
    EXPECT(&container, "W TV101 2:1", "tv109-install.yaml");
}

/* Runs last. */
static void test_every_check(void **state)
{
    (void)state;
    size_t n;
    const struct check *table = check_table(&n);
    for (size_t i = 0; i < n; i++) {
        unsigned number = 0;
        assert_int_equal(sscanf(table[i].id, "TV%3u", &number), 1);
        if (!seen[number])
            fail_msg("nothing here is %s", table[i].id);
        assert_true(strlen(table[i].meaning) > 20 && strlen(table[i].why) > 10);
        assert_true(validate_is_check(table[i].id));
    }
    assert_false(validate_is_check("TV999"));
}

static bool has_check(const char *text, const char *id)
{
    struct validate_report report;
    bool found = false;
    assert_int_equal(validate_memory("example", text, strlen(text), &plain, &report), 0);
    for (size_t i = 0; i < report.findings.n; i++)
        found = found || (!report.findings.list[i].is_suppressed &&
                          strcmp(report.findings.list[i].id, id) == 0);
    validate_report_done(&report);
    return found;
}

static bool is_whole(const char *text)
{
    return text && (strncmp(text, "machine:", 8) == 0 || strncmp(text, "apiVersion:", 11) == 0 ||
                    strncmp(text, "---", 3) == 0);
}

/* What `explain` shows as wrong is wrong, and what it shows as right is right. */
static void test_examples(void **state)
{
    (void)state;
    size_t n, tried = 0;
    const struct check *table = check_table(&n);
    for (size_t i = 0; i < n; i++) {
        const struct check *c = &table[i];
        if (strcmp(c->id, "TV105") == 0)
            continue;
        tried += is_whole(c->wrong);
        if (is_whole(c->wrong) && !has_check(c->wrong, c->id))
            fail_msg("the wrong example is not %s", c->id);
        if (is_whole(c->right) && has_check(c->right, c->id))
            fail_msg("the right example is %s", c->id);
    }
    assert_true(tried > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_corpus),
        cmocka_unit_test(test_no_false_alarm),
        cmocka_unit_test(test_strict),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_agent),
        cmocka_unit_test(test_mode),
        cmocka_unit_test(test_aliases),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_across),
        cmocka_unit_test(test_across_counts),
        cmocka_unit_test(test_host),
        cmocka_unit_test(test_probe),
        cmocka_unit_test(test_host_ipv6),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_suppression_reason),
        cmocka_unit_test(test_suppression_in_text),
        cmocka_unit_test(test_secrets),
        cmocka_unit_test(test_secrets_below),
        cmocka_unit_test(test_unreadable),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_every_check),
        cmocka_unit_test(test_examples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
