/* SPDX-License-Identifier: MIT */
#include "etcd/peers.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <string.h>

#include "base/parse.h"
#include "base64.h"
#include "field.h"

#define BYTES_MAX 32768
#define KEY_TEXT_LEN ((PEERS_KEY_SIZE + 2) / 3 * 4)

static bool is_session(const struct peers_session *s)
{
    return s->lease > 0 && s->incarnation > 0;
}

static bool is_same(const struct peers_session *a, const struct peers_session *b)
{
    return a->lease == b->lease && a->incarnation == b->incarnation;
}

static bool is_sound(const struct peers_record *r)
{
    bool has_owner = r->n_voters == 0;
    if (!is_session(&r->owner) || r->term <= 0 || r->window_us == 0 ||
        r->window_us > PEERS_WINDOW_MAX_US || r->n_voters > PEERS_VOTERS_MAX ||
        r->n_owned > RECORD_VIPS_MAX)
        return false;
    for (unsigned i = 0; i < r->n_voters; i++) {
        if (!is_session(&r->voters[i]))
            return false;
        for (unsigned k = 0; k < i; k++)
            if (is_same(&r->voters[i], &r->voters[k]))
                return false;
        has_owner |= is_same(&r->voters[i], &r->owner);
    }
    for (unsigned i = 0; i < r->n_owned; i++)
        if (r->owned[i] <= 0)
            return false;
    return has_owner;
}

static void add_session(struct buf *out, const struct peers_session *s)
{
    buf_printf(out, "\"lease\":\"%" PRIx64 "\",\"incarnation\":\"%" PRIx64 "\"", (uint64_t)s->lease,
               s->incarnation);
}

int peers_record_write(const struct peers_record *r, struct buf *out)
{
    if (!is_sound(r))
        return -EINVAL;
    buf_putc(out, '{');
    add_session(out, &r->owner);
    buf_printf(out, ",\"term\":%" PRId64 ",\"windowUs\":%" PRIu32 ",\"voters\":[", r->term,
               r->window_us);
    for (unsigned i = 0; i < r->n_voters; i++) {
        buf_puts(out, i ? ",{" : "{");
        add_session(out, &r->voters[i]);
        buf_putc(out, '}');
    }
    buf_puts(out, "],\"owned\":[");
    for (unsigned i = 0; i < r->n_owned; i++)
        buf_printf(out, "%s%" PRId64, i ? "," : "", r->owned[i]);
    return buf_puts(out, "]}");
}

/* NULL unless it is text without a NUL, shorter than `size`. */
static const char *text_of(struct json_object *object, const char *name, size_t size)
{
    struct json_object *value = field_get(object, name);
    if (!json_object_is_type(value, json_type_string))
        return NULL;
    const char *text = json_object_get_string(value);
    size_t len = (size_t)json_object_get_string_len(value);
    return text && len < size && strlen(text) == len ? text : NULL;
}

static int read_session(struct json_object *object, struct peers_session *ret)
{
    const char *lease = text_of(object, "lease", 17);
    const char *incarnation = text_of(object, "incarnation", 17);
    uint64_t number;
    if (!lease || !incarnation || parse_hex(lease, &number) < 0 || number > INT64_MAX ||
        parse_hex(incarnation, &ret->incarnation) < 0)
        return -EBADMSG;
    ret->lease = (int64_t)number;
    return 0;
}

static int read_voters(struct json_object *object, struct peers_record *ret)
{
    struct json_object *list = NULL;
    size_t n = 0;
    int r = field_array(object, "voters", PEERS_VOTERS_MAX, &list, &n);
    for (size_t i = 0; i < n && r == 0; i++) {
        struct json_object *element = field_element(list, i);
        r = element ? read_session(element, &ret->voters[i]) : -EBADMSG;
    }
    ret->n_voters = (unsigned)n;
    return list ? r : -EBADMSG;
}

static int read_owned(struct json_object *object, struct peers_record *ret)
{
    struct json_object *list = NULL;
    size_t n = 0;
    int r = field_array(object, "owned", RECORD_VIPS_MAX, &list, &n);
    for (size_t i = 0; i < n && r == 0; i++) {
        struct json_object *element = json_object_array_get_idx(list, i);
        ret->owned[i] =
            json_object_is_type(element, json_type_int) ? json_object_get_int64(element) : 0;
    }
    ret->n_owned = (unsigned)n;
    return list ? r : -EBADMSG;
}

static int read_record(struct json_object *object, struct peers_record *ret)
{
    int64_t window = 0;
    int r = read_session(object, &ret->owner);
    if (r == 0)
        r = field_i64(object, "term", &ret->term);
    if (r == 0)
        r = field_i64(object, "windowUs", &window);
    if (r == 0)
        r = read_voters(object, ret);
    if (r == 0)
        r = read_owned(object, ret);
    if (r < 0 || window <= 0 || window > PEERS_WINDOW_MAX_US)
        return -EBADMSG;
    ret->window_us = (uint32_t)window;
    return is_sound(ret) ? 0 : -EBADMSG;
}

int peers_record_parse(const char *text, size_t len, struct peers_record *ret_record)
{
    struct peers_record record = {.n_voters = 0};
    struct json_object *object;
    int r = len > BYTES_MAX ? -EBADMSG : field_parse(text, len, &object);
    if (r < 0)
        return r;
    r = read_record(object, &record);
    json_object_put(object);
    if (r == 0)
        *ret_record = record;
    return r;
}

bool peers_record_equal(const struct peers_record *a, const struct peers_record *b)
{
    if (a->n_voters != b->n_voters || a->n_owned != b->n_owned || a->window_us != b->window_us ||
        a->term != b->term || !is_same(&a->owner, &b->owner))
        return false;
    for (unsigned i = 0; i < a->n_voters; i++)
        if (!is_same(&a->voters[i], &b->voters[i]))
            return false;
    return memcmp(a->owned, b->owned, a->n_owned * sizeof(a->owned[0])) == 0;
}

int peers_key_write(const struct peers_key *k, struct buf *out)
{
    if (k->generation == 0 || k->generation > INT64_MAX)
        return -EINVAL;
    buf_printf(out, "{\"generation\":%" PRIu64 ",\"current\":\"", k->generation);
    base64_add(out, k->current, sizeof(k->current));
    if (k->has_previous) {
        buf_puts(out, "\",\"previous\":\"");
        base64_add(out, k->previous, sizeof(k->previous));
    }
    return buf_puts(out, "\"}");
}

static int read_key(struct json_object *object, const char *name, uint8_t out[PEERS_KEY_SIZE])
{
    char bytes[BASE64_DECODED_MAX(KEY_TEXT_LEN)];
    const char *text = text_of(object, name, KEY_TEXT_LEN + 1);
    size_t n = 0;
    int r = -EBADMSG;
    if (text && base64_decode(text, strlen(text), bytes, &n) == 0 && n == PEERS_KEY_SIZE) {
        memcpy(out, bytes, n);
        r = 0;
    }
    explicit_bzero(bytes, sizeof(bytes));
    return r;
}

int peers_key_parse(const char *text, size_t len, struct peers_key *ret_key)
{
    struct peers_key key = {.generation = 0};
    struct json_object *object;
    int r = len > BYTES_MAX ? -EBADMSG : field_parse(text, len, &object);
    if (r < 0)
        return r;
    r = field_u64(object, "generation", &key.generation);
    if (r == 0 && (key.generation == 0 || key.generation > INT64_MAX))
        r = -EBADMSG;
    if (r == 0)
        r = read_key(object, "current", key.current);
    key.has_previous = field_get(object, "previous") != NULL;
    if (r == 0 && key.has_previous)
        r = read_key(object, "previous", key.previous);
    json_object_put(object);
    if (r == 0)
        *ret_key = key;
    explicit_bzero(&key, sizeof(key));
    return r;
}

void peers_key_next(const struct peers_key *old, const uint8_t fresh[PEERS_KEY_SIZE],
                    struct peers_key *ret_key)
{
    struct peers_key next = {.generation = old ? old->generation + 1 : 1, .has_previous = old};
    memcpy(next.current, fresh, sizeof(next.current));
    if (old)
        memcpy(next.previous, old->current, sizeof(next.previous));
    *ret_key = next;
}
