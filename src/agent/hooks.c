/* SPDX-License-Identifier: MIT */
/* The commands of the configuration that are told what happened. They run beside the election,
 * which never waits for one; each hook is told one thing at a time, in order. */
#include "state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/child.h"
#include "hook_queue.h"

#define HOOK_TIMEOUT_US (10 * SECOND_US)
#define HOOK_GRACE_US SECOND_US
#define HOOKS_LAST_US (3 * SECOND_US)
#define ENVIRONMENT_MAX 10

LIST_HEAD(hook_list, hook);

struct hook {
    struct agent *agent;
    LIST_ENTRY(hook) link;
    const struct config_hook *config; /* in force; NULL = no longer */
    const struct config_hook *before; /* while a reload compares */
    char name[96];                    /* of the command, for the log */
    struct child *child;
    struct hook_event running;
    struct hook_queue queue;
};

struct hooks {
    struct hook_list list;
    struct loop_timer *starter, *last;
};

static const struct {
    unsigned on;
    const char *name;
} events[API_HOOK_EVENTS] = {
    {CONFIG_ON_ACQUIRED, "acquired"}, {CONFIG_ON_RELEASED, "released"}, {CONFIG_ON_FAULT, "fault"}};

static unsigned event_index(unsigned on)
{
    unsigned i = 0;
    while (i + 1 < API_HOOK_EVENTS && events[i].on != on)
        i++;
    return i;
}

static const char *event_name(unsigned on)
{
    return events[event_index(on)].name;
}

static void start_soon(struct hooks *h)
{
    loop_timer_set(h->starter, 0);
}

static bool is_idle(const struct hooks *h)
{
    const struct hook *hook;
    for (hook = LIST_FIRST(&h->list); hook; hook = LIST_NEXT(hook, link))
        if (hook->child || (hook->config && hook->queue.n > 0))
            return false;
    return true;
}

static void hook_free(struct hook *hook)
{
    LIST_REMOVE(hook, link);
    child_stop(hook->child);
    free(hook);
}

static void tell_failed(const struct hook *hook, const char *how, const char *output)
{
    log_event(LOG_WARN, "hook_failed", hook->running.vip,
              LOG_FIELDS(LOG_TEXT("command", hook->name),
                         LOG_TEXT("on", event_name(hook->running.on)), LOG_TEXT("error", how),
                         LOG_TEXT("output", output)),
              "hook %s (%s): %s%s%s", hook->name, event_name(hook->running.on), how,
              output[0] ? ": " : "", output);
}

static void on_end(void *arg, const struct child_end *end)
{
    struct hook *hook = arg;
    struct hooks *h = hook->agent->hooks;
    char output[HOOK_LINE_MAX + 1], how[64] = "did not end within 10 s";
    hook->child = NULL;
    if (!end->is_timed_out && end->signal)
        snprintf(how, sizeof(how), "killed by signal %d", end->signal);
    else if (!end->is_timed_out)
        snprintf(how, sizeof(how), "exit status %d", end->status);
    if (end->is_timed_out || end->signal || end->status) {
        hook_last_line(end->output, end->output_len, output);
        hook->agent->counters.hooks_failed[event_index(hook->running.on)]++;
        tell_failed(hook, how, output);
    }
    if (!hook->config)
        hook_free(hook);
    start_soon(h);
}

struct environment {
    unsigned n;
    const char *list[ENVIRONMENT_MAX + 1];
    char text[ENVIRONMENT_MAX][160];
};

static void env_add(struct environment *e, const char *name, const char *value)
{
    if (!value[0] || e->n == ENVIRONMENT_MAX)
        return;
    snprintf(e->text[e->n], sizeof(e->text[0]), "TALOSVIP_%s=%s", name, value);
    e->list[e->n] = e->text[e->n];
    e->n++;
}

/* What is not known is not there. */
static void env_fill(struct environment *e, const struct agent *a, const struct hook_event *event)
{
    char epoch[24] = "";
    if (event->epoch)
        snprintf(epoch, sizeof(epoch), "%" PRId64, event->epoch);
    e->list[e->n++] = AGENT_CHILD_PATH;
    env_add(e, "EVENT", event_name(event->on));
    env_add(e, "NODE", a->settings.node);
    env_add(e, "VIP", event->vip);
    env_add(e, "LINK", event->link);
    env_add(e, "EPOCH", epoch);
    env_add(e, "CAUSE", event->cause);
    env_add(e, "CHECK", event->check);
    env_add(e, "FROM", event->from);
}

static void start_next(struct hook *hook)
{
    struct agent *a = hook->agent;
    if (hook->child || !hook->config)
        return;
    while (hook_queue_pop(&hook->queue, &hook->running)) {
        struct environment environment = {.n = 0};
        env_fill(&environment, a, &hook->running);
        const struct child_config config = {.command = hook->config->command,
                                            .environment = environment.list,
                                            .timeout_us = HOOK_TIMEOUT_US,
                                            .grace_us = HOOK_GRACE_US,
                                            .has_output = true,
                                            .on_end = on_end,
                                            .arg = hook};
        unsigned i = event_index(hook->running.on);
        int r = child_start(a->children, &config, &hook->child);
        a->counters.hooks_run[i]++;
        if (r == 0)
            return;
        a->counters.hooks_failed[i]++;
        tell_failed(hook, child_error(r), "");
    }
}

/* By a timer, not at once: an address may be on its way off, and starting a command takes time. */
static void on_starter(void *arg)
{
    struct agent *a = arg;
    struct hook *hook;
    for (hook = LIST_FIRST(&a->hooks->list); hook; hook = LIST_NEXT(hook, link))
        start_next(hook);
    if (a->hooks->last && is_idle(a->hooks))
        loop_stop(a->loop);
}

static void push(struct hook *hook, const struct hook_event *event)
{
    struct hook_event dropped;
    if (!hook_queue_push(&hook->queue, event, &dropped))
        return;
    hook->agent->counters.hooks_dropped[event_index(dropped.on)]++;
    log_event(LOG_WARN, "hook_dropped", dropped.vip,
              LOG_FIELDS(LOG_TEXT("command", hook->name), LOG_TEXT("on", event_name(dropped.on))),
              "hook %s is too slow: %d events wait, it will not hear of the oldest (%s)",
              hook->name, HOOK_QUEUE_MAX, event_name(dropped.on));
}

void hooks_fire(struct agent *a, unsigned on, unsigned i, const char *cause, int64_t epoch)
{
    const struct slot *slot = &a->slots[i];
    struct hook_event event = {.on = on, .epoch = epoch};
    struct hook *hook;
    snprintf(event.vip, sizeof(event.vip), "%s", slot->text);
    snprintf(event.link, sizeof(event.link), "%s", slot->link_name);
    snprintf(event.cause, sizeof(event.cause), "%s", cause);
    if (strcmp(cause, election_cause_name(CAUSE_HEALTH)) == 0)
        snprintf(event.check, sizeof(event.check), "%s", health_culprit(a));
    if (on == CONFIG_ON_ACQUIRED)
        snprintf(event.from, sizeof(event.from), "%s", slot->previous);
    if (!a->hooks)
        return;
    for (hook = LIST_FIRST(&a->hooks->list); hook; hook = LIST_NEXT(hook, link))
        if (hook->config && hook->config->on & on)
            push(hook, &event);
    start_soon(a->hooks);
}

static int adopt(struct agent *a, const struct config_hook *config)
{
    struct hooks *h = a->hooks;
    struct hook *hook;
    for (hook = LIST_FIRST(&h->list); hook; hook = LIST_NEXT(hook, link))
        if (!hook->config && hook->before && config_hook_equal(hook->before, config)) {
            hook->config = config;
            return 0;
        }
    hook = calloc(1, sizeof(*hook));
    if (!hook)
        return -ENOMEM;
    hook->agent = a;
    hook->config = config;
    snprintf(hook->name, sizeof(hook->name), "%s", config->command[0]);
    LIST_INSERT_HEAD(&h->list, hook, link);
    return 0;
}

/* What runs may end; what waits for a hook that is gone is forgotten. */
int hooks_reload(struct agent *a)
{
    struct hooks *h = a->hooks;
    struct hook *hook, *next;
    int result = 0;
    for (hook = LIST_FIRST(&h->list); hook; hook = LIST_NEXT(hook, link)) {
        hook->before = hook->config;
        hook->config = NULL;
    }
    for (size_t i = 0; i < a->config->n_hooks; i++) {
        int r = adopt(a, &a->config->hooks[i]);
        if (r < 0)
            result = r;
    }
    for (hook = LIST_FIRST(&h->list); hook; hook = next) {
        next = LIST_NEXT(hook, link);
        hook->before = NULL;
        if (!hook->config && !hook->child)
            hook_free(hook);
    }
    return result;
}

int hooks_open(struct agent *a)
{
    struct hooks *h = a->hooks = calloc(1, sizeof(*h));
    if (!h)
        return -ENOMEM;
    LIST_INIT(&h->list);
    int r = loop_timer_new(a->loop, on_starter, a, &h->starter);
    return r < 0 ? r : hooks_reload(a);
}

static void on_last(void *arg)
{
    struct agent *a = arg;
    const struct hook *hook;
    for (hook = LIST_FIRST(&a->hooks->list); hook; hook = LIST_NEXT(hook, link))
        if (hook->child)
            tell_failed(hook, "killed, for the agent ends", "");
    loop_stop(a->loop);
}

void hooks_end(struct agent *a)
{
    struct hooks *h = a->hooks;
    if (!h || is_idle(h) || (!h->last && loop_timer_new(a->loop, on_last, a, &h->last) < 0))
        loop_stop(a->loop);
    else
        loop_timer_set(h->last, clock_now_us() + HOOKS_LAST_US);
}

void hooks_close(struct agent *a)
{
    struct hooks *h = a->hooks;
    struct hook *hook;
    if (!h)
        return;
    while ((hook = LIST_FIRST(&h->list)))
        hook_free(hook);
    loop_timer_free(h->starter);
    loop_timer_free(h->last);
    free(h);
    a->hooks = NULL;
}
