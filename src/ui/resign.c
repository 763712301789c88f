/* SPDX-License-Identifier: MIT */
#include "resign.h"

#include <stdio.h>
#include <string.h>

#include "glyphs.h"
#include "words.h"

/* "asked 0.0s . released 0.1s . cp-2 announced 0.2s . 3/3 see it 0.4s" */
static void on_progress(void *arg, const struct request_progress *progress)
{
    struct resign *r = arg;
    const struct model *m = r->d->model;
    const char *dot = glyphs_get(m->is_ascii ? GLYPHS_ASCII : m->glyph_set)->dot;
    char what[SNAPSHOT_NAME_MAX + 32];
    size_t len = strlen(r->text);
    /* Of what grows, only the last word: one line has to do. */
    if (len > 0 && ((progress->phase == REQUEST_SEEN && r->phase == REQUEST_SEEN) ||
                    (progress->phase == REQUEST_ANNOUNCED && r->phase == REQUEST_WON)))
        len = r->phase_at;
    r->phase = progress->phase;
    r->phase_at = len;
    switch (progress->phase) {
    case REQUEST_ASKED:
        snprintf(what, sizeof(what), "asked");
        break;
    case REQUEST_RELEASED:
        snprintf(what, sizeof(what), "released");
        break;
    case REQUEST_WON:
        snprintf(what, sizeof(what), "%s won", progress->node);
        break;
    case REQUEST_ANNOUNCED:
        snprintf(what, sizeof(what), "%s announced", progress->node);
        break;
    case REQUEST_SEEN:
        snprintf(what, sizeof(what), "%u/%u see it", progress->seen, progress->observers);
        break;
    }
    snprintf(r->text + len, sizeof(r->text) - len, "%s%s%s%s %.1fs", len ? " " : "", len ? dot : "",
             len ? " " : "", what, (double)progress->at_us / 1e6);
    model_say_on(r->d->model, r->text);
    dashboard_wake(r->d, 0);
}

static void on_end(void *arg, const struct request_outcome *outcome)
{
    struct resign *r = arg;
    char gap[WORD_MAX];
    r->request = NULL;
    if (outcome->result != REQUEST_DONE) {
        model_say(r->d->model, "not moved: %.200s", outcome->text);
    } else if (outcome->outage_us >= 0) {
        words_latency(outcome->outage_us, gap);
        model_say(r->d->model, "%.160s   outage %s", r->text, gap);
    } else {
        model_say(r->d->model, "%.200s", r->text);
    }
    dashboard_wake(r->d, 0);
}

void resign_start(struct resign *r, struct cluster *cluster, const struct effect *effect)
{
    static const struct request_callbacks callbacks = {.on_progress = on_progress,
                                                       .on_end = on_end};
    struct request_resign what = {
        .vip = effect->vip, .to = effect->to, .by = r->d->options->by, .reason = effect->text};
    if (r->request) {
        model_say(r->d->model, "a move is under way");
        return;
    }
    r->text[0] = '\0';
    int error =
        request_resign(cluster_etcd(cluster), r->d->loop, &what, &callbacks, r, &r->request);
    if (error < 0)
        model_say(r->d->model, "cannot ask for a move: %s", strerror(-error));
    else
        model_say_on(r->d->model, "asking ...");
}

void resign_done(struct resign *r)
{
    request_cancel(r->request);
    r->request = NULL;
}
