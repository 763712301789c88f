/* SPDX-License-Identifier: MIT */
#include "status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    CANCELED = 1,
    UNKNOWN = 2,
    INVALID_ARGUMENT = 3,
    DEADLINE_EXCEEDED = 4,
    NOT_FOUND = 5,
    PERMISSION_DENIED = 7,
    RESOURCE_EXHAUSTED = 8,
    OUT_OF_RANGE = 11,
    UNIMPLEMENTED = 12,
    UNAVAILABLE = 14,
    UNAUTHENTICATED = 16,
};

const char *etcd_status_name(enum etcd_status status)
{
    static const char *const names[ETCD_STATUS_COUNT] = {
        [ETCD_OK] = "ok",
        [ETCD_UNAVAILABLE] = "unavailable",
        [ETCD_TIMEOUT] = "timeout",
        [ETCD_LEASE_GONE] = "lease-gone",
        [ETCD_COMPACTED] = "compacted",
        [ETCD_NOSPACE] = "no-space",
        [ETCD_BUSY] = "busy",
        [ETCD_AUTH] = "login",
        [ETCD_TOKEN] = "token",
        [ETCD_FORBIDDEN] = "forbidden",
        [ETCD_TLS] = "tls",
        [ETCD_NOT_GATEWAY] = "not-gateway",
        [ETCD_GRPC_ONLY] = "grpc-only",
        [ETCD_BAD_REPLY] = "bad-reply",
        [ETCD_REFUSED] = "refused",
        [ETCD_NO_MEMORY] = "no-memory",
    };
    return (unsigned)status < ETCD_STATUS_COUNT ? names[status] : "unknown";
}

const char *etcd_kind_path(enum etcd_kind kind)
{
    static const char *const paths[ETCD_KIND_COUNT] = {
        [ETCD_KIND_GRANT] = "/v3/lease/grant",
        [ETCD_KIND_KEEPALIVE] = "/v3/lease/keepalive",
        [ETCD_KIND_REVOKE] = "/v3/lease/revoke",
        [ETCD_KIND_TXN] = "/v3/kv/txn",
        [ETCD_KIND_RANGE] = "/v3/kv/range",
        [ETCD_KIND_AUTHENTICATE] = "/v3/auth/authenticate",
        [ETCD_KIND_STATUS] = "/v3/maintenance/status",
        [ETCD_KIND_MEMBERS] = "/v3/cluster/member/list",
        [ETCD_KIND_TIME_TO_LIVE] = "/v3/lease/timetolive",
        [ETCD_KIND_WATCH] = "/v3/watch",
    };
    return paths[kind];
}

static bool says(const char *message, const char *what)
{
    return strstr(message, what) != NULL;
}

static enum etcd_status from_invalid_argument(const char *message)
{
    if (says(message, "user name is empty") || says(message, "revision of auth store is old") ||
        says(message, "invalid auth token"))
        return ETCD_TOKEN;
    if (says(message, "authentication failed"))
        return ETCD_AUTH;
    return ETCD_REFUSED;
}

enum etcd_status status_from_code(int code, const char *message)
{
    switch (code) {
    case UNAVAILABLE:
        /* The gateway's own connection to its etcd: a server certificate without the extended
         * key usage clientAuth where clients must show certificates. */
        return says(message, "bad certificate") ? ETCD_TLS : ETCD_UNAVAILABLE;
    case DEADLINE_EXCEEDED:
    case CANCELED:
        return ETCD_UNAVAILABLE;
    case UNKNOWN:
        /* 3.4 reports a deadline so. */
        if (says(message, "deadline exceeded") || says(message, "context canceled") ||
            says(message, "request timed out"))
            return ETCD_UNAVAILABLE;
        /* A watch is cancelled with the inner error's text only. */
        if (says(message, "PermissionDenied") || says(message, "permission denied"))
            return ETCD_FORBIDDEN;
        return ETCD_REFUSED;
    case INVALID_ARGUMENT:
        return from_invalid_argument(message);
    case NOT_FOUND:
        if (says(message, "lease not found"))
            return ETCD_LEASE_GONE;
        return strcmp(message, "Not Found") == 0 ? ETCD_NOT_GATEWAY : ETCD_REFUSED;
    case PERMISSION_DENIED:
        return ETCD_FORBIDDEN;
    case RESOURCE_EXHAUSTED:
        return says(message, "space exceeded") ? ETCD_NOSPACE : ETCD_BUSY;
    case OUT_OF_RANGE:
        return says(message, "revision") ? ETCD_COMPACTED : ETCD_REFUSED;
    case UNIMPLEMENTED:
        return ETCD_NOT_GATEWAY;
    case UNAUTHENTICATED:
        return ETCD_TOKEN;
    default:
        return ETCD_REFUSED;
    }
}

void status_copy_text(char *out, size_t size, const char *text, size_t len)
{
    static const char prefix[] = "etcdserver: ";
    size_t n = 0;
    if (len > sizeof(prefix) - 1 && memcmp(text, prefix, sizeof(prefix) - 1) == 0) {
        text += sizeof(prefix) - 1;
        len -= sizeof(prefix) - 1;
    }
    while (len > 0 && (*text == '\n' || *text == ' ')) {
        text++;
        len--;
    }
    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r' || text[len - 1] == ' '))
        len--;
    for (size_t i = 0; i < len && n + 1 < size; i++)
        out[n++] = text[i] >= 0x20 && text[i] < 0x7f ? text[i] : '?';
    out[n] = '\0';
}

void status_from_text(const char *body, size_t len, struct etcd_reply *reply)
{
    char text[160];
    status_copy_text(text, sizeof(text), body, len);
    if (says(text, "CommonName of client sending a request against gateway"))
        etcd_reply_fail(reply, ETCD_TLS,
                        "etcd's JSON gateway takes no client certificate with a CommonName "
                        "while its users are enabled: use one with an empty CN");
    else if (says(text, "HTTP request to an HTTPS server"))
        etcd_reply_fail(reply, ETCD_TLS, "this port speaks TLS: write https://");
    else if (says(text, "not found") || says(text, "Not Found"))
        etcd_reply_fail(reply, ETCD_NOT_GATEWAY, "no JSON gateway here (\"%.40s\")", text);
    else if (says(text, "Host header was unrecognized"))
        etcd_reply_fail(reply, ETCD_REFUSED,
                        "etcd's --host-whitelist does not list this host name");
    else if (len == 0)
        etcd_reply_fail(reply, ETCD_BAD_REPLY, "empty answer");
    else
        etcd_reply_fail(reply, ETCD_NOT_GATEWAY, "the answer is not etcd's: \"%.60s\"", text);
}

bool status_is_endpoint(enum etcd_status status)
{
    return status == ETCD_UNAVAILABLE || status == ETCD_TIMEOUT || status == ETCD_TLS ||
           status == ETCD_NOT_GATEWAY || status == ETCD_BAD_REPLY;
}

void etcd_reply_fail(struct etcd_reply *reply, enum etcd_status status, const char *fmt, ...)
{
    va_list ap;
    char text[ETCD_MESSAGE_MAX];
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap); /* an argument may be the old message itself */
    va_end(ap);
    memcpy(reply->message, text, sizeof(text));
    reply->status = status;
}
