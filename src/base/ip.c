/* SPDX-License-Identifier: MIT */
#include "base/ip.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A number without sign, leading zeros or a value over `max`; NULL when it is not one. */
static const char *parse_decimal(const char *s, unsigned max, unsigned *ret)
{
    unsigned n = 0;
    if (*s < '0' || *s > '9' || (*s == '0' && s[1] >= '0' && s[1] <= '9'))
        return NULL;
    while (*s >= '0' && *s <= '9') {
        n = n * 10 + (unsigned)(*s++ - '0');
        if (n > max)
            return NULL;
    }
    *ret = n;
    return s;
}

static int parse_quad(const char *s, uint8_t out[4])
{
    for (int i = 0; i < 4; i++) {
        unsigned n;
        s = parse_decimal(s, 255, &n);
        if (!s || *s != (i < 3 ? '.' : '\0'))
            return -EINVAL;
        out[i] = (uint8_t)n;
        s++;
    }
    return 0;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* RFC 4291 section 2.2: groups of up to four digits, one "::", a dotted quad at the end. */
static int parse_v6(const char *s, uint8_t out[16])
{
    uint8_t head[16] = {0};
    size_t n = 0, gap = SIZE_MAX;
    if (s[0] == ':') {
        if (s[1] != ':')
            return -EINVAL;
        s++;
    }
    while (*s) {
        if (*s == ':') {
            if (gap != SIZE_MAX)
                return -EINVAL;
            gap = n;
            if (*++s == '\0')
                break;
        }
        if (n <= 12 && parse_quad(s, head + n) == 0) {
            n += 4;
            break;
        }
        unsigned group = 0;
        int digits = 0;
        for (; hex_digit(*s) >= 0; s++, digits++)
            group = group << 4 | (unsigned)hex_digit(*s);
        if (digits < 1 || digits > 4 || n == 16)
            return -EINVAL;
        head[n++] = (uint8_t)(group >> 8);
        head[n++] = (uint8_t)group;
        if (*s == '\0')
            break;
        if (*s != ':' || s[1] == '\0')
            return -EINVAL;
        s++;
    }
    if (gap == SIZE_MAX ? n != 16 : n > 14)
        return -EINVAL;
    memset(out, 0, 16);
    size_t before = gap == SIZE_MAX ? 16 : gap;
    memcpy(out, head, before);
    if (before < n)
        memcpy(out + 16 - (n - before), head + before, n - before);
    return 0;
}

int ip_parse(const char *text, struct ip *ret_ip)
{
    struct ip ip = {.family = IP_V4};
    if (strlen(text) >= IP_TEXT_MAX)
        return -EINVAL;
    if (parse_quad(text, ip.bytes) < 0) {
        ip.family = IP_V6;
        if (parse_v6(text, ip.bytes) < 0)
            return -EINVAL;
    }
    *ret_ip = ip;
    return 0;
}

int ip_prefix_parse(const char *text, struct ip_prefix *ret_prefix)
{
    char addr[IP_TEXT_MAX];
    struct ip_prefix p;
    unsigned bits;
    const char *slash = strchr(text, '/');
    if (!slash || (size_t)(slash - text) >= sizeof(addr))
        return -EINVAL;
    memcpy(addr, text, (size_t)(slash - text));
    addr[slash - text] = '\0';
    if (ip_parse(addr, &p.ip) < 0)
        return -EINVAL;
    const char *end = parse_decimal(slash + 1, ip_bits(&p.ip), &bits);
    if (!end || *end)
        return -EINVAL;
    p.bits = (uint8_t)bits;
    *ret_prefix = p;
    return 0;
}

int mac_parse(const char *text, struct mac *ret_mac)
{
    struct mac mac;
    if (strlen(text) != MAC_TEXT_MAX - 1)
        return -EINVAL;
    for (int i = 0; i < 6; i++, text += 3) {
        int hi = hex_digit(text[0]), lo = hex_digit(text[1]);
        if (hi < 0 || lo < 0 || text[2] != (i < 5 ? ':' : '\0'))
            return -EINVAL;
        mac.bytes[i] = (uint8_t)(hi << 4 | lo);
    }
    *ret_mac = mac;
    return 0;
}

static bool is_v4_mapped(const struct ip *ip)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    return memcmp(ip->bytes, mapped, sizeof(mapped)) == 0;
}

static unsigned group_at(const struct ip *ip, int i)
{
    return (unsigned)ip->bytes[2 * i] << 8 | ip->bytes[2 * i + 1];
}

/* RFC 5952 section 4.2: the longest run of zero groups, at least two, the first of equals. */
static void longest_zeros(const struct ip *ip, int *ret_start, int *ret_len)
{
    int best = -1, best_len = 1;
    for (int i = 0; i < 8; i++) {
        int len = 0;
        while (i + len < 8 && group_at(ip, i + len) == 0)
            len++;
        if (len > best_len) {
            best = i;
            best_len = len;
        }
        i += len;
    }
    *ret_start = best;
    *ret_len = best < 0 ? 0 : best_len;
}

void ip_format(const struct ip *ip, char out[IP_TEXT_MAX])
{
    const uint8_t *b = ip->bytes;
    if (ip->family == IP_V4) {
        snprintf(out, IP_TEXT_MAX, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
        return;
    }
    if (ip->family != IP_V6) {
        snprintf(out, IP_TEXT_MAX, "-");
        return;
    }
    if (is_v4_mapped(ip)) {
        snprintf(out, IP_TEXT_MAX, "::ffff:%u.%u.%u.%u", b[12], b[13], b[14], b[15]);
        return;
    }
    int zeros, zeros_len, n = 0;
    longest_zeros(ip, &zeros, &zeros_len);
    for (int i = 0; i < 8; i++) {
        if (i == zeros) {
            n += snprintf(out + n, (size_t)(IP_TEXT_MAX - n), "::");
            i += zeros_len - 1;
            continue;
        }
        const char *colon = i > 0 && i != zeros + zeros_len ? ":" : "";
        n += snprintf(out + n, (size_t)(IP_TEXT_MAX - n), "%s%x", colon, group_at(ip, i));
    }
}

void ip_prefix_format(const struct ip_prefix *p, char out[PREFIX_TEXT_MAX])
{
    char addr[IP_TEXT_MAX];
    ip_format(&p->ip, addr);
    snprintf(out, PREFIX_TEXT_MAX, "%s/%u", addr, p->bits);
}

void mac_format(const struct mac *mac, char out[MAC_TEXT_MAX])
{
    const uint8_t *b = mac->bytes;
    snprintf(out, MAC_TEXT_MAX, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4],
             b[5]);
}

bool ip_equal(const struct ip *a, const struct ip *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

bool mac_equal(const struct mac *a, const struct mac *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

bool ip_prefix_contains(const struct ip_prefix *p, const struct ip *ip)
{
    if (p->ip.family != ip->family)
        return false;
    size_t whole = p->bits / 8;
    unsigned rest = p->bits % 8;
    if (memcmp(p->ip.bytes, ip->bytes, whole) != 0)
        return false;
    return rest == 0 || (p->ip.bytes[whole] ^ ip->bytes[whole]) >> (8 - rest) == 0;
}

uint8_t ip_bits(const struct ip *ip)
{
    return ip->family == IP_V4 ? 32 : 128;
}

size_t ip_len(const struct ip *ip)
{
    return ip->family == IP_V4 ? 4 : 16;
}
