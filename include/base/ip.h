/* SPDX-License-Identifier: MIT */
/* IP and MAC addresses as values, and their one text form. Pure: no I/O, no allocation. */
#ifndef TALOSVIP_BASE_IP_H
#define TALOSVIP_BASE_IP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ip_family { IP_NONE = 0, IP_V4 = 4, IP_V6 = 6 };

struct ip {
    uint8_t family;    /* enum ip_family */
    uint8_t bytes[16]; /* network order; IPv4 uses the first 4, the rest are 0 */
};

struct ip_prefix {
    struct ip ip;
    uint8_t bits;
};

struct mac {
    uint8_t bytes[6];
};

#define IP_TEXT_MAX 46     /* with the NUL */
#define PREFIX_TEXT_MAX 50 /* with the NUL */
#define MAC_TEXT_MAX 18    /* with the NUL */

/* Strict: dotted quad without leading zeros, or RFC 4291 text; no zone, no spaces.
 * 0 or -EINVAL. */
int ip_parse(const char *text, struct ip *ret_ip);
/* "10.0.0.5/24"; 0 or -EINVAL. */
int ip_prefix_parse(const char *text, struct ip_prefix *ret_prefix);
/* "52:54:00:aa:01:01"; 0 or -EINVAL. */
int mac_parse(const char *text, struct mac *ret_mac);

/* RFC 5952, and the form of Go's netip.Addr: only ::ffff:a.b.c.d is written with dots. */
void ip_format(const struct ip *ip, char out[IP_TEXT_MAX]);
void ip_prefix_format(const struct ip_prefix *p, char out[PREFIX_TEXT_MAX]);
void mac_format(const struct mac *mac, char out[MAC_TEXT_MAX]);

bool ip_equal(const struct ip *a, const struct ip *b);
bool mac_equal(const struct mac *a, const struct mac *b);
bool ip_prefix_contains(const struct ip_prefix *p, const struct ip *ip);
/* 32 or 128. */
uint8_t ip_bits(const struct ip *ip);
/* Bytes of the address: 4 or 16. */
size_t ip_len(const struct ip *ip);

#endif
