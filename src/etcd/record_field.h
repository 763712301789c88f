/* SPDX-License-Identifier: MIT */
/* The JSON form of the records as tables, which the writers and the parsers share, so that neither
 * can know a field the other does not. */
#ifndef TALOSVIP_ETCD_RECORD_FIELD_H
#define TALOSVIP_ETCD_RECORD_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct json_object;

enum record_kind {
    RECORD_TEXT,   /* char[] */
    RECORD_NUMBER, /* int64_t */
    RECORD_WALL,   /* uint64_t */
    RECORD_BYTE,   /* uint8_t */
    RECORD_PORT,   /* uint16_t */
    RECORD_COUNT,  /* unsigned */
    RECORD_BOOL,
    RECORD_IP,
    RECORD_HEX, /* 64 bits as text, for a JSON number holds 53 bits in most programs */
};

struct record_field {
    const char *name;
    enum record_kind kind;
    bool is_required;
    size_t offset, size;
    int64_t absent; /* a number that is not written, and what an absent field means */
};

#define RECORD_FIELD(struct_, name_, kind_, member_, required_, absent_)                           \
    {                                                                                              \
        .name = name_, .kind = kind_, .is_required = required_,                                    \
        .offset = offsetof(struct struct_, member_),                                               \
        .size = sizeof(((struct struct_ *)NULL)->member_), .absent = absent_                       \
    }

/* Appends {"name":value,...}, without the '}' so that more may follow. Errors stick in `out`. */
void record_begin(struct buf *out, const struct record_field *fields, size_t n, const void *from);
/* ,"name":[ */
void record_list(struct buf *out, const char *name);

/* One JSON object, at most `RECORD_BYTES_MAX`. 0, -EBADMSG, -ENOMEM. */
int record_open(const char *text, size_t len, struct json_object **ret_object);
/* Every field of the table, the absent ones too. 0 or -EBADMSG. */
int record_read(struct json_object *object, const struct record_field *fields, size_t n, void *to);
/* Reads the elements of an array, at most `max`; absent: none. `read` gets the place of each. */
int record_read_list(struct json_object *object, const char *name, size_t max,
                     int (*read)(struct json_object *value, void *to), void *to, size_t size,
                     unsigned *ret_n);

#define RECORD_BYTES_MAX (128u << 10)

#endif
