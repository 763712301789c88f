/* SPDX-License-Identifier: MIT */
#include "status_fields.h"

#include "base/text.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 8
#define BYTES_MAX (4u << 20)

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

static int read_number(struct json_object *value, int64_t least, int64_t *to)
{
    if (!json_object_is_type(value, json_type_int) || json_object_get_int64(value) < least)
        return -EBADMSG;
    *to = json_object_get_int64(value);
    return 0;
}

static int read_count(struct json_object *value, uint64_t *to)
{
    int64_t sign;
    if (read_number(value, 0, &sign) < 0)
        return -EBADMSG;
    *to = json_object_get_uint64(value);
    return 0;
}

static int read_bool(struct json_object *value, bool *to)
{
    if (!json_object_is_type(value, json_type_boolean))
        return -EBADMSG;
    *to = json_object_get_boolean(value);
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

static int read_hex(struct json_object *value, int64_t *to)
{
    char text[17];
    if (read_text(value, text, sizeof(text)) < 0 || !text[0] ||
        text[strspn(text, "0123456789abcdef")])
        return -EBADMSG;
    *to = (int64_t)strtoull(text, NULL, 16);
    return 0;
}

static int read_ip(struct json_object *value, struct ip *to)
{
    char text[IP_TEXT_MAX];
    return read_text(value, text, sizeof(text)) < 0 || ip_parse(text, to) < 0 ? -EBADMSG : 0;
}

static int read_queue(struct json_object *value, struct api_vip *vip)
{
    if (!json_object_is_type(value, json_type_array) ||
        json_object_array_length(value) > API_QUEUE_MAX)
        return -EBADMSG;
    vip->queued = (unsigned)json_object_array_length(value);
    for (unsigned i = 0; i < vip->queued; i++)
        if (read_text(json_object_array_get_idx(value, i), vip->queue[i], API_NAME_MAX) < 0)
            return -EBADMSG;
    return 0;
}

static int read_field(const struct status_field *f, struct json_object *value, void *to)
{
    void *at = (char *)to + f->offset;
    switch (f->kind) {
    case KIND_TEXT_OR_NULL:
    case KIND_TEXT:
        if (!value && f->kind == KIND_TEXT_OR_NULL)
            return 0;
        return read_text(value, at, f->size);
    case KIND_INT_OR_NULL:
        if (value)
            return read_number(value, 0, at);
        *(int64_t *)at = -1;
        return 0;
    case KIND_INT:
        return read_number(value, INT64_MIN, at);
    case KIND_COUNT:
        return read_count(value, at);
    case KIND_BOOL:
        return read_bool(value, at);
    case KIND_UP_DOWN:
        return read_up_down(value, at);
    case KIND_HEX:
        return read_hex(value, at);
    case KIND_IP:
        return read_ip(value, at);
    case KIND_QUEUE:
        return read_queue(value, to);
    }
    return -EBADMSG;
}

/* Every field must be there; fields of a later version are passed over. */
static int read_fields(struct json_object *o, const struct status_field *fields, size_t n, void *to)
{
    for (size_t i = 0; i < n; i++) {
        struct json_object *in = o, *value;
        if (!json_object_is_type(o, json_type_object) ||
            (fields[i].group && !json_object_object_get_ex(o, fields[i].group, &in)) ||
            !json_object_is_type(in, json_type_object) ||
            !json_object_object_get_ex(in, fields[i].name, &value) ||
            read_field(&fields[i], value, to) < 0)
            return -EBADMSG;
    }
    return 0;
}

/* A list of at most `max` objects of `size` bytes. What was allocated is the caller's to free, also
 * on failure. */
static int read_list(struct json_object *o, const char *name, const struct status_field *fields,
                     size_t n_fields, size_t size, size_t max, void **ret_list, unsigned *ret_n)
{
    struct json_object *list;
    if (!json_object_object_get_ex(o, name, &list) || !json_object_is_type(list, json_type_array) ||
        json_object_array_length(list) > max)
        return -EBADMSG;
    size_t n = json_object_array_length(list);
    if (n == 0)
        return 0;
    char *items = calloc(n, size);
    if (!items)
        return -ENOMEM;
    *ret_list = items;
    *ret_n = (unsigned)n;
    for (size_t i = 0; i < n; i++)
        if (read_fields(json_object_array_get_idx(list, i), fields, n_fields, items + i * size) < 0)
            return -EBADMSG;
    return 0;
}

static int read_lists(struct json_object *o, struct api_status *status)
{
    void *vips = NULL, *checks = NULL, *peers = NULL;
    struct json_object *group = NULL;
    int r = read_list(o, "vips", status_vip_fields, STATUS_VIP_FIELDS, sizeof(struct api_vip),
                      API_VIPS_MAX, &vips, &status->n_vips);
    if (r == 0)
        r = read_list(o, "health", status_check_fields, STATUS_CHECK_FIELDS,
                      sizeof(struct api_check), API_CHECKS_MAX, &checks, &status->n_checks);
    status->vips = vips;
    status->checks = checks;
    json_object_object_get_ex(o, "peers", &group);
    if (r == 0)
        r = read_list(group, "agents", status_peer_fields, STATUS_PEER_FIELDS,
                      sizeof(struct api_peer), API_PEERS_MAX, &peers, &status->peers.n);
    status->peers.list = peers;
    return r;
}

static int read_header(struct json_object *o)
{
    struct json_object *version, *kind;
    char text[32];
    bool is_ours = json_object_is_type(o, json_type_object) &&
                   json_object_object_get_ex(o, "apiVersion", &version) &&
                   json_object_object_get_ex(o, "kind", &kind) &&
                   read_text(version, text, sizeof(text)) == 0 &&
                   strcmp(text, STATUS_API_VERSION) == 0 &&
                   read_text(kind, text, sizeof(text)) == 0 && strcmp(text, STATUS_KIND) == 0;
    return is_ours ? 0 : -EBADMSG;
}

/* The one JSON value `text` is, or NULL. */
static int parse_json(const char *text, size_t len, struct json_object **ret_object)
{
    if (len == 0 || len > BYTES_MAX || !text_is_utf8(text, len))
        return -EBADMSG;
    struct json_tokener *tok = json_tokener_new_ex(DEPTH_MAX);
    if (!tok)
        return -ENOMEM;
    json_tokener_set_flags(tok, JSON_TOKENER_STRICT);
    struct json_object *o = json_tokener_parse_ex(tok, text, (int)len);
    size_t end = json_tokener_get_parse_end(tok);
    json_tokener_free(tok);
    while (end < len && strchr(" \t\r\n", text[end]))
        end++;
    if (o && end == len) {
        *ret_object = o;
        return 0;
    }
    json_object_put(o);
    return -EBADMSG;
}

int api_status_parse(const char *text, size_t len, struct api_status *ret_status)
{
    struct api_status status = {.n_vips = 0};
    struct json_object *o = NULL;
    int r = parse_json(text, len, &o);
    if (r == 0)
        r = read_header(o);
    if (r == 0)
        r = read_fields(o, status_fields, STATUS_FIELDS, &status);
    if (r == 0)
        r = read_lists(o, &status);
    json_object_put(o);
    if (r < 0) {
        api_status_done(&status);
        return r;
    }
    *ret_status = status;
    return 0;
}

void api_status_done(struct api_status *status)
{
    if (!status)
        return;
    free(status->vips);
    free(status->checks);
    free(status->peers.list);
    status->vips = NULL;
    status->checks = NULL;
    status->peers.list = NULL;
    status->peers.n = 0;
    status->n_vips = status->n_checks = 0;
}
