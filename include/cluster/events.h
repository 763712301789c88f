/* SPDX-License-Identifier: MIT */
/* What happened between two snapshots of one cluster, in words. */
#ifndef TALOSVIP_CLUSTER_EVENTS_H
#define TALOSVIP_CLUSTER_EVENTS_H

#include "base/buf.h"
#include "cluster/snapshot.h"

#define EVENTS_MAX 512 /* of one difference; what is more is dropped */

enum event_kind {
    EVENT_LOST,    /* the holder's key is gone, or another one leads */
    EVENT_HELD,    /* a node holds it, and has set the address where that is known */
    EVENT_MOVED,   /* the record of a failover: outage and cause */
    EVENT_DUP,     /* two stations answer */
    EVENT_SILENT,  /* held, and nobody answers */
    EVENT_CLEAN,   /* neither of the two any more */
    EVENT_PAUSED,  /* moves are paused */
    EVENT_RESUMED, /* they are not any more */
    EVENT_RAISED,  /* an alert */
    EVENT_CLEARED,
    EVENT_DOWN, /* an etcd member */
    EVENT_UP,
    EVENT_GAP,    /* nothing was heard for a while, and then again */
    EVENT_JOINED, /* a node's agent is there */
    EVENT_LEFT,
    EVENT_LEADER, /* etcd has another leader, or the same one under a new term */
    EVENT_KINDS,
};

struct event {
    enum event_kind kind;
    enum snapshot_severity severity;
    uint64_t wall_us;                                    /* of the newer snapshot */
    struct ip vip;                                       /* IP_NONE: none */
    char node[SNAPSHOT_NAME_MAX];                        /* whom it is about; "" nobody */
    char from[SNAPSHOT_NAME_MAX], to[SNAPSHOT_NAME_MAX]; /* LOST, HELD, MOVED, LEADER */
    char cause[32];                                      /* LOST, MOVED; "" unknown */
    char id[8];                                          /* of an alert */
    int64_t outage_us;                                   /* MOVED; -1 unknown */
    char text[SNAPSHOT_TEXT_MAX];                        /* the rest of the line */
};

/* "LOST", "HELD", ... */
const char *event_kind_name(enum event_kind kind);

/* Writes what happened from `before` to `after` into `out`, at most EVENTS_MAX, in the order in
 * which a person would tell it. Returns how many. */
size_t events_between(const struct snapshot *before, const struct snapshot *after,
                      struct event out[EVENTS_MAX]);

/* One line as JSON (kind Event), no newline. 0, -ENOMEM, or the buf's error. */
int event_write(const struct event *event, struct buf *out);

#endif
