/* SPDX-License-Identifier: MIT */
/* The Nth allocation fails, for N = 1, 2, ... until a load runs through: every failure gives
 * -ENOMEM or goes unnoticed, and nothing leaks. */
#include "config_support.h"

#include "base/buf.h"
#include "config/validate.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#if defined(__SANITIZE_ADDRESS__)
#define OWN_MALLOC 0 /* the sanitizer has its own */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define OWN_MALLOC 0
#else
#define OWN_MALLOC 1
#endif
#else
#define OWN_MALLOC 1
#endif

static size_t fail_at; /* the allocation that fails; 0: none does */
static size_t n_allocations;
static long n_blocks;

#if OWN_MALLOC
/* glibc's own functions behind the names that are replaced here. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void __libc_free(void *p);

static bool fails(void)
{
    return ++n_allocations == fail_at;
}

void *malloc(size_t size)
{
    void *p = fails() ? NULL : __libc_malloc(size);
    n_blocks += p != NULL;
    if (!p)
        errno = ENOMEM;
    return p;
}

void *calloc(size_t n, size_t size)
{
    void *p = fails() ? NULL : __libc_calloc(n, size);
    n_blocks += p != NULL;
    if (!p)
        errno = ENOMEM;
    return p;
}

void *realloc(void *old, size_t size)
{
    void *p = fails() ? NULL : __libc_realloc(old, size);
    n_blocks += p && !old;
    if (!p)
        errno = ENOMEM;
    return p;
}

void free(void *p)
{
    n_blocks -= p != NULL;
    __libc_free(p);
}
#endif

static void describe(const struct loaded *l, struct buf *out)
{
    for (size_t i = 0; i < l->findings.n; i++) {
        finding_format_short(&l->findings.list[i], out);
        buf_puts(out, l->findings.list[i].at.yaml_path ? l->findings.list[i].at.yaml_path : "-");
        buf_putc(out, '\n');
    }
    for (size_t i = 0; l->config && i < l->config->n_vips; i++) {
        const struct config_vip *vip = &l->config->vips[i];
        char ip[IP_TEXT_MAX];
        ip_format(&vip->ip, ip);
        buf_printf(out, "%s %s %zu %s\n", ip, vip->link ? vip->link : "-",
                   vip->selector ? vip->selector->n_terms : 0, vip->where.yaml_path);
    }
    if (l->config)
        buf_printf(out, "%zu %zu %zu %s\n", l->config->n_health, l->config->n_hooks,
                   l->config->etcd.n_endpoints, l->config->node ? l->config->node : "-");
}

static size_t run(struct loaded *l, size_t n, const char *const *paths, size_t at)
{
    n_allocations = 0;
    fail_at = at;
    loaded_files(l, n, paths);
    fail_at = 0;
    return n_allocations;
}

static void each_allocation(size_t n, const char *const *paths)
{
    if (!OWN_MALLOC) {
        print_message("needs its own malloc, which a sanitizer does not leave room for\n");
        skip();
    }
    struct loaded l;
    struct buf wanted;
    buf_init(&wanted, 0);
    size_t total = run(&l, n, paths, 0);
    int result = l.result;
    describe(&l, &wanted);
    loaded_done(&l);
    assert_true(total > 20);
    for (size_t i = 1; i <= total; i++) {
        long before = n_blocks;
        run(&l, n, paths, i);
        if (l.result != -ENOMEM) {
            struct buf text;
            buf_init(&text, 0);
            describe(&l, &text);
            if (l.result != result || strcmp(buf_str(&text), buf_str(&wanted)) != 0)
                fail_msg("allocation %zu of %zu: %d\n%s", i, total, l.result, buf_str(&text));
            buf_done(&text);
        }
        assert_true((l.config != NULL) == (l.result == 0));
        loaded_done(&l);
        if (n_blocks != before)
            fail_msg("allocation %zu of %zu: %ld blocks leaked", i, total, n_blocks - before);
    }
    buf_done(&wanted);
}

static void test_good_files(void **state)
{
    (void)state;
    each_allocation(
        3, (const char *[]){FIXTURES "legacy.yaml", FIXTURES "agent.yaml", FIXTURES "agent.yaml"});
    each_allocation(1, (const char *[]){FIXTURES "documents.yaml"});
}

static void test_bad_files(void **state)
{
    (void)state;
    each_allocation(1, (const char *[]){FIXTURES "bad.yaml"});
    each_allocation(1, (const char *[]){FIXTURES "bad-syntax.yaml"});
}

#define CORPUS "tests/validate/files/"

/* What a report says, and 0 or what went wrong. */
static int validate_text(size_t n, const char *const *paths, size_t at, struct buf *out)
{
    static const struct validate_options options;
    struct validate_report report;
    n_allocations = 0;
    fail_at = at;
    int r = validate_files(paths, n, &options, &report);
    fail_at = 0;
    if (r < 0)
        return r;
    for (size_t i = 0; i < report.findings.n; i++)
        finding_format_short(&report.findings.list[i], out);
    for (size_t i = 0; i < report.n_files; i++)
        buf_printf(out, "%s %zu %zu %zu %zu", report.files[i].type, report.files[i].errors,
                   report.files[i].suppressed, report.files[i].n_secrets, report.files[i].n_vips);
    validate_report_done(&report);
    return 0;
}

static void validate_each_allocation(size_t n, const char *const *paths)
{
    struct buf wanted, text;
    if (!OWN_MALLOC)
        skip();
    buf_init(&wanted, 0);
    buf_init(&text, 0);
    assert_int_equal(validate_text(n, paths, 0, &wanted), 0);
    size_t total = n_allocations;
    assert_true(total > 20);
    for (size_t i = 1; i <= total; i++) {
        long before = n_blocks;
        int r = validate_text(n, paths, i, &text);
        assert_true(r == 0 || r == -ENOMEM);
        if (r == 0 && strcmp(buf_str(&text), buf_str(&wanted)) != 0)
            fail_msg("allocation %zu of %zu:\n%s", i, total, buf_str(&text));
        buf_done(&text);
        if (n_blocks != before)
            fail_msg("allocation %zu of %zu: %ld blocks leaked", i, total, n_blocks - before);
    }
    buf_done(&wanted);
}

static void test_validate(void **state)
{
    (void)state;
    validate_each_allocation(3, (const char *[]){CORPUS "nodes/cp-1.yaml",
                                                 CORPUS "nodes/cp-2-other-vip.yaml",
                                                 CORPUS "tv216-talosconfig"});
    validate_each_allocation(1, (const char *[]){CORPUS "ok-suppressed.yaml"});
    validate_each_allocation(1, (const char *[]){CORPUS "tv001-secret.yaml"});
    validate_each_allocation(
        2, (const char *[]){CORPUS "ok-1.12-documents.yaml", CORPUS "tv215-alias.yaml"});
    validate_each_allocation(1, (const char *[]){FIXTURES "bad.yaml"});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_files),
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_validate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
