/* SPDX-License-Identifier: MIT */
#include "table.h"
#include "status_text.h"

#include "api/client.h"
#include "api/server.h"

#include <errno.h>
#include <string.h>

#define TIMEOUT_US UINT64_C(4000000) /* with all else, an answer within 5 s */
#define REPLY_MAX (4u << 20)

static const char *const formats[] = {"human", "json", NULL};

enum { LOCAL, OUTPUT, SOCKET };

static const struct option options[] = {
    [LOCAL] = {.name = "local",
               .kind = OPTION_FLAG,
               .help = "ask this node's agent; works while etcd is down"},
    [OUTPUT] = {.name = "output",
                .letter = 'o',
                .kind = OPTION_ENUM,
                .metavar = "FORMAT",
                .choices = formats,
                .fallback = "human",
                .help = "how to write it"},
    [SOCKET] = {.name = "socket",
                .kind = OPTION_FILE,
                .metavar = "PATH",
                .env = {"TALOSVIP_SOCKET"},
                .fallback = API_SOCKET_DEFAULT,
                .help = "of the agent"},
    {.name = NULL},
};

static const struct habit habits[] = {
    {"-w", "-w means --watch here, which this version does not have; did you mean -o?", NULL},
    {"--watch", "this version has no --watch", "watch -n 1 talosvip status --local"},
    {NULL, NULL, NULL},
};

static const struct example examples[] = {
    {"status --local", "which addresses this node holds, and how well"},
    {"status --local -o json", "the same for programs"},
    {NULL, NULL},
};

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

static enum exit_code run(const struct arguments *arguments)
{
    struct api_status status;
    if (arguments->values[LOCAL].origin != FROM_FLAG) {
        struct complaint c = {.what = ""};
        complaint_set(&c, "status needs --local: this version asks only the agent of this node");
        return fail(EXIT_USAGE, &c);
    }
    enum exit_code code = ask(arguments->values[SOCKET].text, &status);
    if (code != EXIT_DONE)
        return code;
    code = print(&status, arguments->values[OUTPUT].choice == 1);
    api_status_done(&status);
    return code;
}

const struct command cmd_status = {
    .name = "status",
    .group = "Look",
    .summary = "who holds which address, and how well",
    .usage = "--local [-o FORMAT] [--socket PATH]",
    .examples = examples,
    .options = options,
    .habits = habits,
    .run = run,
};
