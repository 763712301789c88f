/* SPDX-License-Identifier: MIT */
/* The records of other agents. The first byte picks the parser: 'n' node, 'm' move, 'q' request,
 * 'r' released. What was taken is written, and what is written is taken and stays the same. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "etcd/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int truth)
{
    if (!truth)
        abort();
}

/* A record at its bounds may become longer than what is read: escapes count more than one byte. */
#define ROUND_TRIP(type_, text_, len_, done_)                                                      \
    do {                                                                                           \
        struct record_##type_ first, second;                                                       \
        struct buf a, b;                                                                           \
        if (record_##type_##_parse(text_, len_, &first) < 0)                                       \
            break;                                                                                 \
        buf_init(&a, 0);                                                                           \
        buf_init(&b, 0);                                                                           \
        check(record_##type_##_write(&first, &a) == 0);                                            \
        done_(&first);                                                                             \
        if (a.len <= 128u << 10) {                                                                 \
            check(record_##type_##_parse(buf_str(&a), a.len, &second) == 0);                       \
            check(record_##type_##_write(&second, &b) == 0);                                       \
            check(a.len == b.len && memcmp(buf_str(&a), buf_str(&b), a.len) == 0);                 \
            done_(&second);                                                                        \
        }                                                                                          \
        buf_done(&a);                                                                              \
        buf_done(&b);                                                                              \
    } while (0)

static void nothing(const void *record)
{
    (void)record;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data + 1;
    if (size == 0)
        return 0;
    if (data[0] == 'n')
        ROUND_TRIP(node, text, size - 1, record_node_done);
    else if (data[0] == 'm')
        ROUND_TRIP(move, text, size - 1, nothing);
    else if (data[0] == 'q')
        ROUND_TRIP(request, text, size - 1, nothing);
    else if (data[0] == 'r')
        ROUND_TRIP(released, text, size - 1, nothing);
    return 0;
}
