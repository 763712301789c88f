/* SPDX-License-Identifier: MIT */
#include "ip_text.h"

#include "base/buf.h"
#include "base/parse.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static void explain_part(const char *part, size_t len, struct buf *out)
{
    int n = len > 16 ? 16 : (int)len;
    if (len == 0)
        buf_puts(out, "a number is missing between the dots");
    else if (len > 1 && part[0] == '0')
        buf_printf(out, "%.*s has a leading zero", n, part);
    else if (len > 3 || strtoul(part, NULL, 10) > 255)
        buf_printf(out, "%.*s is greater than 255", n, part);
}

static void explain_v4(const char *text, struct buf *out)
{
    size_t parts = 0;
    for (const char *p = text; out->len == 0; p++, parts++) {
        size_t len = strcspn(p, ".");
        explain_part(p, len, out);
        p += len;
        if (!*p) {
            parts++;
            break;
        }
    }
    if (out->len == 0)
        buf_printf(out, "it has %zu numbers, an IPv4 address has 4", parts);
}

static void explain_v6(const char *text, struct buf *out)
{
    size_t bad = strspn(text, "0123456789abcdefABCDEF:.");
    const char *gap = strstr(text, "::");
    if (text[bad]) {
        if (isgraph((unsigned char)text[bad]))
            buf_printf(out, "'%c' is no hexadecimal digit", text[bad]);
        else
            buf_puts(out, "a character is no hexadecimal digit");
        return;
    }
    if (gap && strstr(gap + 1, "::")) {
        buf_puts(out, "\"::\" may stand only once");
        return;
    }
    size_t groups = 0;
    for (const char *p = text; *p; groups++) {
        size_t len = strcspn(p, ":");
        if (len > 4 && !strchr(p, '.')) {
            buf_printf(out, "%.*s has more than 4 digits", len > 16 ? 16 : (int)len, p);
            return;
        }
        p += len + (p[len] == ':');
    }
    buf_puts(out, groups > 8 ? "it has more than 8 groups"
                             : "an IPv6 address has 8 groups, or one \"::\" for the missing ones");
}

void ip_text_explain(const char *text, struct buf *out)
{
    struct buf why; /* empty until the reason is found */
    buf_init(&why, 0);
    if (!*text)
        buf_puts(&why, "it is empty");
    else if (strchr(text, '/'))
        buf_puts(&why, "it has a prefix length, and an address alone is wanted");
    else if (strchr(text, '%'))
        buf_puts(&why, "it has a zone");
    else if (strpbrk(text, " \t\n"))
        buf_puts(&why, "it has a space");
    else if (strchr(text, ':'))
        explain_v6(text, &why);
    else if (text[strspn(text, "0123456789.")] == '\0')
        explain_v4(text, &why);
    else
        buf_puts(&why, "it is a name");
    if (why.error)
        out->error = why.error;
    buf_puts(out, buf_str(&why));
    buf_done(&why);
}

static const char *unusable_v4(const uint8_t *b)
{
    if (b[0] == 0)
        return (b[1] | b[2] | b[3]) ? "an address of 0.0.0.0/8" : "the unspecified address";
    if (b[0] == 127)
        return "a loopback address";
    if (b[0] == 169 && b[1] == 254)
        return "a link-local address";
    if (b[0] >= 224 && b[0] < 240)
        return "a multicast address";
    return b[0] == 255 && b[1] == 255 && b[2] == 255 && b[3] == 255 ? "the broadcast address"
                                                                    : NULL;
}

const char *ip_text_unusable(const struct ip *ip)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    static const uint8_t zero[15];
    const uint8_t *b = ip->bytes;
    if (ip->family == IP_V4)
        return unusable_v4(b);
    if (memcmp(b, zero, 15) == 0 && b[15] <= 1)
        return b[15] ? "the loopback address" : "the unspecified address";
    if (b[0] == 0xff)
        return "a multicast address";
    if (b[0] == 0xfe && (b[1] & 0xc0) == 0x80)
        return "a link-local address";
    return memcmp(b, mapped, 12) == 0 ? "an IPv4 address written as IPv6" : NULL;
}

static const char *check_port(const char *text, uint16_t *ret_port)
{
    uint64_t n;
    if (parse_u64(text, &n) < 0 || n == 0 || n > 65535 || strlen(text) > 5)
        return "the port must be a number from 1 to 65535";
    *ret_port = (uint16_t)n;
    return NULL;
}

static bool is_host(const char *host, bool bracket)
{
    struct ip ip;
    if (bracket)
        return ip_parse(host, &ip) == 0 && ip.family == IP_V6;
    for (const char *p = host; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr(".-_", *p))
            return false;
    /* Digits and dots only: no name, so it must be an address. */
    return host[strspn(host, "0123456789.")] || ip_parse(host, &ip) == 0;
}

const char *ip_text_host_port(const char *text, struct host_port *ret_host_port)
{
    struct host_port hp = {.port = 0};
    bool bracket = *text == '[';
    const char *host = text + bracket;
    size_t len = strcspn(host, bracket ? "]" : ":");
    const char *rest = host + len + (bracket && host[len] == ']');
    if (bracket && host[len] != ']')
        return "a ']' is missing";
    if (len == 0 || len >= sizeof(hp.host))
        return "the host is missing or too long";
    if (!bracket && *rest && strchr(rest + 1, ':'))
        return "an IPv6 address needs brackets: [2001:db8::1]:2379";
    memcpy(hp.host, host, len);
    if (!is_host(hp.host, bracket))
        return "the host is neither a name nor an address";
    if (*rest && *rest != ':')
        return "only a port may follow the host";
    const char *why = *rest ? check_port(rest + 1, &hp.port) : NULL;
    if (!why)
        *ret_host_port = hp;
    return why;
}

const char *ip_text_url(const char *url, bool allow_http, bool allow_path)
{
    struct host_port hp;
    char authority[300];
    if (allow_http && strncmp(url, "http://", 7) == 0)
        url += 7;
    else if (strncmp(url, "https://", 8) == 0)
        url += 8;
    else
        return allow_http ? "it must begin with https:// or http://"
                          : "it must begin with https://";
    size_t len = strcspn(url, "/?#");
    for (const char *p = url; *p; p++)
        if (!isgraph((unsigned char)*p))
            return "it has a space or a character that needs an escape";
    if (memchr(url, '@', len))
        return "a user name has no place here";
    if (len >= sizeof(authority))
        return "the host is missing or too long";
    if (!allow_path && url[len] && strcmp(url + len, "/") != 0)
        return "it must end with the host and the port";
    memcpy(authority, url, len);
    authority[len] = '\0';
    return ip_text_host_port(authority, &hp);
}
