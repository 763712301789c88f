/* SPDX-License-Identifier: MIT */
#include "ask_local.h"

#include "ask.h"

#include "api/client.h"
#include "base/clock.h"
#include "base/fields.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#define TIMEOUT_US UINT64_C(4000000) /* with all else, an answer within 5 s */
#define STATUS_MAX (4u << 20)
#define ANSWER_MAX 4096
#define POLL_US UINT64_C(50000)

static enum exit_code no_agent(const char *socket, int error)
{
    enum exit_code code = error == -EACCES || error == -EPERM ? EXIT_PERMISSION : EXIT_UNKNOWN;
    return ask_complain(code, "no agent answers at %.200s: %s", socket,
                        error == -ETIMEDOUT ? "it did not answer in time" : strerror(-error));
}

enum exit_code ask_local_status(const char *socket, struct api_status *ret_status)
{
    struct buf body;
    buf_init(&body, STATUS_MAX);
    int r = api_client_get(socket, "/v1/status", TIMEOUT_US, &body);
    int parsed = r == 200 ? api_status_parse(buf_str(&body), body.len, ret_status) : -EBADMSG;
    buf_done(&body);
    if (r < 0)
        return no_agent(socket, r);
    if (parsed < 0)
        return ask_complain(EXIT_UNKNOWN, "the agent at %.200s sent something else than its status",
                            socket);
    return EXIT_DONE;
}

/* What the agent says of an error. */
static enum exit_code refused(int status, const struct buf *answer)
{
    struct json_object *o = NULL, *error;
    const char *text = "no reason given";
    if (fields_parse(buf_str(answer), answer->len, ANSWER_MAX, &o) == 0 &&
        json_object_object_get_ex(o, "error", &error))
        text = json_object_get_string(error);
    enum exit_code code =
        ask_complain(status == 503 ? EXIT_UNKNOWN : EXIT_NO, "the agent refuses: %.200s", text);
    json_object_put(o);
    return code;
}

enum exit_code ask_local_post(const char *socket, const struct api_request *request)
{
    static const char *const paths[] = {
        [API_RESIGN] = "/v1/resign", [API_PAUSE] = "/v1/pause", [API_RESUME] = "/v1/resume"};
    struct buf body, answer;
    enum exit_code code = EXIT_DONE;
    buf_init(&body, ANSWER_MAX);
    buf_init(&answer, ANSWER_MAX);
    int r = api_request_write(request, &body);
    if (r == 0)
        r = api_client_post(socket, paths[request->kind], buf_str(&body), TIMEOUT_US, &answer);
    if (r < 0)
        code = no_agent(socket, r);
    else if (r != 200)
        code = refused(r, &answer);
    buf_done(&body);
    buf_done(&answer);
    return code;
}

struct follow {
    struct loop *loop;
    struct loop_timer *timer;
    const char *socket, *from;
    const struct ip *vip;
    uint64_t end_us;
    char *to;
    enum exit_code code;
};

static const char *holder_of(const struct api_status *status, const struct ip *vip)
{
    for (unsigned i = 0; i < status->n_vips; i++)
        if (ip_equal(&status->vips[i].ip, vip))
            return status->vips[i].holder;
    return "";
}

static void on_poll(void *arg)
{
    struct follow *f = arg;
    struct api_status status;
    f->code = ask_local_status(f->socket, &status);
    if (f->code == EXIT_DONE) {
        const char *holder = holder_of(&status, f->vip);
        if (holder[0] && strcmp(holder, f->from) != 0)
            snprintf(f->to, API_NAME_MAX, "%s", holder);
        api_status_done(&status);
    }
    if (f->code == EXIT_DONE && !f->to[0] && clock_now_us() >= f->end_us)
        f->code = ask_complain(EXIT_NO, "%s was asked and still has it; its log says why", f->from);
    if (f->code != EXIT_DONE || f->to[0])
        loop_stop(f->loop);
    else
        loop_timer_set(f->timer, clock_now_us() + POLL_US);
}

enum exit_code ask_local_follow(const char *socket, const struct ip *vip, const char *from,
                                uint64_t wait_us, char ret_to[API_NAME_MAX])
{
    struct follow f = {.socket = socket,
                       .from = from,
                       .vip = vip,
                       .end_us = clock_now_us() + wait_us,
                       .to = ret_to,
                       .code = EXIT_BUG};
    ret_to[0] = '\0';
    f.loop = loop_new();
    if (f.loop && loop_timer_new(f.loop, on_poll, &f, &f.timer) == 0) {
        loop_timer_set(f.timer, 0);
        loop_run(f.loop);
    } else {
        ask_complain(EXIT_BUG, "out of memory");
    }
    loop_timer_free(f.timer);
    loop_free(f.loop);
    return f.code;
}
