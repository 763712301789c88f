/* SPDX-License-Identifier: MIT */
/*  0  version  1  kind  2  zero (2)  4  window (4)
 *  8  sender: lease (8), incarnation (8)
 * 24  owner: lease (8), incarnation (8)
 * 40  number (8)
 * 48  term (8)
 * 56  HMAC-SHA256 of all that is before it (32)
 * All numbers in network order. */
#include "net/datagram.h"

#include <endian.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#define VERSION 1
#define MAC_AT 56
#define MAC_SIZE 32

_Static_assert(MAC_AT + MAC_SIZE == DATAGRAM_SIZE, "the layout above");

static bool is_session(const struct datagram_session *s)
{
    return s->lease > 0 && s->incarnation > 0;
}

static bool is_nobody(const struct datagram_session *s)
{
    return s->lease == 0 && s->incarnation == 0;
}

static bool is_known(unsigned kind)
{
    return kind >= DATAGRAM_HEARTBEAT && kind <= DATAGRAM_LEAVING;
}

static bool is_sound(const struct datagram *d)
{
    bool is_about_itself =
        d->from.lease == d->owner.lease && d->from.incarnation == d->owner.incarnation;
    if (!is_session(&d->from) || d->term < 0)
        return false;
    if (d->kind == DATAGRAM_HEARTBEAT)
        return is_about_itself;
    return is_session(&d->owner) || (d->kind == DATAGRAM_LEAVING && is_nobody(&d->owner));
}

static int authenticate(const uint8_t *data, const uint8_t *key, uint8_t mac[MAC_SIZE])
{
    unsigned len = 0;
    const unsigned char *r = HMAC(EVP_sha256(), key, DATAGRAM_KEY_SIZE, data, MAC_AT, mac, &len);
    return r && len == MAC_SIZE ? 0 : -ENOMEM;
}

static void put32(uint8_t *at, uint32_t v)
{
    v = htobe32(v);
    memcpy(at, &v, sizeof(v));
}

static void put64(uint8_t *at, uint64_t v)
{
    v = htobe64(v);
    memcpy(at, &v, sizeof(v));
}

static void put_session(uint8_t *at, const struct datagram_session *s)
{
    put64(at, (uint64_t)s->lease);
    put64(at + 8, s->incarnation);
}

int datagram_write(const struct datagram *d, const struct datagram_keys *keys,
                   uint8_t out[DATAGRAM_SIZE])
{
    uint8_t data[DATAGRAM_SIZE] = {VERSION};
    if (!is_known(d->kind) || !is_sound(d))
        return -EINVAL;
    data[1] = (uint8_t)d->kind;
    put32(data + 4, d->window_us);
    put_session(data + 8, &d->from);
    put_session(data + 24, &d->owner);
    put64(data + 40, d->number);
    put64(data + 48, (uint64_t)d->term);
    int r = authenticate(data, keys->key, data + MAC_AT);
    if (r == 0)
        memcpy(out, data, sizeof(data));
    return r;
}

static uint32_t get32(const uint8_t *at)
{
    uint32_t v;
    memcpy(&v, at, sizeof(v));
    return be32toh(v);
}

static uint64_t get64(const uint8_t *at)
{
    uint64_t v;
    memcpy(&v, at, sizeof(v));
    return be64toh(v);
}

static struct datagram_session get_session(const uint8_t *at)
{
    return (struct datagram_session){(int64_t)get64(at), get64(at + 8)};
}

static int check_mac(const uint8_t *data, const uint8_t *key)
{
    uint8_t mac[MAC_SIZE];
    int r = authenticate(data, key, mac);
    if (r < 0)
        return r;
    return CRYPTO_memcmp(mac, data + MAC_AT, MAC_SIZE) == 0 ? 0 : -EKEYREJECTED;
}

int datagram_read(const uint8_t *data, size_t len, const struct datagram_keys *keys,
                  struct datagram *ret_datagram)
{
    if (len > 0 && data[0] != VERSION)
        return -EPROTO;
    if (len != DATAGRAM_SIZE)
        return -EBADMSG;
    int r = check_mac(data, keys->key);
    if (r == -EKEYREJECTED && keys->has_other)
        r = check_mac(data, keys->other);
    if (r < 0)
        return r;
    if (!is_known(data[1]))
        return -EPROTO;
    const struct datagram d = {
        .kind = data[1],
        .window_us = get32(data + 4),
        .from = get_session(data + 8),
        .owner = get_session(data + 24),
        .number = get64(data + 40),
        .term = (int64_t)get64(data + 48),
    };
    if (data[2] || data[3] || !is_sound(&d))
        return -EBADMSG;
    *ret_datagram = d;
    return 0;
}

const char *datagram_kind_name(enum datagram_kind kind)
{
    static const char *const names[] = {
        [DATAGRAM_HEARTBEAT] = "heartbeat",
        [DATAGRAM_ACKNOWLEDGEMENT] = "acknowledgement",
        [DATAGRAM_ASK] = "ask",
        [DATAGRAM_GRANT] = "grant",
        [DATAGRAM_LEAVING] = "leaving",
    };
    return is_known(kind) ? names[kind] : "?";
}
