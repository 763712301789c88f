/* SPDX-License-Identifier: MIT */
/* Who led which election when, and what was seen of it: the facts for the failover records. */
#include "history.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The announcement of a new owner may be heard this long before the watch tells of its key. */
#define EARLY_US SECOND_US
/* A key that led for longer than this was an owner, seen or not. */
#define REIGN_US (1500 * MS_US)
/* Its first announcement is under way; it is to be in the record. */
#define WRITE_AFTER_US (10 * MS_US)
/* Observers leave the first words to the new owner, and to the old one, who knows best. */
#define SEEN_AFTER_US (300 * MS_US)
#define FORMER_AFTER_US (30 * MS_US)

static struct reign reign_of(const struct agent *a, const struct candidate *c)
{
    struct reign r = {.epoch = c->create_revision,
                      .lease = c->lease,
                      .since_us = clock_now_us(),
                      .since_wall_us = clock_wall_us(),
                      .is_agent =
                          c->lease == a->election.session.lease || peers_is_agent(a, c->name)};
    snprintf(r.node, sizeof(r.node), "%s", c->name);
    return r;
}

static void fill_in(struct job *job, const struct observe_turn *turn)
{
    job->is_seen = true;
    job->seen_us = turn->at_us;
    job->is_measured = turn->is_measured;
    job->min_us = turn->min_us;
    job->max_us = turn->max_us;
    job->due_us =
        clock_now_us() +
        (job->is_former ? FORMER_AFTER_US : SEEN_AFTER_US + (uint64_t)random() % SEEN_AFTER_US);
}

static bool has_station(const struct agent *a, const char *node, const struct mac *mac)
{
    char text[MAC_TEXT_MAX];
    mac_format(mac, text);
    for (unsigned i = 0; i < AGENT_PEERS_MAX; i++) {
        const struct record_node *r = &a->others[i].record;
        for (unsigned k = 0; strcmp(r->node, node) == 0 && k < r->n_links; k++)
            if (strcmp(r->links[k].mac, text) == 0)
                return true;
    }
    return false;
}

/* Somebody else leads now: what we see of that belongs into its record. */
static void watch_other(struct history *h, unsigned i)
{
    struct agent *a = h->agent;
    const struct track *t = &h->tracks[i];
    const struct observe *view = &a->slots[i].view;
    bool is_former = t->held && t->held == t->before.epoch;
    if (is_former && t->was_frozen)
        return; /* what it saw when it thawed is no news, and no measure */
    struct job *job = calloc(1, sizeof(*job));
    if (!job)
        return; /* its record will lack our part */
    job->kind = JOB_SIGHT;
    job->is_former = is_former;
    job->slot = i;
    job->ip = a->slots[i].ip;
    job->born_us = clock_now_us();
    job->due_us = NEVER_US;
    job->move.epoch = t->now.epoch;
    job->gone_us = t->gone_us;
    uint64_t from = is_former ? t->lost_us : t->gone_us - EARLY_US;
    /* A watch may have been deaf for longer. Whose station it is tells which move was seen. */
    if (!is_former && t->before.since_us < from && has_station(a, t->now.node, &view->mac))
        from = t->before.since_us;
    /* Since the move the new owner may have been silent for a while: that is another gap. */
    const struct observe_turn *turn = view->moved.at_us >= from ? &view->moved : &view->turn;
    if (turn->at_us && turn->at_us >= from && !view->is_own)
        fill_in(job, turn);
    history_add_job(h, job);
}

void history_stepped(struct agent *a, unsigned i)
{
    struct history *h = a->history;
    struct track *t = &h->tracks[i];
    const struct queue *q = &a->vips[i].queue;
    const struct candidate *leader = queue_leader(q);
    int64_t newest = t->now.epoch ? t->now.epoch : t->before.epoch;
    if (!a->slots[i].is_used || q->revision == 0 ||
        (leader ? leader->create_revision <= newest : !t->now.epoch && t->is_known))
        return;
    bool was_known = t->is_known;
    t->is_known = true;
    if (!leader || t->now.epoch || !t->before.epoch) {
        t->gone_us = clock_now_us();
        t->gone_wall_us = clock_wall_us();
        sight_hint(a, i);
    }
    if (t->now.epoch)
        t->before = t->now;
    t->now = leader ? reign_of(a, leader) : (struct reign){.epoch = 0};
    if (!leader)
        return;
    history_word_wake(h, &a->slots[i].ip);
    if (leader->lease == a->election.session.lease)
        return;
    snprintf(a->slots[i].previous, sizeof(a->slots[i].previous), "%s", leader->name);
    if (was_known)
        watch_other(h, i);
}

void history_agent(struct agent *a, const char *node)
{
    for (unsigned i = 0; i < a->election.n; i++) {
        struct reign *now = &a->history->tracks[i].now;
        now->is_agent |= strcmp(now->node, node) == 0;
    }
}

void history_turn(struct agent *a, unsigned i)
{
    struct history *h = a->history;
    for (struct job *job = h->first; job; job = job->next)
        if (job->kind == JOB_SIGHT && !job->is_seen && ip_equal(&job->ip, &a->slots[i].ip) &&
            !a->slots[i].view.is_own)
            fill_in(job, &a->slots[i].view.turn);
    history_arm(h);
}

static int64_t since(uint64_t from, uint64_t to)
{
    return to && to >= from ? (int64_t)(to - from) : to ? 0 : -1;
}

/* An owner that was probed half a second ago may have sent a heartbeat since. */
static int64_t last_sign(const struct agent *a, const struct track *t, int64_t answered)
{
    const struct peer_lease *p = &a->election.peer;
    int64_t heard = -1;
    for (unsigned k = 0; k < p->seen_n; k++)
        if (p->seen[k].owner.lease == t->before.lease && p->seen[k].heard_us)
            heard = since(p->seen[k].heard_us, t->gone_us);
    return heard >= 0 && (answered < 0 || heard < answered) ? heard : answered;
}

static void note_held(struct history *h, unsigned i)
{
    struct agent *a = h->agent;
    struct track *t = &h->tracks[i];
    const struct observe *view = &a->slots[i].view;
    uint64_t now = clock_now_us();
    struct job *job;
    if (t->noted == a->vips[i].revision || !(job = calloc(1, sizeof(*job))))
        return;
    uint64_t gone = t->gone_us;
    t->noted = a->vips[i].revision;
    memset(t->stays, 0, sizeof(t->stays));
    t->n_stays = 0;
    job->kind = JOB_RECORD;
    job->slot = i;
    job->ip = a->slots[i].ip;
    job->born_us = now;
    job->due_us = now + WRITE_AFTER_US;
    job->gone_us = gone;
    job->move = (struct record_move){.epoch = t->noted,
                                     .gone_wall_us = t->gone_wall_us,
                                     .last_sign_us = since(view->sign_us, gone),
                                     .won_us = since(gone, t->won_us),
                                     .probed_us = since(gone, t->probed_us),
                                     .set_us = since(gone, now),
                                     .announced_us = -1,
                                     .observers = peers_count(a),
                                     .n_seen = 1};
    if (!view->sign_us)
        job->move.last_sign_us = -1;
    snprintf(job->move.to, sizeof(job->move.to), "%s", a->settings.node);
    struct record_seen *seen = &job->move.seen[0];
    *seen = (struct record_seen){.seen_ms = 0, .outage_us = -1, .error_us = -1};
    memcpy(seen->node, job->move.to, sizeof(seen->node));
    if (view->turn.is_measured)
        history_measure(seen, view->turn.min_us, view->turn.max_us);
    job->released = a->slots[i].released;
    job->facts.before = t->before;
    job->facts.last_sign_us = last_sign(a, t, job->move.last_sign_us);
    job->facts.was_seen =
        t->before.epoch && (t->held == t->before.epoch || view->sign_us > t->before.since_us ||
                            gone >= t->before.since_us + REIGN_US);
    history_add_job(h, job);
}

void history_explain(const struct agent *a, unsigned i, enum election_cause cause,
                     char ret_detail[RECORD_TEXT_MAX])
{
    const struct slot *slot = &a->slots[i];
    const struct session *ss = &a->election.session;
    ret_detail[0] = '\0';
    if (cause == CAUSE_LINK_DOWN || cause == CAUSE_ADDRESS)
        snprintf(ret_detail, RECORD_TEXT_MAX, "%s", slot->link_name);
    else if (cause == CAUSE_HEALTH)
        snprintf(ret_detail, RECORD_TEXT_MAX, "%s", health_culprit(a));
    else if (cause == CAUSE_RESIGN)
        requests_detail(a, i, ret_detail);
    else if (cause == CAUSE_LAPSED)
        snprintf(ret_detail, RECORD_TEXT_MAX, "%s: no renewal for %.1f s", a->settings.node,
                 (double)(clock_now_us() - ss->renewed_us) / 1e6);
    else if (cause == CAUSE_KEY_LOST)
        snprintf(ret_detail, RECORD_TEXT_MAX, "by hand");
    else if (cause == CAUSE_SESSION_LOST || cause == CAUSE_PEERS)
        snprintf(ret_detail, RECORD_TEXT_MAX, "%s", a->settings.node);
}

static void note_lost(struct history *h, const struct election_action *action)
{
    struct agent *a = h->agent;
    struct track *t = &h->tracks[action->vip];
    t->held = a->vips[action->vip].owned;
    t->lost_us = clock_now_us();
    t->is_staying = false;
    /* Who was frozen is the one who is lost, whatever it finds when it thaws. */
    t->was_frozen = action->cause == CAUSE_LAPSED && agent_has_overslept(a);
    history_word_note(h, action->vip, action->cause);
}

void history_state(struct agent *a, const struct election_action *action)
{
    struct history *h = a->history;
    struct track *t = &h->tracks[action->vip];
    const struct vip *v = &a->vips[action->vip];
    if (action->from == VIP_HELD && action->to == VIP_DROPPING)
        note_lost(h, action); /* before it is noticed who leads instead */
    history_stepped(a, action->vip);
    if (action->to == VIP_UNUSED) {
        history_word_wake(h, &a->slots[action->vip].ip); /* we will not hear who leads next */
        *t = (struct track){.is_known = false};
        return;
    }
    bool is_won = action->to == VIP_PROBING || action->to == VIP_TAKING;
    if (is_won && t->own_epoch != v->revision) {
        t->own_epoch = v->revision;
        t->won_us = clock_now_us();
        t->probed_us = 0;
    }
    if (action->from == VIP_PROBING)
        t->probed_us = clock_now_us();
    if (action->to == VIP_HELD)
        note_held(h, action->vip);
}

void history_announced(struct agent *a, unsigned i)
{
    for (struct job *job = a->history->first; job; job = job->next)
        if (job->kind == JOB_RECORD && job->slot == i && job->move.announced_us < 0 &&
            job->move.epoch == a->vips[i].revision)
            job->move.announced_us = since(job->gone_us, clock_now_us());
}

bool history_is_busy(const struct agent *a)
{
    for (const struct job *job = a->history->first; job; job = job->next)
        if (job->kind == JOB_WORD ? history_word_is_near(job) : job->is_former && job->is_seen)
            return true;
    return false;
}

int history_open(struct agent *a)
{
    struct history *h = calloc(1, sizeof(*h));
    if (!h)
        return -ENOMEM;
    h->agent = a;
    a->history = h;
    return loop_timer_new(a->loop, history_on_timer, h, &h->timer);
}

void history_close(struct agent *a)
{
    struct history *h = a->history;
    if (!h)
        return;
    history_cancel(a);
    while (h->first)
        history_drop_job(h, h->first);
    loop_timer_free(h->timer);
    free(h);
    a->history = NULL;
}
