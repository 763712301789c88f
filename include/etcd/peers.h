/* SPDX-License-Identifier: MIT */
/* What the peer lease keeps in etcd: who may end an owner's lease early, and the key that agents
 * authenticate their datagrams with. */
#ifndef TALOSVIP_ETCD_PEERS_H
#define TALOSVIP_ETCD_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/ip.h"
#include "etcd/client.h"
#include "etcd/record.h"

#define PEERS_VOTERS_MAX 32
#define PEERS_KEY_SIZE 32
#define PEERS_WINDOW_MAX_US 60000000u
#define PEERS_RELEASES_MAX ((ETCD_OPS_MAX - 2) / 2)

/* One life of one agent. */
struct peers_session {
    int64_t lease;        /* above 0 */
    uint64_t incarnation; /* above 0 */
};

/* talosvip/v1/peers/<node>, under the owner's lease. */
struct peers_record {
    struct peers_session owner;
    int64_t term; /* above 0; grows with each list of this session */
    uint32_t window_us;
    unsigned n_voters; /* 0: the owner's lease is not to be ended early */
    struct peers_session voters[PEERS_VOTERS_MAX]; /* the owner among them; none twice, for each
                                                      has one vote */
    unsigned n_owned;
    int64_t owned[RECORD_VIPS_MAX]; /* create revisions of the keys under which it has addresses */
};

/* talosvip/v1/peerkey, without a lease. Secret: for no log, no message, no API. */
struct peers_key {
    uint64_t generation; /* 1, 2, ... */
    uint8_t current[PEERS_KEY_SIZE];
    uint8_t previous[PEERS_KEY_SIZE];
    bool has_previous;
};

/* 0, -EINVAL (what the parser would not take), or the buf's error. */
int peers_record_write(const struct peers_record *r, struct buf *out);
int peers_key_write(const struct peers_key *k, struct buf *out);
/* 0, -ENOMEM, or -EBADMSG. Unknown fields are ignored, a list that is too long is not cut: it
 * would give another majority. */
int peers_record_parse(const char *text, size_t len, struct peers_record *ret_record);
int peers_key_parse(const char *text, size_t len, struct peers_key *ret_key);
/* The same, in the same order. */
bool peers_record_equal(const struct peers_record *a, const struct peers_record *b);
/* `old` (NULL: none) with `fresh` random bytes as the next generation. */
void peers_key_next(const struct peers_key *old, const uint8_t fresh[PEERS_KEY_SIZE],
                    struct peers_key *ret_key);

/* Calls, as in etcd/client.h, each one txn that may be carried out twice without harm. The last
 * response of the reply is always the key in question as the txn left it or, when it failed,
 * found it: none, or one with its mod revision. So who failed looks whether what is there is what
 * it wrote itself. Beside the errors there: -EINVAL of the writers above. */

/* Puts the key if there is none. Whoever was first, the last response has the key that counts. */
int peers_call_create_key(struct etcd_client *client, const struct peers_key *key,
                          uint64_t timeout_us, etcd_call_fn fn, void *arg,
                          struct etcd_call **ret_call);
/* Replaces the key that was read at `mod_revision`. */
int peers_call_rotate_key(struct etcd_client *client, const struct peers_key *key,
                          int64_t mod_revision, uint64_t timeout_us, etcd_call_fn fn, void *arg,
                          struct etcd_call **ret_call);
/* The owner's own record, under its lease. `mod_revision` of what it replaces; 0: there is none. */
int peers_call_put(struct etcd_client *client, const char *node, const struct peers_record *record,
                   int64_t mod_revision, uint64_t timeout_us, etcd_call_fn fn, void *arg,
                   struct etcd_call **ret_call);

/* One VIP of an owner that is ended. */
struct peers_release {
    struct ip ip;
    int64_t revision; /* create revision of the owner's key for it */
};

/* Ends the session that the record of `node`, read at `mod_revision`, names as owner: deletes the
 * record, and for each VIP puts released/<ip> and deletes the owner's key under `lease`, so that
 * the next in the queue need not wait for the revocation of the lease, which still is to follow.
 * Only VIPs whose key the record names as owned, and at most PEERS_RELEASES_MAX (-EINVAL); for the
 * rest again, after success, with a `mod_revision` of 0: the record is gone. Not to be called
 * without a majority of the record's voters. */
int peers_call_end(struct etcd_client *client, const char *node, int64_t lease,
                   int64_t mod_revision, const struct peers_release *releases, size_t n,
                   const char *cause, uint64_t timeout_us, etcd_call_fn fn, void *arg,
                   struct etcd_call **ret_call);

#endif
