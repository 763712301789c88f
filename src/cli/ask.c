/* SPDX-License-Identifier: MIT */
#include "ask.h"
#include "look.h"

#include "api/request.h"
#include "base/parse.h"
#include "etcd/keys.h"
#include "etcd/record.h"

#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GUESSES_MAX 64
#define HISTORY_US UINT64_C(1000000) /* it is nice to know, no more */

enum exit_code ask_complain(enum exit_code code, const char *fmt, ...)
{
    struct complaint c = {.what = ""};
    char text[sizeof(c.what)];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    complaint_set(&c, "%s", text);
    complaint_print(&c);
    return code;
}

static enum exit_code open_client(struct ask *a)
{
    const char *bad = NULL;
    a->loop = loop_new();
    if (!a->loop)
        return ask_complain(EXIT_BUG, "out of memory");
    a->connection.etcd.loop = a->loop;
    int r = etcd_client_new(&a->connection.etcd, &a->client, &bad);
    if (r == -EINVAL && bad)
        return ask_complain(EXIT_USAGE, "\"%.200s\" is not an etcd endpoint", bad);
    if (r < 0)
        return ask_complain(EXIT_UNKNOWN, "cannot use etcd: %s", strerror(-r));
    return EXIT_DONE;
}

enum exit_code ask_open(struct ask *a, const char *command, const struct arguments *arguments)
{
    struct complaint c = {.what = ""};
    *a = (struct ask){.command = command};
    const struct connection *kept = look_kept(arguments);
    enum exit_code code = EXIT_DONE;
    a->is_borrowed = kept != NULL;
    if (kept)
        a->connection = *kept;
    else
        code = connection_resolve(arguments, &a->connection, &c);
    if (code != EXIT_DONE) {
        complaint_print(&c);
        return code;
    }
    if (a->connection.is_read_only)
        code = ask_complain(EXIT_PERMISSION, "context \"%s\" is read-only: no %s",
                            a->connection.context, command);
    else
        code = open_client(a);
    if (code != EXIT_DONE)
        ask_close(a);
    return code;
}

void ask_close(struct ask *a)
{
    etcd_client_free(a->client);
    loop_free(a->loop);
    if (!a->is_borrowed)
        connection_done(&a->connection);
    *a = (struct ask){.command = NULL};
}

/* ---- what etcd says ---- */

/* `why`: what came at once in the place of an answer, with the endpoint; "" when nothing did. */
static enum exit_code no_answer(const struct ask *a, const char *why)
{
    const struct etcd_client_config *etcd = &a->connection.etcd;
    char limit[DURATION_TEXT_MAX];
    struct complaint c = {.what = ""};
    struct buf list;
    buf_init(&list, 400);
    for (size_t i = 0; i < etcd->n_endpoints; i++)
        buf_printf(&list, "%s%s", i ? ", " : "", etcd->endpoints[i]);
    duration_format(a->connection.command_timeout_us, limit);
    if (*why)
        complaint_set(&c, "etcd cannot be reached (%.400s)", why);
    else
        complaint_set(&c, "etcd did not answer within %s (%s)", limit,
                      list.error ? etcd->endpoints[0] : buf_str(&list));
    if (etcd->n_endpoints > 1)
        complaint_hint(&c, "try one member: talosvip %s -e %.100s", a->command,
                       etcd->endpoints[etcd->n_endpoints - 1]);
    buf_done(&list);
    complaint_print(&c);
    return EXIT_UNKNOWN;
}

static enum exit_code explain(const struct ask *a, enum etcd_status status, const char *text)
{
    const char *user = a->connection.etcd.user;
    switch (status) {
    case ETCD_FORBIDDEN:
        return ask_complain(EXIT_PERMISSION,
                            "user \"%.100s\" may not write under talosvip/v1/; %s needs write "
                            "access. Reading works.",
                            user ? user : "", a->command);
    case ETCD_UNAVAILABLE:
    case ETCD_TIMEOUT:
        return no_answer(a, status == ETCD_UNAVAILABLE ? text : "");
    case ETCD_NO_MEMORY:
        return ask_complain(EXIT_BUG, "out of memory");
    default:
        return ask_complain(EXIT_UNKNOWN, "etcd: %s", text[0] ? text : etcd_status_name(status));
    }
}

struct looking {
    struct ask *ask;
    enum exit_code (*decide)(void *arg, const struct request_scene *scene);
    void *arg;
    enum exit_code code;
};

static void on_looked(void *arg, const struct etcd_reply *reply, const struct request_scene *scene)
{
    struct looking *l = arg;
    if (scene)
        l->code = l->decide(l->arg, scene);
    else if (reply->status == ETCD_FORBIDDEN)
        l->code = ask_complain(EXIT_PERMISSION, "user \"%.100s\" may not read in etcd: %s",
                               l->ask->connection.etcd.user ? l->ask->connection.etcd.user : "",
                               reply->message);
    else
        l->code = explain(l->ask, reply->status, reply->message);
    loop_stop(l->ask->loop);
}

enum exit_code ask_look(struct ask *a,
                        enum exit_code (*decide)(void *arg, const struct request_scene *scene),
                        void *arg)
{
    struct looking l = {.ask = a, .decide = decide, .arg = arg, .code = EXIT_BUG};
    struct request *request;
    /* The rest of the time is for the program to start, and to say it. */
    uint64_t limit = a->connection.command_timeout_us / 10 * 9;
    int r = request_look(a->client, limit, on_looked, &l, &request);
    if (r < 0)
        return ask_complain(EXIT_BUG, "cannot ask etcd: %s", strerror(-r));
    if (loop_run(a->loop) < 0)
        return ask_complain(EXIT_BUG, "the event loop failed");
    return l.code;
}

struct gaps {
    struct loop *loop;
    unsigned n;
    int64_t us[ASK_MOVES_MAX];
};

static int64_t longest(const struct record_move *move)
{
    int64_t us = -1;
    for (unsigned i = 0; i < move->n_seen; i++)
        if (move->seen[i].outage_us > us)
            us = move->seen[i].outage_us;
    return us;
}

static void on_history(void *arg, const struct etcd_reply *reply)
{
    struct gaps *g = arg;
    struct record_move move;
    size_t n = reply->status == ETCD_OK && reply->n_responses > 0 ? reply->responses[0].n_kvs : 0;
    for (size_t i = 0; i < n && g->n < ASK_MOVES_MAX; i++) {
        const struct etcd_kv *kv = &reply->responses[0].kvs[i];
        if (record_move_parse(kv->value, kv->value_len, &move) == 0 && move.is_planned &&
            !move.term && longest(&move) >= 0)
            g->us[g->n++] = longest(&move);
    }
    loop_stop(g->loop);
}

static int by_size(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

unsigned ask_usual_gap(struct ask *a, const struct ip *vip, int64_t *ret_us)
{
    struct gaps g = {.loop = a->loop};
    char prefix[KEYS_TEXT_MAX];
    keys_history_prefix(vip, prefix);
    const struct etcd_range range = {
        .key = prefix, .prefix = true, .limit = 100, .order = ETCD_DESCEND, .sort_by = ETCD_BY_KEY};
    if (etcd_call_range(a->client, &range, HISTORY_US, on_history, &g, NULL) < 0 ||
        loop_run(a->loop) < 0 || g.n == 0)
        return 0;
    qsort(g.us, g.n, sizeof(g.us[0]), by_size);
    *ret_us = g.us[g.n / 2];
    return g.n;
}

void ask_on_end(void *arg, const struct request_outcome *outcome)
{
    struct ask *a = arg;
    *a->outcome = *outcome;
    loop_stop(a->loop);
}

enum exit_code ask_run(struct ask *a, int started, struct request_outcome *ret_outcome)
{
    if (started < 0)
        return ask_complain(started == -EINVAL ? EXIT_USAGE : EXIT_BUG, "cannot ask for it: %s",
                            started == -EINVAL ? "a name or the reason is too long"
                                               : strerror(-started));
    a->outcome = ret_outcome;
    if (loop_run(a->loop) < 0)
        return ask_complain(EXIT_BUG, "the event loop failed");
    switch (ret_outcome->result) {
    case REQUEST_DONE:
        return EXIT_DONE;
    case REQUEST_FAILED:
        return explain(a, ret_outcome->status, ret_outcome->text);
    default:
        return EXIT_NO;
    }
}

/* ---- names ---- */

void ask_who(char out[REQUEST_NAME_MAX])
{
    const char *name = getenv("SUDO_USER");
    const struct passwd *user = name && *name ? NULL : getpwuid(getuid());
    char host[REQUEST_NAME_MAX] = "";
    if (!name || !*name)
        name = user ? user->pw_name : "somebody";
    if (gethostname(host, sizeof(host) - 1) < 0)
        host[0] = '\0';
    host[strcspn(host, ".")] = '\0';
    snprintf(out, REQUEST_NAME_MAX, "%.32s%s%.29s", name, host[0] ? "@" : "", host);
}

enum exit_code ask_reason(const char *reason)
{
    _Static_assert(API_REASON_MAX == REQUEST_TEXT_MAX, "one length, whichever way it goes");
    if (!reason || strlen(reason) < REQUEST_TEXT_MAX)
        return EXIT_DONE;
    return ask_complain(EXIT_USAGE, "--reason: longer than %d bytes", REQUEST_TEXT_MAX - 1);
}

enum exit_code ask_vip(const struct arguments *arguments, struct ip *ret_vip)
{
    if (arguments->n_words == 0)
        return ask_complain(EXIT_USAGE, "which VIP? give its address");
    if (ip_parse(arguments->words[0], ret_vip) < 0)
        return ask_complain(EXIT_USAGE, "\"%.100s\" is not an IP address", arguments->words[0]);
    return EXIT_DONE;
}

enum exit_code ask_unknown_vip(const struct request_scene *scene, const struct ip *vip)
{
    struct complaint c = {.what = ""};
    char texts[GUESSES_MAX][IP_TEXT_MAX], typed[IP_TEXT_MAX];
    const char *names[GUESSES_MAX];
    size_t n = 0;
    for (; n < scene->n_vips && n < GUESSES_MAX; n++) {
        ip_format(&scene->vips[n].ip, texts[n]);
        names[n] = texts[n];
    }
    ip_format(vip, typed);
    complaint_set(&c, "nobody stands in an election for %s", typed);
    if (!complaint_suggest(&c, typed, "", names, n) && n > 0)
        complaint_hint(&c, "there is one for %s%s", texts[0], n > 1 ? " and others" : "");
    complaint_print(&c);
    return EXIT_NO;
}

enum exit_code ask_unknown_node(const struct request_scene *scene, const char *what,
                                const char *node)
{
    struct complaint c = {.what = ""};
    const char *names[GUESSES_MAX];
    size_t n = 0;
    for (; n < scene->n_nodes && n < GUESSES_MAX; n++)
        names[n] = scene->nodes[n].name;
    complaint_set(&c, "%s \"%.60s\"", what, node);
    complaint_suggest(&c, node, "", names, n);
    complaint_print(&c);
    return EXIT_NO;
}

/* ---- the question ---- */

bool ask_can_ask(const char *command)
{
    (void)command;
    if (isatty(STDIN_FILENO))
        return true;
    ask_complain(EXIT_USAGE, "refusing to ask: add --yes");
    return false;
}

bool ask_confirm(const char *question, const char *typed)
{
    char line[128];
    fprintf(stderr, "%s ", question);
    fflush(stderr);
    if (!fgets(line, sizeof(line), stdin))
        return false;
    line[strcspn(line, "\r\n")] = '\0';
    if (typed)
        return strcmp(line, typed) == 0;
    return strcmp(line, "y") == 0 || strcmp(line, "Y") == 0 || strcmp(line, "yes") == 0;
}
