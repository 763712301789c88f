/* SPDX-License-Identifier: MIT */
#include "field.h"

#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <string.h>

#include "pool.h"
#include "base/parse.h"
#include "base64.h"

#define DEPTH_MAX 16

/* Members and elements of everything in the text, which is known to be JSON. */
static size_t count_text(const char *text, size_t len)
{
    size_t n = 0;
    bool quoted = false, opened = false;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (c == ' ' || c == '\n' || c == '\r' || c == '\t')
            continue;
        if (opened && c != '}' && c != ']')
            n++;
        opened = !quoted && (c == '{' || c == '[');
        if (c == '"')
            quoted = !quoted;
        else if (quoted && c == '\\')
            i++;
        else if (!quoted && c == ',')
            n++;
    }
    return n;
}

/* The same of the tree; a null, which etcd never writes, spoils it. */
static size_t count_tree(struct json_object *value)
{
    size_t n = 0;
    if (!value)
        return SIZE_MAX / 2;
    if (json_object_is_type(value, json_type_object)) {
        json_object_object_foreach(value, name, member)
        {
            (void)name;
            n += 1 + count_tree(member);
        }
    } else if (json_object_is_type(value, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(value); i++)
            n += 1 + count_tree(json_object_array_get_idx(value, i));
    }
    return n;
}

int field_parse(const char *text, size_t len, struct json_object **ret_object)
{
    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r' || text[len - 1] == ' '))
        len--;
    if (len == 0 || len > INT_MAX || memchr(text, '\0', len))
        return -EBADMSG;
    struct json_tokener *tokener = json_tokener_new_ex(DEPTH_MAX);
    if (!tokener)
        return -ENOMEM;
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    struct json_object *object = json_tokener_parse_ex(tokener, text, (int)len);
    bool whole = object && json_tokener_get_error(tokener) == json_tokener_success &&
                 json_tokener_get_parse_end(tokener) == len;
    json_tokener_free(tokener);
    /* json-c leaves out what it finds no memory for, and a TTL left out would mean a lost lease;
     * of a name that comes twice it keeps one. */
    if (!whole || !json_object_is_type(object, json_type_object) ||
        count_text(text, len) != count_tree(object)) {
        json_object_put(object);
        return -EBADMSG;
    }
    *ret_object = object;
    return 0;
}

struct json_object *field_get(struct json_object *object, const char *name)
{
    struct json_object *value = NULL;
    return json_object_object_get_ex(object, name, &value) ? value : NULL;
}

int field_object(struct json_object *object, const char *name, struct json_object **ret_object)
{
    struct json_object *value = field_get(object, name);
    if (!value)
        return 0;
    if (!json_object_is_type(value, json_type_object))
        return -EBADMSG;
    *ret_object = value;
    return 0;
}

int field_array(struct json_object *object, const char *name, size_t max,
                struct json_object **ret_array, size_t *ret_n)
{
    struct json_object *value = field_get(object, name);
    if (!value)
        return 0;
    if (!json_object_is_type(value, json_type_array) || json_object_array_length(value) > max)
        return -EBADMSG;
    *ret_array = value;
    *ret_n = json_object_array_length(value);
    return 0;
}

/* A string must be a number and nothing else, and hold no NUL that hides a tail. */
static const char *plain_string(struct json_object *value)
{
    const char *text = json_object_get_string(value);
    return text && strlen(text) == (size_t)json_object_get_string_len(value) ? text : NULL;
}

int field_i64(struct json_object *object, const char *name, int64_t *ret_number)
{
    struct json_object *value = field_get(object, name);
    if (!value)
        return 0;
    if (json_object_is_type(value, json_type_int)) {
        /* json-c clamps what does not fit into 64 bits. */
        if (json_object_get_uint64(value) > INT64_MAX)
            return -EBADMSG;
        *ret_number = json_object_get_int64(value);
        return 0;
    }
    const char *text = json_object_is_type(value, json_type_string) ? plain_string(value) : NULL;
    return text && parse_i64(text, ret_number) == 0 ? 0 : -EBADMSG;
}

int field_u64(struct json_object *object, const char *name, uint64_t *ret_number)
{
    struct json_object *value = field_get(object, name);
    if (!value)
        return 0;
    if (json_object_is_type(value, json_type_int)) {
        if (json_object_get_int64(value) < 0)
            return -EBADMSG;
        *ret_number = json_object_get_uint64(value);
        return 0;
    }
    const char *text = json_object_is_type(value, json_type_string) ? plain_string(value) : NULL;
    return text && parse_u64(text, ret_number) == 0 ? 0 : -EBADMSG;
}

int field_bool(struct json_object *object, const char *name, bool *ret_bool)
{
    struct json_object *value = field_get(object, name);
    if (!value)
        return 0;
    if (!json_object_is_type(value, json_type_boolean))
        return -EBADMSG;
    *ret_bool = json_object_get_boolean(value);
    return 0;
}

static int copy_text(struct json_object *value, struct etcd_pool **pool, const char **ret_text)
{
    const char *text =
        value && json_object_is_type(value, json_type_string) ? plain_string(value) : NULL;
    if (!text)
        return -EBADMSG;
    size_t len = strlen(text);
    char *copy = pool_alloc(pool, len + 1, 1);
    if (!copy)
        return -ENOMEM;
    memcpy(copy, text, len + 1);
    *ret_text = copy;
    return 0;
}

int field_text(struct json_object *object, const char *name, struct etcd_pool **pool,
               const char **ret_text)
{
    struct json_object *value = field_get(object, name);
    return value ? copy_text(value, pool, ret_text) : 0;
}

int field_bytes(struct json_object *object, const char *name, struct etcd_pool **pool,
                const char **ret_bytes, size_t *ret_len)
{
    struct json_object *value = field_get(object, name);
    if (!value)
        return 0;
    if (!json_object_is_type(value, json_type_string))
        return -EBADMSG;
    const char *text = json_object_get_string(value);
    size_t len = (size_t)json_object_get_string_len(value);
    char *bytes = pool_alloc(pool, BASE64_DECODED_MAX(len) + 1, 1);
    if (!bytes)
        return -ENOMEM;
    int r = base64_decode(text, len, bytes, ret_len);
    if (r == 0)
        *ret_bytes = bytes;
    return r;
}

int field_texts(struct json_object *object, const char *name, size_t max, struct etcd_pool **pool,
                const char *const **ret_texts, size_t *ret_n)
{
    struct json_object *array = NULL;
    size_t n = 0;
    int r = field_array(object, name, max, &array, &n);
    if (r < 0 || n == 0)
        return r;
    const char **texts = pool_alloc(pool, n, sizeof(*texts));
    if (!texts)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        r = copy_text(json_object_array_get_idx(array, i), pool, &texts[i]);
        if (r < 0)
            return r;
    }
    *ret_texts = texts;
    *ret_n = n;
    return 0;
}

struct json_object *field_element(struct json_object *array, size_t i)
{
    struct json_object *value = json_object_array_get_idx(array, i);
    return value && json_object_is_type(value, json_type_object) ? value : NULL;
}
