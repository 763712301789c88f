/* SPDX-License-Identifier: MIT */
/* POSTs, in HTTP/1.1 but for one, through one libcurl multi handle that the loop drives. Knows
 * neither etcd's messages nor which endpoint to ask. */
#ifndef TALOSVIP_ETCD_TRANSPORT_H
#define TALOSVIP_ETCD_TRANSPORT_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/loop.h"
#include "etcd/message.h"

struct transport;

/* The headers of a request, shared by all that use the same ones. */
struct headers {
    struct curl_slist *list;
    unsigned refs;
};

/* One request and its answer. Belongs to the transport, lent to one user at a time. */
struct transfer {
    CURL *easy;
    struct transport *transport;
    struct headers *headers;
    void *owner;
    /* Receives the body piece by piece, from inside libcurl: it may only store. Returns false to
     * break the transfer off. */
    bool (*on_data)(void *owner, const char *data, size_t len);
    void (*on_done)(void *owner, CURLcode result);
    char error[CURL_ERROR_SIZE];
    LIST_ENTRY(transfer) link;
};

struct transport_request {
    const char *base; /* "https://10.0.0.11:2379"; copied */
    const char *path; /* copied */
    const char *body; /* stays the caller's and unchanged until the end */
    size_t body_len;
    struct headers *headers;
    bool fresh; /* never on a kept connection */
    bool is_http2;
    void *owner;
    bool (*on_data)(void *owner, const char *data, size_t len);
    /* It has ended and is still to be stopped; from transport_reap(). */
    void (*on_done)(void *owner, CURLcode result);
};

struct transport_config {
    struct loop *loop;
    const char *cacert; /* paths or NULL; kept by the caller */
    const char *cert;
    const char *key;
    bool tls; /* some endpoint is https */
    bool is_insecure;
    uint64_t connect_timeout_us; /* 0: the default */
    unsigned max_connections;
    /* Called from the loop, never from inside libcurl, when something may have ended or time set
     * by transport_arm() has come. May free the transport. */
    void (*pump)(void *arg);
    void *arg;
};

/* 0 or -errno. */
int transport_new(const struct transport_config *config, struct transport **ret_transport);
/* All transfers must have been stopped. Takes NULL. */
void transport_free(struct transport *t);

/* The usual headers; `token` may be NULL. NULL when memory is short. One reference is the
 * caller's. */
struct headers *headers_new(const char *token);
/* Those of a gRPC request without metadata (grpc/grpc, doc/PROTOCOL-HTTP2.md, "Requests"). */
struct headers *headers_new_grpc(void);
void headers_unref(struct headers *headers);

/* Hands a request over; it goes out in transport_run(). 0 or -ENOMEM. */
int transport_start(struct transport *t, const struct transport_request *request,
                    struct transfer **ret_transfer);
/* Gives the transfer back, broken off (with its connection) when it has not ended. */
void transport_stop(struct transport *t, struct transfer *transfer);
/* Lets libcurl do what is due. */
void transport_run(struct transport *t);
/* Tells the owners of the transfers that have ended. */
void transport_reap(struct transport *t);
/* Calls pump() at `at_us` at the latest. */
void transport_arm(struct transport *t, uint64_t at_us);

#endif
