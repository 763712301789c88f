/* SPDX-License-Identifier: MIT */
/* The health checks of the configuration: while one of them fails, or has not passed yet, no VIP is
 * taken part for, and what is held is given up. */
#include "state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/probe.h"
#include "base/child.h"
#include "health_check.h"

struct health_run {
    struct agent *agent;
    const struct config_health *config; /* of the configuration in force */
    struct health_check state;
    struct loop_timer *timer;
    struct probe *probe; /* https and tcp */
    struct child *child; /* exec, while it runs */
    uint64_t started_us;
    uint64_t passed, failed;
    char error[PROBE_WHY_MAX]; /* of the last result, "" when it passed */
};

struct health {
    struct prober *prober;
    unsigned n;
    struct health_run *checks[CONFIG_HEALTH_MAX];
    bool is_barred;
    char culprit[API_NAME_MAX]; /* the first check that does not pass */
};

bool health_is_barred(const struct agent *a)
{
    return a->health && a->health->is_barred;
}

const char *health_culprit(const struct agent *a)
{
    return a->health ? a->health->culprit : "";
}

static void set_bar(struct agent *a)
{
    for (unsigned i = 0; i < a->election.n; i++) {
        struct election_event ev = {
            .type = EV_BAR, .vip = i, .bar = BAR_HEALTH, .yes = a->health->is_barred};
        if (a->slots[i].is_used)
            feed(a, &ev);
    }
}

static void judge(struct agent *a)
{
    struct health *h = a->health;
    const struct health_run *bad = NULL;
    for (unsigned i = 0; i < h->n && !bad; i++)
        if (!h->checks[i]->state.is_up)
            bad = h->checks[i];
    if (bad)
        snprintf(h->culprit, sizeof(h->culprit), "%s", bad->config->name);
    if (h->is_barred == (bad != NULL))
        return;
    h->is_barred = bad != NULL;
    set_bar(a);
}

static void tell(const struct health_run *c)
{
    const char *name = c->config->name;
    if (c->state.is_up)
        log_event(LOG_INFO, "health_up", NULL, LOG_FIELDS(LOG_TEXT("check", name)),
                  "health check %s passes", name);
    else
        log_event(LOG_WARN, "health_down", NULL,
                  LOG_FIELDS(LOG_TEXT("check", name), LOG_TEXT("error", c->error)),
                  "health check %s fails: %s", name, c->error);
}

/* `why` NULL: it passed. */
static void on_result(struct health_run *c, const char *why)
{
    uint64_t now = clock_now_us();
    uint64_t pause = health_check_pause(&c->state, c->config->interval_us, now);
    uint64_t next = c->started_us + pause;
    snprintf(c->error, sizeof(c->error), "%s", why ? why : "");
    c->passed += !why;
    c->failed += why != NULL;
    loop_timer_set(c->timer, next > now ? next : now);
    if (!health_check_note(&c->state, !why))
        return;
    tell(c);
    judge(c->agent);
}

static void on_probed(void *arg, const char *why)
{
    on_result(arg, why);
}

static void on_exec_end(void *arg, const struct child_end *end)
{
    struct health_run *c = arg;
    char why[48] = "timed out";
    c->child = NULL;
    if (!end->is_timed_out && end->signal)
        snprintf(why, sizeof(why), "killed by signal %d", end->signal);
    else if (!end->is_timed_out)
        snprintf(why, sizeof(why), "exit status %d", end->status);
    on_result(c, end->is_timed_out || end->signal || end->status ? why : NULL);
}

static int start_exec(struct health_run *c)
{
    static const char *const environment[] = {AGENT_CHILD_PATH, NULL};
    const struct child_config config = {.command = c->config->command,
                                        .environment = environment,
                                        .timeout_us = c->config->timeout_us,
                                        .ends_with_parent = true,
                                        .on_end = on_exec_end,
                                        .arg = c};
    return child_start(c->agent->children, &config, &c->child);
}

static void on_timer(void *arg)
{
    struct health_run *c = arg;
    c->started_us = clock_now_us();
    int r = c->probe ? probe_start(c->probe, c->config->timeout_us) : start_exec(c);
    if (r < 0)
        on_result(c, c->probe ? strerror(-r) : child_error(r));
}

static void run_free(struct health_run *c)
{
    if (!c)
        return;
    probe_free(c->probe);
    child_stop(c->child);
    loop_timer_free(c->timer);
    free(c);
}

static int run_new(struct agent *a, const struct config_health *config, bool is_up,
                   struct health_run **ret_check)
{
    struct prober *prober = a->health->prober;
    struct health_run *c = calloc(1, sizeof(*c));
    if (!c)
        return -ENOMEM;
    c->agent = a;
    c->config = config;
    health_check_init(&c->state, config->rise, config->fall, is_up);
    int r = loop_timer_new(a->loop, on_timer, c, &c->timer);
    if (r == 0 && config->kind == CONFIG_HEALTH_HTTPS)
        r = probe_new_https(prober, config->url, config->ca_file, on_probed, c, &c->probe);
    if (r == 0 && config->kind == CONFIG_HEALTH_TCP)
        r = probe_new_tcp(prober, config->address, on_probed, c, &c->probe);
    if (r < 0) {
        run_free(c);
        return r;
    }
    uint64_t now = clock_now_us();
    loop_timer_set(c->timer, now + now % (HEALTH_FIRST_US / 4));
    *ret_check = c;
    return 0;
}

/* The running check of these settings, taken out of the list. */
static struct health_run *take_same(struct health *h, const struct config_health *config)
{
    for (unsigned i = 0; i < h->n; i++) {
        struct health_run *c = h->checks[i];
        if (!c || !config_health_equal(c->config, config))
            continue;
        h->checks[i] = NULL;
        c->config = config;
        return c;
    }
    return NULL;
}

/* A check that is new to a healthy agent counts as passing until it has failed `fall` times: what
 * is held does not go for a reload. */
int health_reload(struct agent *a)
{
    struct health *h = a->health;
    struct health_run *checks[CONFIG_HEALTH_MAX] = {NULL};
    unsigned n = 0;
    int result = 0;
    for (size_t i = 0; i < a->config->n_health; i++) {
        const struct config_health *config = &a->config->health[i];
        checks[n] = take_same(h, config);
        int r = checks[n] ? 0 : run_new(a, config, !h->is_barred, &checks[n]);
        if (r == 0)
            n++;
        else
            result = r;
    }
    for (unsigned i = 0; i < h->n; i++)
        run_free(h->checks[i]);
    memcpy(h->checks, checks, sizeof(checks));
    h->n = n;
    judge(a);
    return result;
}

int health_open(struct agent *a)
{
    struct health *h = a->health = calloc(1, sizeof(*h));
    if (!h)
        return -ENOMEM;
    int r = prober_new(a->loop, &h->prober);
    h->is_barred = a->config->n_health > 0;
    return r < 0 ? r : health_reload(a);
}

void health_close(struct agent *a)
{
    struct health *h = a->health;
    if (!h)
        return;
    for (unsigned i = 0; i < h->n; i++)
        run_free(h->checks[i]);
    prober_free(h->prober);
    free(h);
    a->health = NULL;
}

unsigned health_view(const struct agent *a, struct api_check list[CONFIG_HEALTH_MAX])
{
    const struct health *h = a->health;
    unsigned n = h ? h->n : 0;
    for (unsigned i = 0; i < n; i++) {
        const struct health_run *c = h->checks[i];
        list[i] =
            (struct api_check){.is_up = c->state.is_up, .passed = c->passed, .failed = c->failed};
        snprintf(list[i].name, sizeof(list[i].name), "%s", c->config->name);
        snprintf(list[i].error, sizeof(list[i].error), "%s", c->error);
    }
    return n;
}
