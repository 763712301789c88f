/* SPDX-License-Identifier: MIT */
#include "base/fields.h"

#include "base/clock.h"
#include "base/ip.h"
#include "base/text.h"

#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MS_MAX 1e12 /* thirty years; exact in a double, with three places */

static int read_text(struct json_object *value, char *to, size_t size)
{
    if (!json_object_is_type(value, json_type_string))
        return -EBADMSG;
    const char *text = json_object_get_string(value);
    size_t len = (size_t)json_object_get_string_len(value);
    if (len >= size || strlen(text) != len)
        return -EBADMSG;
    memcpy(to, text, len + 1);
    return 0;
}

/* What was written with more room is cut: too long a name is no reason to show nothing. */
static int read_cut(struct json_object *value, char *to, size_t size)
{
    if (!json_object_is_type(value, json_type_string))
        return -EBADMSG;
    const char *text = json_object_get_string(value);
    if (strlen(text) != (size_t)json_object_get_string_len(value))
        return -EBADMSG;
    text_copy(to, size, text);
    return 0;
}

static int read_number(struct json_object *value, int64_t least, int64_t most, int64_t *to)
{
    if (!json_object_is_type(value, json_type_int))
        return -EBADMSG;
    int64_t number = json_object_get_int64(value);
    if (number < least || number > most)
        return -EBADMSG;
    *to = number;
    return 0;
}

static int read_total(struct json_object *value, uint64_t *to)
{
    int64_t sign;
    if (read_number(value, 0, INT64_MAX, &sign) < 0)
        return -EBADMSG;
    *to = json_object_get_uint64(value); /* above INT64_MAX the other is clamped */
    return 0;
}

static int read_count(struct json_object *value, unsigned *to)
{
    int64_t number;
    if (read_number(value, 0, UINT_LEAST32_MAX, &number) < 0)
        return -EBADMSG;
    *to = (unsigned)number;
    return 0;
}

static int read_bool(struct json_object *value, bool *to)
{
    if (!json_object_is_type(value, json_type_boolean))
        return -EBADMSG;
    *to = json_object_get_boolean(value);
    return 0;
}

static int read_hex(struct json_object *value, uint64_t *to)
{
    char text[17];
    if (read_text(value, text, sizeof(text)) < 0 || !text[0] ||
        text[strspn(text, "0123456789abcdef")])
        return -EBADMSG;
    *to = strtoull(text, NULL, 16);
    return 0;
}

static int read_ip(struct json_object *value, struct ip *to)
{
    char text[IP_TEXT_MAX];
    return read_text(value, text, sizeof(text)) < 0 || ip_parse(text, to) < 0 ? -EBADMSG : 0;
}

static int read_time(struct json_object *value, uint64_t *to)
{
    char text[CLOCK_TEXT_MAX + 8];
    return read_text(value, text, sizeof(text)) < 0 || clock_parse_utc(text, to) < 0 ? -EBADMSG : 0;
}

int fields_read_ms(struct json_object *value, bool is_signed, int64_t *ret_us)
{
    if (!json_object_is_type(value, json_type_int) && !json_object_is_type(value, json_type_double))
        return -EBADMSG;
    double ms = json_object_get_double(value);
    if (!isfinite(ms) || fabs(ms) > MS_MAX || (ms < 0 && !is_signed))
        return -EBADMSG;
    *ret_us = (int64_t)(ms * 1000 + (ms < 0 ? -0.5 : 0.5));
    return 0;
}

static int read_up_down(struct json_object *value, bool *to)
{
    char text[8];
    if (read_text(value, text, sizeof(text)) < 0 ||
        (strcmp(text, "up") != 0 && strcmp(text, "down") != 0))
        return -EBADMSG;
    *to = text[0] == 'u';
    return 0;
}

static int read_word(struct json_object *value, const struct field *f, int *to)
{
    char text[32];
    if (read_text(value, text, sizeof(text)) < 0)
        return -EBADMSG;
    for (size_t i = 0; i < f->max; i++)
        if (strcmp(text, f->name_of((int)i)) == 0) {
            *to = (int)i;
            return 0;
        }
    return -EBADMSG;
}

static int read_names(struct json_object *value, const struct field *f, void *to)
{
    unsigned *count = (unsigned *)((char *)to + f->other);
    if (!json_object_is_type(value, json_type_array) || json_object_array_length(value) > f->max)
        return -EBADMSG;
    *count = (unsigned)json_object_array_length(value);
    for (unsigned i = 0; i < *count; i++)
        if (read_cut(json_object_array_get_idx(value, i), (char *)to + f->offset + i * f->size,
                     f->size) < 0)
            return -EBADMSG;
    return 0;
}

/* null, or not there. */
static int set_unknown(const struct field *f, void *to)
{
    void *at = (char *)to + f->offset;
    switch (f->kind) {
    case FIELD_TEXT:
    case FIELD_IP:
    case FIELD_TIME:
    case FIELD_WORD:
    case FIELD_INT:
    case FIELD_TOTAL:
    case FIELD_HEX:
    case FIELD_UP_DOWN:
        return -EBADMSG;
    case FIELD_NUMBER:
    case FIELD_MS:
    case FIELD_FINE_MS:
        *(int64_t *)at = -1;
        return 0;
    default:
        return 0; /* the memory was zeroed */
    }
}

static int read_value(const struct field *f, struct json_object *value, void *to)
{
    void *at = (char *)to + f->offset;
    switch (f->kind) {
    case FIELD_TEXT:
    case FIELD_TEXT_OR_NULL:
        return read_cut(value, at, f->size);
    case FIELD_IP:
    case FIELD_IP_OR_NULL:
        return read_ip(value, at);
    case FIELD_TIME:
        return read_time(value, at);
    case FIELD_WORD:
        return read_word(value, f, at);
    case FIELD_BOOL:
        return read_bool(value, at);
    case FIELD_COUNT:
    case FIELD_PLACE:
        return read_count(value, at);
    case FIELD_NUMBER:
    case FIELD_REVISION:
        return read_number(value, 0, INT64_MAX, at);
    case FIELD_INT:
        return read_number(value, INT64_MIN, INT64_MAX, at);
    case FIELD_TOTAL:
        return read_total(value, at);
    case FIELD_ID:
    case FIELD_LEASE:
    case FIELD_HEX:
        return read_hex(value, at);
    case FIELD_MS:
    case FIELD_FINE_MS:
        return fields_read_ms(value, false, at);
    case FIELD_OFFSET_MS:
        *(bool *)((char *)to + f->other) = true;
        return fields_read_ms(value, true, at);
    case FIELD_UP_DOWN_OR_NULL:
        *(bool *)((char *)to + f->other) = true;
        return read_up_down(value, at);
    case FIELD_UP_DOWN:
        return read_up_down(value, at);
    case FIELD_NAMES:
        return read_names(value, f, to);
    }
    return -EBADMSG;
}

static struct json_object *find(struct json_object *object, const struct field *f)
{
    struct json_object *in = object, *value = NULL;
    if (f->group && !json_object_object_get_ex(object, f->group, &in))
        return NULL;
    if (!json_object_is_type(in, json_type_object) ||
        !json_object_object_get_ex(in, f->name, &value))
        return NULL;
    return value;
}

int fields_read(struct json_object *object, const struct fields *fields, void *to)
{
    if (!json_object_is_type(object, json_type_object))
        return -EBADMSG;
    for (size_t i = 0; i < fields->n; i++) {
        const struct field *f = &fields->list[i];
        struct json_object *value = find(object, f);
        int r = value ? read_value(f, value, to) : set_unknown(f, to);
        if (r < 0)
            return r;
    }
    return 0;
}

int fields_read_list(struct json_object *object, const char *name, size_t max,
                     const struct fields *fields, size_t size, void *ret, unsigned *ret_n)
{
    struct json_object *array;
    size_t n;
    int r = fields_array(object, name, max, &array, &n);
    if (r < 0 || n == 0)
        return r;
    char *list = calloc(n, size);
    if (!list)
        return -ENOMEM;
    memcpy(ret, &list, sizeof(list));
    *ret_n = (unsigned)n;
    for (size_t i = 0; r == 0 && i < n; i++)
        r = fields_read(json_object_array_get_idx(array, i), fields, list + i * size);
    return r;
}
