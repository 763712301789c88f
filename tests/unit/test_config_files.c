/* SPDX-License-Identifier: MIT */
/* Several files, unreadable ones, and the difference between two configs. */
#include "config_support.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define FILES_MAX 4

static char directory[] = "/tmp/talosvip-config-XXXXXX";
static char paths[FILES_MAX][64];

static int setup(void **state)
{
    (void)state;
    if (!mkdtemp(directory))
        return -1;
    for (int i = 0; i < FILES_MAX; i++)
        snprintf(paths[i], sizeof(paths[i]), "%s/%d.yaml", directory, i);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (int i = 0; i < FILES_MAX; i++)
        unlink(paths[i]);
    return rmdir(directory);
}

static void write_file(unsigned i, const char *text)
{
    FILE *f = fopen(paths[i], "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void load_two(struct loaded *l, const char *a, const char *b)
{
    write_file(0, a);
    write_file(1, b);
    loaded_files(l, 2, (const char *[]){paths[0], paths[1]});
}

#define VIP(ip, link) "apiVersion: v1alpha1\nkind: Layer2VIPConfig\nname: " ip "\nlink: " link "\n"

static void test_union(void **state)
{
    (void)state;
    struct loaded l;
    load_two(&l, VIP("192.0.2.1", "eth0"),
             VIP("192.0.2.1", "eth0") "---\n" VIP("192.0.2.2", "eth0"));
    assert_int_equal(l.result, 0);
    assert_int_equal(l.findings.n, 0);
    assert_int_equal(l.config->n_vips, 2);
    assert_string_equal(loaded_vip(&l, "192.0.2.1")->where.file, paths[0]);
    assert_string_equal(loaded_vip(&l, "192.0.2.2")->where.file, paths[1]);
    loaded_done(&l);
    loaded_files(&l, 2, (const char *[]){paths[0], paths[0]});
    assert_int_equal(l.result, 0);
    assert_int_equal(l.config->n_vips, 1);
    loaded_done(&l);
}

static void test_contradicting_links(void **state)
{
    (void)state;
    struct loaded l;
    load_two(&l, VIP("2001:db8::1", "eth0"), VIP("2001:db8:0::1", "eth1"));
    assert_int_equal(l.result, -EINVAL);
    assert_int_equal(l.findings.n, 1);
    const struct finding *f = &l.findings.list[0];
    assert_string_equal(f->id, "TV213");
    assert_string_equal(f->at.file, paths[1]);
    assert_int_equal(f->at.line, 3);
    assert_string_equal(f->related[0].at.file, paths[0]);
    assert_int_equal(f->related[0].at.line, 3);
    assert_int_equal(f->related[0].at.column, 7);
    loaded_done(&l);
}

static void test_type_from_another_file(void **state)
{
    (void)state;
    struct loaded l;
    load_two(&l, VIP("192.0.2.1", "eth0"), "machine: {type: worker}\n");
    assert_int_equal(l.result, -EINVAL);
    assert_true(loaded_has(&l, "TV202", 3, 7));
    loaded_done(&l);
    load_two(&l,
             "machine:\n  network:\n    interfaces:\n    - interface: eth0\n"
             "      vip: {ip: 192.0.2.1}\n",
             "machine: {type: controlplane}\n");
    assert_int_equal(l.result, 0);
    loaded_done(&l);
    load_two(&l, "machine: {type: worker}\n",
             "machine: {type: controlplane}\n---\n" VIP("192.0.2.1", "eth0"));
    assert_int_equal(l.result, -EINVAL);
    assert_true(loaded_has(&l, "TV301", 1, 17));
    loaded_done(&l);
}

static void test_alias_from_another_file(void **state)
{
    (void)state;
    struct loaded l;
    load_two(&l, VIP("192.0.2.1", "net0"),
             "apiVersion: v1alpha1\nkind: LinkAliasConfig\nname: net0\n"
             "selector:\n  match: glob('0000:00:*', link.bus_path) && link.kind == ''\n");
    assert_int_equal(l.result, 0);
    const struct config_vip *vip = loaded_vip(&l, "192.0.2.1");
    assert_true(config_selector_match(
        vip->selector, &(struct config_device){.bus_path = "0000:00:03.0", .physical = true}));
    assert_false(config_selector_match(
        vip->selector, &(struct config_device){.bus_path = "0000:01:03.0", .physical = true}));
    loaded_done(&l);
}

static void test_agent_merge(void **state)
{
    (void)state;
    struct loaded l;
    load_two(&l,
             AGENT "node: a\nvips: [{ip: 192.0.2.1, link: e}]\netcd: {caFile: /ca}\n"
                   "lease: {ttl: 7s}\nhealth: [{name: h, tcp: {address: 'a:1'}}]\n",
             AGENT "node: a\nvips: [{ip: 192.0.2.2, link: e}]\n"
                   "etcd: {endpoints: ['https://e:1/']}\nannounce: {refresh: 9s}\n"
                   "health: [{tcp: {address: 'a:1'}, name: h}]\n");
    assert_int_equal(l.result, 0);
    assert_int_equal(l.findings.n, 0);
    assert_int_equal(l.config->n_vips, 2);
    assert_string_equal(l.config->node, "a");
    assert_string_equal(l.config->etcd.ca_file, "/ca");
    assert_string_equal(l.config->etcd.endpoints[0], "https://e:1");
    assert_int_equal(l.config->ttl_us, 7000000);
    assert_int_equal(l.config->refresh_us, 9000000);
    assert_int_equal(l.config->n_health, 1);
    assert_string_equal(l.config->ttl_where.file, paths[0]);
    assert_string_equal(l.config->refresh_where.file, paths[1]);
    loaded_done(&l);
}

static void test_agent_conflict(void **state)
{
    (void)state;
    struct loaded l;
    load_two(&l, AGENT "vips: [{ip: 192.0.2.1, link: e}]\nlease: {ttl: 7s}\nnode: a\n",
             AGENT "lease:\n  ttl: 8s\nnode: b\n");
    assert_int_equal(l.result, -EINVAL);
    assert_int_equal(l.findings.n, 2);
    assert_true(loaded_has(&l, "TV301", 4, 8));
    assert_true(loaded_has(&l, "TV301", 5, 7));
    assert_string_equal(l.findings.list[0].at.file, paths[1]);
    assert_string_equal(l.findings.list[0].related[0].at.file, paths[0]);
    loaded_done(&l);
}

static void test_unreadable(void **state)
{
    (void)state;
    struct loaded l;
    const char *missing = "/tmp/talosvip-config-not-there.yaml";
    loaded_files(&l, 2, (const char *[]){missing, directory});
    assert_int_equal(l.result, -EINVAL);
    assert_int_equal(l.findings.n, 2);
    assert_string_equal(l.findings.list[0].id, "TV004");
    assert_string_equal(l.findings.list[0].at.file, missing);
    assert_string_equal(l.findings.list[0].message, "cannot be read: No such file or directory");
    assert_string_equal(l.findings.list[1].message, "cannot be read: Is a directory");
    assert_int_equal(l.findings.list[0].at.line, 0);
    loaded_done(&l);
}

static void test_too_large(void **state)
{
    (void)state;
    struct loaded l;
    write_file(2, "");
    assert_int_equal(truncate(paths[2], CONFIG_FILE_MAX + 1), 0);
    loaded_files(&l, 1, (const char *[]){paths[2]});
    assert_int_equal(l.result, -EINVAL);
    assert_string_equal(l.findings.list[0].id, "TV004");
    assert_string_equal(l.findings.list[0].message, "larger than 16 MiB");
    loaded_done(&l);
    char *bytes = calloc(1, CONFIG_FILE_MAX + 1);
    assert_non_null(bytes);
    loaded_bytes(&l, bytes, CONFIG_FILE_MAX + 1);
    assert_int_equal(l.result, -EINVAL);
    assert_string_equal(l.findings.list[0].id, "TV004");
    free(bytes);
    loaded_done(&l);
}

static void test_stdin(void **state)
{
    (void)state;
    struct loaded l;
    int saved = dup(STDIN_FILENO), pipes[2];
    static const char text[] = VIP("192.0.2.7", "eth0") "x: y\n";
    assert_true(saved >= 0);
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    assert_int_equal(write(pipes[1], text, sizeof(text) - 1), sizeof(text) - 1);
    close(pipes[1]);
    assert_true(dup2(pipes[0], STDIN_FILENO) >= 0);
    close(pipes[0]);
    loaded_files(&l, 1, (const char *[]){"-"});
    assert_true(dup2(saved, STDIN_FILENO) >= 0);
    close(saved);
    assert_int_equal(l.result, -EINVAL);
    assert_int_equal(l.findings.n, 1);
    assert_true(loaded_has(&l, "TV102", 5, 1));
    assert_string_equal(l.findings.list[0].at.file, "<stdin>");
    loaded_done(&l);
}

/* More than a pipe holds, so that reader and writer wait for each other. */
static void test_pipe(void **state)
{
    (void)state;
    static char filler[300000];
    static const char text[] = VIP("192.0.2.7", "eth0");
    struct loaded l;
    char path[32];
    int pipes[2], status;
    memset(filler, ' ', sizeof(filler));
    filler[0] = '#';
    filler[sizeof(filler) - 1] = '\n';
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(write(pipes[1], filler, sizeof(filler)) == sizeof(filler) &&
                      write(pipes[1], text, sizeof(text) - 1) == sizeof(text) - 1
                  ? 0
                  : 1);
    close(pipes[1]);
    snprintf(path, sizeof(path), "/dev/fd/%d", pipes[0]);
    loaded_files(&l, 1, (const char *[]){path});
    close(pipes[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(l.result, 0);
    assert_int_equal(loaded_vip(&l, "192.0.2.7")->where.line, 4);
    loaded_done(&l);
}

static void test_no_files(void **state)
{
    (void)state;
    struct loaded l;
    loaded_files(&l, 0, NULL);
    assert_int_equal(l.result, -EINVAL);
    assert_string_equal(l.findings.list[0].id, "TV105");
    assert_null(l.findings.list[0].at.file);
    loaded_done(&l);
    const char *many[CONFIG_FILES_MAX + 1];
    write_file(3, VIP("192.0.2.1", "eth0"));
    for (size_t i = 0; i < CONFIG_FILES_MAX + 1; i++)
        many[i] = paths[3];
    loaded_files(&l, CONFIG_FILES_MAX + 1, many);
    assert_int_equal(l.result, -EINVAL);
    assert_string_equal(l.findings.list[0].message, "more than 64 files");
    loaded_done(&l);
}

/* Findings of an earlier load do not spoil a later one. */
static void test_findings_add_up(void **state)
{
    (void)state;
    struct findings findings;
    struct config *config = NULL;
    findings_init(&findings);
    assert_int_equal(config_load_memory("a", "a: [", 4, &config, &findings), -EINVAL);
    assert_null(config);
    static const char text[] = VIP("192.0.2.1", "eth0");
    assert_int_equal(config_load_memory("b", text, sizeof(text) - 1, &config, &findings), 0);
    assert_non_null(config);
    config_free(config);
    config = NULL;
    assert_int_equal(config_load_memory("c", "", 0, &config, &findings), -EINVAL);
    assert_string_equal(findings.list[findings.n - 1].id, "TV105");
    findings_done(&findings);
}

struct changes {
    char text[200];
};

static void note(struct changes *changes, char sign, const struct config_vip *vip)
{
    char ip[IP_TEXT_MAX];
    size_t len = strlen(changes->text);
    ip_format(&vip->ip, ip);
    snprintf(changes->text + len, sizeof(changes->text) - len, "%c%s@%s ", sign, ip,
             vip->link ? vip->link : "?");
}

static void note_removed(void *arg, const struct config_vip *vip)
{
    note(arg, '-', vip);
}

static void note_added(void *arg, const struct config_vip *vip)
{
    note(arg, '+', vip);
}

static void assert_diff(const char *a, const char *b, const char *wanted)
{
    struct loaded x = {0}, y = {0};
    struct changes changes = {""};
    if (a)
        loaded_text(&x, a);
    if (b)
        loaded_text(&y, b);
    config_vips_diff(x.config, y.config, note_removed, note_added, &changes);
    assert_string_equal(changes.text, wanted);
    loaded_done(&x);
    loaded_done(&y);
}

#define SELECTED(driver)                                                                           \
    CONTROLPLANE "      - deviceSelector: {driver: " driver "}\n        vip: {ip: 192.0.2.9}\n"    \
                 "        vlans: [{vlanId: 5, vip: {ip: 192.0.2.10}}]\n"

static void test_diff(void **state)
{
    (void)state;
    static const char one[] = VIP("192.0.2.1", "eth0"),
                      two[] = AGENT
                      "vips: [{ip: 192.0.2.2, link: eth0}]\n---\n" VIP("192.0.2.1", "eth0"),
                      moved[] = VIP("192.0.2.1", "eth1"),
                      agent[] = AGENT "vips: [{ip: 192.0.2.1, link: eth0}]\n";
    assert_diff(one, one, "");
    assert_diff(one, agent, "");
    assert_diff(one, two, "+192.0.2.2@eth0 ");
    assert_diff(two, one, "-192.0.2.2@eth0 ");
    assert_diff(one, moved, "-192.0.2.1@eth0 +192.0.2.1@eth1 ");
    assert_diff(NULL, one, "+192.0.2.1@eth0 ");
    assert_diff(one, NULL, "-192.0.2.1@eth0 ");
    assert_diff(SELECTED("a"), SELECTED("a"), "");
    assert_diff(SELECTED("a"), SELECTED("b"),
                "-192.0.2.9@? -192.0.2.10@? +192.0.2.9@? +192.0.2.10@? ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_union),
        cmocka_unit_test(test_contradicting_links),
        cmocka_unit_test(test_type_from_another_file),
        cmocka_unit_test(test_alias_from_another_file),
        cmocka_unit_test(test_agent_merge),
        cmocka_unit_test(test_agent_conflict),
        cmocka_unit_test(test_unreadable),
        cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_stdin),
        cmocka_unit_test(test_pipe),
        cmocka_unit_test(test_no_files),
        cmocka_unit_test(test_findings_add_up),
        cmocka_unit_test(test_diff),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
