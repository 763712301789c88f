/* SPDX-License-Identifier: MIT */
#include "status_fields.h"

#include <stddef.h>

#define SIZE(type_, member_) sizeof(((struct type_ *)NULL)->member_)
#define FIELD(type_, group_, name_, kind_, member_)                                                \
    {                                                                                              \
        .group = (group_), .name = (name_), .kind = FIELD_##kind_,                                 \
        .offset = offsetof(struct type_, member_), .size = SIZE(type_, member_)                    \
    }
#define STATUS(group_, ...) FIELD(api_status, group_, __VA_ARGS__)
#define VIP(...) FIELD(api_vip, NULL, __VA_ARGS__)
#define CHECK(...) FIELD(api_check, NULL, __VA_ARGS__)
#define PEER(...) FIELD(api_peer, NULL, __VA_ARGS__)
#define TABLE(list_)                                                                               \
    {                                                                                              \
        list_, sizeof(list_) / sizeof((list_)[0])                                                  \
    }

static const struct field status[] = {
    STATUS(NULL, "node", TEXT, node),
    STATUS(NULL, "version", TEXT, version),
    STATUS(NULL, "pid", INT, pid),
    STATUS(NULL, "guardianPid", INT, guardian_pid),
    STATUS(NULL, "uptimeMs", INT, uptime_ms),
    STATUS("fence", "packet", BOOL, has_packet_fence),
    STATUS("fence", "reason", TEXT_OR_NULL, fence_reason),
    STATUS("fence", "twins", TEXT_OR_NULL, twins),
    STATUS(NULL, "session", TEXT, session),
    STATUS("lease", "id", HEX, lease),
    STATUS("lease", "ttlMs", INT, ttl_ms),
    STATUS("lease", "remainingMs", INT, remaining_ms),
    STATUS("lease", "renewedAgoMs", NUMBER, renewed_ago_ms),
    STATUS("lease", "latencyUs", INT, latency_us),
    STATUS("etcd", "endpoint", TEXT, endpoint),
    STATUS("etcd", "error", TEXT_OR_NULL, etcd_error),
    STATUS(NULL, "stopping", BOOL, is_stopping),
    STATUS("peers", "ready", BOOL, peers.is_ready),
    STATUS("peers", "reason", TEXT_OR_NULL, peers.reason),
    STATUS("peers", "windowMs", INT, peers.window_ms),
    STATUS("peers", "voters", INT, peers.voters),
    STATUS("peers", "majority", INT, peers.majority),
    STATUS("peers", "remainingMs", NUMBER, peers.remaining_ms),
    STATUS("peers", "mute", BOOL, peers.is_mute),
    STATUS("peers", "suspicions", TOTAL, peers.suspicions),
    STATUS("peers", "grants", TOTAL, peers.grants),
    STATUS("peers", "endings", TOTAL, peers.endings),
    STATUS("peers", "mutes", TOTAL, peers.mutes),
    STATUS("peers", "sent", TOTAL, peers.sent),
    STATUS("peers", "received", TOTAL, peers.received),
    STATUS("peers", "failed", TOTAL, peers.failed),
    STATUS("peers", "dropped", TOTAL, peers.dropped),
};

static const struct field vip[] = {
    VIP("vip", IP, ip),
    VIP("iface", TEXT, iface),
    VIP("state", TEXT, state),
    VIP("cause", TEXT_OR_NULL, cause),
    VIP("holder", TEXT_OR_NULL, holder),
    {.name = "queue",
     .kind = FIELD_NAMES,
     .offset = offsetof(struct api_vip, queue),
     .size = API_NAME_MAX,
     .max = API_QUEUE_MAX,
     .other = offsetof(struct api_vip, queued)},
    VIP("epoch", INT, epoch),
    VIP("addressSet", BOOL, has_address),
    VIP("link", UP_DOWN, has_link),
    VIP("fenced", BOOL, is_fenced),
    VIP("heldForMs", NUMBER, held_for_ms),
    VIP("taken", TOTAL, taken),
    VIP("readded", TOTAL, readded),
    VIP("conflicts", TOTAL, conflicts),
};

static const struct field check[] = {
    CHECK("name", TEXT, name),           CHECK("up", BOOL, is_up),
    CHECK("error", TEXT_OR_NULL, error), CHECK("passed", TOTAL, passed),
    CHECK("failed", TOTAL, failed),
};

static const struct field peer[] = {
    PEER("node", TEXT, node),
    PEER("voter", BOOL, is_voter),
    PEER("ackedAgoMs", NUMBER, acked_ago_ms),
    PEER("heardAgoMs", NUMBER, heard_ago_ms),
};

const struct fields status_fields = TABLE(status), status_vip_fields = TABLE(vip),
                    status_check_fields = TABLE(check), status_peer_fields = TABLE(peer);
