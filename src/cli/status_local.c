/* SPDX-License-Identifier: MIT */
#include "status_local.h"

#include "complaint.h"
#include "status_text.h"

#include "api/client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define TIMEOUT_US UINT64_C(4000000) /* with all else, an answer within 5 s */
#define REPLY_MAX (4u << 20)

static enum exit_code fail(enum exit_code code, const struct complaint *complaint)
{
    complaint_print(complaint);
    return code;
}

static enum exit_code no_answer(const char *socket, int error)
{
    struct complaint c = {.what = ""};
    complaint_set(&c, "no agent answers at %.200s: %s", socket,
                  error == -ETIMEDOUT ? "it did not answer in time"
                  : error == -EBADMSG ? "what listens there does not speak HTTP"
                                      : strerror(-error));
    if (error == -EACCES || error == -EPERM) {
        complaint_hint(&c, "run it as root");
        return fail(EXIT_PERMISSION, &c);
    }
    if (error == -ENOENT || error == -ECONNREFUSED)
        complaint_hint(&c, "start one with talosvip run, or name its socket with --socket PATH");
    return fail(EXIT_UNKNOWN, &c);
}

/* The agent's status, or an exit code that has been explained. */
static enum exit_code ask(const char *socket, struct api_status *ret_status)
{
    struct complaint c = {.what = ""};
    struct buf body;
    buf_init(&body, REPLY_MAX);
    int r = api_client_get(socket, "/v1/status", TIMEOUT_US, &body);
    int parsed = r == 200 ? api_status_parse(buf_str(&body), body.len, ret_status) : -EBADMSG;
    buf_done(&body);
    if (r < 0)
        return no_answer(socket, r);
    if (r != 200)
        complaint_set(&c, "the agent at %.200s answered with HTTP status %d", socket, r);
    else if (parsed < 0)
        complaint_set(&c, "the agent at %.200s sent something else than its status", socket);
    if (r == 200 && parsed < 0)
        complaint_hint(&c, "compare talosvip version with the version of the agent");
    return r == 200 && parsed == 0 ? EXIT_DONE : fail(EXIT_UNKNOWN, &c);
}

static enum exit_code print(const struct api_status *status, bool is_json)
{
    struct buf out, warnings;
    buf_init(&out, REPLY_MAX);
    buf_init(&warnings, REPLY_MAX);
    unsigned n = status_warnings(status, &warnings);
    if (is_json) {
        api_status_write(status, &out);
        buf_putc(&out, '\n');
    } else {
        status_text(status, &out);
        buf_add(&out, buf_str(&warnings), warnings.len);
    }
    int error = out.error ? out.error : warnings.error;
    if (!error)
        fwrite(buf_str(&out), 1, out.len, stdout);
    buf_done(&out);
    buf_done(&warnings);
    if (error) {
        fputs("talosvip: out of memory\n", stderr);
        return EXIT_BUG;
    }
    return n > 0 ? EXIT_DEGRADED : EXIT_DONE;
}

enum exit_code status_local(const char *socket, bool is_json)
{
    struct api_status status;
    enum exit_code code = ask(socket, &status);
    if (code != EXIT_DONE)
        return code;
    code = print(&status, is_json);
    api_status_done(&status);
    return code;
}
