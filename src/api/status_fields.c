/* SPDX-License-Identifier: MIT */
#include "status_fields.h"

#define STATUS(group_, name_, kind_, member_)                                                      \
    {                                                                                              \
        group_, name_, kind_, offsetof(struct api_status, member_),                                \
            sizeof(((struct api_status *)NULL)->member_)                                           \
    }
#define CHECK(name_, kind_, member_)                                                               \
    {                                                                                              \
        NULL, name_, kind_, offsetof(struct api_check, member_),                                   \
            sizeof(((struct api_check *)NULL)->member_)                                            \
    }
#define VIP(name_, kind_, member_)                                                                 \
    {                                                                                              \
        NULL, name_, kind_, offsetof(struct api_vip, member_),                                     \
            sizeof(((struct api_vip *)NULL)->member_)                                              \
    }
#define PEER(name_, kind_, member_)                                                                \
    {                                                                                              \
        NULL, name_, kind_, offsetof(struct api_peer, member_),                                    \
            sizeof(((struct api_peer *)NULL)->member_)                                             \
    }

const struct status_field status_fields[STATUS_FIELDS] = {
    STATUS(NULL, "node", KIND_TEXT, node),
    STATUS(NULL, "version", KIND_TEXT, version),
    STATUS(NULL, "pid", KIND_INT, pid),
    STATUS(NULL, "guardianPid", KIND_INT, guardian_pid),
    STATUS(NULL, "uptimeMs", KIND_INT, uptime_ms),
    STATUS("fence", "packet", KIND_BOOL, has_packet_fence),
    STATUS("fence", "reason", KIND_TEXT_OR_NULL, fence_reason),
    STATUS(NULL, "session", KIND_TEXT, session),
    STATUS("lease", "id", KIND_HEX, lease),
    STATUS("lease", "ttlMs", KIND_INT, ttl_ms),
    STATUS("lease", "remainingMs", KIND_INT, remaining_ms),
    STATUS("lease", "renewedAgoMs", KIND_INT_OR_NULL, renewed_ago_ms),
    STATUS("lease", "latencyUs", KIND_INT, latency_us),
    STATUS("etcd", "endpoint", KIND_TEXT, endpoint),
    STATUS("etcd", "error", KIND_TEXT_OR_NULL, etcd_error),
    STATUS(NULL, "stopping", KIND_BOOL, is_stopping),
    STATUS("peers", "ready", KIND_BOOL, peers.is_ready),
    STATUS("peers", "reason", KIND_TEXT_OR_NULL, peers.reason),
    STATUS("peers", "windowMs", KIND_INT, peers.window_ms),
    STATUS("peers", "voters", KIND_INT, peers.voters),
    STATUS("peers", "majority", KIND_INT, peers.majority),
    STATUS("peers", "remainingMs", KIND_INT_OR_NULL, peers.remaining_ms),
    STATUS("peers", "mute", KIND_BOOL, peers.is_mute),
    STATUS("peers", "suspicions", KIND_COUNT, peers.suspicions),
    STATUS("peers", "grants", KIND_COUNT, peers.grants),
    STATUS("peers", "endings", KIND_COUNT, peers.endings),
    STATUS("peers", "mutes", KIND_COUNT, peers.mutes),
    STATUS("peers", "sent", KIND_COUNT, peers.sent),
    STATUS("peers", "received", KIND_COUNT, peers.received),
    STATUS("peers", "failed", KIND_COUNT, peers.failed),
    STATUS("peers", "dropped", KIND_COUNT, peers.dropped),
};

const struct status_field status_vip_fields[STATUS_VIP_FIELDS] = {
    VIP("vip", KIND_IP, ip),
    VIP("iface", KIND_TEXT, iface),
    VIP("state", KIND_TEXT, state),
    VIP("cause", KIND_TEXT_OR_NULL, cause),
    VIP("holder", KIND_TEXT_OR_NULL, holder),
    VIP("queue", KIND_QUEUE, queue),
    VIP("epoch", KIND_INT, epoch),
    VIP("addressSet", KIND_BOOL, has_address),
    VIP("link", KIND_UP_DOWN, has_link),
    VIP("fenced", KIND_BOOL, is_fenced),
    VIP("heldForMs", KIND_INT_OR_NULL, held_for_ms),
    VIP("taken", KIND_COUNT, taken),
    VIP("readded", KIND_COUNT, readded),
    VIP("conflicts", KIND_COUNT, conflicts),
};

const struct status_field status_check_fields[STATUS_CHECK_FIELDS] = {
    CHECK("name", KIND_TEXT, name),           CHECK("up", KIND_BOOL, is_up),
    CHECK("error", KIND_TEXT_OR_NULL, error), CHECK("passed", KIND_COUNT, passed),
    CHECK("failed", KIND_COUNT, failed),
};

const struct status_field status_peer_fields[STATUS_PEER_FIELDS] = {
    PEER("node", KIND_TEXT, node),
    PEER("voter", KIND_BOOL, is_voter),
    PEER("ackedAgoMs", KIND_INT_OR_NULL, acked_ago_ms),
    PEER("heardAgoMs", KIND_INT_OR_NULL, heard_ago_ms),
};
