/* SPDX-License-Identifier: MIT */
/* Strict access to the members of a JSON object, as protobuf's JSON mapping writes them: what is
 * zero may be left out, 64-bit integers come as strings or numbers. An absent member leaves the
 * result untouched; a present one of another type is an error. */
#ifndef TALOSVIP_ETCD_FIELD_H
#define TALOSVIP_ETCD_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object;
struct etcd_pool;

/* One whole JSON object, nested at most 16 deep. 0, -EBADMSG, -ENOMEM; json_object_put() frees. */
int field_parse(const char *text, size_t len, struct json_object **ret_object);

/* NULL when absent (or null). */
struct json_object *field_get(struct json_object *object, const char *name);

/* All: 0, -EBADMSG for a wrong type or value, -ENOMEM. */
int field_object(struct json_object *object, const char *name, struct json_object **ret_object);
/* At most `max` elements, or -EBADMSG. */
int field_array(struct json_object *object, const char *name, size_t max,
                struct json_object **ret_array, size_t *ret_n);
int field_i64(struct json_object *object, const char *name, int64_t *ret_number);
int field_u64(struct json_object *object, const char *name, uint64_t *ret_number);
int field_bool(struct json_object *object, const char *name, bool *ret_bool);
/* Copied into the pool, without any NUL inside. */
int field_text(struct json_object *object, const char *name, struct etcd_pool **pool,
               const char **ret_text);
/* Base64, decoded into the pool, a NUL appended. */
int field_bytes(struct json_object *object, const char *name, struct etcd_pool **pool,
                const char **ret_bytes, size_t *ret_len);
/* At most `max` texts. */
int field_texts(struct json_object *object, const char *name, size_t max, struct etcd_pool **pool,
                const char *const **ret_texts, size_t *ret_n);
/* Element `i` of an array, which must be an object: else NULL. */
struct json_object *field_element(struct json_object *array, size_t i);

#endif
