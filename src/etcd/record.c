/* SPDX-License-Identifier: MIT */
#include "etcd/record.h"

#include "base/clock.h"
#include "base/parse.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#define RECORD_MAX 16384
#define RECORD_DEPTH 8

static int add_text(struct json_object *o, const char *name, const char *text)
{
    struct json_object *value = json_object_new_string(text);
    if (!value || json_object_object_add(o, name, value) < 0) {
        json_object_put(value);
        return -ENOMEM;
    }
    return 0;
}

static int add_number(struct json_object *o, const char *name, int64_t number)
{
    struct json_object *value = json_object_new_int64(number);
    if (!value || json_object_object_add(o, name, value) < 0) {
        json_object_put(value);
        return -ENOMEM;
    }
    return 0;
}

static int add_addresses(struct json_object *o, const struct record_node *r)
{
    struct json_object *list = json_object_new_array();
    if (!list || json_object_object_add(o, "addresses", list) < 0) {
        json_object_put(list);
        return -ENOMEM;
    }
    for (unsigned i = 0; i < r->n_addresses; i++) {
        char text[IP_TEXT_MAX];
        ip_format(&r->addresses[i], text);
        struct json_object *value = json_object_new_string(text);
        if (!value || json_object_array_add(list, value) < 0) {
            json_object_put(value);
            return -ENOMEM;
        }
    }
    return 0;
}

/* Absent when unknown, as older versions leave it. */
static int add_peer(struct json_object *o, const struct record_node *r)
{
    char text[IP_TEXT_MAX];
    int e = 0;
    if (r->incarnation) {
        snprintf(text, sizeof(text), "%" PRIx64, r->incarnation);
        e = add_text(o, "incarnation", text);
    }
    if (e == 0 && r->peer_ip.family != IP_NONE) {
        ip_format(&r->peer_ip, text);
        e = add_text(o, "peerAddress", text);
        if (e == 0)
            e = add_number(o, "peerPort", r->peer_port);
    }
    return e;
}

static int write_out(struct json_object *o, int r, struct buf *out)
{
    const char *text = r < 0 ? NULL : json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN);
    if (r == 0)
        r = text ? buf_puts(out, text) : -ENOMEM;
    json_object_put(o);
    return r;
}

int record_node_write(const struct record_node *record, struct buf *out)
{
    struct json_object *o = json_object_new_object();
    if (!o)
        return -ENOMEM;
    int r = add_text(o, "node", record->node);
    if (r == 0)
        r = add_text(o, "machineId", record->machine_id);
    if (r == 0)
        r = add_text(o, "agent", record->version);
    if (r == 0)
        r = add_addresses(o, record);
    if (r == 0)
        r = add_peer(o, record);
    return write_out(o, r, out);
}

int record_released_write(const struct record_released *record, struct buf *out)
{
    char time[CLOCK_TEXT_MAX];
    struct json_object *o = json_object_new_object();
    if (!o)
        return -ENOMEM;
    clock_format_utc(record->wall_us, time);
    int r = add_text(o, "node", record->node);
    if (r == 0)
        r = add_text(o, "cause", record->cause);
    if (r == 0 && record->detail[0])
        r = add_text(o, "detail", record->detail);
    if (r == 0)
        r = add_number(o, "revision", record->revision);
    if (r == 0)
        r = add_text(o, "time", time);
    return write_out(o, r, out);
}

static struct json_object *parse(const char *text, size_t len)
{
    if (len == 0 || len > RECORD_MAX)
        return NULL;
    struct json_tokener *tok = json_tokener_new_ex(RECORD_DEPTH);
    if (!tok)
        return NULL;
    struct json_object *o = json_tokener_parse_ex(tok, text, (int)len);
    bool is_whole = json_tokener_get_error(tok) == json_tokener_success &&
                    json_tokener_get_parse_end(tok) == len;
    json_tokener_free(tok);
    if (is_whole && json_object_is_type(o, json_type_object))
        return o;
    json_object_put(o);
    return NULL;
}

static int get_text(struct json_object *o, const char *name, char *out, size_t size)
{
    struct json_object *value;
    if (!json_object_object_get_ex(o, name, &value) ||
        !json_object_is_type(value, json_type_string))
        return -EBADMSG;
    size_t len = (size_t)json_object_get_string_len(value);
    const char *text = json_object_get_string(value);
    if (len >= size || strlen(text) != len)
        return -EBADMSG;
    memcpy(out, text, len + 1);
    return 0;
}

static int get_addresses(struct json_object *o, struct record_node *r)
{
    struct json_object *list;
    if (!json_object_object_get_ex(o, "addresses", &list) ||
        !json_object_is_type(list, json_type_array))
        return -EBADMSG;
    size_t n = json_object_array_length(list);
    for (size_t i = 0; i < n && r->n_addresses < RECORD_ADDRESSES_MAX; i++) {
        struct json_object *value = json_object_array_get_idx(list, i);
        if (!json_object_is_type(value, json_type_string) ||
            ip_parse(json_object_get_string(value), &r->addresses[r->n_addresses]) < 0)
            return -EBADMSG;
        r->n_addresses++;
    }
    return 0;
}

static int get_peer(struct json_object *o, struct record_node *r)
{
    char text[IP_TEXT_MAX];
    struct json_object *port;
    if (json_object_object_get_ex(o, "incarnation", NULL) &&
        (get_text(o, "incarnation", text, sizeof(text)) < 0 ||
         parse_hex(text, &r->incarnation) < 0))
        return -EBADMSG;
    if (!json_object_object_get_ex(o, "peerAddress", NULL))
        return 0;
    if (get_text(o, "peerAddress", text, sizeof(text)) < 0 || ip_parse(text, &r->peer_ip) < 0 ||
        !json_object_object_get_ex(o, "peerPort", &port) ||
        !json_object_is_type(port, json_type_int) || json_object_get_int64(port) <= 0 ||
        json_object_get_int64(port) > UINT16_MAX)
        return -EBADMSG;
    r->peer_port = (uint16_t)json_object_get_int64(port);
    return 0;
}

int record_node_parse(const char *text, size_t len, struct record_node *ret_record)
{
    struct record_node record = {.n_addresses = 0};
    struct json_object *o = parse(text, len);
    if (!o)
        return -EBADMSG;
    int r = get_text(o, "node", record.node, sizeof(record.node));
    if (r == 0)
        r = get_text(o, "machineId", record.machine_id, sizeof(record.machine_id));
    if (r == 0)
        r = get_text(o, "agent", record.version, sizeof(record.version));
    if (r == 0)
        r = get_addresses(o, &record);
    if (r == 0)
        r = get_peer(o, &record);
    json_object_put(o);
    if (r == 0)
        *ret_record = record;
    return r;
}

int record_released_parse(const char *text, size_t len, struct record_released *ret_record)
{
    struct record_released record = {.revision = 0};
    struct json_object *revision, *o = parse(text, len);
    if (!o)
        return -EBADMSG;
    int r = get_text(o, "node", record.node, sizeof(record.node));
    if (r == 0)
        r = get_text(o, "cause", record.cause, sizeof(record.cause));
    if (r == 0 && json_object_object_get_ex(o, "detail", NULL))
        r = get_text(o, "detail", record.detail, sizeof(record.detail));
    if (r == 0 && json_object_object_get_ex(o, "revision", &revision) &&
        json_object_is_type(revision, json_type_int))
        record.revision = json_object_get_int64(revision);
    json_object_put(o);
    if (r == 0 && record.revision <= 0)
        r = -EBADMSG;
    if (r == 0)
        *ret_record = record;
    return r;
}
