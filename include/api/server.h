/* SPDX-License-Identifier: MIT */
/* The agent's HTTP/1.1 API (libevent's evhttp on the agent's loop): on a unix socket GET
 * /v1/status, /healthz, /readyz, /metrics, POST /v1/resign, /v1/pause, /v1/resume, and GET
 * /v1/events, a stream of JSON lines to at most 8 of them; on TCP, where a stranger may come, only
 * /healthz, /readyz, /metrics. One request for each connection. At most 16 clients for at most 5 s
 * each, 16 KiB of header, 64 KiB of body; the process must ignore SIGPIPE. */
#ifndef TALOSVIP_API_SERVER_H
#define TALOSVIP_API_SERVER_H

#include "api/metrics.h"
#include "api/request.h"
#include "api/status.h"
#include "base/loop.h"

#define API_SOCKET_DEFAULT "/run/talosvip/agent.sock"

struct api_server;

/* Each is called for a request, must not block, and frees nothing of the server. */
struct api_source {
    /* Fills the view; the vips array stays the callee's until the next call. */
    void (*status)(void *arg, struct api_status *ret_status);
    /* NULL when fine, else a static or callee-owned one-line reason (the answer is then 503). */
    const char *(*healthz)(void *arg);
    const char *(*readyz)(void *arg);
    void (*metrics)(void *arg, struct api_metrics *ret_metrics);
    /* A POST. api_server_answer() ends it, now or later. */
    void (*change)(void *arg, uint64_t id, const struct api_request *request);
};

/* Binds `path` (mode 0660), creating the directory (0755) where it is missing. A socket file that
 * nobody listens on is replaced. 0; -EADDRINUSE when a live agent answers there, then
 * *ret_owner_pid is its pid (SO_PEERCRED) or 0; -errno. */
int api_server_new(struct loop *loop, const char *path, const struct api_source *source, void *arg,
                   struct api_server **ret_server, int64_t *ret_owner_pid);
/* The same on TCP; IPv6 addresses only serve IPv6. 0 or -errno. */
int api_server_new_tcp(struct loop *loop, const struct ip *ip, uint16_t port,
                       const struct api_source *source, void *arg, struct api_server **ret_server);
/* Closes and removes the socket file. Takes NULL. */
void api_server_free(struct api_server *server);
/* 200 where `error` is NULL, else its HTTP status and why: no quotes or control characters. */
void api_server_answer(struct api_server *server, uint64_t id, int status, const char *error);
/* One JSON object without a newline, to whoever listens to the events. Takes NULL for none. */
void api_server_publish(struct api_server *server, const char *json);
/* In a forked child, after loop_after_fork(): drops the child's copies of the descriptors, leaves
 * the socket file and the parent's clients alone. Takes NULL. */
void api_server_forget(struct api_server *server);

/* The version of libevent; static. */
const char *api_server_library(void);

#endif
