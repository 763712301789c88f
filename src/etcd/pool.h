/* SPDX-License-Identifier: MIT */
/* Memory of one reply, freed at one stroke. */
#ifndef TALOSVIP_ETCD_POOL_H
#define TALOSVIP_ETCD_POOL_H

#include <stddef.h>

struct etcd_pool;

/* Zeroed memory for `n` items of `size` bytes; *pool may be NULL at first. NULL when memory is
 * short; what was given before stays valid. */
void *pool_alloc(struct etcd_pool **pool, size_t n, size_t size);
/* Takes NULL. */
void pool_free(struct etcd_pool *pool);

#endif
