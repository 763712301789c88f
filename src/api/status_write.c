/* SPDX-License-Identifier: MIT */
#include "status_fields.h"

#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

/* Takes `value` over, also on failure. NULL is JSON's null, so makers tell a lack of memory
 * through `error`. */
static int add(struct json_object *o, const char *name, struct json_object *value)
{
    if (json_object_object_add(o, name, value) == 0)
        return 0;
    json_object_put(value);
    return -ENOMEM;
}

/* A bounded text as JSON; what is not UTF-8 becomes U+FFFD, for JSON has no other bytes. */
static struct json_object *text_value(const char *text, size_t size)
{
    struct buf clean;
    struct json_object *value = NULL;
    size_t len = strnlen(text, size);
    buf_init(&clean, 0);
    buf_puts(&clean, "");
    while (len > 0) {
        enum text_kind kind;
        size_t n = text_next(text, len, &kind);
        buf_add(&clean, kind == TEXT_INVALID ? "\xef\xbf\xbd" : text, kind == TEXT_INVALID ? 3 : n);
        text += n;
        len -= n;
    }
    if (!clean.error)
        value = json_object_new_string_len(clean.data, (int)clean.len);
    buf_done(&clean);
    return value;
}

static struct json_object *hex_value(int64_t id)
{
    char text[17];
    snprintf(text, sizeof(text), "%" PRIx64, (uint64_t)id);
    return json_object_new_string(text);
}

static struct json_object *ip_value(const struct ip *ip)
{
    char text[IP_TEXT_MAX];
    ip_format(ip, text);
    return json_object_new_string(text);
}

static struct json_object *queue_value(const struct api_vip *vip)
{
    struct json_object *list = json_object_new_array();
    for (unsigned i = 0; list && i < vip->queued && i < API_QUEUE_MAX; i++) {
        struct json_object *name = text_value(vip->queue[i], API_NAME_MAX);
        if (!name || json_object_array_add(list, name) < 0) {
            json_object_put(name);
            json_object_put(list);
            return NULL;
        }
    }
    return list;
}

static struct json_object *field_value(const struct status_field *f, const void *from)
{
    const void *at = (const char *)from + f->offset;
    switch (f->kind) {
    case KIND_TEXT:
    case KIND_TEXT_OR_NULL:
        return text_value(at, f->size);
    case KIND_INT:
    case KIND_INT_OR_NULL:
        return json_object_new_int64(*(const int64_t *)at);
    case KIND_COUNT:
        return json_object_new_uint64(*(const uint64_t *)at);
    case KIND_BOOL:
        return json_object_new_boolean(*(const bool *)at);
    case KIND_UP_DOWN:
        return json_object_new_string(*(const bool *)at ? "up" : "down");
    case KIND_HEX:
        return hex_value(*(const int64_t *)at);
    case KIND_IP:
        return ip_value(at);
    case KIND_QUEUE:
        return queue_value(from);
    }
    return NULL;
}

static bool is_null(const struct status_field *f, const void *from)
{
    const void *at = (const char *)from + f->offset;
    return (f->kind == KIND_TEXT_OR_NULL && *(const char *)at == '\0') ||
           (f->kind == KIND_INT_OR_NULL && *(const int64_t *)at < 0);
}

/* The object a field is in, made where it is missing. */
static struct json_object *group_of(struct json_object *o, const char *group)
{
    struct json_object *child;
    if (!group)
        return o;
    if (json_object_object_get_ex(o, group, &child))
        return child;
    child = json_object_new_object();
    return child && add(o, group, child) == 0 ? child : NULL;
}

static int add_fields(struct json_object *o, const struct status_field *fields, size_t n,
                      const void *from)
{
    for (size_t i = 0; i < n; i++) {
        struct json_object *in = group_of(o, fields[i].group), *value = NULL;
        if (!in)
            return -ENOMEM;
        if (!is_null(&fields[i], from) && !(value = field_value(&fields[i], from)))
            return -ENOMEM;
        if (add(in, fields[i].name, value) < 0)
            return -ENOMEM;
    }
    return 0;
}

/* `etcd.connected` says the same as `etcd.error`, for those who only want yes or no. */
static int add_derived(struct json_object *o, const struct api_status *status)
{
    struct json_object *etcd = group_of(o, "etcd");
    struct json_object *value = json_object_new_boolean(!status->etcd_error[0]);
    return etcd && value ? add(etcd, "connected", value) : (json_object_put(value), -ENOMEM);
}

/* `n` objects of these fields, `size` bytes apart. */
static int add_list(struct json_object *o, const char *name, const struct status_field *fields,
                    size_t n_fields, const void *from, size_t size, unsigned n)
{
    struct json_object *list = json_object_new_array();
    int r = list ? add(o, name, list) : -ENOMEM;
    for (unsigned i = 0; r == 0 && i < n; i++) {
        struct json_object *one = json_object_new_object();
        if (!one || json_object_array_add(list, one) < 0) {
            json_object_put(one);
            return -ENOMEM;
        }
        r = add_fields(one, fields, n_fields, (const char *)from + i * size);
    }
    return r;
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static int add_lists(struct json_object *o, const struct api_status *status)
{
    int r = add_list(o, "vips", status_vip_fields, STATUS_VIP_FIELDS, status->vips,
                     sizeof(*status->vips), least(status->n_vips, API_VIPS_MAX));
    if (r == 0)
        r = add_list(o, "health", status_check_fields, STATUS_CHECK_FIELDS, status->checks,
                     sizeof(*status->checks), least(status->n_checks, API_CHECKS_MAX));
    if (r == 0)
        r = add_list(group_of(o, "peers"), "agents", status_peer_fields, STATUS_PEER_FIELDS,
                     status->peers.list, sizeof(*status->peers.list),
                     least(status->peers.n, API_PEERS_MAX));
    return r;
}

static int add_header(struct json_object *o)
{
    struct json_object *version = json_object_new_string(STATUS_API_VERSION);
    struct json_object *kind = json_object_new_string(STATUS_KIND);
    int r = version ? add(o, "apiVersion", version) : -ENOMEM;
    if (r < 0 || !kind) {
        json_object_put(kind);
        return -ENOMEM;
    }
    return add(o, "kind", kind);
}

int api_status_write(const struct api_status *status, struct buf *out)
{
    struct json_object *o = json_object_new_object();
    int r = o ? add_header(o) : -ENOMEM;
    if (r == 0)
        r = add_fields(o, status_fields, STATUS_FIELDS, status);
    if (r == 0)
        r = add_derived(o, status);
    if (r == 0)
        r = add_lists(o, status);
    if (r == 0) {
        size_t len;
        const char *text = json_object_to_json_string_length(
            o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);
        r = text ? buf_add(out, text, len) : -ENOMEM;
    }
    json_object_put(o);
    return r;
}
