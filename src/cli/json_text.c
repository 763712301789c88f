/* SPDX-License-Identifier: MIT */
#include "json_text.h"

#include "base/text.h"

#include <errno.h>

struct json_object *json_text(const char *text)
{
    struct buf plain;
    struct json_object *value = NULL;
    if (!text)
        return NULL;
    buf_init(&plain, 0);
    text_add_plain(&plain, text);
    value = json_object_new_string_len(buf_str(&plain), (int)plain.len);
    buf_done(&plain);
    return value;
}

void json_put(struct json_object *to, const char *key, struct json_object *value)
{
    if (value && json_object_object_add(to, key, value) < 0)
        json_object_put(value);
}

void json_put_text(struct json_object *to, const char *key, const char *text)
{
    json_put(to, key, json_text(text));
}

void json_put_number(struct json_object *to, const char *key, size_t value)
{
    json_put(to, key, json_object_new_int64((int64_t)value));
}

void json_put_bool(struct json_object *to, const char *key, int value)
{
    json_put(to, key, json_object_new_boolean(value));
}

void json_finish(struct json_object *root, struct buf *out)
{
    const char *text = root ? json_object_to_json_string_ext(
                                  root, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE |
                                            JSON_C_TO_STRING_SPACED)
                            : NULL;
    if (text) {
        buf_puts(out, text);
        buf_putc(out, '\n');
    } else if (!out->error) {
        out->error = -ENOMEM;
    }
    json_object_put(root);
}
