/* SPDX-License-Identifier: MIT */
/* Users and passwords, against a real etcd on loopback with auth enabled. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "etcd_fixture.h"
#include "etcd_server.h"

static char password_file[160];

static bool ctl(const char *a, const char *b, const char *c, const char *d)
{
    char program[512], endpoint[80];
    snprintf(endpoint, sizeof(endpoint), "--endpoints=%s", group_server.url);
    const char *const argv[] = {etcd_server_find("etcdctl", program), endpoint, a, b, c, d, NULL};
    return etcd_server_run(argv);
}

static bool ctl_root(const char *a, const char *b, const char *c, const char *d)
{
    char program[512], endpoint[80];
    snprintf(endpoint, sizeof(endpoint), "--endpoints=%s", group_server.url);
    const char *const argv[] = {
        etcd_server_find("etcdctl", program), endpoint, "--user=root:secret", a, b, c, d, NULL};
    return etcd_server_run(argv);
}

static void write_password(const char *password)
{
    FILE *f = fopen(password_file, "w");
    assert_non_null(f);
    fprintf(f, "%s\n", password);
    assert_int_equal(fclose(f), 0);
}

static struct etcd_client *client_as(const char *user, const char *password, const char *token)
{
    const char *const endpoints[] = {group_server.url, NULL};
    struct etcd_client_config config = {.user = user, .password = password, .token = token};
    if (user && !password)
        config.password_file = password_file;
    return fixture_client(config, endpoints);
}

/* Before auth is enabled: a user is configured all the same. */
static void test_auth_off(void **state)
{
    struct answer a;
    (void)state;
    struct etcd_client *c = client_as("root", "secret", NULL);
    fixture_put(c, "x/1", "1", 0, &a);
    assert_int_equal(a.status, ETCD_OK);
    assert_int_equal(fixture_notices[ETCD_NOTICE_NO_AUTH], 1);
    assert_string_equal(etcd_client_token(c), "");
    /* It is enabled meanwhile: the client logs in by itself. */
    assert_true(ctl("user", "add", "root:secret", NULL));
    ctl("role", "add", "root", NULL);
    assert_true(ctl("user", "grant-role", "root", "root"));
    assert_true(ctl("user", "add", "vip:pa\"ss", NULL));
    assert_true(ctl("auth", "enable", NULL, NULL));
    fixture_put(c, "x/1", "2", 0, &a);
    assert_int_equal(a.status, ETCD_OK);
    assert_true(etcd_client_token(c)[0]);
    etcd_client_free(c);
    assert_true(ctl_root("role", "add", "vip", NULL));
    assert_true(ctl_root("user", "grant-role", "vip", "vip"));
    const char *const grant[] = {"role", "grant-permission", "--prefix=true", "vip"};
    char program[512], endpoint[80];
    snprintf(endpoint, sizeof(endpoint), "--endpoints=%s", group_server.url);
    const char *const argv[] = {etcd_server_find("etcdctl", program),
                                endpoint,
                                "--user=root:secret",
                                grant[0],
                                grant[1],
                                grant[2],
                                grant[3],
                                "readwrite",
                                "x/",
                                NULL};
    assert_true(etcd_server_run(argv));
}

static void test_password_file(void **state)
{
    struct answer a, b[3] = {0};
    (void)state;
    write_password("pa\"ss");
    struct etcd_client *c = client_as("vip", NULL, NULL);
    /* Several calls wait for one login. */
    struct etcd_range range = {.key = "x/1"};
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(etcd_call_range(c, &range, 3000000, fixture_answer, &b[i], NULL), 0);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(fixture_wait(&b[i].calls, 1, 5000));
        assert_int_equal(b[i].status, ETCD_OK);
    }
    fixture_put(c, "y/1", "1", 0, &a);
    assert_int_equal(a.status, ETCD_FORBIDDEN);
    assert_non_null(strstr(a.message, "\"vip\""));
    /* Another process goes on with the token, without a password. */
    struct etcd_client *sibling = client_as("vip", "", etcd_client_token(c));
    fixture_put(sibling, "x/1", "3", 0, &a);
    assert_int_equal(a.status, ETCD_OK);
    assert_string_equal(etcd_client_token(sibling), etcd_client_token(c));
    etcd_client_free(sibling);
    etcd_client_free(c);
}

static void test_refused(void **state)
{
    struct answer a;
    (void)state;
    write_password("wrong");
    struct etcd_client *c = client_as("vip", NULL, NULL);
    fixture_put(c, "x/1", "1", 0, &a);
    assert_int_equal(a.status, ETCD_AUTH);
    assert_non_null(strstr(a.message, "refused the login of user \"vip\""));
    assert_null(strstr(a.message, "wrong"));
    write_password("pa\"ss"); /* read again at the next login */
    fixture_put(c, "x/1", "1", 0, &a);
    assert_int_equal(a.status, ETCD_OK);
    etcd_client_free(c);
    c = client_as(NULL, NULL, NULL);
    fixture_put(c, "x/1", "1", 0, &a);
    assert_int_equal(a.status, ETCD_AUTH);
    assert_non_null(strstr(a.message, "wants a user"));
    etcd_client_free(c);
    assert_int_equal(unlink(password_file), 0);
    c = client_as("vip", NULL, NULL);
    fixture_put(c, "x/1", "1", 0, &a);
    assert_int_equal(a.status, ETCD_AUTH);
    assert_non_null(strstr(a.message, password_file));
    assert_non_null(strstr(a.message, "No such file"));
    etcd_client_free(c);
}

static void test_token_dies(void **state)
{
    struct seen s = {0};
    struct answer a;
    struct etcd_watch *w;
    char token[ETCD_TOKEN_MAX];
    (void)state;
    write_password("pa\"ss");
    struct etcd_client *c = client_as("vip", NULL, "no.token");
    fixture_put(c, "x/1", "1", 0, &a); /* repeated with a token of its own */
    assert_int_equal(a.status, ETCD_OK);
    snprintf(token, sizeof(token), "%s", etcd_client_token(c));
    assert_string_not_equal(token, "no.token");
    struct etcd_watch_range range = {.key = "x/", .prefix = true};
    assert_int_equal(etcd_watch_new(c, &range, 1, &fixture_callbacks, &s, &w), 0);
    assert_true(fixture_wait(&s.synced, 1, 3000));
    /* A user made anew has lost all tokens; the watch goes on. */
    assert_true(ctl_root("user", "delete", "vip", NULL));
    assert_true(ctl_root("user", "add", "vip:pa\"ss", NULL));
    assert_true(ctl_root("user", "grant-role", "vip", "vip"));
    fixture_put(c, "x/2", "2", 0, &a);
    assert_int_equal(a.status, ETCD_OK);
    assert_string_not_equal(token, etcd_client_token(c));
    assert_true(fixture_wait(&s.events, 1, 3000));
    /* And it comes back after the member was away. */
    etcd_server_stop(&group_server, SIGKILL);
    assert_true(etcd_server_start(&group_server));
    assert_true(fixture_wait(&s.synced, 2, 6000));
    fixture_put(c, "x/2", "3", 0, &a);
    assert_int_equal(a.status, ETCD_OK);
    assert_true(fixture_wait(&s.events, 2, 3000));
    assert_int_equal(s.lists, 1);
    etcd_watch_free(w);
    etcd_client_free(c);
}

static void test_watch_refused(void **state)
{
    struct seen s = {0};
    struct etcd_watch *w;
    (void)state;
    struct etcd_client *c = client_as("vip", NULL, NULL);
    struct etcd_watch_range range = {.key = "y/", .prefix = true};
    assert_int_equal(etcd_watch_new(c, &range, 1, &fixture_callbacks, &s, &w), 0);
    assert_true(fixture_wait(&s.broken, 1, 3000));
    assert_int_equal(s.status, ETCD_FORBIDDEN);
    assert_int_equal(s.lists, 0);
    etcd_watch_free(w);
    etcd_client_free(c);
}

static int start_server(void **state)
{
    int r = etcd_server_setup(state);
    snprintf(password_file, sizeof(password_file), "%s/password", group_server.dir);
    return r;
}

int main(void)
{
    if (etcd_server_is_missing("etcd") || etcd_server_is_missing("etcdctl"))
        return 0;
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(test_auth_off),   T(test_password_file), T(test_refused),
        T(test_token_dies), T(test_watch_refused),
    };
    return cmocka_run_group_tests(tests, start_server, etcd_server_teardown);
}
