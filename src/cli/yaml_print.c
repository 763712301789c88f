/* SPDX-License-Identifier: MIT */
#include "yaml_print.h"

#include "base/fields.h"

#include <ctype.h>
#include <errno.h>
#include <json-c/json.h>
#include <string.h>

/* A word that begins with a letter and is no word of YAML's own stays bare. */
static bool is_plain(const char *text)
{
    static const char *const words[] = {"true", "false", "null", "yes", "no",
                                        "on",   "off",   "y",    "n",   NULL};
    if (!isalpha((unsigned char)text[0]))
        return false;
    for (const char *const *w = words; *w; w++)
        if (strcasecmp(*w, text) == 0)
            return false;
    for (const char *c = text; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("_./- ", *c))
            return false;
    return text[strlen(text) - 1] != ' ';
}

static void add_scalar(struct json_object *value, struct buf *out)
{
    if (json_object_is_type(value, json_type_string) && is_plain(json_object_get_string(value)))
        buf_puts(out, json_object_get_string(value));
    else
        fields_json(value, out);
}

static bool is_block(struct json_object *value)
{
    return (json_object_is_type(value, json_type_object) && json_object_object_length(value) > 0) ||
           (json_object_is_type(value, json_type_array) && json_object_array_length(value) > 0);
}

static void add_value(struct json_object *value, int depth, bool is_in_list, struct buf *out);

static void add_object(struct json_object *value, int depth, bool is_in_list, struct buf *out)
{
    bool is_first = true;
    json_object_object_foreach(value, name, member)
    {
        buf_printf(out, "%*s%s:", is_first && is_in_list ? 0 : 2 * depth, "", name);
        is_first = false;
        if (is_block(member)) {
            buf_putc(out, '\n');
            add_value(member, depth + 1, false, out);
        } else {
            buf_putc(out, ' ');
            add_scalar(member, out);
            buf_putc(out, '\n');
        }
    }
}

static void add_value(struct json_object *value, int depth, bool is_in_list, struct buf *out)
{
    if (!is_block(value)) {
        add_scalar(value, out);
        buf_putc(out, '\n');
    } else if (json_object_is_type(value, json_type_object)) {
        add_object(value, depth, is_in_list, out);
    } else {
        for (size_t i = 0; i < json_object_array_length(value); i++) {
            buf_printf(out, "%*s- ", i == 0 && is_in_list ? 0 : 2 * depth, "");
            add_value(json_object_array_get_idx(value, i), depth + 1, true, out);
        }
    }
}

void yaml_print(struct json_object *value, struct buf *out)
{
    add_value(value, 0, false, out);
}

int yaml_print_json(const char *json, struct buf *out)
{
    struct json_object *value = json_tokener_parse(json);
    if (!value)
        return -EBADMSG;
    yaml_print(value, out);
    json_object_put(value);
    return out->error;
}
