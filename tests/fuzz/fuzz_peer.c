/* SPDX-License-Identifier: MIT */
/* Datagrams from anybody who reaches the port. */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/datagram.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct datagram_keys keys = {
    .key = "the key that is in use just now",
    .other = "the key that was in use before",
    .has_other = true,
};

/* What was accepted must be written again as it came, but for the key. */
static void read_and_write(const uint8_t *data, size_t size, const uint8_t *key)
{
    struct datagram_keys only = {.has_other = false};
    uint8_t again[DATAGRAM_SIZE];
    struct datagram d;
    if (datagram_read(data, size, &keys, &d) < 0)
        return;
    memcpy(only.key, key, sizeof(only.key));
    if (datagram_write(&d, &only, again) < 0 || size != sizeof(again) ||
        memcmp(data, again, size) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct datagram d;
    /* A copy of exactly this size, so that a sanitizer sees the first byte too far. */
    uint8_t *copy = calloc(1, size ? size : 1);
    if (!copy)
        return 0;
    if (size > 0)
        memcpy(copy, data, size);
    datagram_read(copy, size, &keys, &d);
    /* No fuzzer guesses a MAC, and what lies behind it would never be reached. */
    for (int i = 0; i < 2 && size >= DATAGRAM_SIZE; i++) {
        const uint8_t *key = i ? keys.other : keys.key;
        if (!HMAC(EVP_sha256(), key, DATAGRAM_KEY_SIZE, copy, DATAGRAM_SIZE - 32,
                  copy + DATAGRAM_SIZE - 32, NULL))
            break;
        read_and_write(copy, size, key);
    }
    free(copy);
    return 0;
}
