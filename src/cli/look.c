/* SPDX-License-Identifier: MIT */
#include "here.h"
#include "look.h"
#include "plain.h"
#include "status_snapshot.h"

#include "base/clock.h"
#include "base/parse.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define ONCE_MAX_US UINT64_C(4500000) /* with all else, an answer within 5 s */
#define AT_LEAST_US UINT64_C(1000000)

enum exit_code look_fail(enum exit_code code, const struct complaint *complaint)
{
    complaint_print(complaint);
    return code;
}

enum exit_code look_no_memory(void)
{
    fputs("talosvip: out of memory\n", stderr);
    return EXIT_BUG;
}

static struct look *kept, *borrower;

static void on_signal(void *arg, int signum)
{
    struct look *look = arg;
    look->signal = signum;
    loop_stop(look->loop);
}

/* One snapshot for the command; false when it wants no more. */
static bool deliver(struct look *look)
{
    struct snapshot s;
    int r = cluster_snapshot(look->cluster, &s);
    if (r < 0) {
        look->error = r;
        return false;
    }
    bool goes_on = look->on_snapshot(look->arg, look->has_before ? &look->before : NULL, &s);
    snapshot_done(&look->before);
    look->before = s;
    look->has_before = true;
    return goes_on;
}

static void arm(struct look *look, uint64_t at)
{
    look->due_us = at < look->deadline_us ? at : look->deadline_us;
    loop_timer_set(look->timer, look->due_us);
}

static void on_time(void *arg)
{
    struct look *look = arg;
    uint64_t now = clock_now_us();
    look->is_over = now >= look->deadline_us;
    look->last_us = now;
    if (look->is_once || look->is_over || !deliver(look))
        loop_stop(look->loop);
    else
        arm(look, now + AT_LEAST_US);
}

/* The first snapshot waits until all is known, or for a second, so that what is found is not told
 * as news. */
static void on_change(void *arg)
{
    struct look *look = arg == kept && borrower ? borrower : arg;
    bool is_ready = cluster_is_complete(look->cluster) || cluster_is_hopeless(look->cluster);
    if (look->is_once && is_ready)
        loop_stop(look->loop);
    if (look->is_once || !look->on_snapshot || (!look->has_before && !is_ready))
        return;
    uint64_t at = look->has_before ? look->last_us + look->pace_us : 0;
    if (at < look->due_us)
        arm(look, at);
}

static enum exit_code no_client(int error, const char *bad)
{
    struct complaint c = {.what = ""};
    if (error == -ENOMEM)
        return look_no_memory();
    if (error == -EINVAL && bad)
        complaint_set(&c, "\"%.200s\" is no endpoint of etcd", bad);
    else
        complaint_set(&c, "cannot look at etcd: %s", strerror(-error));
    if (error == -EINVAL && bad)
        complaint_hint(&c, "write it like https://10.0.0.11:2379");
    return look_fail(error == -EINVAL ? EXIT_USAGE : EXIT_UNKNOWN, &c);
}

static int watch_signals(struct look *look)
{
    static const int signums[] = {SIGINT, SIGTERM, SIGHUP};
    int r = loop_timer_new(look->loop, on_time, look, &look->timer);
    for (unsigned i = 0; i < 3 && r == 0; i++)
        r = loop_signal_new(look->loop, signums[i], on_signal, look, &look->signals[i]);
    return r;
}

static int start(struct look *look, const char **ret_bad)
{
    struct cluster_config config = {.loop = look->loop,
                                    .etcd = look->connection.etcd,
                                    .name = look->connection.context,
                                    .history = look->history,
                                    .history_vip = look->history_vip,
                                    .command_timeout_us = look->connection.command_timeout_us,
                                    .on_change = on_change,
                                    .arg = look};
    int r = watch_signals(look);
    return r < 0 ? r : cluster_new(&config, &look->cluster, ret_bad);
}

void look_keep(struct look *look)
{
    kept = look;
}

const struct connection *look_kept(const struct arguments *arguments)
{
    return kept && !connection_is_named(arguments) ? &kept->connection : NULL;
}

static enum exit_code borrow(struct look *look)
{
    look->is_borrowed = true;
    look->connection = kept->connection;
    look->loop = kept->loop;
    look->cluster = kept->cluster;
    borrower = look;
    int r = watch_signals(look);
    if (r == 0)
        return EXIT_DONE;
    look_close(look);
    return no_client(r, NULL);
}

static enum exit_code open_look(const struct arguments *arguments, struct look *look)
{
    struct complaint c = {.what = ""};
    const char *bad = NULL;
    look->deadline_us = UINT64_MAX;
    if (look_kept(arguments) && look->history <= kept->history &&
        look->history_vip.family == IP_NONE)
        return borrow(look);
    enum exit_code code = connection_resolve(arguments, &look->connection, &c);
    if (code != EXIT_DONE)
        return look_fail(code, &c);
    look->loop = loop_new();
    int r = look->loop ? start(look, &bad) : -ENOMEM;
    if (r == 0)
        return EXIT_DONE;
    code = no_client(r, bad);
    look_close(look);
    return code;
}

enum exit_code look_open(const struct arguments *arguments, unsigned history, struct look *ret_look)
{
    *ret_look = (struct look){.history = history};
    return open_look(arguments, ret_look);
}

enum exit_code look_open_history(const struct arguments *arguments, const struct ip *vip,
                                 struct look *ret_look)
{
    *ret_look = (struct look){.history = SNAPSHOT_HISTORY_MAX, .history_vip = *vip};
    return open_look(arguments, ret_look);
}

void look_close(struct look *look)
{
    if (!look->is_borrowed)
        cluster_free(look->cluster);
    for (unsigned i = 0; i < 3; i++)
        if (look->signals[i])
            loop_signal_free(look->signals[i]);
    if (look->timer)
        loop_timer_free(look->timer);
    snapshot_done(&look->before);
    if (look->is_borrowed) {
        borrower = NULL;
        return;
    }
    loop_free(look->loop);
    connection_done(&look->connection);
}

enum exit_code look_ended(const struct look *look)
{
    return look->signal == SIGINT    ? EXIT_SIGINT
           : look->signal == SIGTERM ? EXIT_SIGTERM
           : look->signal == SIGHUP  ? EXIT_SIGHUP
                                     : EXIT_DONE;
}

enum exit_code look_once(struct look *look, struct snapshot *ret_snapshot)
{
    uint64_t limit = look->connection.command_timeout_us;
    limit = limit && limit < ONCE_MAX_US ? limit : ONCE_MAX_US;
    look->is_once = true;
    loop_timer_set(look->timer, clock_now_us() + limit);
    if (!look->is_borrowed || !cluster_is_complete(look->cluster))
        loop_run(look->loop);
    look->is_once = false;
    if (look->signal)
        return look_ended(look);
    if (cluster_snapshot(look->cluster, ret_snapshot) < 0)
        return look_no_memory();
    /* Which addresses to look for is known only now. */
    struct here *here = here_open();
    here_tell(here, ret_snapshot, look->cluster);
    here_close(here);
    snapshot_done(ret_snapshot);
    return cluster_snapshot(look->cluster, ret_snapshot) < 0 ? look_no_memory() : EXIT_DONE;
}

enum exit_code look_follow(struct look *look, uint64_t pace_us, uint64_t limit_us,
                           bool (*fn)(void *arg, const struct snapshot *before,
                                      const struct snapshot *after),
                           void *arg)
{
    uint64_t now = clock_now_us();
    look->on_snapshot = fn;
    look->arg = arg;
    look->pace_us = pace_us;
    look->deadline_us = limit_us ? now + limit_us : UINT64_MAX;
    arm(look, now + AT_LEAST_US);
    loop_run(look->loop);
    look->on_snapshot = NULL;
    loop_timer_set(look->timer, UINT64_MAX);
    return look->error ? look_no_memory() : EXIT_DONE;
}

/* "https://a:2379 refused, https://b:2379 timeout 2s", or only the addresses. */
static void add_reasons(const struct snapshot *s, bool with_reason, struct buf *out)
{
    for (unsigned i = 0; i < s->etcd.n_members; i++) {
        const struct snapshot_member *m = &s->etcd.members[i];
        buf_printf(out, "%s%s", i ? ", " : "", m->endpoint);
        if (with_reason)
            buf_printf(out, " %s", m->error[0] ? m->error : m->is_asked ? "ok" : "no answer yet");
    }
}

static bool is_hanging(const struct snapshot *s)
{
    for (unsigned i = 0; i < s->etcd.n_members; i++) {
        const struct snapshot_member *m = &s->etcd.members[i];
        bool is_silent = !m->is_asked && !m->error[0];
        if (!is_silent && strncmp(m->error, "timeout", 7) != 0)
            return false;
    }
    return s->etcd.n_members > 0;
}

static void say_silence(const struct look *look, const struct snapshot *s, struct complaint *c)
{
    struct buf who;
    char limit[DURATION_TEXT_MAX];
    bool hangs = is_hanging(s);
    buf_init(&who, 0);
    add_reasons(s, !hangs, &who);
    duration_format(look->connection.command_timeout_us, limit);
    if (s->etcd.state == SNAPSHOT_ETCD_NO_QUORUM)
        complaint_set(c, "etcd has no quorum: nothing it says is certain (%.400s)", buf_str(&who));
    else if (hangs)
        complaint_set(c, "etcd did not answer within %s (%.400s)", limit, buf_str(&who));
    else
        complaint_set(c, "etcd cannot be reached (%.400s)", buf_str(&who));
    if (s->etcd.n_members > 1)
        complaint_hint(c, "try one member: talosvip status -e %.200s",
                       s->etcd.members[s->etcd.n_members - 1].endpoint);
    else
        complaint_hint(c, "name etcd's endpoints with -e; on a node, talosvip status --local works "
                          "without etcd");
    buf_done(&who);
}

enum exit_code look_complain(const struct look *look, const struct snapshot *s)
{
    enum etcd_status status = cluster_failure(look->cluster);
    struct complaint c = {.what = ""};
    if (s->age_us >= 0)
        return EXIT_DONE;
    if (status == ETCD_OK || status == ETCD_UNAVAILABLE || status == ETCD_TIMEOUT)
        say_silence(look, s, &c);
    else
        complaint_set(&c, "%.400s", s->etcd.error);
    if (status == ETCD_FORBIDDEN)
        complaint_hint(&c, "the role needs to read talos:v1:vip:election: and talosvip/v1/");
    return look_fail(status == ETCD_FORBIDDEN ? EXIT_PERMISSION : EXIT_UNKNOWN, &c);
}

void look_tell_connection(const struct look *look)
{
    const struct connection *c = &look->connection;
    for (int i = 0; i < CONNECTION_SETTINGS; i++) {
        enum connection_setting setting = (enum connection_setting)i;
        struct buf text;
        buf_init(&text, 0);
        connection_setting_text(c, setting, &text);
        if (text.len)
            plain_print(stderr, "%s %s (%s)\n", connection_setting_name(setting), buf_str(&text),
                        c->origin[i]);
        buf_done(&text);
    }
}

void look_tell_pauses(const struct snapshot *s)
{
    const struct style plain = {.has_color = false};
    struct buf out;
    buf_init(&out, 0);
    status_pauses(s, &plain, &out);
    fputs(buf_str(&out), stderr);
    buf_done(&out);
}

enum exit_code look_parse_vip(const char *text, struct ip *ret_vip)
{
    struct complaint c = {.what = ""};
    if (ip_parse(text, ret_vip) == 0)
        return EXIT_DONE;
    complaint_set(&c, "\"%.100s\" is not an IP address", text);
    return look_fail(EXIT_USAGE, &c);
}

enum exit_code look_no_vip(const struct snapshot *s, const char *text)
{
    struct complaint c = {.what = ""};
    char texts[SNAPSHOT_VIPS_MAX][IP_TEXT_MAX];
    const char *names[SNAPSHOT_VIPS_MAX];
    for (unsigned i = 0; i < s->n_vips; i++) {
        ip_format(&s->vips[i].ip, texts[i]);
        names[i] = texts[i];
    }
    complaint_set(&c, "there is no VIP %.60s in this cluster", text);
    if (!complaint_suggest(&c, text, "", names, s->n_vips))
        complaint_hint(&c, "talosvip status -o name lists them");
    return look_fail(EXIT_NO, &c);
}

enum exit_code look_no_node(const struct snapshot *s, const char *name)
{
    struct complaint c = {.what = ""};
    const char *names[SNAPSHOT_NODES_MAX];
    for (unsigned i = 0; i < s->n_nodes; i++)
        names[i] = s->nodes[i].name;
    complaint_set(&c, "there is no node \"%.60s\" in this cluster", name);
    complaint_suggest(&c, name, "", names, s->n_nodes);
    return look_fail(EXIT_NO, &c);
}
