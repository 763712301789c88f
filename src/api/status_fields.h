/* SPDX-License-Identifier: MIT */
/* The JSON form of struct api_status as tables. The writer and the parser both go through them, so
 * that neither can know a field the other does not. */
#ifndef TALOSVIP_API_STATUS_FIELDS_H
#define TALOSVIP_API_STATUS_FIELDS_H

#include "api/status.h"

#define STATUS_API_VERSION "talosvip/v1"
#define STATUS_KIND "AgentStatus"
#define STATUS_FIELDS 31
#define STATUS_VIP_FIELDS 14
#define STATUS_CHECK_FIELDS 5
#define STATUS_PEER_FIELDS 4

enum status_kind {
    KIND_TEXT,
    KIND_TEXT_OR_NULL, /* "" is null */
    KIND_INT,
    KIND_INT_OR_NULL, /* -1 is null */
    KIND_COUNT,       /* uint64_t */
    KIND_BOOL,
    KIND_UP_DOWN, /* bool */
    KIND_HEX,     /* int64_t, as etcd's tools write lease IDs */
    KIND_IP,
    KIND_QUEUE, /* of struct api_vip */
};

struct status_field {
    const char *group; /* the object it is in; NULL is the top */
    const char *name;
    enum status_kind kind;
    size_t offset, size; /* size: of a text, with the NUL */
};

extern const struct status_field status_fields[STATUS_FIELDS];
extern const struct status_field status_vip_fields[STATUS_VIP_FIELDS];
extern const struct status_field status_check_fields[STATUS_CHECK_FIELDS];
extern const struct status_field status_peer_fields[STATUS_PEER_FIELDS]; /* of peers.agents */

#endif
