/* SPDX-License-Identifier: MIT */
/* Logging in (etcd v3 API: Authenticate). Simple tokens run out 300 s after their last use, and
 * die with the member's restart and with a new password, so that they are renewed ahead of need:
 * a login takes about 80 ms. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "state.h"
#include "status.h"

#define LOGIN_TIMEOUT_US 2000000u
#define RENEW_EVERY_US 60000000u
#define RETRY_AFTER_US 5000000u
#define AUTH_OFF_US 60000000u
#define PASSWORD_MAX 1024

int login_set_token(struct etcd_client *c, const char *token)
{
    struct headers *headers = NULL;
    size_t len = strlen(token);
    if (len >= sizeof(c->token) || strpbrk(token, "\r\n"))
        return -EINVAL;
    if (len > 0) {
        headers = headers_new(token);
        if (!headers)
            return -ENOMEM;
    }
    headers_unref(c->authed);
    c->authed = headers;
    memmove(c->token, token, len + 1);
    c->token_us = clock_now_us() + RENEW_EVERY_US;
    return 0;
}

void login_refused(struct etcd_client *c, const struct headers *headers)
{
    c->auth_off_us = 0;
    /* Another call may have renewed it since. */
    if (headers == c->authed)
        login_set_token(c, "");
}

bool login_is_due(const struct etcd_client *c, enum etcd_status status,
                  const struct headers *headers)
{
    return status == ETCD_TOKEN || (status == ETCD_FORBIDDEN && c->user && headers == c->plain);
}

/* 0 or -errno. The file holds the password and at most one newline behind it. */
static int read_password(const char *path, char out[PASSWORD_MAX + 2])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return -errno;
    size_t len = 0;
    ssize_t n = 1;
    while (len <= PASSWORD_MAX && (n = read(fd, out + len, PASSWORD_MAX + 1 - len)) > 0)
        len += (size_t)n;
    int r = n < 0 ? -errno : len > PASSWORD_MAX ? -EFBIG : 0;
    close(fd);
    if (len > 0 && out[len - 1] == '\n')
        len--;
    if (len > 0 && out[len - 1] == '\r')
        len--;
    out[len] = '\0';
    return r == 0 && strlen(out) != len ? -EINVAL : r;
}

/* Everything that waits for the login ends with its failure. */
static void fail_waiting(struct etcd_client *c, const struct etcd_reply *reply)
{
    struct etcd_call *call = TAILQ_FIRST(&c->calls);
    while (call) {
        struct etcd_call *next = TAILQ_NEXT(call, link);
        if (!call->started && call->kind != ETCD_KIND_AUTHENTICATE) {
            etcd_reply_fail(&call->reply, reply->status, "%s", reply->message);
            call->reply.code = reply->code;
            call_end(call);
        }
        call = next;
    }
}

static void on_login(void *arg, const struct etcd_reply *reply)
{
    struct etcd_client *c = arg;
    uint64_t now = clock_now_us();
    struct etcd_reply failed = {.code = -1};
    c->login = NULL;
    if (reply->status == ETCD_OK) {
        if (login_set_token(c, reply->token) == 0)
            return;
        etcd_reply_fail(&failed, ETCD_BAD_REPLY, "etcd's token is unusable");
        reply = &failed;
    }
    if (reply->status == ETCD_REFUSED && strstr(reply->message, "authentication is not enabled")) {
        c->auth_off_us = now + AUTH_OFF_US;
        client_notice(c, ETCD_NOTICE_NO_AUTH,
                      "user \"%.64s\" is configured, but etcd's authentication is not enabled",
                      c->user);
        return;
    }
    c->token_us = now + RETRY_AFTER_US;
    if (!c->authed)
        fail_waiting(c, reply);
}

static int login_start(struct etcd_client *c, struct etcd_reply *reply)
{
    char password[PASSWORD_MAX + 2] = "";
    struct buf body;
    if (!c->password && c->password_file) {
        int r = read_password(c->password_file, password);
        if (r < 0) {
            etcd_reply_fail(reply, ETCD_AUTH, "cannot read the password file %s: %s",
                            c->password_file, strerror(-r));
            return r;
        }
    }
    buf_init(&body, ETCD_REQUEST_MAX);
    etcd_request_authenticate(&body, c->user, c->password ? c->password : password);
    explicit_bzero(password, sizeof(password));
    int r =
        call_start(c, ETCD_KIND_AUTHENTICATE, &body, 0, LOGIN_TIMEOUT_US, on_login, c, &c->login);
    if (r < 0)
        etcd_reply_fail(reply, ETCD_NO_MEMORY, "out of memory");
    return r;
}

int login_check(struct etcd_client *c, uint64_t now, struct etcd_reply *reply)
{
    if (!c->user || (!c->authed && now < c->auth_off_us))
        return 1;
    if (c->authed) {
        struct etcd_reply ignored = {0};
        if (now >= c->token_us && !c->login && login_start(c, &ignored) < 0)
            c->token_us = now + RETRY_AFTER_US;
        return 1;
    }
    if (c->login)
        return 0;
    return login_start(c, reply) < 0 ? -1 : 0;
}
