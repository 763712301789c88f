/* SPDX-License-Identifier: MIT */
/* Recordings of snapshots. What was taken is written, what is written is taken and stays the same,
 * and whatever it holds, alerts are found in it and events between it and nothing. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/alert.h"
#include "cluster/events.h"
#include "cluster/snapshot_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int truth)
{
    if (!truth)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct event events[EVENTS_MAX];
    struct snapshot first, second, empty = {.n_vips = 0};
    struct buf a, b;
    if (snapshot_parse((const char *)data, size, &first) < 0)
        return 0;
    buf_init(&a, 8u << 20);
    buf_init(&b, 8u << 20);
    check(snapshot_write(&first, &a) == 0);
    check(snapshot_parse(buf_str(&a), a.len, &second) == 0);
    check(snapshot_write(&second, &b) == 0);
    check(a.len == b.len && memcmp(buf_str(&a), buf_str(&b), a.len) == 0);
    check(alerts_find(&second) == 0);
    check(events_between(&empty, &second, events) <= EVENTS_MAX);
    check(events_between(&second, &first, events) <= EVENTS_MAX);
    snapshot_done(&first);
    snapshot_done(&second);
    buf_done(&a);
    buf_done(&b);
    return 0;
}
