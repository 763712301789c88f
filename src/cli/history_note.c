/* SPDX-License-Identifier: MIT */
#include "history_note.h"

#include "when.h"

#include "etcd/keys.h"
#include "etcd/record.h"

#include <stdio.h>
#include <string.h>

#define TIMEOUT_US UINT64_C(2000000)
#define SECOND_US UINT64_C(1000000)

struct job {
    struct look *look;
    char key[KEYS_TEXT_MAX];
    const char *text;
    enum etcd_status status;
    char message[ETCD_MESSAGE_MAX];
    bool is_done, is_changed; /* somebody else wrote it meanwhile */
};

static void finish(struct job *job, const struct etcd_reply *reply)
{
    job->status = reply->status;
    snprintf(job->message, sizeof(job->message), "%s", reply->message);
    loop_stop(job->look->loop);
}

static void on_written(void *arg, const struct etcd_reply *reply)
{
    struct job *job = arg;
    job->is_done = reply->status == ETCD_OK && reply->succeeded;
    job->is_changed = reply->status == ETCD_OK && !reply->succeeded;
    finish(job, reply);
}

/* 0, or the record cannot be written. */
static int write_back(struct job *job, const struct etcd_kv *kv)
{
    struct record_move record;
    struct buf value;
    buf_init(&value, 0);
    int r = record_move_parse(kv->value, kv->value_len, &record);
    if (r == 0) {
        snprintf(record.note, sizeof(record.note), "%s", job->text);
        r = record_move_write(&record, &value);
    }
    struct etcd_compare same = {.target = ETCD_MOD, .key = job->key, .number = kv->mod_revision};
    struct etcd_op put = {.kind = ETCD_OP_PUT,
                          .range = {.key = job->key},
                          .value = buf_str(&value),
                          .value_len = value.len};
    struct etcd_txn txn = {.compares = &same, .n_compares = 1, .success = &put, .n_success = 1};
    if (r == 0)
        r = etcd_call_txn(cluster_etcd(job->look->cluster), &txn, TIMEOUT_US, on_written, job,
                          NULL);
    buf_done(&value);
    return r;
}

static void on_read(void *arg, const struct etcd_reply *reply)
{
    struct job *job = arg;
    bool is_there = reply->status == ETCD_OK && reply->responses[0].n_kvs == 1;
    if (!is_there || write_back(job, &reply->responses[0].kvs[0]) < 0)
        finish(job, reply);
}

/* The record of that second; people copy the time from the table. */
static const struct snapshot_move *find(const struct snapshot *s, const struct ip *vip,
                                        uint64_t wall_us)
{
    for (unsigned i = 0; i < s->n_history; i++)
        if (ip_equal(&s->history[i].vip, vip) &&
            s->history[i].wall_us / SECOND_US == wall_us / SECOND_US)
            return &s->history[i];
    return NULL;
}

static enum exit_code parse_place(const char *place, struct ip *ret_vip, uint64_t *ret_wall_us)
{
    struct complaint c = {.what = ""};
    const char *at = strchr(place, '@');
    char ip[IP_TEXT_MAX] = "";
    if (at && (size_t)(at - place) < sizeof(ip))
        snprintf(ip, sizeof(ip), "%.*s", (int)(at - place), place);
    if (at && ip_parse(ip, ret_vip) == 0 && when_parse(at + 1, 0, ret_wall_us) == 0)
        return EXIT_DONE;
    complaint_set(&c, "\"%.100s\" names no record", place);
    complaint_hint(&c, "write it like 10.0.0.50@2026-08-21T09:12:40Z");
    return look_fail(EXIT_USAGE, &c);
}

static enum exit_code explain(const struct job *job)
{
    struct complaint c = {.what = ""};
    if (job->is_changed)
        complaint_set(&c, "the record was written by somebody else at the same time; try again");
    else if (job->status == ETCD_OK)
        complaint_set(&c, "the record is not there any more, or is not understood");
    else if (job->status == ETCD_FORBIDDEN)
        complaint_set(&c,
                      "user \"%.60s\" may not write under talosvip/v1/history/; a note needs "
                      "write access. Reading works.",
                      job->look->connection.etcd.user ? job->look->connection.etcd.user : "");
    else
        complaint_set(&c, "the note was not written: %.300s", job->message);
    return look_fail(job->status == ETCD_FORBIDDEN               ? EXIT_PERMISSION
                     : job->is_changed || job->status == ETCD_OK ? EXIT_NO
                                                                 : EXIT_UNKNOWN,
                     &c);
}

enum exit_code history_note(struct look *look, const struct snapshot *s, const char *place,
                            const char *text)
{
    struct complaint c = {.what = ""};
    struct job job = {.look = look, .text = text};
    struct etcd_range range = {.key = job.key};
    struct ip vip;
    uint64_t wall_us;
    enum exit_code code = parse_place(place, &vip, &wall_us);
    if (code != EXIT_DONE)
        return code;
    if (strlen(text) >= RECORD_TEXT_MAX) {
        complaint_set(&c, "a note has at most %d bytes", RECORD_TEXT_MAX - 1);
        return look_fail(EXIT_USAGE, &c);
    }
    const struct snapshot_move *move = find(s, &vip, wall_us);
    if (!move) {
        complaint_set(&c, "there is no record %.100s", place);
        complaint_hint(&c, "talosvip history lists them with their times");
        return look_fail(EXIT_NO, &c);
    }
    if (snapshot_move_stays(move))
        keys_history_stay(&vip, move->epoch, move->term, job.key);
    else
        keys_history(&vip, move->epoch, job.key);
    if (etcd_call_range(cluster_etcd(look->cluster), &range, TIMEOUT_US, on_read, &job, NULL) < 0)
        return look_no_memory();
    loop_run(look->loop);
    return job.is_done ? EXIT_DONE : explain(&job);
}
