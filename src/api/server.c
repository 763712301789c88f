/* SPDX-License-Identifier: MIT */
#include "api/server.h"

#include "changes.h"
#include "clients.h"
#include "socket.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEADERS_MAX (16 * 1024)
#define BODY_MAX (64 * 1024)
#define REPLY_MAX (4u << 20)
#define IDLE_SECONDS 5
#define BACKLOG 16

struct api_server {
    struct evhttp *http;
    struct clients clients;
    struct changes changes;
    const struct api_source *source;
    void *arg;
    char *path; /* NULL: on TCP */
    struct socket_place place;
    bool is_public;
};

struct reply {
    int code;
    const char *type;
    struct buf body;
};

static void reply_error(struct reply *reply, int code, const char *text)
{
    reply->code = code;
    reply->type = "application/json";
    buf_clear(&reply->body);
    buf_printf(&reply->body, "{\"error\":\"%s\"}\n", text);
}

static void get_status(struct api_server *server, struct reply *reply)
{
    struct api_status status = {.n_vips = 0};
    server->source->status(server->arg, &status);
    int r = api_status_write(&status, &reply->body);
    if (r == 0)
        r = buf_putc(&reply->body, '\n');
    if (r < 0)
        reply_error(reply, HTTP_INTERNAL, "no memory for the answer");
}

static void reply_probe(struct reply *reply, const char *reason)
{
    reply->type = "text/plain; charset=utf-8";
    reply->code = reason ? HTTP_SERVUNAVAIL : HTTP_OK;
    buf_printf(&reply->body, "%s\n", reason ? reason : "ok");
}

static void get_healthz(struct api_server *server, struct reply *reply)
{
    reply_probe(reply, server->source->healthz(server->arg));
}

static void get_readyz(struct api_server *server, struct reply *reply)
{
    reply_probe(reply, server->source->readyz(server->arg));
}

static void get_metrics(struct api_server *server, struct reply *reply)
{
    struct api_metrics metrics;
    server->source->metrics(server->arg, &metrics);
    reply->type = "text/plain; version=0.0.4; charset=utf-8";
    if (api_metrics_write(&metrics, &reply->body) < 0)
        reply_error(reply, HTTP_INTERNAL, "no memory for the answer");
}

static const struct {
    const char *path;
    void (*get)(struct api_server *server, struct reply *reply);
    bool is_public;
} routes[] = {
    {"/v1/status", get_status, false},
    {"/healthz", get_healthz, true},
    {"/readyz", get_readyz, true},
    {"/metrics", get_metrics, true},
};

static void answer(struct api_server *server, struct evhttp_request *request, struct reply *reply)
{
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
    const char *path = uri ? evhttp_uri_get_path(uri) : NULL;
    for (size_t i = 0; path && i < sizeof(routes) / sizeof(routes[0]); i++) {
        if (strcmp(path, routes[i].path) != 0 || (server->is_public && !routes[i].is_public))
            continue;
        if (evhttp_request_get_command(request) == EVHTTP_REQ_GET)
            routes[i].get(server, reply);
        else
            reply_error(reply, HTTP_BADMETHOD, "only GET is served here");
        return;
    }
    reply_error(reply, HTTP_NOTFOUND, "no such path");
}

static const char *reason_phrase(int code)
{
    return code == HTTP_OK            ? "OK"
           : code == HTTP_NOTFOUND    ? "Not Found"
           : code == HTTP_BADMETHOD   ? "Method Not Allowed"
           : code == HTTP_SERVUNAVAIL ? "Service Unavailable"
                                      : "Internal Server Error";
}

static void on_request(struct evhttp_request *request, void *arg)
{
    struct api_server *server = arg;
    clients_mark_served(&server->clients, evhttp_request_get_connection(request));
    if (server->path && changes_serve(&server->changes, request))
        return;
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    struct evbuffer *body = evbuffer_new();
    struct reply reply = {.code = HTTP_OK, .type = "application/json"};
    buf_init(&reply.body, REPLY_MAX);
    answer(server, request, &reply);
    /* One request for each connection: nobody sits on one of the few there are. */
    if (!body || reply.body.error || evbuffer_add(body, reply.body.data, reply.body.len) < 0 ||
        evhttp_add_header(headers, "Content-Type", reply.type) < 0 ||
        evhttp_add_header(headers, "Connection", "close") < 0 ||
        (reply.code == HTTP_BADMETHOD && evhttp_add_header(headers, "Allow", "GET") < 0))
        evhttp_send_error(request, HTTP_INTERNAL, NULL);
    else
        evhttp_send_reply(request, reply.code, reason_phrase(reply.code), body);
    buf_done(&reply.body);
    if (body)
        evbuffer_free(body);
}

/* Takes `fd` over. */
static int listen_with(struct api_server *server, struct loop *loop, int fd)
{
    struct evconnlistener *listener = evconnlistener_new(
        loop_base(loop), NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
    if (!listener) {
        close(fd);
        return -ENOMEM;
    }
    if (!evhttp_bind_listener(server->http, listener)) {
        evconnlistener_free(listener);
        return -ENOMEM;
    }
    server->clients.listener = listener;
    evconnlistener_set_error_cb(listener, clients_accept_failed);
    return 0;
}

static int configure(struct api_server *server, struct loop *loop)
{
    int r = clients_init(&server->clients, loop);
    if (r == 0)
        r = changes_init(&server->changes, loop, &server->clients, server->source, server->arg);
    if (r < 0)
        return r;
    server->http = evhttp_new(loop_base(loop));
    if (!server->http)
        return -ENOMEM;
    evhttp_set_max_headers_size(server->http, HEADERS_MAX);
    evhttp_set_max_body_size(server->http, BODY_MAX);
    evhttp_set_timeout(server->http, IDLE_SECONDS);
    /* All of them, so that the answer to a wrong one is ours. */
    evhttp_set_allowed_methods(server->http, 0xffff);
    evhttp_set_gencb(server->http, on_request, server);
    evhttp_set_bevcb(server->http, clients_accept, &server->clients);
    return 0;
}

static int server_new(struct loop *loop, const struct api_source *source, void *arg,
                      struct api_server **ret_server)
{
    struct api_server *server = calloc(1, sizeof(*server));
    if (!server)
        return -ENOMEM;
    server->source = source;
    server->arg = arg;
    int r = configure(server, loop);
    if (r < 0) {
        api_server_free(server);
        return r;
    }
    *ret_server = server;
    return 0;
}

int api_server_new(struct loop *loop, const char *path, const struct api_source *source, void *arg,
                   struct api_server **ret_server, int64_t *ret_owner_pid)
{
    int fd;
    struct api_server *server = NULL;
    char *copy = strdup(path);
    int r = copy ? server_new(loop, source, arg, &server) : -ENOMEM;
    if (r == 0)
        r = socket_listen(path, BACKLOG, &fd, &server->place, ret_owner_pid);
    if (r < 0) {
        free(copy);
        api_server_free(server);
        return r;
    }
    server->path = copy; /* from here on the file is ours to remove */
    r = listen_with(server, loop, fd);
    if (r < 0) {
        api_server_free(server);
        return r;
    }
    *ret_server = server;
    return 0;
}

int api_server_new_tcp(struct loop *loop, const struct ip *ip, uint16_t port,
                       const struct api_source *source, void *arg, struct api_server **ret_server)
{
    int fd;
    struct api_server *server = NULL;
    int r = server_new(loop, source, arg, &server);
    if (r == 0) {
        server->is_public = true;
        r = socket_listen_tcp(ip, port, BACKLOG, &fd);
    }
    if (r == 0)
        r = listen_with(server, loop, fd);
    if (r < 0) {
        api_server_free(server);
        return r;
    }
    *ret_server = server;
    return 0;
}

static void discard(struct api_server *server)
{
    if (server->http)
        evhttp_free(server->http);
    changes_done(&server->changes);
    clients_done(&server->clients);
    free(server->path);
    free(server);
}

void api_server_free(struct api_server *server)
{
    if (!server)
        return;
    if (server->path)
        socket_remove(server->path, &server->place);
    discard(server);
}

void api_server_forget(struct api_server *server)
{
    if (!server)
        return;
    clients_forget(&server->clients);
    discard(server);
}

void api_server_answer(struct api_server *server, uint64_t id, int status, const char *error)
{
    changes_answer(&server->changes, id, status, error);
}

void api_server_publish(struct api_server *server, const char *json)
{
    if (server && server->changes.streams > 0)
        changes_publish(&server->changes, json);
}

const char *api_server_library(void)
{
    return event_get_version();
}
