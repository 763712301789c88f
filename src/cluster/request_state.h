/* SPDX-License-Identifier: MIT */
/* What the files of the requests share. One request is one object with at most one call out; it
 * goes from step to step, and ends once. */
#ifndef TALOSVIP_CLUSTER_REQUEST_STATE_H
#define TALOSVIP_CLUSTER_REQUEST_STATE_H

#include "cluster/request.h"
#include "core/queue.h"
#include "etcd/keys.h"
#include "etcd/record.h"
#include "etcd/watch.h"

#define REQUEST_CALL_US UINT64_C(4000000) /* of one call; with all else, an answer within 5 s */

struct request {
    struct etcd_client *client;
    struct loop *loop;
    struct request_callbacks callbacks;
    void *arg;
    struct etcd_call *call;
    struct request_outcome outcome;

    /* request_look() */
    request_scene_fn scene_fn;
    struct request_scene scene;
    struct request_node *candidates; /* of all VIPs, which point into it */

    /* What is to be written, or deleted where `value` is empty. */
    char key[KEYS_TEXT_MAX];
    struct buf value;
    int64_t seen_mod; /* mod revision that the key must still have; 0: it is not there */
    bool is_resume;
    void (*next)(struct request *q); /* once it is written */

    /* A planned move: request_move.c */
    struct ip vip;
    char to[REQUEST_NAME_MAX];
    struct record_request record;
    uint64_t wait_us;
    int64_t lease;
    struct etcd_watch *watch;
    struct loop_timer *timer;
    struct queue queue;
    bool is_listed; /* the watch has told how things stand */
    bool was_released, was_announced;
    bool is_withdrawing;
    int64_t won_epoch; /* 0: nobody has taken it over yet */
    uint64_t asked_us;
    unsigned seen;
};

struct request *request_new(struct etcd_client *client, const struct request_callbacks *callbacks,
                            void *arg);
/* Takes NULL. */
void request_free(struct request *q);
/* Ends it; the line is printf's. Nothing may be done with `q` afterwards. */
void request_end(struct request *q, enum request_result result, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void request_end_failed(struct request *q, const struct etcd_reply *reply);
/* Writes q->value to q->key as told above, under q->lease, then `next`. */
void request_write(struct request *q, void (*next)(struct request *q));
/* Tells q->outcome and frees it. */
void request_tell(struct request *q);

/* request_look.c: starts the read into q->scene; `then` is called with the answer. 0 or -errno. */
int request_read(struct request *q, uint64_t timeout_us, etcd_call_fn then);
/* Fills q->scene out of that answer. 0 or -ENOMEM. */
int request_read_scene(struct request *q, const struct etcd_reply *reply);

#endif
