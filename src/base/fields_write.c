/* SPDX-License-Identifier: MIT */
#include "base/fields.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/ip.h"
#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

struct json_object *fields_text(const char *text, size_t size)
{
    struct buf clean;
    struct json_object *value = NULL;
    size_t len = strnlen(text, size);
    if (text_is_utf8(text, len))
        return json_object_new_string_len(text, (int)len);
    buf_init(&clean, 0);
    while (len > 0) {
        enum text_kind kind;
        size_t n = text_next(text, len, &kind);
        buf_add(&clean, kind == TEXT_INVALID ? "\xef\xbf\xbd" : text, kind == TEXT_INVALID ? 3 : n);
        text += n;
        len -= n;
    }
    if (!clean.error)
        value = json_object_new_string_len(buf_str(&clean), (int)clean.len);
    buf_done(&clean);
    return value;
}

static struct json_object *hex_value(uint64_t id)
{
    char text[17];
    snprintf(text, sizeof(text), "%" PRIx64, id);
    return json_object_new_string(text);
}

static struct json_object *ip_value(const struct ip *ip)
{
    char text[IP_TEXT_MAX];
    ip_format(ip, text);
    return json_object_new_string(text);
}

static struct json_object *time_value(uint64_t wall_us)
{
    char text[CLOCK_TEXT_MAX];
    clock_format_utc(wall_us, text);
    return json_object_new_string(text);
}

struct json_object *fields_ms(int64_t us)
{
    char text[32];
    int n = snprintf(text, sizeof(text), "%" PRId64 ".%03" PRId64, us / 1000, us % 1000);
    while (text[n - 1] == '0' && text[n - 2] != '.')
        text[--n] = '\0';
    return json_object_new_double_s((double)us / 1000, text);
}

static struct json_object *names_value(const struct field *f, const void *from)
{
    unsigned n = *(const unsigned *)((const char *)from + f->other);
    struct json_object *list = json_object_new_array();
    for (unsigned i = 0; list && i < n && i < f->max; i++) {
        const char *name = (const char *)from + f->offset + i * f->size;
        struct json_object *value = fields_text(name, f->size);
        if (!value || json_object_array_add(list, value) < 0) {
            json_object_put(value);
            json_object_put(list);
            return NULL;
        }
    }
    return list;
}

static struct json_object *value_of(const struct field *f, const void *from)
{
    const void *at = (const char *)from + f->offset;
    switch (f->kind) {
    case FIELD_TEXT:
    case FIELD_TEXT_OR_NULL:
        return fields_text(at, f->size);
    case FIELD_IP:
    case FIELD_IP_OR_NULL:
        return ip_value(at);
    case FIELD_TIME:
        return time_value(*(const uint64_t *)at);
    case FIELD_WORD:
        return json_object_new_string(f->name_of(*(const int *)at));
    case FIELD_BOOL:
        return json_object_new_boolean(*(const bool *)at);
    case FIELD_COUNT:
    case FIELD_PLACE:
        return json_object_new_int64(*(const unsigned *)at);
    case FIELD_NUMBER:
    case FIELD_REVISION:
        return json_object_new_int64(*(const int64_t *)at);
    case FIELD_ID:
        return hex_value(*(const uint64_t *)at);
    case FIELD_LEASE:
    case FIELD_HEX:
        return hex_value((uint64_t) * (const int64_t *)at);
    case FIELD_INT:
        return json_object_new_int64(*(const int64_t *)at);
    case FIELD_TOTAL:
        return json_object_new_uint64(*(const uint64_t *)at);
    case FIELD_MS:
    case FIELD_OFFSET_MS:
        return json_object_new_int64(*(const int64_t *)at / 1000);
    case FIELD_FINE_MS:
        return fields_ms(*(const int64_t *)at);
    case FIELD_UP_DOWN:
    case FIELD_UP_DOWN_OR_NULL:
        return json_object_new_string(*(const bool *)at ? "up" : "down");
    case FIELD_NAMES:
        return names_value(f, from);
    }
    return NULL;
}

static bool is_null(const struct field *f, const void *from)
{
    const void *at = (const char *)from + f->offset;
    switch (f->kind) {
    case FIELD_TEXT_OR_NULL:
        return *(const char *)at == '\0';
    case FIELD_IP_OR_NULL:
        return ((const struct ip *)at)->family == IP_NONE;
    case FIELD_PLACE:
        return *(const unsigned *)at == 0;
    case FIELD_NUMBER:
    case FIELD_MS:
    case FIELD_FINE_MS:
        return *(const int64_t *)at < 0;
    case FIELD_REVISION:
    case FIELD_LEASE:
    case FIELD_ID:
        return *(const uint64_t *)at == 0;
    case FIELD_OFFSET_MS:
    case FIELD_UP_DOWN_OR_NULL:
        return !*(const bool *)((const char *)from + f->other);
    default:
        return false;
    }
}

struct json_object *fields_group(struct json_object *object, const char *group)
{
    struct json_object *child;
    if (!group)
        return object;
    if (json_object_object_get_ex(object, group, &child))
        return child;
    child = json_object_new_object();
    return fields_add(object, group, child) == 0 ? child : NULL;
}

int fields_write(struct json_object *object, const struct fields *fields, const void *from)
{
    for (size_t i = 0; i < fields->n; i++) {
        const struct field *f = &fields->list[i];
        struct json_object *in = fields_group(object, f->group), *value = NULL;
        if (!in || (!is_null(f, from) && !(value = value_of(f, from))))
            return -ENOMEM;
        if (json_object_object_add(in, f->name, value) < 0) {
            json_object_put(value);
            return -ENOMEM;
        }
    }
    return 0;
}

int fields_write_list(struct json_object *object, const char *name, const struct fields *fields,
                      const void *from, size_t size, unsigned n)
{
    struct json_object *list = fields_add_list(object, name);
    int r = list ? 0 : -ENOMEM;
    for (unsigned i = 0; r == 0 && i < n; i++) {
        struct json_object *entry = fields_append(list);
        r = entry ? fields_write(entry, fields, (const char *)from + i * size) : -ENOMEM;
    }
    return r;
}
