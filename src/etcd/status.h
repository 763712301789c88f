/* SPDX-License-Identifier: MIT */
/* What an error of etcd's means to us. */
#ifndef TALOSVIP_ETCD_STATUS_H
#define TALOSVIP_ETCD_STATUS_H

#include <stdbool.h>
#include <stddef.h>

#include "etcd/message.h"

/* From gRPC's numeric code (google.golang.org/grpc/codes) and etcd's text. */
enum etcd_status status_from_code(int code, const char *message);
/* From a body that is no JSON: fills status and message. */
void status_from_text(const char *body, size_t len, struct etcd_reply *reply);
/* Whether another member may do better, so that the call is worth repeating elsewhere. */
bool status_is_endpoint(enum etcd_status status);
/* Copies what is printable ASCII, '?' for the rest, cut at `size`; without etcd's own prefix. */
void status_copy_text(char *out, size_t size, const char *text, size_t len);

#endif
