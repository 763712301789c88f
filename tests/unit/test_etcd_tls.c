/* SPDX-License-Identifier: MIT */
/* Certificates, good and bad, against a real etcd on loopback. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "etcd_fixture.h"
#include "etcd_server.h"

static char openssl[512];

/* A path in the server's directory; valid until the eighth next call. */
static const char *in_dir(const char *name)
{
    static char paths[8][200];
    static unsigned next;
    char *out = paths[next++ % 8];
    snprintf(out, 200, "%s/%s", group_server.dir, name);
    return out;
}

static bool make_ca(const char *key, const char *crt, const char *cn)
{
    char subject[64];
    snprintf(subject, sizeof(subject), "/CN=%s", cn);
    const char *const argv[] = {openssl,
                                "req",
                                "-x509",
                                "-newkey",
                                "ec",
                                "-pkeyopt",
                                "ec_paramgen_curve:prime256v1",
                                "-nodes",
                                "-keyout",
                                in_dir(key),
                                "-out",
                                in_dir(crt),
                                "-days",
                                "30",
                                "-subj",
                                subject,
                                NULL};
    return etcd_server_run(argv);
}

/* `days` may be negative: expired already. */
static bool make_leaf(const char *name, const char *subject, const char *san, const char *days)
{
    char key[32], csr[32], crt[32], ext[32];
    snprintf(key, sizeof(key), "%s.key", name);
    snprintf(csr, sizeof(csr), "%s.csr", name);
    snprintf(crt, sizeof(crt), "%s.crt", name);
    snprintf(ext, sizeof(ext), "%s.ext", name);
    FILE *f = fopen(in_dir(ext), "w");
    if (!f)
        return false;
    fprintf(f, "subjectAltName=%s\nextendedKeyUsage=serverAuth,clientAuth\n", san);
    if (fclose(f) != 0)
        return false;
    const char *const request[] = {openssl,
                                   "req",
                                   "-new",
                                   "-newkey",
                                   "ec",
                                   "-pkeyopt",
                                   "ec_paramgen_curve:prime256v1",
                                   "-nodes",
                                   "-keyout",
                                   in_dir(key),
                                   "-out",
                                   in_dir(csr),
                                   "-subj",
                                   subject,
                                   NULL};
    const char *const sign[] = {openssl,
                                "x509",
                                "-req",
                                "-in",
                                in_dir(csr),
                                "-CA",
                                in_dir("ca.crt"),
                                "-CAkey",
                                in_dir("ca.key"),
                                "-CAcreateserial",
                                "-days",
                                days,
                                "-extfile",
                                in_dir(ext),
                                "-out",
                                in_dir(crt),
                                NULL};
    return etcd_server_run(request) && etcd_server_run(sign);
}

static struct etcd_client *client_with(const char *url, const char *ca, const char *cert,
                                       const char *key)
{
    const char *const endpoints[] = {url, NULL};
    struct etcd_client_config config = {.cacert = ca ? in_dir(ca) : NULL,
                                        .cert = cert ? in_dir(cert) : NULL,
                                        .key = key ? in_dir(key) : NULL,
                                        /* reading all authorities of a host takes its time */
                                        .connect_timeout_us = 2000000};
    return fixture_client(config, endpoints);
}

static void refused(const char *url, const char *ca, const char *cert, const char *key,
                    const char *want)
{
    struct answer a;
    struct etcd_client *c = client_with(url, ca, cert, key);
    fixture_get(c, "x", false, 3000, &a);
    if (a.status != ETCD_TLS || !strstr(a.message, want))
        print_error("%s: %s (want: %s)\n", etcd_status_name(a.status), a.message, want);
    assert_int_equal(a.status, ETCD_TLS);
    assert_non_null(strstr(a.message, want));
    etcd_client_free(c);
}

static void test_good(void **state)
{
    struct answer a;
    struct seen s = {0};
    struct etcd_watch *w;
    (void)state;
    struct etcd_client *c = client_with(group_server.url, "ca.crt", "client.crt", "client.key");
    struct etcd_watch_range range = {.key = "x"};
    assert_int_equal(etcd_watch_new(c, &range, 1, &fixture_callbacks, &s, &w), 0);
    assert_true(fixture_wait(&s.synced, 1, 5000));
    fixture_put(c, "x", "1", 0, &a);
    assert_int_equal(a.status, ETCD_OK);
    assert_true(fixture_wait(&s.events, 1, 3000));
    etcd_watch_free(w);
    etcd_client_free(c);
}

static void test_refused(void **state)
{
    char other[64], plain[64];
    (void)state;
    refused(group_server.url, "other.crt", "client.crt", "client.key", "is not signed by --cacert");
    refused(group_server.url, NULL, "client.crt", "client.key", "give etcd's with --cacert");
    refused(group_server.url, "none.crt", "client.crt", "client.key", "cannot read --cacert");
    refused(group_server.url, "ca.key", "client.crt", "client.key", "--cacert");
    refused(group_server.url, "ca.crt", NULL, NULL, "client certificate");
    refused(group_server.url, "ca.crt", "none.crt", "client.key", "cannot read --cert");
    refused(group_server.url, "ca.crt", "client.crt", "none.key", "cannot read --key");
    refused(group_server.url, "ca.crt", "client.crt", "ca.key", "--key");
    refused(group_server.url, "ca.crt", "stranger.crt", "stranger.key", "client certificate");
    refused(group_server.url, "ca.crt", "old.crt", "old.key", "client certificate");
    snprintf(other, sizeof(other), "https://localhost:%u", group_server.port);
    refused(other, "ca.crt", "client.crt", "client.key", "for another host name or address");
    struct fake f;
    fake_start(&f, "HTTP/1.0 400 Bad Request\r\n\r\nnot TLS", 0);
    snprintf(plain, sizeof(plain), "https://127.0.0.1:%u", f.port);
    refused(plain, "ca.crt", "client.crt", "client.key", "does not speak TLS");
    fake_stop(&f);
}

static void test_plain_http(void **state)
{
    char url[64];
    struct answer a;
    (void)state;
    snprintf(url, sizeof(url), "http://127.0.0.1:%u", group_server.port);
    struct etcd_client *c = client_with(url, NULL, NULL, NULL);
    fixture_get(c, "x", false, 3000, &a);
    assert_true(a.status == ETCD_UNAVAILABLE || a.status == ETCD_TLS);
    etcd_client_free(c);
}

/* New files are used without a restart: a client whose certificate is not accepted gets a good
 * one under the same name. */
static void test_files_change(void **state)
{
    struct answer a;
    (void)state;
    assert_int_equal(link(in_dir("stranger.crt"), in_dir("now.crt")), 0);
    assert_int_equal(link(in_dir("stranger.key"), in_dir("now.key")), 0);
    struct etcd_client *c = client_with(group_server.url, "ca.crt", "now.crt", "now.key");
    fixture_get(c, "x", false, 3000, &a);
    assert_int_equal(a.status, ETCD_TLS);
    assert_int_equal(rename(in_dir("client.crt"), in_dir("now.crt")), 0);
    assert_int_equal(rename(in_dir("client.key"), in_dir("now.key")), 0);
    fixture_get(c, "x", false, 3000, &a);
    assert_int_equal(a.status, ETCD_OK);
    /* The files are looked at every 2 s while calls are made. */
    for (unsigned i = 0; i < 60 && fixture_notices[ETCD_NOTICE_FILES] == 0; i++) {
        fixture_get(c, "x", false, 3000, &a);
        fixture_run(50);
    }
    assert_true(fixture_notices[ETCD_NOTICE_FILES] > 0);
    fixture_get(c, "x", false, 3000, &a);
    assert_int_equal(a.status, ETCD_OK);
    etcd_client_free(c);
}

static bool control(const char *a, const char *b, const char *c, const char *d)
{
    char program[512], endpoint[80], ca[220], crt[220], key[220];
    snprintf(endpoint, sizeof(endpoint), "--endpoints=%s", group_server.url);
    snprintf(ca, sizeof(ca), "--cacert=%s", in_dir("ca.crt"));
    snprintf(crt, sizeof(crt), "--cert=%s", in_dir("client.crt"));
    snprintf(key, sizeof(key), "--key=%s", in_dir("client.key"));
    const char *const argv[] = {
        etcd_server_find("etcdctl", program), endpoint, ca, crt, key, a, b, c, d, NULL};
    return etcd_server_run(argv);
}

/* Authentication is switched on while a client works without a token, its user known to it: etcd
 * takes it for a user without a name and forbids the request, and the client logs in. */
static void test_auth_enabled_later(void **state)
{
    char program[512];
    struct answer a;
    (void)state;
    if (!etcd_server_find("etcdctl", program))
        skip();
    const char *const endpoints[] = {group_server.url, NULL};
    struct etcd_client_config config = {.cacert = in_dir("ca.crt"),
                                        .cert = in_dir("client.crt"),
                                        .key = in_dir("client.key"),
                                        .user = "root",
                                        .password = "secret"};
    assert_true(control("user", "add", "root:secret", NULL));
    struct etcd_client *c = fixture_client(config, endpoints);
    fixture_put(c, "x/1", "1", 0, &a);
    assert_int_equal(a.status, ETCD_OK);
    assert_true(control("user", "grant-role", "root", "root"));
    assert_true(control("auth", "enable", NULL, NULL));
    fixture_put(c, "x/1", "2", 0, &a);
    assert_int_equal(a.status, ETCD_OK);
    assert_true(control("--user=root:secret", "auth", "disable", NULL));
    etcd_client_free(c);
}

static int start_server(void **state)
{
    static const char *extra[9];
    static char crt[200], key[200], ca[200];
    (void)state;
    if (!etcd_server_init(&group_server, "https") || !make_ca("ca.key", "ca.crt", "etcd") ||
        !make_ca("other.key", "other.crt", "kubernetes") ||
        !make_leaf("server", "/O=etcd", "IP:127.0.0.1", "30") ||
        !make_leaf("client", "/O=talosvip", "DNS:agent", "30") ||
        !make_leaf("old", "/O=talosvip", "DNS:agent", "-1"))
        return -1;
    if (rename(in_dir("other.crt"), in_dir("stranger.crt")) != 0 ||
        rename(in_dir("other.key"), in_dir("stranger.key")) != 0 ||
        link(in_dir("stranger.crt"), in_dir("other.crt")) != 0)
        return -1;
    snprintf(crt, sizeof(crt), "%s", in_dir("server.crt"));
    snprintf(key, sizeof(key), "%s", in_dir("server.key"));
    snprintf(ca, sizeof(ca), "%s", in_dir("ca.crt"));
    const char *const arguments[] = {"--cert-file",       crt, "--key-file",         key,
                                     "--trusted-ca-file", ca,  "--client-cert-auth", NULL};
    memcpy(extra, arguments, sizeof(arguments));
    group_server.extra = extra;
    return etcd_server_start(&group_server) ? 0 : -1;
}

int main(void)
{
    if (etcd_server_is_missing("etcd") || etcd_server_is_missing("openssl"))
        return 0;
    etcd_server_find("openssl", openssl);
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(test_good),         T(test_refused), T(test_plain_http), T(test_auth_enabled_later),
        T(test_files_change),
    };
    return cmocka_run_group_tests(tests, start_server, etcd_server_teardown);
}
