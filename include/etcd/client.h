/* SPDX-License-Identifier: MIT */
/* Calls to an etcd cluster through the JSON gateway of its members (etcd v3 API), over libcurl
 * and the loop. One thread.
 *
 * Every call has a time limit of its own, and goes to one endpoint first, the one that answered
 * last. It goes to the next one too when that fails to answer in half the time, and at once when
 * it is not reachable, has no leader or makes no sense. The first answer that decides wins; later
 * ones are dropped. So a request may be carried out TWICE: every txn must be written so that
 * repeating it is harmless (compare first), a repeated grant leaves a lease behind that runs out
 * by itself, a repeated revoke may find the lease gone. */
#ifndef TALOSVIP_ETCD_CLIENT_H
#define TALOSVIP_ETCD_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "etcd/message.h"

#define ETCD_ENDPOINTS_MAX 16
#define ETCD_TOKEN_MAX 1024

struct etcd_client;
struct etcd_call;

enum etcd_notice {
    ETCD_NOTICE_PORT,     /* the gateway was found on the sibling port; once per endpoint */
    ETCD_NOTICE_ENDPOINT, /* requests go to another endpoint from now on */
    ETCD_NOTICE_FILES,    /* a TLS file changed: new connections are made */
    ETCD_NOTICE_NO_AUTH,  /* a user is configured, but etcd's auth is not enabled */
};

/* Strings are copied. NULL or 0 means "none" or the default. */
struct etcd_client_config {
    struct loop *loop;
    const char *const *endpoints; /* "https://10.0.0.11:2379"; scheme and port may be left out */
    size_t n_endpoints;           /* 1 .. ETCD_ENDPOINTS_MAX */
    const char *cacert;           /* PEM files, read again when they change */
    const char *cert;
    const char *key;
    const char *user;
    const char *password;        /* goes before password_file */
    const char *password_file;   /* read at every login; a final newline is dropped */
    const char *token;           /* to begin with: spares the login */
    uint16_t grpc_port;          /* 0: 2379. Where this port is gRPC only ... */
    uint16_t gateway_port;       /* 0: 2383. ... this one is tried on the same host */
    uint64_t connect_timeout_us; /* of one connection; 0: 0.3 s */
    bool is_insecure;            /* believe any certificate: the caller was told to */
    /* Something worth a log line, never from inside a function of the caller's. It may free
     * nothing. May be NULL. */
    void (*on_notice)(void *arg, enum etcd_notice kind, const char *text);
    void *notice_arg;
};

/* Opens nothing yet. 0, -ENOMEM, -EMFILE, ..., or -EINVAL; then *ret_bad, unless it is NULL, is
 * the endpoint that is malformed, or NULL when it is something else. */
int etcd_client_new(const struct etcd_client_config *config, struct etcd_client **ret_client,
                    const char **ret_bad);
/* Cancels every call without its callback. All watches must have been freed before. May be
 * called from any callback but on_notice. Takes NULL. */
void etcd_client_free(struct etcd_client *client);

/* The token in use, "" when there is none. Valid until the loop runs again. */
const char *etcd_client_token(const struct etcd_client *client);
/* Uses a token that another client got. 0, -EINVAL (no token), -ENOMEM. */
int etcd_client_set_token(struct etcd_client *client, const char *token);
/* The URL that the next call goes to first. Valid as long as the client. */
const char *etcd_client_endpoint(const struct etcd_client *client);

/* Called exactly once, from the loop, never from inside the function that started the call.
 * `reply` is valid until it returns. It may start and cancel calls, and free the client. */
typedef void (*etcd_call_fn)(void *arg, const struct etcd_reply *reply);

/* Each starts a call that ends after `timeout_us` at the latest; etcd's API is quoted by its
 * path. `ret_call` may be NULL; what it points to is valid until the callback has returned.
 * 0, -EINVAL (nothing etcd could take), -ENOMEM, -EMSGSIZE. */

/* /v3/lease/grant: use reply->ttl_s, etcd raises what is too short. */
int etcd_call_grant(struct etcd_client *client, int64_t ttl_s, uint64_t timeout_us, etcd_call_fn fn,
                    void *arg, struct etcd_call **ret_call);
/* /v3/lease/keepalive, one message. ETCD_LEASE_GONE when the lease does not exist. A right that
 * follows counts from reply->sent_us, or from an earlier time the caller took itself. */
int etcd_call_renew(struct etcd_client *client, int64_t lease, uint64_t timeout_us, etcd_call_fn fn,
                    void *arg, struct etcd_call **ret_call);
/* /v3/lease/revoke. ETCD_LEASE_GONE: it did not exist, as good as revoked. */
int etcd_call_revoke(struct etcd_client *client, int64_t lease, uint64_t timeout_us,
                     etcd_call_fn fn, void *arg, struct etcd_call **ret_call);
/* /v3/kv/txn: see reply->succeeded and reply->responses. */
int etcd_call_txn(struct etcd_client *client, const struct etcd_txn *txn, uint64_t timeout_us,
                  etcd_call_fn fn, void *arg, struct etcd_call **ret_call);
/* /v3/kv/range: reply->responses[0]. */
int etcd_call_range(struct etcd_client *client, const struct etcd_range *range, uint64_t timeout_us,
                    etcd_call_fn fn, void *arg, struct etcd_call **ret_call);
/* /v3/maintenance/status of whichever member is asked: reply->member_status. A member that knows
 * no leader is ETCD_UNAVAILABLE here too. */
int etcd_call_status(struct etcd_client *client, uint64_t timeout_us, etcd_call_fn fn, void *arg,
                     struct etcd_call **ret_call);
/* /v3/cluster/member/list: reply->members. Their client URLs may be gRPC only. */
int etcd_call_members(struct etcd_client *client, uint64_t timeout_us, etcd_call_fn fn, void *arg,
                      struct etcd_call **ret_call);
/* /v3/lease/timetolive: reply->ttl_s and granted_s. ETCD_LEASE_GONE when it does not exist. */
int etcd_call_time_to_live(struct etcd_client *client, int64_t lease, uint64_t timeout_us,
                           etcd_call_fn fn, void *arg, struct etcd_call **ret_call);
/* Ends a call without its callback; from inside its own callback it does nothing. Takes NULL. */
void etcd_call_cancel(struct etcd_call *call);

#endif
