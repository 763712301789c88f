/* SPDX-License-Identifier: MIT */
/* JSON objects as tables of fields. Writer and parser go through the same table, so that neither
 * can know a field that the other does not. */
#ifndef TALOSVIP_BASE_FIELDS_H
#define TALOSVIP_BASE_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct json_object;

enum field_kind {
    /* Must be there when read: */
    FIELD_TEXT,
    FIELD_IP,
    FIELD_TIME,    /* uint64_t, microseconds of the wall clock; RFC 3339 */
    FIELD_WORD,    /* an enum, by `name_of` */
    FIELD_INT,     /* int64_t of either sign */
    FIELD_TOTAL,   /* uint64_t */
    FIELD_HEX,     /* int64_t, as etcd's tools write lease IDs; 0 is "0" */
    FIELD_UP_DOWN, /* bool */
    /* null, or not there, where nothing is known: */
    FIELD_TEXT_OR_NULL,    /* "" */
    FIELD_IP_OR_NULL,      /* IP_NONE */
    FIELD_BOOL,            /* not there: false */
    FIELD_COUNT,           /* unsigned; not there: 0 */
    FIELD_PLACE,           /* unsigned; 0 is null */
    FIELD_NUMBER,          /* int64_t; -1 is null */
    FIELD_REVISION,        /* int64_t; 0 is null */
    FIELD_ID,              /* uint64_t, in hexadecimal; 0 is null */
    FIELD_LEASE,           /* int64_t, in hexadecimal; 0 is null */
    FIELD_MS,              /* int64_t in microseconds, as whole milliseconds; -1 is null */
    FIELD_FINE_MS,         /* the same with three places */
    FIELD_OFFSET_MS,       /* as FIELD_MS with a sign; null unless `known` */
    FIELD_UP_DOWN_OR_NULL, /* bool; null unless `known` */
    FIELD_NAMES,           /* char[max][size], as many as the unsigned at `count` */
};

struct field {
    const char *group; /* the object it is in; NULL: the top one */
    const char *name;
    enum field_kind kind;
    size_t offset;
    size_t size;                 /* texts: with the NUL */
    size_t max;                  /* NAMES: how many; WORD: number of words */
    size_t other;                /* of the bool `known`, or of `count` */
    const char *(*name_of)(int); /* WORD */
};

/* A struct's. */
struct fields {
    const struct field *list;
    size_t n;
};

/* Adds every field of `from` to `object`. 0 or -ENOMEM. */
int fields_write(struct json_object *object, const struct fields *fields, const void *from);
/* What is not there is set to unknown, a text that is longer than its place is cut; `to` is not to
 * be used after a failure. 0 or -EBADMSG. */
int fields_read(struct json_object *object, const struct fields *fields, void *to);

/* The array `name` of `n` structs, `size` bytes apart. 0 or -ENOMEM. */
int fields_write_list(struct json_object *object, const char *name, const struct fields *fields,
                      const void *from, size_t size, unsigned n);
/* ... and back, into memory of its own, which `ret` points to; the caller frees it, also after a
 * failure. Missing or empty: both results stay untouched. 0, -EBADMSG, -ENOMEM. */
int fields_read_list(struct json_object *object, const char *name, size_t max,
                     const struct fields *fields, size_t size, void *ret, unsigned *ret_n);

/* A new object that says what it is. NULL: no memory. */
struct json_object *fields_begin(const char *api_version, const char *kind);
/* Does it say so? */
bool fields_is(struct json_object *object, const char *api_version, const char *kind);
/* Appends `value` as one line of JSON; a character that text_next() calls a control is escaped.
 * 0, -ENOMEM, or the buf's error. */
int fields_json(struct json_object *value, struct buf *out);
/* Frees `object`, after it was appended to `out` as one line if `r` is 0. `r`, -ENOMEM, or the
 * buf's error. */
int fields_end(struct json_object *object, int r, struct buf *out);

/* Adds `value`, which it owns even on failure; NULL is lack of memory. 0 or -ENOMEM. */
int fields_add(struct json_object *object, const char *name, struct json_object *value);
/* An empty object at the end of an array. NULL: no memory. */
struct json_object *fields_append(struct json_object *array);
/* An empty array, added to `object`. NULL: no memory. */
struct json_object *fields_add_list(struct json_object *object, const char *name);
/* The object `group` in `object`, made where it is missing; `object` itself for NULL. NULL: no
 * memory. */
struct json_object *fields_group(struct json_object *object, const char *group);
/* A bounded text; what is not UTF-8 becomes U+FFFD, for JSON has no other bytes. NULL: no memory.
 */
struct json_object *fields_text(const char *text, size_t size);
/* Microseconds as a JSON number of milliseconds with up to three places. NULL: no memory. */
struct json_object *fields_ms(int64_t us);
/* ... and back. 0 or -EBADMSG. */
int fields_read_ms(struct json_object *value, bool is_signed, int64_t *ret_us);
/* The array `name`, which may be missing, of at most `max` objects. 0 or -EBADMSG. */
int fields_array(struct json_object *object, const char *name, size_t max,
                 struct json_object **ret_array, size_t *ret_n);
/* One whole JSON object of at most `max` bytes. 0, -EBADMSG, -ENOMEM. */
int fields_parse(const char *text, size_t len, size_t max, struct json_object **ret_object);

#endif
