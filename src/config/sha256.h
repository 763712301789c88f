/* SPDX-License-Identifier: MIT */
/* FIPS 180-4 section 6.2, for short texts: it names VLAN links as Talos does, no secrets. */
#ifndef TALOSVIP_CONFIG_SHA256_H
#define TALOSVIP_CONFIG_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE 32

void sha256(const void *data, size_t len, uint8_t out[SHA256_SIZE]);

#endif
