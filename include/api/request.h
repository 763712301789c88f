/* SPDX-License-Identifier: MIT */
/* What is asked of an agent by POST: a JSON object with some of "vip", "to", "by", "reason". */
#ifndef TALOSVIP_API_REQUEST_H
#define TALOSVIP_API_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "api/status.h"
#include "base/buf.h"
#include "base/ip.h"

#define API_REASON_MAX 160

enum api_request_kind { API_RESIGN, API_PAUSE, API_RESUME };

struct api_request {
    enum api_request_kind kind;
    bool has_vip; /* else it is about the agent's node */
    struct ip vip;
    char to[API_NAME_MAX]; /* resign; "" the next */
    char by[API_NAME_MAX];
    char reason[API_REASON_MAX];
};

/* Strict: no other field, no other type, nothing too long, a VIP where one is needed. `kind` is the
 * caller's. 0, -ENOMEM, or -EINVAL and a static reason. An empty body is an empty object. */
int api_request_parse(enum api_request_kind kind, const char *body, size_t len,
                      struct api_request *ret_request, const char **ret_why);
/* Appends the object. 0 or the buf's error. */
int api_request_write(const struct api_request *request, struct buf *out);

#endif
