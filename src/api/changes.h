/* SPDX-License-Identifier: MIT */
/* What does not end with its request: POSTs, which are answered when etcd has answered, and the
 * stream of events. Both outlive on_request(), so a client that leaves must be noticed. */
#ifndef TALOSVIP_API_CHANGES_H
#define TALOSVIP_API_CHANGES_H

#include <stdbool.h>
#include <stdint.h>

#include "api/server.h"
#include "base/loop.h"
#include "clients.h"

struct evhttp_request;
struct evhttp_connection;

#define CHANGES_STREAMS_MAX 8

struct changes_entry {
    struct evhttp_request *request; /* NULL: free */
    struct evhttp_connection *connection;
    uint64_t id; /* of a POST; 0: a stream */
};

struct changes {
    struct changes_entry list[CLIENTS_MAX];
    unsigned streams;
    uint64_t last_id;
    struct clients *clients;
    const struct api_source *source;
    void *arg;
    struct loop_timer *heartbeat;
};

/* In place. 0 or -errno. */
int changes_init(struct changes *c, struct loop *loop, struct clients *clients,
                 const struct api_source *source, void *arg);
/* After evhttp_free(). Takes one that is all zero. */
void changes_done(struct changes *c);
/* True when it took the request over. */
bool changes_serve(struct changes *c, struct evhttp_request *request);
/* Answers a POST; a client that has left is no error. */
void changes_answer(struct changes *c, uint64_t id, int code, const char *error);
/* One line of JSON to every stream. */
void changes_publish(struct changes *c, const char *json);

#endif
