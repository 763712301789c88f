/* SPDX-License-Identifier: MIT */
#include "endpoint.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/ip.h"
#include "base/parse.h"

#define DEFAULT_PORT 2379
#define HOST_MAX 255

/* A host name by its characters only; the resolver knows the rest. */
static bool is_host(const char *host)
{
    size_t len = strlen(host);
    if (len == 0 || host[0] == '-' || host[0] == '.')
        return false;
    return strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._") == len;
}

static bool is_host6(const char *host)
{
    struct ip ip;
    return ip_parse(host, &ip) == 0 && ip.family == IP_V6;
}

/* Splits "host:port", "host", "[v6]:port", "[v6]"; the brackets stay. */
static int split(const char *text, char host[HOST_MAX + 3], uint16_t *ret_port)
{
    char inner[HOST_MAX + 1];
    bool v6 = text[0] == '[';
    size_t start = v6 ? 1 : 0;
    size_t n = v6 ? strcspn(text, "]") - 1 : strcspn(text, ":");
    uint64_t port = DEFAULT_PORT;
    if (n > HOST_MAX || (v6 && text[n + 1] != ']'))
        return -EINVAL;
    memcpy(inner, text + start, n);
    inner[n] = '\0';
    if (v6 ? !is_host6(inner) : !is_host(inner))
        return -EINVAL;
    const char *rest = text + n + 2 * start;
    if (*rest == ':') {
        if (parse_u64(rest + 1, &port) < 0 || port == 0 || port > UINT16_MAX)
            return -EINVAL;
    } else if (*rest) {
        return -EINVAL;
    }
    snprintf(host, HOST_MAX + 3, v6 ? "[%s]" : "%s", inner);
    *ret_port = (uint16_t)port;
    return 0;
}

int endpoint_init(struct endpoint *ep, const char *text, bool tls_default, uint16_t grpc_port,
                  uint16_t gateway_port)
{
    char rest[ENDPOINT_URL_MAX], host[HOST_MAX + 3];
    uint16_t port;
    bool tls = tls_default;
    if (strncasecmp(text, "https://", 8) == 0) {
        tls = true;
        text += 8;
    } else if (strncasecmp(text, "http://", 7) == 0) {
        tls = false;
        text += 7;
    }
    size_t len = strnlen(text, sizeof(rest));
    if (len >= sizeof(rest))
        return -EINVAL;
    memcpy(rest, text, len + 1);
    if (len > 0 && rest[len - 1] == '/')
        rest[len - 1] = '\0';
    int r = split(rest, host, &port);
    if (r < 0)
        return r;
    *ep = (struct endpoint){.tls = tls};
    const char *scheme = tls ? "https" : "http";
    snprintf(ep->url, sizeof(ep->url), "%s://%s:%u", scheme, host, port);
    if (port == grpc_port && port != gateway_port)
        snprintf(ep->sibling, sizeof(ep->sibling), "%s://%s:%u", scheme, host, gateway_port);
    return 0;
}

const char *endpoint_url(const struct endpoint *ep)
{
    return ep->on_sibling ? ep->sibling : ep->url;
}
