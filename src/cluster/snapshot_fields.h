/* SPDX-License-Identifier: MIT */
/* The JSON form of struct snapshot as tables. */
#ifndef TALOSVIP_CLUSTER_SNAPSHOT_FIELDS_H
#define TALOSVIP_CLUSTER_SNAPSHOT_FIELDS_H

#include "base/fields.h"

#define SNAPSHOT_API_VERSION "talosvip/v1"
#define SNAPSHOT_KIND "Snapshot"
#define SNAPSHOT_PEER_LEASE "peerLease" /* a node's group, which also has a list */

extern const struct fields snapshot_fields, snapshot_etcd_fields, snapshot_member_fields,
    snapshot_vip_fields, snapshot_node_fields, snapshot_view_fields, snapshot_peer_fields,
    snapshot_alert_fields, snapshot_move_fields;

#endif
