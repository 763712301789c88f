/* SPDX-License-Identifier: MIT */
#include "record_field.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <string.h>

#include "base/ip.h"
#include "base/parse.h"
#include "base/text.h"
#include "field.h"

static int64_t number_at(const struct record_field *f, const void *at)
{
    switch (f->kind) {
    case RECORD_BYTE:
        return *(const uint8_t *)at;
    case RECORD_PORT:
        return *(const uint16_t *)at;
    case RECORD_COUNT:
        return *(const unsigned *)at;
    case RECORD_BOOL:
        return *(const bool *)at;
    case RECORD_WALL:
        return (int64_t) * (const uint64_t *)at;
    default:
        return *(const int64_t *)at;
    }
}

static bool is_absent(const struct record_field *f, const void *at)
{
    if (f->is_required)
        return false;
    if (f->kind == RECORD_TEXT)
        return *(const char *)at == '\0';
    if (f->kind == RECORD_IP)
        return ((const struct ip *)at)->family == IP_NONE;
    return number_at(f, at) == f->absent;
}

static void add_value(struct buf *out, const struct record_field *f, const void *at)
{
    char text[IP_TEXT_MAX];
    switch (f->kind) {
    case RECORD_TEXT:
        text_add_json(out, at, f->size);
        break;
    case RECORD_IP:
        ip_format(at, text);
        buf_printf(out, "\"%s\"", text);
        break;
    case RECORD_HEX:
        buf_printf(out, "\"%" PRIx64 "\"", (uint64_t)number_at(f, at));
        break;
    case RECORD_BOOL:
        buf_puts(out, number_at(f, at) ? "true" : "false");
        break;
    default:
        buf_printf(out, "%" PRId64, number_at(f, at));
    }
}

void record_begin(struct buf *out, const struct record_field *fields, size_t n, const void *from)
{
    const char *separator = "{";
    for (size_t i = 0; i < n; i++) {
        const void *at = (const char *)from + fields[i].offset;
        if (is_absent(&fields[i], at))
            continue;
        buf_printf(out, "%s\"%s\":", separator, fields[i].name);
        add_value(out, &fields[i], at);
        separator = ",";
    }
}

void record_list(struct buf *out, const char *name)
{
    buf_printf(out, ",\"%s\":[", name);
}

int record_open(const char *text, size_t len, struct json_object **ret_object)
{
    return len > RECORD_BYTES_MAX ? -EBADMSG : field_parse(text, len, ret_object);
}

static int read_text(struct json_object *value, char *to, size_t size)
{
    if (!json_object_is_type(value, json_type_string))
        return -EBADMSG;
    const char *text = json_object_get_string(value);
    size_t len = (size_t)json_object_get_string_len(value);
    if (!text || len >= size || strlen(text) != len)
        return -EBADMSG;
    memcpy(to, text, len + 1);
    return 0;
}

static int read_hex(struct json_object *value, int64_t *to)
{
    char text[17];
    uint64_t number;
    if (read_text(value, text, sizeof(text)) < 0 || parse_hex(text, &number) < 0)
        return -EBADMSG;
    *to = (int64_t)number;
    return 0;
}

static int read_ip(struct json_object *value, struct ip *to)
{
    char text[IP_TEXT_MAX];
    return read_text(value, text, sizeof(text)) < 0 || ip_parse(text, to) < 0 ? -EBADMSG : 0;
}

static int put_number(const struct record_field *f, int64_t number, void *at)
{
    int64_t max = f->kind == RECORD_BYTE    ? UINT8_MAX
                  : f->kind == RECORD_PORT  ? UINT16_MAX
                  : f->kind == RECORD_COUNT ? INT32_MAX
                                            : INT64_MAX;
    if ((f->kind != RECORD_NUMBER && number < 0) || number > max)
        return -EBADMSG;
    if (f->kind == RECORD_BYTE)
        *(uint8_t *)at = (uint8_t)number;
    else if (f->kind == RECORD_PORT)
        *(uint16_t *)at = (uint16_t)number;
    else if (f->kind == RECORD_COUNT)
        *(unsigned *)at = (unsigned)number;
    else if (f->kind == RECORD_WALL)
        *(uint64_t *)at = (uint64_t)number;
    else
        *(int64_t *)at = number;
    return 0;
}

static int read_absent(const struct record_field *f, void *at)
{
    if (f->is_required)
        return -EBADMSG;
    if (f->kind == RECORD_TEXT || f->kind == RECORD_IP || f->kind == RECORD_BOOL)
        memset(at, 0, f->size);
    else if (f->kind == RECORD_HEX)
        *(int64_t *)at = f->absent;
    else
        return put_number(f, f->absent, at);
    return 0;
}

static int read_value(const struct record_field *f, struct json_object *value, void *at)
{
    switch (f->kind) {
    case RECORD_TEXT:
        return read_text(value, at, f->size);
    case RECORD_IP:
        return read_ip(value, at);
    case RECORD_HEX:
        return read_hex(value, at);
    case RECORD_BOOL:
        if (!json_object_is_type(value, json_type_boolean))
            return -EBADMSG;
        *(bool *)at = json_object_get_boolean(value);
        return 0;
    default:
        /* json-c clamps what does not fit into 64 bits. */
        return json_object_is_type(value, json_type_int) &&
                       json_object_get_uint64(value) <= INT64_MAX
                   ? put_number(f, json_object_get_int64(value), at)
                   : -EBADMSG;
    }
}

int record_read(struct json_object *object, const struct record_field *fields, size_t n, void *to)
{
    int r = 0;
    for (size_t i = 0; i < n && r == 0; i++) {
        struct json_object *value = field_get(object, fields[i].name);
        void *at = (char *)to + fields[i].offset;
        r = value ? read_value(&fields[i], value, at) : read_absent(&fields[i], at);
    }
    return r;
}

int record_read_list(struct json_object *object, const char *name, size_t max,
                     int (*read)(struct json_object *value, void *to), void *to, size_t size,
                     unsigned *ret_n)
{
    struct json_object *array = NULL;
    size_t n = 0;
    int r = field_array(object, name, max, &array, &n);
    for (size_t i = 0; i < n && r == 0; i++)
        r = read(json_object_array_get_idx(array, i), (char *)to + i * size);
    if (r == 0)
        *ret_n = (unsigned)n;
    return r;
}
