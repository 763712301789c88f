/* SPDX-License-Identifier: MIT */
#include "base/fields.h"

#include "base/text.h"

#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <string.h>

#define DEPTH_MAX 8

int fields_add(struct json_object *object, const char *name, struct json_object *value)
{
    if (value && json_object_object_add(object, name, value) == 0)
        return 0;
    json_object_put(value);
    return -ENOMEM;
}

struct json_object *fields_append(struct json_object *array)
{
    struct json_object *object = json_object_new_object();
    if (object && json_object_array_add(array, object) == 0)
        return object;
    json_object_put(object);
    return NULL;
}

struct json_object *fields_add_list(struct json_object *object, const char *name)
{
    struct json_object *list = json_object_new_array();
    return fields_add(object, name, list) == 0 ? list : NULL;
}

struct json_object *fields_begin(const char *api_version, const char *kind)
{
    struct json_object *object = json_object_new_object();
    if (object && fields_add(object, "apiVersion", json_object_new_string(api_version)) == 0 &&
        fields_add(object, "kind", json_object_new_string(kind)) == 0)
        return object;
    json_object_put(object);
    return NULL;
}

static bool is_text(struct json_object *object, const char *name, const char *want)
{
    struct json_object *value;
    return json_object_object_get_ex(object, name, &value) &&
           json_object_is_type(value, json_type_string) &&
           strcmp(json_object_get_string(value), want) == 0;
}

bool fields_is(struct json_object *object, const char *api_version, const char *kind)
{
    return is_text(object, "apiVersion", api_version) && is_text(object, "kind", kind);
}

/* json-c escapes C0 alone. */
int fields_json(struct json_object *value, struct buf *out)
{
    size_t len;
    const char *text = json_object_to_json_string_length(
        value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);
    return text ? text_add_escaped(out, text, len) : -ENOMEM;
}

int fields_end(struct json_object *object, int r, struct buf *out)
{
    if (r == 0)
        r = fields_json(object, out);
    json_object_put(object);
    return r;
}

int fields_array(struct json_object *object, const char *name, size_t max,
                 struct json_object **ret_array, size_t *ret_n)
{
    struct json_object *array;
    *ret_array = NULL;
    *ret_n = 0;
    if (!json_object_object_get_ex(object, name, &array) || !array)
        return 0;
    if (!json_object_is_type(array, json_type_array) || json_object_array_length(array) > max)
        return -EBADMSG;
    *ret_array = array;
    *ret_n = json_object_array_length(array);
    return 0;
}

int fields_parse(const char *text, size_t len, size_t max, struct json_object **ret_object)
{
    if (len == 0 || len > max || len > INT_MAX || !text_is_utf8(text, len))
        return -EBADMSG;
    struct json_tokener *tokener = json_tokener_new_ex(DEPTH_MAX);
    if (!tokener)
        return -ENOMEM;
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
    struct json_object *object = json_tokener_parse_ex(tokener, text, (int)len);
    size_t end = json_tokener_get_parse_end(tokener);
    json_tokener_free(tokener);
    while (end < len && strchr(" \t\r\n", text[end]))
        end++;
    if (object && end == len && json_object_is_type(object, json_type_object)) {
        *ret_object = object;
        return 0;
    }
    json_object_put(object);
    return -EBADMSG;
}
