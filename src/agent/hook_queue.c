/* SPDX-License-Identifier: MIT */
#include "hook_queue.h"

#include <string.h>

bool hook_queue_push(struct hook_queue *q, const struct hook_event *event,
                     struct hook_event *ret_dropped)
{
    bool is_full = q->n == HOOK_QUEUE_MAX && hook_queue_pop(q, ret_dropped);
    q->at[(q->first + q->n) % HOOK_QUEUE_MAX] = *event;
    q->n++;
    return is_full;
}

bool hook_queue_pop(struct hook_queue *q, struct hook_event *ret_event)
{
    if (q->n == 0)
        return false;
    *ret_event = q->at[q->first];
    q->first = (q->first + 1) % HOOK_QUEUE_MAX;
    q->n--;
    return true;
}

void hook_last_line(const char *output, size_t len, char ret_line[HOOK_LINE_MAX + 1])
{
    while (len > 0 && (output[len - 1] == '\n' || output[len - 1] == '\r'))
        len--;
    size_t start = len;
    while (start > 0 && output[start - 1] != '\n' && len - start < HOOK_LINE_MAX)
        start--;
    for (size_t i = start; i < len; i++)
        ret_line[i - start] = output[i] ? output[i] : ' ';
    ret_line[len - start] = '\0';
}
