/* SPDX-License-Identifier: MIT */
/* The failover records on their way into etcd, one call at a time and never in the way of the
 * election: written once by the new owner, then completed by whoever saw it and by the last owner,
 * each by comparing the revision that it read. */
#include "history.h"

#include "etcd/keys.h"

#include <stdlib.h>
#include <string.h>

#define CALL_TIMEOUT_US SECOND_US
#define RECORDS_MAX 1000          /* of one VIP */
#define TRIM_MAX 8                /* records that go when one comes */
#define POLITE_US (2 * SECOND_US) /* how long a record gives way to addresses, */
#define WAIT_US (20 * MS_US)      /* looking this often */
#define UNSEEN_US (30 * SECOND_US)
#define ABSENT_US (60 * SECOND_US)
#define FORMER_RETRY_US (50 * MS_US) /* who had it may be about to end */
#define RETRY_US (200 * MS_US)
#define RETRY_MAX_US (3 * SECOND_US)

enum { READ_NEWEST, READ_OLDEST, READ_NODE, READS };

static void retry(struct job *job)
{
    bool had_it = job->is_former || job->kind == JOB_WORD;
    uint64_t us = (had_it ? FORMER_RETRY_US : RETRY_US) << (job->tries < 6 ? job->tries : 6);
    job->tries++;
    job->due_us = clock_now_us() + (us < RETRY_MAX_US ? us : RETRY_MAX_US);
}

void history_drop_job(struct history *h, struct job *job)
{
    struct job **at = &h->first;
    while (*at != job)
        at = &(*at)->next;
    *at = job->next;
    h->n_jobs--;
    if (h->current == job) {
        etcd_call_cancel(h->call);
        h->call = NULL;
        h->current = NULL;
    }
    free(job);
}

static void done(struct history *h, struct job *job)
{
    h->current = NULL;
    history_drop_job(h, job);
    finish_if_taken_over(h->agent);
}

static bool is_unseen(const struct job *job)
{
    return (job->kind == JOB_SIGHT || job->kind == JOB_KEPT) && !job->is_seen;
}

static uint64_t due(const struct job *job)
{
    uint64_t end = job->born_us + UNSEEN_US;
    return is_unseen(job) && end < job->due_us ? end : job->due_us;
}

void history_arm(struct history *h)
{
    uint64_t next = NEVER_US;
    for (const struct job *job = h->first; job && !h->call; job = job->next)
        if (due(job) < next)
            next = due(job);
    loop_timer_set(h->timer, next);
}

/* What did not move goes first, what was seen before why, and that before what happened, should
 * there not be room for all. */
static void make_room(struct history *h)
{
    static const unsigned ranks[] = {
        [JOB_KEPT] = 0, [JOB_STAY] = 1, [JOB_SIGHT] = 2, [JOB_WORD] = 3, [JOB_RECORD] = 4};
    struct job *victim = h->first;
    for (struct job *job = h->first; job; job = job->next)
        if (ranks[job->kind] < ranks[victim->kind])
            victim = job;
    if (victim->kind == JOB_RECORD)
        log_event(LOG_WARN, "history_lost", h->agent->slots[victim->slot].text, NULL,
                  "too many failover records wait for etcd; the oldest is given up");
    history_drop_job(h, victim);
}

void history_add_job(struct history *h, struct job *job)
{
    struct job **at = &h->first;
    if (h->n_jobs == HISTORY_JOBS_MAX)
        make_room(h);
    while (*at)
        at = &(*at)->next;
    *at = job;
    h->n_jobs++;
    history_arm(h);
}

void history_cancel(struct agent *a)
{
    struct history *h = a->history;
    if (!h || !h->call)
        return;
    etcd_call_cancel(h->call);
    h->call = NULL;
    retry(h->current);
    h->current = NULL;
    history_arm(h);
}

static bool send(struct history *h, struct job *job, const struct etcd_txn *txn, etcd_call_fn fn)
{
    h->current = job;
    if (etcd_call_txn(h->agent->etcd, txn, CALL_TIMEOUT_US, fn, h, &h->call) == 0)
        return true;
    h->current = NULL;
    retry(job);
    return false;
}

/* The job of an answer that can be used; else NULL, and it is tried again. */
static struct job *answered(struct history *h, const struct etcd_reply *reply, size_t n)
{
    struct job *job = h->current;
    h->call = NULL;
    h->current = NULL;
    store_note_answer(h->agent, reply);
    if (reply->status == ETCD_OK && reply->n_responses >= n)
        return job;
    retry(job);
    history_arm(h);
    return NULL;
}

struct record_text {
    char key[KEYS_TEXT_MAX];
    struct buf json;
};

static int write_text(const struct job *job, const struct record_move *move, struct record_text *t)
{
    if (move->term)
        keys_history_stay(&job->ip, move->epoch, move->term, t->key);
    else
        keys_history(&job->ip, move->epoch, t->key);
    return record_move_write(move, &t->json);
}

static struct etcd_op put_of(const struct record_text *t)
{
    return (struct etcd_op){.kind = ETCD_OP_PUT,
                            .range.key = t->key,
                            .value = buf_str(&t->json),
                            .value_len = t->json.len};
}

static void on_written(void *arg, const struct etcd_reply *reply);

/* False: it can not be written at all. */
static bool put_over(struct history *h, struct job *job, const struct record_move *move,
                     int64_t mod_revision)
{
    struct record_text text;
    buf_init(&text.json, 0);
    int r = write_text(job, move, &text);
    const struct etcd_compare same = {.target = ETCD_MOD, .key = text.key, .number = mod_revision};
    const struct etcd_op put = put_of(&text);
    const struct etcd_txn txn = {
        .compares = &same, .n_compares = 1, .success = &put, .n_success = 1};
    if (r == 0)
        send(h, job, &txn, on_written);
    buf_done(&text.json);
    return r == 0;
}

/* Our own record is there already. If not we wrote it but who came next, for want of ours, then
 * ours takes its place; only why we got the address may be told better there, by the owner before.
 */
static bool replace(struct history *h, struct job *job, const struct etcd_kv *kv)
{
    struct record_move found, move = job->move;
    if (record_move_parse(kv->value, kv->value_len, &found) < 0 || found.set_us >= 0)
        return false;
    if (strcmp(found.cause, "unknown") != 0) {
        memcpy(move.cause, found.cause, sizeof(move.cause));
        memcpy(move.detail, found.detail, sizeof(move.detail));
        move.is_planned = found.is_planned;
    }
    memcpy(move.note, found.note, sizeof(move.note));
    for (unsigned i = 0; i < found.n_seen && move.n_seen < RECORD_SEEN_MAX; i++)
        if (strcmp(found.seen[i].node, move.to) != 0)
            move.seen[move.n_seen++] = found.seen[i];
    return put_over(h, job, &move, kv->mod_revision);
}

static void on_written(void *arg, const struct etcd_reply *reply)
{
    struct history *h = arg;
    struct job *job = answered(h, reply, 0);
    if (!job)
        return;
    bool is_there = job->kind == JOB_RECORD && !reply->succeeded && reply->n_responses == 1 &&
                    reply->responses[0].n_kvs == 1;
    bool is_over = reply->succeeded || job->kind == JOB_STAY; /* written, or not ours any more */
    if (is_over || (is_there && !replace(h, job, &reply->responses[0].kvs[0])))
        done(h, job);
    else if (!is_there)
        job->due_us = clock_now_us(); /* somebody else was faster: read again */
    history_arm(h);
}

/* Our record, and before it the one that the last owner did not live to write. */
static void write_own(struct history *h, struct job *job, const struct record_move *missing,
                      const struct etcd_response *oldest)
{
    struct record_text own, before;
    struct etcd_op ops[2 + TRIM_MAX];
    size_t n = 0;
    buf_init(&own.json, 0);
    buf_init(&before.json, 0);
    int r = write_text(job, &job->move, &own);
    if (r == 0 && missing)
        r = write_text(job, missing, &before);
    const struct etcd_compare absent[] = {{.target = ETCD_CREATE, .key = own.key},
                                          {.target = ETCD_CREATE, .key = before.key}};
    const struct etcd_op look = {.kind = ETCD_OP_RANGE, .range.key = own.key};
    ops[n++] = put_of(&own);
    if (missing)
        ops[n++] = put_of(&before);
    for (size_t i = 0;
         i < oldest->n_kvs && oldest->count + (missing ? 2 : 1) > RECORDS_MAX + (int64_t)i; i++)
        ops[n++] = (struct etcd_op){
            .kind = ETCD_OP_DELETE,
            .range = {.key = oldest->kvs[i].key, .key_len = oldest->kvs[i].key_len}};
    const struct etcd_txn txn = {.compares = absent,
                                 .n_compares = missing ? 2 : 1,
                                 .success = ops,
                                 .n_success = n,
                                 .failure = &look,
                                 .n_failure = 1};
    if (r < 0 || !send(h, job, &txn, on_written))
        retry(job);
    buf_done(&own.json);
    buf_done(&before.json);
}

/* In the transaction: that we have stayed until now. */
static void write_stay(struct history *h, struct job *job)
{
    struct record_text text;
    char own[KEYS_TEXT_MAX], obsolete[KEYS_TEXT_MAX];
    buf_init(&text.json, 0);
    int r = write_text(job, &job->move, &text);
    keys_candidate(&job->ip, job->lease, own);
    keys_history_stay(&job->ip, job->held, job->obsolete, obsolete);
    const struct etcd_compare compares[] = {
        {.target = ETCD_CREATE, .key = text.key},
        {.target = ETCD_CREATE, .key = own, .number = job->held}};
    const struct etcd_op ops[] = {put_of(&text), {.kind = ETCD_OP_DELETE, .range.key = obsolete}};
    const struct etcd_txn txn = {
        .compares = compares, .n_compares = 2, .success = ops, .n_success = job->obsolete ? 2 : 1};
    if (r < 0 || !send(h, job, &txn, on_written))
        retry(job);
    buf_done(&text.json);
}

static void on_facts(void *arg, const struct etcd_reply *reply)
{
    struct history *h = arg;
    struct job *job = answered(h, reply, READ_NODE);
    struct record_move newest, missing;
    if (!job)
        return;
    const struct etcd_response *r = reply->responses;
    struct cause_facts *f = &job->facts;
    bool has = job->released.revision && job->released.revision < job->move.epoch;
    f->released = has ? &job->released : NULL;
    const struct etcd_kv *kv = r[READ_NEWEST].n_kvs ? &r[READ_NEWEST].kvs[0] : NULL;
    f->newest = kv && record_move_parse(kv->value, kv->value_len, &newest) == 0 ? &newest : NULL;
    bool has_node = reply->n_responses > READ_NODE && r[READ_NODE].n_kvs;
    f->session = has_node ? r[READ_NODE].kvs[0].lease : 0;
    bool is_missing = cause_missing(f, &missing);
    cause_tell(f, &job->move);
    history_word_tell_own(h, job);
    write_own(h, job, is_missing ? &missing : NULL, &r[READ_OLDEST]);
    f->released = NULL;
    f->newest = NULL;
    history_arm(h);
}

static void read_facts(struct history *h, struct job *job)
{
    char prefix[KEYS_TEXT_MAX], own[KEYS_TEXT_MAX], node[KEYS_TEXT_MAX];
    keys_history_prefix(&job->ip, prefix);
    keys_history(&job->ip, job->move.epoch, own);
    bool has_node = keys_node(job->facts.before.node, node) == 0;
    const struct etcd_op ops[READS] = {
        [READ_NEWEST] = {.kind = ETCD_OP_RANGE,
                         .range = {.key = prefix,
                                   .end = own,
                                   .limit = 1,
                                   .order = ETCD_DESCEND,
                                   .sort_by = ETCD_BY_KEY}},
        [READ_OLDEST] =
            {.kind = ETCD_OP_RANGE,
             .range = {.key = prefix, .prefix = true, .limit = TRIM_MAX, .keys_only = true}},
        [READ_NODE] = {.kind = ETCD_OP_RANGE, .range = {.key = node, .keys_only = true}},
    };
    const struct etcd_txn txn = {.success = ops, .n_success = has_node ? READS : READ_NODE};
    send(h, job, &txn, on_facts);
}

struct record_seen *history_own_part(struct record_move *move, const char *node)
{
    for (unsigned i = 0; i < move->n_seen; i++)
        if (strcmp(move->seen[i].node, node) == 0)
            return &move->seen[i];
    if (move->n_seen == RECORD_SEEN_MAX)
        return NULL;
    struct record_seen *seen = &move->seen[move->n_seen++];
    *seen = (struct record_seen){.seen_ms = -1, .outage_us = -1, .error_us = -1};
    snprintf(seen->node, sizeof(seen->node), "%s", node);
    return seen;
}

/* The same gap, measured twice as sharply: the vaguer word adds nothing. */
static bool is_sharper(const struct record_seen *a, const struct record_seen *b)
{
    int64_t apart = a->outage_us - b->outage_us;
    return a->outage_us >= 0 && b->outage_us >= 0 &&
           (apart < 0 ? -apart : apart) <= a->error_us + b->error_us &&
           2 * a->error_us < b->error_us;
}

static void take_back(struct record_seen *seen)
{
    seen->outage_us = seen->error_us = -1;
}

/* Our measurement beside the others'. */
static void compare_outages(struct record_move *move, struct record_seen *own)
{
    for (unsigned i = 0; i < move->n_seen; i++) {
        if (is_sharper(own, &move->seen[i]))
            take_back(&move->seen[i]);
        else if (is_sharper(&move->seen[i], own))
            take_back(own);
    }
}

/* Since the address was on, by when each of us learned that the old key was gone; where we learned
 * that too late, by the wall clocks. */
static int64_t seen_ms(const struct job *job, uint64_t now_us, uint64_t now_wall_us,
                       const struct record_move *move)
{
    int64_t set = move->set_us > 0 ? move->set_us : 0;
    int64_t us = (int64_t)(job->seen_us - job->gone_us) - set;
    if (job->seen_us < job->gone_us)
        us = (int64_t)(now_wall_us - (now_us - job->seen_us)) - (int64_t)move->gone_wall_us - set;
    return us > 0 ? us / (int64_t)MS_US : 0;
}

void history_measure(struct record_seen *seen, uint64_t min_us, uint64_t max_us)
{
    seen->outage_us = (int64_t)(min_us + max_us) / 2;
    seen->error_us = (int64_t)(max_us - min_us) / 2 + (int64_t)MS_US;
}

bool history_merge(const struct job *job, const char *node, uint64_t now_us, uint64_t now_wall_us,
                   struct record_move *move)
{
    if (job->kind == JOB_WORD)
        return history_word_tell(job, move);
    if (job->kind == JOB_KEPT)
        return history_kept_tell(job, node, move);
    struct record_seen *seen = history_own_part(move, node);
    if (!seen || seen->seen_ms >= 0)
        return false;
    seen->seen_ms = seen_ms(job, now_us, now_wall_us, move);
    if (job->is_measured) {
        history_measure(seen, job->min_us, job->max_us);
        compare_outages(move, seen);
    }
    return true;
}

/* Whoever leads is no agent. The next owner may be one, and knows less than who had it last. */
static void give_up(struct history *h, struct job *job)
{
    if (job->kind == JOB_WORD)
        job->due_us = NEVER_US;
    else
        done(h, job);
}

static void on_record(void *arg, const struct etcd_reply *reply)
{
    struct history *h = arg;
    struct job *job = answered(h, reply, 1);
    struct record_move move;
    if (!job)
        return;
    if (reply->responses[0].n_kvs == 0) {
        retry(job);
        if (clock_now_us() > job->born_us + ABSENT_US)
            give_up(h, job);
        history_arm(h);
        finish_if_taken_over(h->agent); /* it waits no longer than that is likely to come */
        return;
    }
    const struct etcd_kv *kv = &reply->responses[0].kvs[0];
    bool is_changed =
        record_move_parse(kv->value, kv->value_len, &move) == 0 &&
        history_merge(job, h->agent->settings.node, clock_now_us(), clock_wall_us(), &move);
    if (!is_changed || !put_over(h, job, &move, kv->mod_revision))
        done(h, job);
    history_arm(h);
}

/* A word belongs to the first record after that of its own time; what was seen of a change of
 * etcd's leader, to the first of a later term than the one before. */
static void read_record(struct history *h, struct job *job)
{
    char key[KEYS_TEXT_MAX], end[KEYS_TEXT_MAX];
    struct etcd_op look = {.kind = ETCD_OP_RANGE, .range.key = key};
    if (job->kind == JOB_WORD) {
        keys_history(&job->ip, job->held + 1, key);
        keys_history(&job->ip, INT64_MAX, end);
    } else if (job->kind == JOB_KEPT) {
        keys_history_stay(&job->ip, job->move.epoch, job->move.term + 1, key);
        keys_history_stay(&job->ip, job->move.epoch, INT64_MAX, end);
    } else {
        keys_history(&job->ip, job->move.epoch, key);
    }
    if (job->kind == JOB_WORD || job->kind == JOB_KEPT) {
        look.range.end = end;
        look.range.limit = 1;
        look.range.order = ETCD_ASCEND;
        look.range.sort_by = ETCD_BY_KEY;
    }
    const struct etcd_txn txn = {.success = &look, .n_success = 1};
    send(h, job, &txn, on_record);
}

/* A VIP that is about to be taken needs etcd more than a record does. */
static bool is_taking(const struct agent *a)
{
    bool is_busy = false;
    for (unsigned i = 0; i < a->election.n; i++) {
        enum vip_state state = a->vips[i].state;
        is_busy |= state == VIP_CONFIRMING || state == VIP_PROBING || state == VIP_TAKING;
    }
    return is_busy;
}

void history_on_timer(void *arg)
{
    struct history *h = arg;
    uint64_t now = clock_now_us();
    struct job *next = NULL, *following;
    for (struct job *job = h->first; job; job = following) {
        following = job->next;
        if (due(job) > now || h->call)
            continue;
        if (is_unseen(job))
            done(h, job);
        else if ((job->kind == JOB_WORD && !history_word_is_ripe(h->agent, job)) ||
                 (job->kind == JOB_STAY && history_stay_is_early(h, job)))
            retry(job);
        else if (!next)
            next = job;
    }
    if (next && now < next->born_us + POLITE_US && is_taking(h->agent))
        next->due_us = now + WAIT_US;
    else if (next && h->agent->etcd && next->kind == JOB_RECORD)
        read_facts(h, next);
    else if (next && h->agent->etcd && next->kind == JOB_STAY)
        write_stay(h, next);
    else if (next && h->agent->etcd)
        read_record(h, next);
    history_arm(h);
}
