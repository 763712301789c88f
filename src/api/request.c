/* SPDX-License-Identifier: MIT */
#include "api/request.h"

#include "base/text.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#define DEPTH 4

static int set_text(struct json_object *value, char *out, size_t size, const char **ret_why)
{
    const char *text = json_object_get_string(value);
    size_t len = (size_t)json_object_get_string_len(value);
    if (len >= size || strlen(text) != len) {
        *ret_why = "a text is too long";
        return -EINVAL;
    }
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f) {
            *ret_why = "a text holds a control character";
            return -EINVAL;
        }
    memcpy(out, text, len + 1);
    return 0;
}

static int set_field(struct api_request *r, const char *name, struct json_object *value,
                     const char **ret_why)
{
    bool is_resume = r->kind == API_RESUME;
    if (!json_object_is_type(value, json_type_string)) {
        *ret_why = "every field is a text";
        return -EINVAL;
    }
    if (strcmp(name, "by") == 0)
        return set_text(value, r->by, sizeof(r->by), ret_why);
    if (strcmp(name, "reason") == 0 && !is_resume)
        return set_text(value, r->reason, sizeof(r->reason), ret_why);
    if (strcmp(name, "to") == 0 && r->kind == API_RESIGN)
        return set_text(value, r->to, sizeof(r->to), ret_why);
    if (strcmp(name, "vip") != 0) {
        *ret_why = "there is a field that does not belong here";
        return -EINVAL;
    }
    r->has_vip = true;
    *ret_why = "vip is not an IP address";
    return ip_parse(json_object_get_string(value), &r->vip);
}

static int read_object(struct json_object *o, struct api_request *r, const char **ret_why)
{
    if (!json_object_is_type(o, json_type_object)) {
        *ret_why = "the body is not a JSON object";
        return -EINVAL;
    }
    json_object_object_foreach(o, name, value)
    {
        int e = set_field(r, name, value, ret_why);
        if (e < 0)
            return e;
    }
    return 0;
}

int api_request_parse(enum api_request_kind kind, const char *body, size_t len,
                      struct api_request *ret_request, const char **ret_why)
{
    struct api_request request = {.kind = kind};
    int r = 0;
    if (len > 0) {
        struct json_tokener *tok = json_tokener_new_ex(DEPTH);
        if (!tok)
            return -ENOMEM;
        json_tokener_set_flags(tok, JSON_TOKENER_STRICT);
        struct json_object *o = json_tokener_parse_ex(tok, body, (int)len);
        bool is_whole = json_tokener_get_error(tok) == json_tokener_success &&
                        json_tokener_get_parse_end(tok) == len && text_is_utf8(body, len);
        json_tokener_free(tok);
        *ret_why = "the body is not JSON";
        r = is_whole ? read_object(o, &request, ret_why) : -EINVAL;
        json_object_put(o);
    }
    if (r == 0 && kind == API_RESIGN && !request.has_vip) {
        *ret_why = "vip is missing";
        r = -EINVAL;
    }
    if (r == 0)
        *ret_request = request;
    return r;
}

static int add(struct json_object *o, const char *name, const char *text)
{
    struct json_object *value = text[0] ? json_object_new_string(text) : NULL;
    if (!text[0])
        return 0;
    if (!value || json_object_object_add(o, name, value) < 0) {
        json_object_put(value);
        return -ENOMEM;
    }
    return 0;
}

int api_request_write(const struct api_request *request, struct buf *out)
{
    char vip[IP_TEXT_MAX] = "";
    struct json_object *o = json_object_new_object();
    if (!o)
        return -ENOMEM;
    if (request->has_vip)
        ip_format(&request->vip, vip);
    int r = add(o, "vip", vip);
    if (r == 0)
        r = add(o, "to", request->to);
    if (r == 0)
        r = add(o, "by", request->by);
    if (r == 0)
        r = add(o, "reason", request->reason);
    const char *text = r == 0 ? json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN) : NULL;
    if (r == 0)
        r = text ? buf_puts(out, text) : -ENOMEM;
    json_object_put(o);
    return r;
}
