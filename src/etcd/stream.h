/* SPDX-License-Identifier: MIT */
/* One watch stream: a POST whose answer goes on for ever, one JSON message per line. */
#ifndef TALOSVIP_ETCD_STREAM_H
#define TALOSVIP_ETCD_STREAM_H

#include "lines.h"
#include "state.h"

struct stream {
    struct etcd_client *client;
    struct transfer *transfer; /* NULL: closed */
    struct headers *headers;   /* it was opened with; to compare only */
    struct lines lines;
    struct buf body;
    unsigned endpoint;
    bool ended; /* by the other side */
    CURLcode result;
};

void stream_init(struct stream *s, struct etcd_client *client);
void stream_done(struct stream *s);
/* Opens it at the client's current endpoint; `body` is emptied. 0 or -ENOMEM. */
int stream_open(struct stream *s, struct buf *body);
/* Closes the connection too; etcd knows no other way to cancel. */
void stream_close(struct stream *s);
/* 1: a message, to be given to etcd_reply_done(); 0: nothing now; -1: the stream is at its end,
 * and ret_message says why. */
int stream_next(struct stream *s, struct etcd_reply *ret_message);

#endif
