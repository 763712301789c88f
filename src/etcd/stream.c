/* SPDX-License-Identifier: MIT */
#include "stream.h"

#include <errno.h>

#include "failure.h"
#include "status.h"

void stream_init(struct stream *s, struct etcd_client *client)
{
    *s = (struct stream){.client = client};
    lines_init(&s->lines, ETCD_REPLY_MAX);
    buf_init(&s->body, ETCD_REQUEST_MAX);
}

void stream_close(struct stream *s)
{
    if (s->transfer)
        transport_stop(s->client->transport, s->transfer);
    s->transfer = NULL;
    s->ended = false;
    lines_clear(&s->lines);
}

void stream_done(struct stream *s)
{
    stream_close(s);
    lines_done(&s->lines);
    buf_done(&s->body);
}

static bool on_data(void *owner, const char *data, size_t len)
{
    struct stream *s = owner;
    return lines_add(&s->lines, data, len) == 0;
}

static void on_done(void *owner, CURLcode result)
{
    struct stream *s = owner;
    s->ended = true;
    s->result = result;
}

int stream_open(struct stream *s, struct buf *body)
{
    struct etcd_client *c = s->client;
    stream_close(s);
    buf_done(&s->body);
    s->body = *body;
    buf_init(body, ETCD_REQUEST_MAX);
    s->endpoint = c->current;
    s->headers = client_headers(c);
    struct transport_request request = {
        .base = etcd_client_endpoint(c),
        .path = etcd_kind_path(ETCD_KIND_WATCH),
        .body = s->body.data,
        .body_len = s->body.len,
        .headers = s->headers,
        .fresh = client_take_fresh(c, s->endpoint),
        .owner = s,
        .on_data = on_data,
        .on_done = on_done,
    };
    return transport_start(c->transport, &request, &s->transfer);
}

static void describe_end(struct stream *s, struct etcd_reply *reply)
{
    struct etcd_client *c = s->client;
    const char *url = endpoint_url(&c->endpoints[s->endpoint]);
    struct failure failure = {s->transfer->easy,     s->result,           s->transfer->error, url,
                              c->files[FILE_CACERT], c->files[FILE_CERT], c->files[FILE_KEY]};
    *reply = (struct etcd_reply){.code = -1};
    if (s->result == CURLE_OK)
        etcd_reply_fail(reply, ETCD_UNAVAILABLE, "%s: the watch was ended", url);
    else if (s->lines.data.error == -ENOMEM)
        etcd_reply_fail(reply, ETCD_NO_MEMORY, "out of memory");
    else
        failure_describe(&failure, reply);
}

int stream_next(struct stream *s, struct etcd_reply *ret_message)
{
    size_t len;
    if (!s->transfer)
        return 0;
    const char *line = lines_next(&s->lines, &len);
    /* An error that comes instead of a stream has no newline. */
    if (!line && s->ended && s->lines.data.len > s->lines.read) {
        line = s->lines.data.data + s->lines.read;
        len = s->lines.data.len - s->lines.read;
        s->lines.read = s->lines.data.len;
    }
    if (line) {
        const char *url = endpoint_url(&s->client->endpoints[s->endpoint]);
        etcd_reply_parse(ETCD_KIND_WATCH, line, len, ret_message);
        if (status_is_endpoint(ret_message->status))
            etcd_reply_fail(ret_message, ret_message->status, "%s: %.200s", url,
                            ret_message->message);
        return 1;
    }
    if (!s->ended)
        return 0;
    describe_end(s, ret_message);
    return -1;
}
