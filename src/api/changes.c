/* SPDX-License-Identifier: MIT */
#include "changes.h"

#include "api/request.h"
#include "base/clock.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <string.h>
#include <sys/socket.h>

#define PENDING_MAX (64 * 1024) /* bytes that a slow stream may be behind */
#define HEARTBEAT_US UINT64_C(5000000)

static const struct {
    const char *path;
    enum api_request_kind kind;
} posts[] = {{"/v1/resign", API_RESIGN}, {"/v1/pause", API_PAUSE}, {"/v1/resume", API_RESUME}};

static const char *phrase_of(int code)
{
    return code == HTTP_OK            ? "OK"
           : code == HTTP_BADREQUEST  ? "Bad Request"
           : code == HTTP_NOTFOUND    ? "Not Found"
           : code == HTTP_BADMETHOD   ? "Method Not Allowed"
           : code == 409              ? "Conflict"
           : code == HTTP_SERVUNAVAIL ? "Service Unavailable"
                                      : "Internal Server Error";
}

/* One line: {"error":"..."} or {"status":"done"}. */
static void reply(struct evhttp_request *request, int code, const char *error, const char *allow)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    struct evbuffer *body = evbuffer_new();
    bool is_made =
        body && evhttp_add_header(headers, "Content-Type", "application/json") == 0 &&
        evhttp_add_header(headers, "Connection", "close") == 0 &&
        (!allow || evhttp_add_header(headers, "Allow", allow) == 0) &&
        evbuffer_add_printf(body, error ? "{\"error\":\"%s\"}\n" : "{\"status\":\"done\"}\n",
                            error ? error : "") > 0;
    if (is_made)
        evhttp_send_reply(request, code, phrase_of(code), body);
    else
        evhttp_send_error(request, HTTP_INTERNAL, NULL);
    if (body)
        evbuffer_free(body);
}

static void forget(struct changes *c, struct changes_entry *entry)
{
    c->streams -= entry->id == 0;
    *entry = (struct changes_entry){.request = NULL};
}

/* A connection that fails leaves a request that is not answered yet to us. */
static void on_closed(struct evhttp_connection *connection, void *arg)
{
    struct changes *c = arg;
    for (unsigned i = 0; i < CLIENTS_MAX; i++) {
        struct changes_entry *entry = &c->list[i];
        if (!entry->request || entry->connection != connection)
            continue;
        if (!evhttp_request_get_connection(entry->request))
            evhttp_request_free(entry->request);
        forget(c, entry);
    }
    clients_closed(c->clients);
}

static struct changes_entry *keep(struct changes *c, struct evhttp_request *request, uint64_t id)
{
    for (unsigned i = 0; i < CLIENTS_MAX; i++) {
        struct changes_entry *entry = &c->list[i];
        if (entry->request)
            continue;
        *entry = (struct changes_entry){
            .request = request, .connection = evhttp_request_get_connection(request), .id = id};
        evhttp_connection_set_closecb(entry->connection, on_closed, c);
        return entry;
    }
    return NULL;
}

/* ---- events ---- */

static void send_line(struct changes *c, struct changes_entry *entry, const char *text)
{
    struct bufferevent *bev = evhttp_connection_get_bufferevent(entry->connection);
    struct evbuffer *line;
    (void)c;
    if (evbuffer_get_length(bufferevent_get_output(bev)) > PENDING_MAX) {
        shutdown(bufferevent_getfd(bev), SHUT_RDWR); /* libevent notices, and on_closed() follows */
        return;
    }
    line = evbuffer_new();
    if (line && evbuffer_add_printf(line, "%s\n", text) > 0)
        evhttp_send_reply_chunk(entry->request, line);
    if (line)
        evbuffer_free(line);
}

void changes_publish(struct changes *c, const char *json)
{
    for (unsigned i = 0; i < CLIENTS_MAX; i++)
        if (c->list[i].request && c->list[i].id == 0)
            send_line(c, &c->list[i], json);
}

/* Only writing shows that a client is gone. An empty line is no event. */
static void on_heartbeat(void *arg)
{
    struct changes *c = arg;
    changes_publish(c, "");
    if (c->streams > 0)
        loop_timer_set(c->heartbeat, clock_now_us() + HEARTBEAT_US);
}

static void open_stream(struct changes *c, struct evhttp_request *request)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    if (c->streams == CHANGES_STREAMS_MAX || !keep(c, request, 0)) {
        reply(request, HTTP_SERVUNAVAIL, "too many streams", NULL);
        return;
    }
    c->streams++;
    clients_mark_stream(c->clients, evhttp_request_get_connection(request));
    evhttp_add_header(headers, "Content-Type", "application/x-ndjson");
    evhttp_add_header(headers, "Connection", "close");
    evhttp_send_reply_start(request, HTTP_OK, "OK");
    if (c->streams == 1)
        loop_timer_set(c->heartbeat, clock_now_us() + HEARTBEAT_US);
}

/* ---- requests ---- */

static void open_post(struct changes *c, struct evhttp_request *request, enum api_request_kind kind)
{
    struct evbuffer *body = evhttp_request_get_input_buffer(request);
    size_t len = evbuffer_get_length(body);
    const char *text = len > 0 ? (const char *)evbuffer_pullup(body, -1) : "", *why = NULL;
    struct api_request wish;
    int r = text ? api_request_parse(kind, text, len, &wish, &why) : -ENOMEM;
    if (r < 0) {
        reply(request, r == -EINVAL ? HTTP_BADREQUEST : HTTP_INTERNAL,
              r == -EINVAL ? why : "no memory", NULL);
        return;
    }
    uint64_t id = ++c->last_id;
    if (!keep(c, request, id)) {
        reply(request, HTTP_SERVUNAVAIL, "too many requests", NULL);
        return;
    }
    c->source->change(c->arg, id, &wish);
}

void changes_answer(struct changes *c, uint64_t id, int code, const char *error)
{
    for (unsigned i = 0; i < CLIENTS_MAX; i++) {
        struct evhttp_request *request = c->list[i].request;
        if (!request || c->list[i].id != id || id == 0)
            continue;
        c->list[i] = (struct changes_entry){.request = NULL};
        reply(request, code, error, NULL);
        return;
    }
}

bool changes_serve(struct changes *c, struct evhttp_request *request)
{
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
    const char *path = uri ? evhttp_uri_get_path(uri) : NULL;
    enum evhttp_cmd_type command = evhttp_request_get_command(request);
    if (path && strcmp(path, "/v1/events") == 0) {
        if (command == EVHTTP_REQ_GET)
            open_stream(c, request);
        else
            reply(request, HTTP_BADMETHOD, "only GET is served here", "GET");
        return true;
    }
    for (size_t i = 0; path && i < sizeof(posts) / sizeof(posts[0]); i++) {
        if (strcmp(path, posts[i].path) != 0)
            continue;
        if (command == EVHTTP_REQ_POST)
            open_post(c, request, posts[i].kind);
        else
            reply(request, HTTP_BADMETHOD, "only POST is served here", "POST");
        return true;
    }
    return false;
}

int changes_init(struct changes *c, struct loop *loop, struct clients *clients,
                 const struct api_source *source, void *arg)
{
    *c = (struct changes){.clients = clients, .source = source, .arg = arg};
    return loop_timer_new(loop, on_heartbeat, c, &c->heartbeat);
}

void changes_done(struct changes *c)
{
    loop_timer_free(c->heartbeat);
    c->heartbeat = NULL;
}
