/* SPDX-License-Identifier: MIT */
#include "pool.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

#define CHUNK_BYTES 1024u

/* The newest chunk comes first; only it is filled. */
struct etcd_pool {
    struct etcd_pool *older;
    size_t used;
    size_t size;
    alignas(max_align_t) char bytes[];
};

void *pool_alloc(struct etcd_pool **pool, size_t n, size_t size)
{
    struct etcd_pool *a = *pool;
    if (size && n > (SIZE_MAX / 2) / size)
        return NULL;
    size_t need = (n * size + alignof(max_align_t) - 1) / alignof(max_align_t);
    need = (need ? need : 1) * alignof(max_align_t);
    if (!a || need > a->size - a->used) {
        size_t room = need > CHUNK_BYTES ? need : CHUNK_BYTES;
        a = calloc(1, sizeof(*a) + room);
        if (!a)
            return NULL;
        a->size = room;
        a->older = *pool;
        *pool = a;
    }
    void *p = a->bytes + a->used;
    a->used += need;
    return p;
}

void pool_free(struct etcd_pool *pool)
{
    while (pool) {
        struct etcd_pool *older = pool->older;
        free(pool);
        pool = older;
    }
}
