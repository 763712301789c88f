/* SPDX-License-Identifier: MIT */
#include "etcd/keys.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define HEX_LEN 16

static void with_ip(const char *prefix, const struct ip *ip, const char *tail,
                    char out[KEYS_TEXT_MAX])
{
    char text[IP_TEXT_MAX];
    ip_format(ip, text);
    snprintf(out, KEYS_TEXT_MAX, "%s%s%s", prefix, text, tail);
}

void keys_election(const struct ip *ip, char out[KEYS_TEXT_MAX])
{
    with_ip(KEYS_ELECTION_PREFIX, ip, "/", out);
}

void keys_candidate(const struct ip *ip, int64_t lease, char out[KEYS_TEXT_MAX])
{
    char tail[24];
    snprintf(tail, sizeof(tail), "/%" PRIx64, (uint64_t)lease);
    with_ip(KEYS_ELECTION_PREFIX, ip, tail, out);
}

void keys_released(const struct ip *ip, char out[KEYS_TEXT_MAX])
{
    with_ip(KEYS_RELEASED_PREFIX, ip, "", out);
}

void keys_request(const struct ip *ip, char out[KEYS_TEXT_MAX])
{
    with_ip(KEYS_REQUESTS_PREFIX, ip, "", out);
}

void keys_history_prefix(const struct ip *ip, char out[KEYS_TEXT_MAX])
{
    with_ip(KEYS_HISTORY_PREFIX, ip, "/", out);
}

void keys_history(const struct ip *ip, int64_t revision, char out[KEYS_TEXT_MAX])
{
    char tail[24];
    snprintf(tail, sizeof(tail), "/%016" PRIx64, (uint64_t)revision);
    with_ip(KEYS_HISTORY_PREFIX, ip, tail, out);
}

void keys_history_stay(const struct ip *ip, int64_t revision, int64_t term, char out[KEYS_TEXT_MAX])
{
    char tail[40];
    snprintf(tail, sizeof(tail), "/%016" PRIx64 "-%016" PRIx64, (uint64_t)revision, (uint64_t)term);
    with_ip(KEYS_HISTORY_PREFIX, ip, tail, out);
}

static bool is_node(const char *name, size_t len)
{
    if (len == 0 || len > KEYS_NODE_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f || name[i] == '/')
            return false;
    return true;
}

static int with_node(const char *prefix, const char *node, char out[KEYS_TEXT_MAX])
{
    if (!is_node(node, strnlen(node, KEYS_NODE_MAX + 1)))
        return -EINVAL;
    snprintf(out, KEYS_TEXT_MAX, "%s%s", prefix, node);
    return 0;
}

int keys_node(const char *node, char out[KEYS_TEXT_MAX])
{
    return with_node(KEYS_NODES_PREFIX, node, out);
}

int keys_peers(const char *node, char out[KEYS_TEXT_MAX])
{
    return with_node(KEYS_PEERS_PREFIX, node, out);
}

int keys_paused(const char *node, char out[KEYS_TEXT_MAX])
{
    return with_node(KEYS_PAUSED_PREFIX, node, out);
}

/* Steps over `prefix`; false when the key does not start so. */
static bool skip(const char **key, size_t *len, const char *prefix)
{
    size_t n = strlen(prefix);
    if (*len < n || memcmp(*key, prefix, n) != 0)
        return false;
    *key += n;
    *len -= n;
    return true;
}

/* The address up to the end or, with `slash`, up to and over a '/'; in its one spelling. */
static int take_ip(const char **key, size_t *len, bool slash, struct ip *ret_ip)
{
    char text[IP_TEXT_MAX], again[IP_TEXT_MAX];
    struct ip ip;
    const char *end = slash ? memchr(*key, '/', *len) : *key + *len;
    if (!end || (size_t)(end - *key) >= sizeof(text))
        return -EINVAL;
    size_t n = (size_t)(end - *key);
    memcpy(text, *key, n);
    text[n] = '\0';
    if (strlen(text) != n || ip_parse(text, &ip) < 0)
        return -EINVAL;
    ip_format(&ip, again);
    if (strcmp(text, again) != 0)
        return -EINVAL;
    *key += n + (slash ? 1 : 0);
    *len -= n + (slash ? 1 : 0);
    *ret_ip = ip;
    return 0;
}

/* Lower-case hexadecimal that fits an int64_t: exactly 16 digits, or the fewest possible. */
static int take_hex(const char *key, size_t len, bool padded, int64_t *ret_number)
{
    uint64_t number = 0;
    if (len == 0 || len > HEX_LEN || (padded && len != HEX_LEN) || (!padded && key[0] == '0'))
        return -EINVAL;
    for (size_t i = 0; i < len; i++) {
        char c = key[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return -EINVAL;
        number = number << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    if (number > INT64_MAX)
        return -EINVAL;
    *ret_number = (int64_t)number;
    return 0;
}

int keys_candidate_parse(const char *key, size_t len, struct ip *ret_ip, int64_t *ret_lease)
{
    struct ip ip;
    int64_t lease;
    if (!skip(&key, &len, KEYS_ELECTION_PREFIX) || take_ip(&key, &len, true, &ip) < 0 ||
        take_hex(key, len, false, &lease) < 0)
        return -EINVAL;
    *ret_ip = ip;
    *ret_lease = lease;
    return 0;
}

int keys_history_parse(const char *key, size_t len, struct ip *ret_ip, int64_t *ret_revision,
                       int64_t *ret_term)
{
    struct ip ip;
    int64_t revision, term = 0;
    if (!skip(&key, &len, KEYS_HISTORY_PREFIX) || take_ip(&key, &len, true, &ip) < 0 ||
        take_hex(key, len < HEX_LEN ? len : HEX_LEN, true, &revision) < 0)
        return -EINVAL;
    if (len > HEX_LEN &&
        (key[HEX_LEN] != '-' || take_hex(key + HEX_LEN + 1, len - HEX_LEN - 1, true, &term) < 0 ||
         term == 0))
        return -EINVAL;
    *ret_ip = ip;
    *ret_revision = revision;
    *ret_term = term;
    return 0;
}

int keys_released_parse(const char *key, size_t len, struct ip *ret_ip)
{
    return skip(&key, &len, KEYS_RELEASED_PREFIX) ? take_ip(&key, &len, false, ret_ip) : -EINVAL;
}

int keys_request_parse(const char *key, size_t len, struct ip *ret_ip)
{
    return skip(&key, &len, KEYS_REQUESTS_PREFIX) ? take_ip(&key, &len, false, ret_ip) : -EINVAL;
}

static int parse_node(const char *prefix, const char *key, size_t len,
                      char ret_node[KEYS_NODE_MAX + 1])
{
    if (!skip(&key, &len, prefix) || !is_node(key, len))
        return -EINVAL;
    memcpy(ret_node, key, len);
    ret_node[len] = '\0';
    return 0;
}

int keys_node_parse(const char *key, size_t len, char ret_node[KEYS_NODE_MAX + 1])
{
    return parse_node(KEYS_NODES_PREFIX, key, len, ret_node);
}

int keys_peers_parse(const char *key, size_t len, char ret_node[KEYS_NODE_MAX + 1])
{
    return parse_node(KEYS_PEERS_PREFIX, key, len, ret_node);
}

int keys_paused_parse(const char *key, size_t len, char ret_node[KEYS_NODE_MAX + 1])
{
    return parse_node(KEYS_PAUSED_PREFIX, key, len, ret_node);
}
