/* SPDX-License-Identifier: MIT */
/* What agents say to each other over UDP: one fixed layout for every kind, authenticated with
 * HMAC-SHA256 (RFC 2104) under a key that all agents of the cluster share. Pure: no I/O. */
#ifndef TALOSVIP_NET_DATAGRAM_H
#define TALOSVIP_NET_DATAGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DATAGRAM_SIZE 88 /* bytes, of every kind */
#define DATAGRAM_KEY_SIZE 32

enum datagram_kind {
    DATAGRAM_HEARTBEAT = 1,   /* owner to voter */
    DATAGRAM_ACKNOWLEDGEMENT, /* voter to owner: of one heartbeat */
    DATAGRAM_ASK,             /* candidate to voter: is the owner silent for you, too? */
    DATAGRAM_GRANT,           /* voter to candidate: it is, and stays so */
    DATAGRAM_LEAVING,         /* to everybody: the sender stops */
};

/* One life of one agent. */
struct datagram_session {
    int64_t lease; /* in etcd */
    uint64_t incarnation;
};

struct datagram {
    enum datagram_kind kind;
    struct datagram_session from;  /* who sends it; both fields above 0 */
    struct datagram_session owner; /* whom it is about; of a HEARTBEAT the sender itself. May be
                                      all 0 in LEAVING only */
    uint64_t number;               /* HEARTBEAT, ACKNOWLEDGEMENT: sequence; ASK, GRANT: nonce */
    int64_t term;       /* of the owner's list of voters; ACKNOWLEDGEMENT: the newest one that the
                           voter gave up; 0: none */
    uint32_t window_us; /* how long an acknowledgement is good for */
};

/* Sent is under `key`, taken under both: while a key is replaced, an agent that has not heard of
 * the new one must still be understood, and understand. */
struct datagram_keys {
    uint8_t key[DATAGRAM_KEY_SIZE];
    uint8_t other[DATAGRAM_KEY_SIZE];
    bool has_other;
};

/* 0, -EINVAL (a datagram that datagram_read() would not take), -ENOMEM. */
int datagram_write(const struct datagram *d, const struct datagram_keys *keys,
                   uint8_t out[DATAGRAM_SIZE]);
/* Strict: 0; -EPROTO another version of the layout, or an authentic datagram of an unknown kind;
 * -EBADMSG of another length, or authentic and makes no sense; -EKEYREJECTED under neither key;
 * -ENOMEM. Nothing but version and length is looked at before the MAC, which is compared in
 * constant time. */
int datagram_read(const uint8_t *data, size_t len, const struct datagram_keys *keys,
                  struct datagram *ret_datagram);
/* "heartbeat", "acknowledgement", ...: for logs; "?" for anything else. */
const char *datagram_kind_name(enum datagram_kind kind);

#endif
