/* SPDX-License-Identifier: MIT */
/* Memory that is freed all at once. A failure sticks, so that building something large needs
 * one check at its end, besides the one for each pointer that is used. */
#ifndef TALOSVIP_CONFIG_ARENA_H
#define TALOSVIP_CONFIG_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena;

/* NULL without memory. */
struct arena *arena_new(void);
/* Takes NULL. */
void arena_free(struct arena *arena);
/* Zeroed, aligned for any object; NULL without memory. */
void *arena_alloc(struct arena *arena, size_t size);
void *arena_array(struct arena *arena, size_t n, size_t size);
/* NUL is put behind. */
char *arena_strndup(struct arena *arena, const char *text, size_t len);
/* Takes NULL and returns it. */
char *arena_strdup(struct arena *arena, const char *text);
bool arena_failed(const struct arena *arena);

#endif
