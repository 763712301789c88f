/* SPDX-License-Identifier: MIT */
/* From the options to a running agent, and back to nothing. */
#include "state.h"

#include "base/child.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void print_findings(const struct findings *findings)
{
    for (size_t i = 0; i < findings->n; i++) {
        struct buf line;
        buf_init(&line, 4096);
        if (finding_format_short(&findings->list[i], &line) == 0)
            fprintf(stderr, "%s\n", buf_str(&line));
        buf_done(&line);
    }
}

static bool is_unreadable(const struct findings *findings)
{
    for (size_t i = 0; i < findings->n; i++)
        if (findings->list[i].severity == SEVERITY_ERROR &&
            strcmp(findings->list[i].id, "TV004") == 0)
            return true;
    return false;
}

/* Exit code, 0 to go on. */
static int load_config(struct agent *a)
{
    struct findings findings;
    struct buf why;
    findings_init(&findings);
    buf_init(&why, 512);
    int r = config_load(a->options->files, a->options->n_files, &a->config, &findings);
    print_findings(&findings);
    int code = r == -ENOMEM ? 70 : r < 0 ? (is_unreadable(&findings) ? 4 : 1) : 0;
    if (r == 0 && settings_resolve(&a->settings, a->options, a->config, &why) < 0) {
        fprintf(stderr, "talosvip: %s\n", buf_str(&why));
        code = 1;
    }
    buf_done(&why);
    findings_done(&findings);
    return code;
}

static void open_fence(struct agent *a)
{
    const char *reason = NULL;
    if (leftover_open_fence(a, &reason) < 0) {
        a->fence_reason = reason ? reason : "not allowed here";
        fence_open_plain(&a->fence);
        return;
    }
    int r = fence_note(a->fence);
    if (r < 0)
        log_event(
            LOG_WARN, "fence_not_noted", NULL, LOG_FIELDS(LOG_TEXT("error", strerror(-r))),
            "cannot note the packet fence in %s.fence: %s; if this agent and its guardian are "
            "killed at once, an agent without CAP_SYS_ADMIN cannot take it off",
            a->settings.socket, strerror(-r));
}

static void on_timer(void *arg)
{
    host_tell_busy();
    feed_simple(arg, EV_TIMER, 0, false);
}

static void on_stop(void *arg, int signum)
{
    struct agent *a = arg;
    if (a->is_stopping) {
        /* Asked twice: the guardian takes the addresses off when we are gone. */
        a->exit_code = 128 + signum;
        loop_stop(a->loop);
        return;
    }
    a->is_stopping = true;
    log_event(LOG_INFO, "stopping", NULL, LOG_FIELDS(LOG_NUMBER("signal", signum)),
              "stopping (signal %d): releasing everything", signum);
    notify_send("STOPPING=1");
    if (a->election.is_started)
        feed_simple(a, EV_STOP, 0, false);
    else {
        guardian_note_done(a);
        a->is_finished = true;
        hooks_end(a);
    }
}

static void on_hangup(void *arg, int signum)
{
    struct agent *a = arg;
    (void)signum;
    if (!a->is_stopping)
        reload(a);
}

static void on_watchdog(void *arg)
{
    struct agent *a = arg;
    notify_send("WATCHDOG=1");
    loop_timer_set(a->watchdog, clock_now_us() + notify_watchdog_us());
}

static int open_loop(struct agent *a)
{
    static const int stops[] = {SIGTERM, SIGINT};
    signal(SIGPIPE, SIG_IGN);
    a->loop = loop_new();
    if (!a->loop)
        return -ENOMEM;
    int r = loop_timer_new(a->loop, on_timer, a, &a->timer);
    if (r == 0)
        r = loop_timer_new(a->loop, perform_tell_probed, a, &a->probed);
    for (unsigned i = 0; r == 0 && i < 2; i++)
        r = loop_signal_new(a->loop, stops[i], on_stop, a, &a->signals[i]);
    if (r == 0)
        r = loop_signal_new(a->loop, SIGHUP, on_hangup, a, &a->signals[2]);
    if (r == 0 && notify_watchdog_us()) {
        r = loop_timer_new(a->loop, on_watchdog, a, &a->watchdog);
        if (r == 0)
            loop_timer_set(a->watchdog, 0);
    }
    return r;
}

static int open_api(struct agent *a)
{
    int64_t pid = 0;
    int r = api_server_new(a->loop, a->settings.socket, &view_source, a, &a->api, &pid);
    if (r == -EADDRINUSE)
        fprintf(stderr, "talosvip: another agent answers on %s (pid %" PRId64 ")\n",
                a->settings.socket, pid);
    else if (r < 0)
        fprintf(stderr, "talosvip: cannot listen on %s: %s\n", a->settings.socket, strerror(-r));
    return r < 0 ? 1 : 0;
}

static int open_metrics(struct agent *a)
{
    int r = metrics_listen(a);
    if (r < 0) {
        const struct config_where *where = &a->config->api.metrics_where;
        fprintf(stderr, "talosvip: %s:%u:%u: cannot listen for api.metrics: %s\n", where->file,
                where->line, where->column, strerror(-r));
    }
    return r < 0 ? 1 : 0;
}

static int open_commands(struct agent *a)
{
    int r = children_new(a->loop, &a->children);
    if (r == 0)
        r = hooks_open(a);
    return r < 0 ? r : health_open(a);
}

static int allocate(struct agent *a)
{
    a->actions_max = ELECTION_ACTIONS_MAX(ELECTION_VIPS_MAX);
    a->vips = calloc(ELECTION_VIPS_MAX, sizeof(*a->vips));
    a->actions = calloc(a->actions_max, sizeof(*a->actions));
    a->view = calloc(API_VIPS_MAX, sizeof(*a->view));
    if (!a->vips || !a->actions || !a->view)
        return -ENOMEM;
    election_init(&a->election, a->vips, a->settings.ttl_us, a->settings.refresh_us,
                  (uint32_t)clock_now_us() ^ (uint32_t)getpid());
    return 0;
}

static int internal(const char *what, int r)
{
    fprintf(stderr, "talosvip: cannot %s: %s\n", what, strerror(-r));
    return 70;
}

/* Everything that can be refused comes before anything on the host is changed. */
static int set_up(struct agent *a)
{
    int code, r;
    if ((code = host_check_ttl(a, true)) || (code = host_check_rights()) ||
        (code = host_take_lock(a)))
        return code;
    if (reload_resolve(a, a->config) < 0 || host_check_untouched(a))
        return 1;
    /* In this order: opening the fence ends the old one, which may be all that mutes a leftover. */
    if ((r = links_clean(a)) < 0)
        return internal("take off what an earlier agent left", r);
    open_fence(a);
    if (!a->fence)
        return internal("share memory with the guardian", -ENOMEM);
    if ((code = host_check_ttl(a, fence_is_active(a->fence))))
        return code;
    if ((r = allocate(a)) < 0 || (r = open_loop(a)) < 0 || (r = links_open(a)) < 0 ||
        (r = sight_open(a)) < 0 || (r = publish_open(a)) < 0 || (r = history_open(a)) < 0)
        return internal("start", r);
    host_drop_rights(&a->settings);
    if ((r = confine()) < 0)
        log_event(LOG_WARN, "not_confined", NULL, LOG_FIELDS(LOG_TEXT("error", strerror(-r))),
                  "system calls are not restricted: %s", strerror(-r));
    if ((r = store_open(a)) < 0)
        return r == -EINVAL ? 1 : internal("use etcd", r);
    /* After etcd's libraries are set up: the guardian has no time for that when it is needed. */
    if ((r = guardian_start(a)) < 0)
        return internal("start the guardian", r);
    if ((r = open_commands(a)) < 0)
        return internal("prepare health checks and hooks", r);
    if ((code = open_api(a)) || (code = open_metrics(a)))
        return code;
    host_go_first();
    return 0;
}

static void tear_down(struct agent *a)
{
    store_close(a);
    health_close(a);
    hooks_close(a);
    children_free(a->children);
    api_server_free(a->metrics);
    peerlease_close(a);
    api_server_free(a->api);
    if (a->monitor)
        links_close(a);
    guardian_free(a);
    for (unsigned i = 0; i < sizeof(a->signals) / sizeof(a->signals[0]); i++)
        loop_signal_free(a->signals[i]);
    history_close(a);
    publish_close(a);
    sight_close(a);
    loop_timer_free(a->watchdog);
    loop_timer_free(a->farewell);
    loop_timer_free(a->timer);
    loop_timer_free(a->probed);
    if (a->is_finished)
        fence_close(a->fence);
    else
        fence_forget(a->fence); /* the guardian closes it when the addresses are off */
    netlink_close(a->netlink);
    loop_free(a->loop);
    config_free(a->config);
    free(a->vips);
    free(a->actions);
    free(a->view);
    own_macs_done(a);
    if (a->lock_fd >= 0)
        close(a->lock_fd);
    free(a);
}

static int serve(struct agent *a)
{
    int code = set_up(a);
    if (code)
        return code;
    reload_add_missing(a);
    report_start(a);
    peerlease_update(a);
    store_begin(a);
    if (!a->exit_code && loop_run(a->loop) < 0)
        a->exit_code = 70;
    return a->exit_code;
}

int agent_run(const struct agent_options *options)
{
    struct agent *a = calloc(1, sizeof(*a));
    if (!a)
        return 70;
    a->options = options;
    a->lock_fd = -1;
    a->born_us = clock_now_us();
    a->born_wall_us = clock_wall_us();
    log_setup(options->log_format, options->log_level);
    int code = load_config(a);
    if (code == 0) {
        int r = netlink_open(&a->netlink);
        log_set_node(a->settings.node);
        if (r < 0)
            code = internal("talk to the kernel", r);
        else if (options->is_dry_run)
            code = dry_run(a);
        else
            code = serve(a);
    }
    tear_down(a);
    return code;
}
