/* SPDX-License-Identifier: MIT */
/* Names of what is stored in etcd. The election's are those of Talos and of Go's
 * concurrency.Election: NAME "/" lease id in hexadecimal without padding. */
#ifndef TALOSVIP_ETCD_KEYS_H
#define TALOSVIP_ETCD_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

#define KEYS_TEXT_MAX 384 /* any of the texts below, with the NUL */
#define KEYS_NODE_MAX 253 /* bytes of a node name */

#define KEYS_ELECTION_PREFIX "talos:v1:vip:election:"
#define KEYS_NODES_PREFIX "talosvip/v1/nodes/"
#define KEYS_RELEASED_PREFIX "talosvip/v1/released/"
#define KEYS_HISTORY_PREFIX "talosvip/v1/history/"
#define KEYS_PEERS_PREFIX "talosvip/v1/peers/"
#define KEYS_PEERKEY "talosvip/v1/peerkey"
#define KEYS_REQUESTS_PREFIX "talosvip/v1/requests/"
#define KEYS_PAUSED_PREFIX KEYS_REQUESTS_PREFIX "node/"

/* "talos:v1:vip:election:<ip>/": every candidate of one election starts with it. */
void keys_election(const struct ip *ip, char out[KEYS_TEXT_MAX]);
/* ... with the lease id: one candidate. `lease` > 0. */
void keys_candidate(const struct ip *ip, int64_t lease, char out[KEYS_TEXT_MAX]);
void keys_released(const struct ip *ip, char out[KEYS_TEXT_MAX]);
void keys_request(const struct ip *ip, char out[KEYS_TEXT_MAX]);
/* "talosvip/v1/history/<ip>/": every record of one address, oldest first. */
void keys_history_prefix(const struct ip *ip, char out[KEYS_TEXT_MAX]);
/* One record; `revision` >= 0. */
void keys_history(const struct ip *ip, int64_t revision, char out[KEYS_TEXT_MAX]);
/* "<the record above>-<term>": the owner of that epoch stayed when etcd's leader changed to the one
 * of `term` > 0. Sorts after its epoch's record and before the next one's. */
void keys_history_stay(const struct ip *ip, int64_t revision, int64_t term,
                       char out[KEYS_TEXT_MAX]);
/* 0, or -EINVAL: the name is empty, too long, or holds '/' or a control character. */
int keys_node(const char *node, char out[KEYS_TEXT_MAX]);
int keys_peers(const char *node, char out[KEYS_TEXT_MAX]);
/* "talosvip/v1/requests/node/<node>": that node is to take no part. As keys_node(). */
int keys_paused(const char *node, char out[KEYS_TEXT_MAX]);

/* The other way round, for keys that come from etcd: `len` bytes, not necessarily text. Only the
 * exact form that is written above is taken (the address in its one spelling, no padding or
 * capital letters in the lease). 0 or -EINVAL. */
int keys_candidate_parse(const char *key, size_t len, struct ip *ret_ip, int64_t *ret_lease);
int keys_released_parse(const char *key, size_t len, struct ip *ret_ip);
int keys_request_parse(const char *key, size_t len, struct ip *ret_ip);
/* `ret_term` is 0 for a record without one. */
int keys_history_parse(const char *key, size_t len, struct ip *ret_ip, int64_t *ret_revision,
                       int64_t *ret_term);
int keys_node_parse(const char *key, size_t len, char ret_node[KEYS_NODE_MAX + 1]);
int keys_peers_parse(const char *key, size_t len, char ret_node[KEYS_NODE_MAX + 1]);
int keys_paused_parse(const char *key, size_t len, char ret_node[KEYS_NODE_MAX + 1]);

#endif
