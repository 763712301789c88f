/* SPDX-License-Identifier: MIT */
/* A view of some keys that stays true: list them, then follow every change (etcd v3 API: Range,
 * Watch). Goes on for ever: when the stream breaks it is opened again, at another endpoint, where
 * it left off; when that revision is compacted, or the cluster is another one, the keys are
 * listed again. */
#ifndef TALOSVIP_ETCD_WATCH_H
#define TALOSVIP_ETCD_WATCH_H

#include "etcd/client.h"

#define ETCD_WATCH_RANGES_MAX 16

struct etcd_watch;

struct etcd_watch_range {
    const char *key;
    size_t key_len; /* 0: strlen(key) */
    bool prefix;
    bool no_list;       /* only changes: on_list gets no keys of this range */
    int64_t list_limit; /* > 0: list that many at most, the greatest keys first */
};

/* All are called from the loop and may free the watch and the client. Each may be NULL. */
struct etcd_watch_callbacks {
    /* The truth at `revision`, ranges in the order of etcd_watch_new(); whatever was known before
     * is void. Valid until it returns. */
    void (*on_list)(void *arg, const struct etcd_response *ranges, size_t n, int64_t revision);
    /* One change, after `range`'s list and in order within it; nothing is told twice. Changes of
     * one revision in several ranges come one after the other. */
    void (*on_event)(void *arg, size_t range, enum etcd_event_type type, const struct etcd_kv *kv,
                     int64_t revision);
    /* The stream stands; changes missed meanwhile follow within about 0.1 s. */
    void (*on_synced)(void *arg);
    /* Nothing is heard any more; told again only when the status differs from the last one told.
     * Retries go on. */
    void (*on_broken)(void *arg, enum etcd_status status, const char *reason);
};

/* Starts at once. Keys are copied. All ranges share one stream. 0, -EINVAL, -ENOMEM. */
int etcd_watch_new(struct etcd_client *client, const struct etcd_watch_range *ranges, size_t n,
                   const struct etcd_watch_callbacks *callbacks, void *arg,
                   struct etcd_watch **ret_watch);
/* No callback comes after it. Takes NULL. */
void etcd_watch_free(struct etcd_watch *watch);
/* For who knows better, as when a write of one's own does not come back on the watch: opens the
 * stream again, at the next endpoint. */
void etcd_watch_restart(struct etcd_watch *watch);
/* Whether the stream stands. */
bool etcd_watch_is_synced(const struct etcd_watch *watch);

#endif
