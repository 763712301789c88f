/* SPDX-License-Identifier: MIT */
/* What happened, waiting for a hook that still runs. Pure; bounded: the oldest goes first. */
#ifndef TALOSVIP_AGENT_HOOK_QUEUE_H
#define TALOSVIP_AGENT_HOOK_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "core/queue.h"

#define HOOK_QUEUE_MAX 16
#define HOOK_LINE_MAX 200

struct hook_event {
    unsigned on; /* one of CONFIG_ON_... */
    char vip[IP_TEXT_MAX];
    char link[16];
    char cause[24]; /* the words of core/names.c; "" where there is none */
    char check[64]; /* the health check that failed, or "" */
    char from[NODE_NAME_MAX];
    int64_t epoch; /* create revision of our key; 0 = none */
};

struct hook_queue {
    unsigned first, n;
    struct hook_event at[HOOK_QUEUE_MAX];
};

/* True when the oldest had to go for it, which is then in *ret_dropped. */
bool hook_queue_push(struct hook_queue *q, const struct hook_event *event,
                     struct hook_event *ret_dropped);
/* False when there is none. */
bool hook_queue_pop(struct hook_queue *q, struct hook_event *ret_event);

/* The last line of what a command said that is not empty, its last HOOK_LINE_MAX bytes at most. */
void hook_last_line(const char *output, size_t len, char ret_line[HOOK_LINE_MAX + 1]);

#endif
