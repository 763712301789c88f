/* SPDX-License-Identifier: MIT */
/* A dashboard that follows a cluster. Nothing here waits for the network: the cluster tells when
 * something changed, and a snapshot of what is known is always at hand. */
#include "dashboard.h"
#include "resign.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

#define SETTLE_US UINT64_C(50000) /* until half of a change is likely to be whole */
#define LEAST_US UINT64_C(250000) /* a change stays on the screen for so long */
#define FRAMES 4                  /* a second, at most, that no key asked for */
#define CALM_US UINT64_C(500000)  /* bars and ages move so often by themselves */
#define ASK_MAX_US UINT64_C(2000000)
#define LOOK_US UINT64_C(900000)
#define SLOW_US UINT64_C(1000000) /* the same, when a remote line has to carry it */

struct live {
    struct dashboard d;
    struct cluster *cluster;
    struct resign resign;
    uint64_t least_us, calm_us;
    uint64_t news_us, next_us;  /* when a change was shown last; when the next frame is due */
    uint64_t frames_us[FRAMES]; /* the last ones, as a ring */
    unsigned n_frames;
    uint64_t signature; /* of what was shown: not its ages */
    uint64_t recorded_us, looked_us;
    int record_fd;
};

static uint64_t mix(uint64_t hash, const void *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ ((const unsigned char *)data)[i]) * UINT64_C(1099511628211); /* FNV-1a */
    return hash;
}

#define MIX(hash_, value_) mix((hash_), &(value_), sizeof(value_))

/* What a person should see at once, as against numbers that always move. */
static uint64_t sign(const struct snapshot *s)
{
    uint64_t h = UINT64_C(14695981039346656037);
    h = MIX(h, s->etcd.state);
    h = MIX(h, s->etcd.n_healthy);
    h = mix(h, s->etcd.leader, strlen(s->etcd.leader));
    h = MIX(h, s->etcd.leader_changes);
    for (unsigned i = 0; i < s->n_vips; i++) {
        const struct snapshot_vip *vip = &s->vips[i];
        h = MIX(MIX(MIX(MIX(h, vip->state), vip->n_macs), vip->agree), vip->is_paused);
        h = mix(h, vip->holder, strlen(vip->holder));
    }
    for (unsigned i = 0; i < s->n_nodes; i++)
        h = MIX(MIX(MIX(h, s->nodes[i].role), s->nodes[i].position), s->nodes[i].is_link_up);
    for (unsigned i = 0; i < s->n_alerts; i++)
        h = mix(h, s->alerts[i].id, strlen(s->alerts[i].id));
    if (s->n_history > 0)
        h = MIX(MIX(h, s->history[0].outage_us), s->history[0].n_seen);
    return MIX(MIX(MIX(h, s->n_vips), s->n_nodes), s->n_history);
}

static void record(struct live *live, const struct snapshot *s, uint64_t now_us, bool is_news)
{
    if (live->record_fd < 0 ||
        (!is_news && now_us + LEAST_US / 2 < live->recorded_us + live->d.model->interval_us))
        return;
    live->recorded_us = now_us;
    int r = dashboard_write_line(live->record_fd, s, &live->d.model->recorded_bytes);
    if (r < 0) {
        model_say(live->d.model, "the recording ends here: %s", strerror(-r));
        close(live->record_fd);
        live->record_fd = -1;
        live->d.model->recorded_bytes = -1;
    }
}

/* Bars that move take none of the time that a change needs to be seen, but all frames together
 * stay within what a slow line bears. */
static uint64_t earliest(const struct live *live, bool is_due)
{
    unsigned per_second = live->least_us >= SLOW_US ? 1 : FRAMES;
    unsigned back = live->n_frames - per_second;
    uint64_t at = live->n_frames < per_second ? 0 : live->frames_us[back % FRAMES] + SLOW_US;
    uint64_t news = is_due ? 0 : live->news_us + live->least_us;
    return at > news ? at : news;
}

static void feed(struct dashboard *d, uint64_t now_us)
{
    struct live *live = (struct live *)d;
    struct snapshot s;
    bool is_due = now_us >= live->next_us;
    uint64_t at_us = earliest(live, is_due);
    if (now_us < at_us) {
        d->due_us = is_due ? at_us : d->due_us;
        return; /* a key: what is known is on the screen */
    }
    if (!cluster_is_settled(live->cluster)) {
        d->due_us = is_due ? now_us + SETTLE_US : d->due_us;
        return;
    }
    if (cluster_snapshot(live->cluster, &s) < 0)
        return;
    if (d->options->on_second && now_us >= live->looked_us + LOOK_US) {
        live->looked_us = now_us;
        d->options->on_second(d->options->on_second_arg, &s, live->cluster);
    }
    int r = top_prepare(d->options, &s);
    uint64_t signature = sign(&s);
    bool is_news = signature != live->signature;
    if (r < 0 || (!is_due && !is_news)) {
        snapshot_done(&s);
        return;
    }
    live->signature = signature;
    live->news_us = is_news ? now_us : live->news_us;
    live->frames_us[live->n_frames++ % FRAMES] = now_us;
    live->next_us = now_us + live->calm_us;
    d->due_us = live->next_us;
    record(live, &s, now_us, is_news);
    model_snapshot(d->model, now_us, &s);
}

static void on_change(void *arg)
{
    struct live *live = arg;
    dashboard_wake(&live->d, earliest(live, false));
}

/* However seldom the screen changes: what is on it must be younger than any lease. */
static uint64_t asking(uint64_t interval_us)
{
    return interval_us < ASK_MAX_US ? interval_us : ASK_MAX_US;
}

static void set_pace(struct live *live)
{
    bool is_remote = getenv("SSH_CONNECTION") != NULL;
    uint64_t interval = live->d.model->interval_us;
    live->least_us = is_remote && interval >= SLOW_US ? SLOW_US : LEAST_US;
    live->calm_us = interval < SLOW_US   ? LEAST_US
                    : interval > SLOW_US ? interval
                    : is_remote          ? SLOW_US
                                         : CALM_US;
    if (live->cluster)
        cluster_set_interval(live->cluster, asking(interval));
}

static void effect(struct dashboard *d, const struct effect *effect)
{
    struct live *live = (struct live *)d;
    if (effect->kind == EFFECT_REPAINT)
        cluster_refresh(live->cluster);
    else if (effect->kind == EFFECT_INTERVAL)
        set_pace(live);
    else if (effect->kind == EFFECT_RESIGN)
        resign_start(&live->resign, live->cluster, effect);
}

static int start(struct live *live, const struct cluster_config *config, const char **ret_bad)
{
    const struct top_options *o = live->d.options;
    struct cluster_config own = *config;
    if (o->record_path) {
        live->record_fd =
            open(o->record_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0644);
        if (live->record_fd < 0)
            return -errno;
    }
    int r = dashboard_init(&live->d, o);
    if (r < 0)
        return r;
    live->d.model->recorded_bytes = live->record_fd >= 0 ? 0 : -1;
    struct model *model = live->d.model;
    if (!o->is_redacted && gethostname(model->observer, sizeof(model->observer) - 1) < 0)
        model->observer[0] = '\0';
    own.loop = live->d.loop;
    own.interval_us = asking(model->interval_us);
    own.on_change = on_change;
    own.arg = live;
    set_pace(live);
    r = cluster_new(&own, &live->cluster, ret_bad);
    if (r == 0)
        r = dashboard_open(&live->d);
    return r;
}

int top_live(const struct top_options *options, const struct cluster_config *config,
             enum top_end *ret_end, const char **ret_bad)
{
    struct live live = {.d = {.options = options, .feed = feed, .effect = effect}, .record_fd = -1};
    live.resign.d = &live.d;
    int r = start(&live, config, ret_bad);
    if (r == 0)
        r = dashboard_run(&live.d);
    *ret_end = live.d.end;
    resign_done(&live.resign);
    cluster_free(live.cluster);
    dashboard_done(&live.d);
    if (live.record_fd >= 0)
        close(live.record_fd);
    return r;
}
