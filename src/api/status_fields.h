/* SPDX-License-Identifier: MIT */
/* The JSON form of struct api_status as tables. */
#ifndef TALOSVIP_API_STATUS_FIELDS_H
#define TALOSVIP_API_STATUS_FIELDS_H

#include "api/status.h"
#include "base/fields.h"

#define STATUS_API_VERSION "talosvip/v1"
#define STATUS_KIND "AgentStatus"

extern const struct fields status_fields, status_vip_fields, status_check_fields,
    status_peer_fields; /* of peers.agents */

#endif
