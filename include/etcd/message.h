/* SPDX-License-Identifier: MIT */
/* etcd v3 messages in the JSON form of its gRPC gateway (etcd API reference: KV, Lease, Watch,
 * Auth, Maintenance, Cluster), spoken by 3.4, 3.5 and 3.6. Pure: bytes in, structs out; no I/O,
 * no clock. */
#ifndef TALOSVIP_ETCD_MESSAGE_H
#define TALOSVIP_ETCD_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define ETCD_REPLY_MAX (4u << 20) /* bytes of one reply, or of one line of a watch stream */
#define ETCD_REQUEST_MAX (1u << 20)
#define ETCD_KEY_MAX 1024  /* bytes of a key in a request */
#define ETCD_KVS_MAX 65536 /* keys or events in one reply */
#define ETCD_OPS_MAX 128   /* etcd's own limit for one txn */
#define ETCD_MEMBERS_MAX 64
#define ETCD_MESSAGE_MAX 320

/* How a call ended. Told from the numeric gRPC code and the message, never from the HTTP status,
 * which differs between versions for one and the same error.
 * "Unknown outcome": the request may have been carried out all the same. */
enum etcd_status {
    ETCD_OK,
    ETCD_UNAVAILABLE, /* no connection, no leader, leader changed; unknown outcome */
    ETCD_TIMEOUT,     /* nobody answered in time; unknown outcome */
    ETCD_LEASE_GONE,  /* the lease does not exist (any more) */
    ETCD_COMPACTED,   /* the revision asked for is not available: list again */
    ETCD_NOSPACE,     /* NOSPACE alarm: etcd takes no puts and grants no leases */
    ETCD_BUSY,        /* too many requests; nothing was done */
    ETCD_AUTH,        /* login refused, or a login is needed and none is configured */
    ETCD_TOKEN,       /* token not valid; the client logs in again, callers do not see it */
    ETCD_FORBIDDEN,   /* the user lacks a permission */
    ETCD_TLS,         /* certificate trouble; the message tells which */
    ETCD_NOT_GATEWAY, /* something answers, but not etcd's JSON gateway; unknown outcome */
    ETCD_GRPC_ONLY,   /* etcd's own protocol is spoken there, but its gateway is not; of
                         etcd_call_status() alone, the others say ETCD_NOT_GATEWAY */
    ETCD_BAD_REPLY,   /* not understood, or larger than ETCD_REPLY_MAX; unknown outcome */
    ETCD_REFUSED,     /* any other error of etcd's; the message tells */
    ETCD_NO_MEMORY,   /* ours ran out; unknown outcome */
    ETCD_STATUS_COUNT,
};

/* "ok", "unavailable", ...: stable words for logs and JSON. */
const char *etcd_status_name(enum etcd_status status);

enum etcd_op_kind { ETCD_OP_PUT, ETCD_OP_RANGE, ETCD_OP_DELETE };
enum etcd_target { ETCD_CREATE, ETCD_MOD, ETCD_VERSION, ETCD_LEASE };
enum etcd_order { ETCD_UNSORTED, ETCD_ASCEND, ETCD_DESCEND };
enum etcd_sort { ETCD_BY_KEY, ETCD_BY_VERSION, ETCD_BY_CREATE, ETCD_BY_MOD, ETCD_BY_VALUE };

/* One key, every key with a prefix, or [key, end). */
struct etcd_range {
    const char *key;
    size_t key_len; /* 0: strlen(key) */
    bool prefix;
    const char *end; /* exclusive; NULL: `key` alone, or its prefix */
    size_t end_len;  /* 0: strlen(end) */
    /* For reading only: */
    int64_t limit;               /* 0: no limit */
    int64_t revision;            /* 0: the newest */
    int64_t max_create_revision; /* 0: any */
    enum etcd_order order;
    enum etcd_sort sort_by;
    bool keys_only;
    bool count_only;
    bool serializable; /* the member's own view: fast, may be stale, proves nothing */
};

struct etcd_compare { /* holds when equal; a key that is absent has 0 everywhere */
    enum etcd_target target;
    const char *key;
    size_t key_len; /* 0: strlen(key) */
    int64_t number; /* revision, version or lease id */
};

struct etcd_op {
    enum etcd_op_kind kind;
    struct etcd_range range; /* a put uses the key only */
    const char *value;       /* put; NULL: empty */
    size_t value_len;        /* 0: strlen(value) */
    int64_t lease;           /* put; 0 DETACHES the key from its lease */
    bool ignore_lease;       /* put: keep the lease the key has */
};

struct etcd_txn {
    const struct etcd_compare *compares;
    size_t n_compares;
    const struct etcd_op *success;
    size_t n_success;
    const struct etcd_op *failure;
    size_t n_failure;
};

/* One create_request of a watch. */
struct etcd_watch_request {
    struct etcd_range range;
    int64_t start_revision;
    int64_t watch_id; /* not 0 */
};

/* Each appends one request body. 0, -EINVAL (an impossible key, count or number), -ENOMEM,
 * -EMSGSIZE. After an error the buf is not to be used. */
int etcd_request_grant(struct buf *b, int64_t ttl_s);
int etcd_request_lease(struct buf *b, int64_t lease); /* keepalive, revoke, time to live */
int etcd_request_txn(struct buf *b, const struct etcd_txn *txn);
int etcd_request_range(struct buf *b, const struct etcd_range *range);
/* May be called repeatedly on one buf: several watches share one stream. */
int etcd_request_watch(struct buf *b, const struct etcd_watch_request *request);
int etcd_request_authenticate(struct buf *b, const char *user, const char *password);
int etcd_request_empty(struct buf *b); /* status and member list */

/* The end of the range "every key that starts with prefix", `len` <= ETCD_KEY_MAX bytes, into
 * `out`, which has room for len + 1. Returns its length. */
size_t etcd_prefix_end(const char *prefix, size_t len, char *out);

struct etcd_header {
    uint64_t cluster_id;
    uint64_t member_id;
    uint64_t raft_term;
    int64_t revision;
};

struct etcd_kv {
    const char *key;   /* never NULL; a NUL follows its bytes */
    const char *value; /* likewise */
    size_t key_len;
    size_t value_len;
    int64_t create_revision;
    int64_t mod_revision;
    int64_t version;
    int64_t lease;
};

enum etcd_event_type { ETCD_EVENT_PUT, ETCD_EVENT_DELETE };
struct etcd_event {
    enum etcd_event_type type;
    struct etcd_kv kv; /* of a DELETE: key and mod_revision only */
};

struct etcd_response { /* of one operation of a txn, or of a range */
    enum etcd_op_kind kind;
    const struct etcd_kv *kvs;
    size_t n_kvs;
    int64_t count; /* range: keys that match, beyond `limit` too */
    int64_t deleted;
    bool more;
};

struct etcd_member {
    uint64_t id;
    const char *name; /* "" until the member has started once */
    const char *const *peer_urls;
    const char *const *client_urls;
    size_t n_peer_urls;
    size_t n_client_urls;
    bool is_learner;
};

struct etcd_member_status {
    const char *version;
    const char *const *errors;
    size_t n_errors;
    int64_t db_size;
    int64_t db_in_use;
    int64_t db_quota; /* 0: not reported (before 3.6) */
    uint64_t leader;  /* 0: none known to this member */
    uint64_t raft_index;
    uint64_t raft_term;
    bool is_learner;
};

enum etcd_kind {
    ETCD_KIND_GRANT,
    ETCD_KIND_KEEPALIVE,
    ETCD_KIND_REVOKE,
    ETCD_KIND_TXN,
    ETCD_KIND_RANGE,
    ETCD_KIND_AUTHENTICATE,
    ETCD_KIND_STATUS,
    ETCD_KIND_MEMBERS,
    ETCD_KIND_WATCH, /* one line of a stream */
    ETCD_KIND_TIME_TO_LIVE,
    ETCD_KIND_COUNT,
};

/* The path of the gateway for a kind: "/v3/kv/txn". */
const char *etcd_kind_path(enum etcd_kind kind);

struct etcd_pool;

/* Everything a reply can say; what its kind does not have is 0. Pointers live as long as the
 * reply. */
struct etcd_reply {
    enum etcd_status status;
    int code;                       /* gRPC's, -1: etcd gave none */
    char message[ETCD_MESSAGE_MAX]; /* one printable line; "" when ok */
    const char *endpoint;           /* set by the client: who answered; never NULL there */
    uint64_t sent_us;               /* set by the client: before the request that was answered
                                       (or, on failure, the first one) went to the network */
    uint64_t received_us;           /* set by the client */
    struct etcd_header header;
    int64_t lease; /* grant, keepalive */
    int64_t ttl_s; /* grant, keepalive: > 0 when ok; time to live: whole seconds that are left, so
                      that the lease ends before ttl_s + 1 */
    int64_t granted_s; /* time to live */
    bool succeeded;
    const struct etcd_response *responses; /* txn; a range has exactly one */
    size_t n_responses;
    const char *token; /* authenticate */
    const struct etcd_member *members;
    size_t n_members;
    struct etcd_member_status member_status;
    /* watch: */
    int64_t watch_id;
    int64_t compact_revision;
    bool created;
    bool canceled; /* the reason is in `status` and `message`; the stream stays open: close it */
    const struct etcd_event *events;
    size_t n_events;

    struct etcd_pool *pool; /* private */
};

/* Parses one whole reply body, an error or a text that is no JSON included: the outcome is in
 * ret_reply->status, and the reply is to be given to etcd_reply_done() in every case. */
void etcd_reply_parse(enum etcd_kind kind, const char *body, size_t len,
                      struct etcd_reply *ret_reply);
/* Frees what it points to and zeroes it. Takes NULL and a zeroed reply. */
void etcd_reply_done(struct etcd_reply *reply);
/* Sets status and message (printf), for what is told from outside the body. */
void etcd_reply_fail(struct etcd_reply *reply, enum etcd_status status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
