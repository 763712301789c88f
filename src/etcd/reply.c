/* SPDX-License-Identifier: MIT */
#include "etcd/message.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#include "pool.h"
#include "field.h"
#include "status.h"

#define TEXTS_MAX 64

/* The first error wins; lets a list of fields be read as a list. */
static int both(int a, int b)
{
    return a < 0 ? a : b;
}

static int parse_header(struct json_object *object, struct etcd_header *header)
{
    struct json_object *h = NULL;
    int r = field_object(object, "header", &h);
    if (r < 0 || !h)
        return r < 0 ? r : -EBADMSG;
    r = field_u64(h, "cluster_id", &header->cluster_id);
    r = both(r, field_u64(h, "member_id", &header->member_id));
    r = both(r, field_u64(h, "raft_term", &header->raft_term));
    return both(r, field_i64(h, "revision", &header->revision));
}

static int parse_kv(struct json_object *object, struct etcd_pool **pool, struct etcd_kv *kv)
{
    if (!object)
        return -EBADMSG;
    kv->key = kv->value = "";
    int r = field_bytes(object, "key", pool, &kv->key, &kv->key_len);
    r = both(r, field_bytes(object, "value", pool, &kv->value, &kv->value_len));
    r = both(r, field_i64(object, "create_revision", &kv->create_revision));
    r = both(r, field_i64(object, "mod_revision", &kv->mod_revision));
    r = both(r, field_i64(object, "version", &kv->version));
    r = both(r, field_i64(object, "lease", &kv->lease));
    return both(r, kv->key_len == 0 ? -EBADMSG : 0);
}

static int parse_kvs(struct json_object *object, const char *name, struct etcd_pool **pool,
                     struct etcd_response *response)
{
    struct json_object *array = NULL;
    size_t n = 0;
    int r = field_array(object, name, ETCD_KVS_MAX, &array, &n);
    if (r < 0 || n == 0)
        return r;
    struct etcd_kv *kvs = pool_alloc(pool, n, sizeof(*kvs));
    if (!kvs)
        return -ENOMEM;
    for (size_t i = 0; i < n && r == 0; i++)
        r = parse_kv(field_element(array, i), pool, &kvs[i]);
    response->kvs = kvs;
    response->n_kvs = n;
    return r;
}

static int parse_range(struct json_object *object, struct etcd_pool **pool,
                       struct etcd_response *response)
{
    response->kind = ETCD_OP_RANGE;
    int r = parse_kvs(object, "kvs", pool, response);
    r = both(r, field_i64(object, "count", &response->count));
    return both(r, field_bool(object, "more", &response->more));
}

static int parse_response(struct json_object *object, struct etcd_pool **pool,
                          struct etcd_response *response)
{
    struct json_object *o = NULL;
    if (!object)
        return -EBADMSG;
    int r = field_object(object, "response_range", &o);
    if (r < 0 || o)
        return both(r, r < 0 ? 0 : parse_range(o, pool, response));
    r = field_object(object, "response_delete_range", &o);
    if (r == 0 && o) {
        response->kind = ETCD_OP_DELETE;
        return field_i64(o, "deleted", &response->deleted);
    }
    r = both(r, field_object(object, "response_put", &o));
    response->kind = ETCD_OP_PUT;
    return both(r, o ? 0 : -EBADMSG);
}

static int parse_txn(struct json_object *object, struct etcd_reply *reply)
{
    struct json_object *array = NULL;
    size_t n = 0;
    int r = field_bool(object, "succeeded", &reply->succeeded);
    r = both(r, field_array(object, "responses", ETCD_OPS_MAX, &array, &n));
    if (r < 0 || n == 0)
        return r;
    struct etcd_response *responses = pool_alloc(&reply->pool, n, sizeof(*responses));
    if (!responses)
        return -ENOMEM;
    for (size_t i = 0; i < n && r == 0; i++)
        r = parse_response(field_element(array, i), &reply->pool, &responses[i]);
    reply->responses = responses;
    reply->n_responses = n;
    return r;
}

static int parse_range_reply(struct json_object *object, struct etcd_reply *reply)
{
    struct etcd_response *response = pool_alloc(&reply->pool, 1, sizeof(*response));
    if (!response)
        return -ENOMEM;
    reply->responses = response;
    reply->n_responses = 1;
    return parse_range(object, &reply->pool, response);
}

static int parse_lease(struct json_object *object, struct etcd_reply *reply)
{
    int r = field_i64(object, "ID", &reply->lease);
    return both(r, field_i64(object, "TTL", &reply->ttl_s));
}

static int parse_time_to_live(struct json_object *object, struct etcd_reply *reply)
{
    return both(parse_lease(object, reply), field_i64(object, "grantedTTL", &reply->granted_s));
}

static int parse_member(struct json_object *object, struct etcd_pool **pool,
                        struct etcd_member *member)
{
    if (!object)
        return -EBADMSG;
    member->name = "";
    int r = field_u64(object, "ID", &member->id);
    r = both(r, field_text(object, "name", pool, &member->name));
    r = both(r, field_texts(object, "peerURLs", TEXTS_MAX, pool, &member->peer_urls,
                            &member->n_peer_urls));
    r = both(r, field_texts(object, "clientURLs", TEXTS_MAX, pool, &member->client_urls,
                            &member->n_client_urls));
    return both(r, field_bool(object, "isLearner", &member->is_learner));
}

static int parse_members(struct json_object *object, struct etcd_reply *reply)
{
    struct json_object *array = NULL;
    size_t n = 0;
    int r = field_array(object, "members", ETCD_MEMBERS_MAX, &array, &n);
    if (r < 0 || n == 0)
        return r < 0 ? r : -EBADMSG;
    struct etcd_member *members = pool_alloc(&reply->pool, n, sizeof(*members));
    if (!members)
        return -ENOMEM;
    for (size_t i = 0; i < n && r == 0; i++)
        r = parse_member(field_element(array, i), &reply->pool, &members[i]);
    reply->members = members;
    reply->n_members = n;
    return r;
}

static int parse_status(struct json_object *object, struct etcd_reply *reply)
{
    struct etcd_member_status *s = &reply->member_status;
    s->version = "";
    int r = field_text(object, "version", &reply->pool, &s->version);
    r = both(r, field_i64(object, "dbSize", &s->db_size));
    r = both(r, field_i64(object, "dbSizeInUse", &s->db_in_use));
    r = both(r, field_i64(object, "dbSizeQuota", &s->db_quota));
    r = both(r, field_u64(object, "leader", &s->leader));
    r = both(r, field_u64(object, "raftTerm", &s->raft_term));
    r = both(r, field_u64(object, "raftIndex", &s->raft_index));
    r = both(r, field_bool(object, "isLearner", &s->is_learner));
    return both(r,
                field_texts(object, "errors", TEXTS_MAX, &reply->pool, &s->errors, &s->n_errors));
}

static int parse_event(struct json_object *object, struct etcd_pool **pool,
                       struct etcd_event *event)
{
    struct json_object *kv = NULL, *type;
    int64_t number = -1;
    if (!object)
        return -EBADMSG;
    type = field_get(object, "type");
    if (!type || (json_object_is_type(type, json_type_string) &&
                  strcmp(json_object_get_string(type), "PUT") == 0))
        number = ETCD_EVENT_PUT;
    else if (json_object_is_type(type, json_type_string) &&
             strcmp(json_object_get_string(type), "DELETE") == 0)
        number = ETCD_EVENT_DELETE;
    else if (json_object_is_type(type, json_type_int))
        number = json_object_get_int64(type);
    if (number != ETCD_EVENT_PUT && number != ETCD_EVENT_DELETE)
        return -EBADMSG;
    event->type = number == ETCD_EVENT_PUT ? ETCD_EVENT_PUT : ETCD_EVENT_DELETE;
    int r = field_object(object, "kv", &kv);
    return both(r, r < 0 ? 0 : parse_kv(kv, pool, &event->kv));
}

static int parse_watch(struct json_object *object, struct etcd_reply *reply)
{
    struct json_object *array = NULL;
    const char *reason = NULL;
    size_t n = 0;
    int r = field_i64(object, "watch_id", &reply->watch_id);
    r = both(r, field_bool(object, "created", &reply->created));
    r = both(r, field_bool(object, "canceled", &reply->canceled));
    r = both(r, field_i64(object, "compact_revision", &reply->compact_revision));
    r = both(r, field_text(object, "cancel_reason", &reply->pool, &reason));
    r = both(r, field_array(object, "events", ETCD_KVS_MAX, &array, &n));
    if (r == 0 && n > 0) {
        struct etcd_event *events = pool_alloc(&reply->pool, n, sizeof(*events));
        if (!events)
            return -ENOMEM;
        for (size_t i = 0; i < n && r == 0; i++)
            r = parse_event(field_element(array, i), &reply->pool, &events[i]);
        reply->events = events;
        reply->n_events = n;
    }
    if (r == 0 && reply->canceled) {
        if (reply->compact_revision > 0) {
            etcd_reply_fail(reply, ETCD_COMPACTED, "the history up to there was compacted");
        } else {
            const char *text = reason && *reason ? reason : "cancelled without a reason";
            status_copy_text(reply->message, sizeof(reply->message), text, strlen(text));
            reply->status = status_from_code(2, text);
            if (!reply->message[0])
                etcd_reply_fail(reply, reply->status, "cancelled");
        }
    }
    return r;
}

/* Returns whether it is an error; the shapes of 3.4 and of later versions, unary and stream. */
static bool parse_error(struct json_object *object, struct etcd_reply *reply)
{
    struct json_object *error = field_get(object, "error"), *holder = object;
    const char *text = NULL;
    int64_t code = -1;
    if (error && json_object_is_type(error, json_type_object))
        holder = error;
    else if (error && json_object_is_type(error, json_type_string) &&
             json_object_get_string_len(error) > 0)
        text = json_object_get_string(error);
    else if (error || field_get(object, "header") || field_get(object, "result") ||
             !field_get(object, "code"))
        return false;
    if (field_get(holder, "grpc_code"))
        field_i64(holder, "grpc_code", &code);
    else
        field_i64(holder, "code", &code);
    struct json_object *message = field_get(holder, "message");
    if (message && json_object_is_type(message, json_type_string))
        text = json_object_get_string(message);
    text = text ? text : "";
    reply->code = code >= 0 && code <= 64 ? (int)code : -1;
    status_copy_text(reply->message, sizeof(reply->message), text, strlen(text));
    if (!reply->message[0])
        etcd_reply_fail(reply, ETCD_REFUSED, "error %d without a text", reply->code);
    reply->status = status_from_code(reply->code, text);
    return true;
}

static int parse_by_kind(enum etcd_kind kind, struct json_object *object, struct etcd_reply *reply)
{
    switch (kind) {
    case ETCD_KIND_GRANT:
    case ETCD_KIND_KEEPALIVE:
        return parse_lease(object, reply);
    case ETCD_KIND_TXN:
        return parse_txn(object, reply);
    case ETCD_KIND_RANGE:
        return parse_range_reply(object, reply);
    case ETCD_KIND_AUTHENTICATE:
        return field_text(object, "token", &reply->pool, &reply->token);
    case ETCD_KIND_STATUS:
        return parse_status(object, reply);
    case ETCD_KIND_MEMBERS:
        return parse_members(object, reply);
    case ETCD_KIND_TIME_TO_LIVE:
        return parse_time_to_live(object, reply);
    case ETCD_KIND_WATCH:
        return parse_watch(object, reply);
    default:
        return 0;
    }
}

/* What a well-formed answer must hold to count as success. */
static int check(enum etcd_kind kind, struct etcd_reply *reply)
{
    if (kind == ETCD_KIND_GRANT && (reply->lease <= 0 || reply->ttl_s <= 0))
        return -EBADMSG;
    if (kind == ETCD_KIND_KEEPALIVE && reply->lease <= 0)
        return -EBADMSG;
    /* A lease that is gone is answered with 200 and no TTL. */
    if (kind == ETCD_KIND_KEEPALIVE && reply->ttl_s <= 0)
        etcd_reply_fail(reply, ETCD_LEASE_GONE, "the lease is gone");
    /* -1: there is none. 0 is a lease in its last second. */
    if (kind == ETCD_KIND_TIME_TO_LIVE && reply->lease <= 0)
        return -EBADMSG;
    if (kind == ETCD_KIND_TIME_TO_LIVE && (reply->ttl_s < 0 || reply->granted_s <= 0))
        etcd_reply_fail(reply, ETCD_LEASE_GONE, "the lease is gone");
    if (kind == ETCD_KIND_AUTHENTICATE && (!reply->token || !*reply->token))
        return -EBADMSG;
    return 0;
}

static int parse_object(enum etcd_kind kind, struct json_object *object, struct etcd_reply *reply)
{
    if (parse_error(object, reply))
        return 0;
    if (kind == ETCD_KIND_KEEPALIVE || kind == ETCD_KIND_WATCH) {
        struct json_object *result = NULL;
        int r = field_object(object, "result", &result);
        if (r < 0 || !result)
            return -EBADMSG;
        object = result;
    }
    int r = parse_header(object, &reply->header);
    r = both(r, r < 0 ? 0 : parse_by_kind(kind, object, reply));
    return both(r, r < 0 ? 0 : check(kind, reply));
}

void etcd_reply_parse(enum etcd_kind kind, const char *body, size_t len,
                      struct etcd_reply *ret_reply)
{
    struct json_object *object = NULL;
    *ret_reply = (struct etcd_reply){.status = ETCD_OK, .code = -1};
    if (len > ETCD_REPLY_MAX) {
        etcd_reply_fail(ret_reply, ETCD_BAD_REPLY, "the answer is larger than 4 MiB");
        return;
    }
    if (len == 0 || body[0] != '{') {
        status_from_text(body, len, ret_reply);
        return;
    }
    int r = field_parse(body, len, &object);
    r = both(r, r < 0 ? 0 : parse_object(kind, object, ret_reply));
    json_object_put(object);
    if (r < 0) {
        etcd_reply_done(ret_reply);
        ret_reply->code = -1;
        if (r == -ENOMEM)
            etcd_reply_fail(ret_reply, ETCD_NO_MEMORY, "out of memory");
        else
            etcd_reply_fail(ret_reply, ETCD_BAD_REPLY, "the answer is not understood");
    }
}

void etcd_reply_done(struct etcd_reply *reply)
{
    if (!reply)
        return;
    pool_free(reply->pool);
    *reply = (struct etcd_reply){0};
}
