/* SPDX-License-Identifier: MIT */
/* What strangers send to the agent's socket and what an agent may answer, and the command line.
 * The first byte chooses: J a status as JSON, H a request to a real server, anything else words
 * of a command, one per line. */
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../../src/cli/table.h"
#include "api/server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TURNS 32 /* of the loop, for one request */

/* What was accepted is written and read again without a change. */
static void json(const char *text, size_t len)
{
    struct api_status first, second;
    struct buf a, b;
    if (api_status_parse(text, len, &first) < 0)
        return;
    buf_init(&a, 4u << 20);
    buf_init(&b, 4u << 20);
    if (api_status_write(&first, &a) == 0) {
        if (api_status_parse(buf_str(&a), a.len, &second) < 0 || api_status_write(&second, &b) < 0)
            abort();
        if (a.len != b.len || memcmp(a.data, b.data, a.len) != 0)
            abort();
        api_status_done(&second);
    }
    buf_done(&a);
    buf_done(&b);
    api_status_done(&first);
}

static void words(char *text, const struct command *command)
{
    char *argv[64], *save = NULL;
    struct arguments arguments;
    struct complaint complaint = {.what = ""};
    int argc = 0;
    for (char *word = strtok_r(text, "\n", &save); word && argc < 64;
         word = strtok_r(NULL, "\n", &save))
        argv[argc++] = word;
    int r = arguments_parse(command->options, command->habits, command->words_max, argc, argv,
                            &arguments, &complaint);
    if (r == -EINVAL && !complaint.what[0])
        abort();
    if (r < 0)
        return;
    if (arguments.n_words > command->words_max)
        abort();
    arguments_done(&arguments);
}

static void on_status(void *arg, struct api_status *ret_status)
{
    (void)arg;
    *ret_status = (struct api_status){.node = "cp-1"};
}

static const char *on_probe(void *arg)
{
    (void)arg;
    return NULL;
}

static void on_metrics(void *arg, struct api_metrics *ret_metrics)
{
    static struct api_status status;
    static struct api_counters counters;
    static struct api_vip_counters vips[API_VIPS_MAX];
    on_status(arg, &status);
    *ret_metrics = (struct api_metrics){.status = &status, .counters = &counters, .vips = vips};
}

static uint64_t pending; /* a POST, answered once its client has gone or not */

static void on_change(void *arg, uint64_t id, const struct api_request *request)
{
    struct buf out;
    (void)arg;
    struct api_request again;
    const char *why;
    buf_init(&out, 4096);
    if (api_request_write(request, &out) < 0 ||
        api_request_parse(request->kind, buf_str(&out), out.len, &again, &why) < 0)
        abort();
    buf_done(&out);
    pending = id;
}

static const struct api_source source = {.status = on_status,
                                         .healthz = on_probe,
                                         .readyz = on_probe,
                                         .metrics = on_metrics,
                                         .change = on_change};
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static struct loop *loop;
static struct api_server *server;

static void stop(void)
{
    api_server_free(server);
    loop_free(loop);
}

static void start(void)
{
    int64_t owner;
    snprintf(address.sun_path, sizeof(address.sun_path), "/tmp/talosvip-fuzz-%d.sock",
             (int)getpid());
    signal(SIGPIPE, SIG_IGN);
    loop = loop_new();
    if (!loop || api_server_new(loop, address.sun_path, &source, NULL, &server, &owner) < 0)
        abort();
    atexit(stop);
}

static void request(const char *text, size_t len)
{
    char reply[4096];
    if (!server)
        start();
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        abort();
    (void)!send(fd, text, len, MSG_NOSIGNAL);
    shutdown(fd, SHUT_WR);
    for (int i = 0; i < TURNS; i++) {
        event_base_loop(loop_base(loop), EVLOOP_NONBLOCK);
        if (pending && i > 2 && len % 2)
            api_server_answer(server, pending, 200, NULL);
        if (i > 2)
            api_server_publish(server, "{}");
        if (read(fd, reply, sizeof(reply)) == 0)
            break;
    }
    close(fd);
    api_server_answer(server, pending, 409, "no");
    pending = 0;
    for (int i = 0; i < 3; i++) { /* a stream is found out by writing */
        api_server_publish(server, "{}");
        event_base_loop(loop_base(loop), EVLOOP_NONBLOCK);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    /* A copy of exactly this size, so that a sanitizer sees the first byte too far. */
    char *copy = malloc(size);
    if (!copy)
        return 0;
    memcpy(copy, data + 1, size - 1);
    copy[size - 1] = '\0';
    if (data[0] == 'J')
        json(copy, size - 1);
    else if (data[0] == 'H')
        request(copy, size - 1);
    else
        words(copy, data[0] == 's' ? &cmd_status : data[0] == 'm' ? &cmd_resign : &cmd_run);
    free(copy);
    return 0;
}
