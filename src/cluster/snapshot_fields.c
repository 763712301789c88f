/* SPDX-License-Identifier: MIT */
#include "snapshot_fields.h"

#include "cluster/snapshot.h"

#define SIZE(type_, member_) sizeof(((struct type_ *)NULL)->member_)
#define BASIC(type_, group_, name_, kind_, member_)                                                \
    .group = (group_), .name = (name_), .kind = (kind_),                                           \
    .offset = offsetof(struct type_, member_), .size = SIZE(type_, member_)
#define LIST(type_, name_, member_, count_)                                                        \
    .name = (name_), .kind = FIELD_NAMES, .offset = offsetof(struct type_, member_),               \
    .size = SIZE(type_, member_[0]), .max = SIZE(type_, member_) / SIZE(type_, member_[0]),        \
    .other = offsetof(struct type_, count_)
#define KNOWN(type_, member_) .other = offsetof(struct type_, member_)
#define WORDS(name_of_, last_) .name_of = (name_of_), .max = (size_t)(last_) + 1
#define TABLE(name_)                                                                               \
    {                                                                                              \
        name_, sizeof(name_) / sizeof(name_[0])                                                    \
    }

/* A table's words are ints; the enums are as wide. */
#define WORD_OF(function_, type_)                                                                  \
    static const char *function_##_word(int value)                                                 \
    {                                                                                              \
        return function_((enum type_)value);                                                       \
    }

WORD_OF(snapshot_vip_state_name, snapshot_vip_state)
WORD_OF(snapshot_etcd_state_name, snapshot_etcd_state)
WORD_OF(snapshot_role_name, snapshot_role)
WORD_OF(snapshot_verdict_name, snapshot_verdict)
WORD_OF(snapshot_via_name, snapshot_via)
WORD_OF(snapshot_severity_name, snapshot_severity)

_Static_assert(sizeof(enum snapshot_role) == sizeof(int), "words are read into ints");

#define TOP(...) BASIC(snapshot, NULL, __VA_ARGS__)
static const struct field top[] = {
    {TOP("time", FIELD_TIME, wall_us)},
    {TOP("cluster", FIELD_TEXT, cluster)},
    {TOP("ageMs", FIELD_MS, age_us)},
    {TOP("historyKnown", FIELD_BOOL, is_history_known)},
};

#define ETCD(...) BASIC(snapshot_etcd, NULL, __VA_ARGS__)
static const struct field etcd[] = {
    {ETCD("state", FIELD_WORD, state),
     WORDS(snapshot_etcd_state_name_word, SNAPSHOT_ETCD_UNREACHABLE)},
    {ETCD("clusterId", FIELD_ID, cluster_id)},
    {ETCD("leader", FIELD_TEXT_OR_NULL, leader)},
    {ETCD("leaderBefore", FIELD_TEXT_OR_NULL, leader_before)},
    {ETCD("leaderSinceMs", FIELD_MS, leader_since_us)},
    {ETCD("leaderChanges", FIELD_COUNT, leader_changes)},
    {ETCD("endpoint", FIELD_TEXT_OR_NULL, endpoint)},
    {ETCD("term", FIELD_NUMBER, term)},
    {ETCD("revision", FIELD_NUMBER, revision)},
    {ETCD("ageMs", FIELD_MS, age_us)},
    {ETCD("retryMs", FIELD_MS, retry_us)},
    {ETCD("error", FIELD_TEXT_OR_NULL, error)},
    {ETCD("healthy", FIELD_COUNT, n_healthy)},
    {ETCD("quorum", FIELD_COUNT, quorum)},
};

#define MEMBER(...) BASIC(snapshot_member, NULL, __VA_ARGS__)
static const struct field member[] = {
    {MEMBER("name", FIELD_TEXT, name)},
    {MEMBER("id", FIELD_ID, id)},
    {MEMBER("endpoint", FIELD_TEXT, endpoint)},
    {MEMBER("asked", FIELD_BOOL, is_asked)},
    {MEMBER("healthy", FIELD_BOOL, is_healthy)},
    {MEMBER("leader", FIELD_BOOL, is_leader)},
    {MEMBER("learner", FIELD_BOOL, is_learner)},
    {MEMBER("rttMs", FIELD_FINE_MS, rtt_us)},
    {MEMBER("version", FIELD_TEXT_OR_NULL, version)},
    {MEMBER("dbBytes", FIELD_NUMBER, db_bytes)},
    {MEMBER("inUseBytes", FIELD_NUMBER, in_use_bytes)},
    {MEMBER("quotaBytes", FIELD_NUMBER, quota_bytes)},
    {MEMBER("raftTerm", FIELD_NUMBER, raft_term)},
    {MEMBER("raftIndex", FIELD_NUMBER, raft_index)},
    {MEMBER("error", FIELD_TEXT_OR_NULL, error)},
    {MEMBER("alarm", FIELD_TEXT_OR_NULL, alarm)},
};

#define VIP(...) BASIC(snapshot_vip, NULL, __VA_ARGS__)
#define VIP_IN(...) BASIC(snapshot_vip, __VA_ARGS__)
static const struct field vip[] = {
    {VIP("vip", FIELD_IP, ip)},
    {VIP("state", FIELD_WORD, state), WORDS(snapshot_vip_state_name_word, SNAPSHOT_VIP_STALE)},
    {VIP("holder", FIELD_TEXT_OR_NULL, holder)},
    {VIP("holderHasAgent", FIELD_BOOL, holder_has_agent)},
    {VIP("iface", FIELD_TEXT_OR_NULL, iface)},
    {VIP("mac", FIELD_TEXT_OR_NULL, mac)},
    {VIP("sinceMs", FIELD_MS, since_us)},
    {VIP("sinceAtLeast", FIELD_BOOL, is_since_at_least)},
    {VIP("epoch", FIELD_REVISION, epoch)},
    {VIP_IN("lease", "id", FIELD_LEASE, lease)},
    {VIP_IN("lease", "grantedMs", FIELD_MS, granted_us)},
    {VIP_IN("lease", "remainingMs", FIELD_MS, remaining_us)},
    {VIP_IN("lease", "renewAgeMs", FIELD_MS, renewed_us)},
    {LIST(snapshot_vip, "queue", queue, n_queue)},
    {LIST(snapshot_vip, "macs", macs, n_macs)},
    {VIP("agree", FIELD_COUNT, agree)},
    {VIP("observers", FIELD_COUNT, observers)},
    {VIP("moves24h", FIELD_COUNT, moves_24h)},
    {VIP("moves24hAtLeast", FIELD_BOOL, is_moves_at_least)},
    {VIP_IN("released", "epoch", FIELD_REVISION, released_epoch)},
    {VIP_IN("released", "cause", FIELD_TEXT_OR_NULL, released_cause)},
    {VIP_IN("released", "detail", FIELD_TEXT_OR_NULL, released_detail)},
    {VIP_IN("pause", "paused", FIELD_BOOL, is_paused)},
    {VIP_IN("pause", "by", FIELD_TEXT_OR_NULL, paused_by)},
    {VIP_IN("pause", "reason", FIELD_TEXT_OR_NULL, paused_reason)},
    {VIP_IN("pause", "sinceMs", FIELD_MS, paused_us)},
};

#define NODE(...) BASIC(snapshot_node, NULL, __VA_ARGS__)
#define NODE_IN(...) BASIC(snapshot_node, __VA_ARGS__)
#define PEERS(...) NODE_IN(SNAPSHOT_PEER_LEASE, __VA_ARGS__)
static const struct field node[] = {
    {NODE("name", FIELD_TEXT, name)},
    {NODE("role", FIELD_WORD, role), WORDS(snapshot_role_name_word, SNAPSHOT_ROLE_TALOS)},
    {NODE("position", FIELD_PLACE, position)},
    {NODE("hasAgent", FIELD_BOOL, has_agent)},
    {NODE("agent", FIELD_TEXT_OR_NULL, agent)},
    {NODE("address", FIELD_TEXT_OR_NULL, address)},
    {NODE("iface", FIELD_TEXT_OR_NULL, iface)},
    {NODE("mac", FIELD_TEXT_OR_NULL, mac)},
    {NODE("link", FIELD_UP_DOWN_OR_NULL, is_link_up), KNOWN(snapshot_node, is_link_known)},
    {NODE("linkSinceMs", FIELD_MS, link_us)},
    {NODE("speedMbit", FIELD_NUMBER, speed_mbit)},
    {NODE_IN("lease", "id", FIELD_LEASE, lease)},
    {NODE_IN("lease", "grantedMs", FIELD_MS, granted_us)},
    {NODE("renewAgeMs", FIELD_MS, renewed_us)},
    {NODE("renewLatencyMs", FIELD_FINE_MS, latency_us)},
    {NODE("renewP99Ms", FIELD_FINE_MS, p99_us)},
    {NODE("clockOffsetMs", FIELD_OFFSET_MS, clock_offset_us), KNOWN(snapshot_node, is_clock_known)},
    {NODE("packetFence", FIELD_BOOL, has_packet_fence)},
    {NODE("guardian", FIELD_BOOL, has_guardian)},
    {NODE("ageMs", FIELD_MS, age_us)},
    {PEERS("voters", FIELD_NUMBER, peers.voters)},
    {PEERS("majority", FIELD_NUMBER, peers.majority)},
    {PEERS("windowMs", FIELD_MS, peers.window_us)},
    {PEERS("acknowledged", FIELD_NUMBER, peers.acknowledged)},
    {PEERS("ready", FIELD_BOOL, peers.is_ready)},
    {PEERS("reason", FIELD_TEXT_OR_NULL, peers.reason)},
    {PEERS("mute", FIELD_BOOL, peers.is_mute)},
    {PEERS("suspicions", FIELD_NUMBER, peers.suspicions)},
    {PEERS("grants", FIELD_NUMBER, peers.grants)},
    {PEERS("endings", FIELD_NUMBER, peers.endings)},
    {PEERS("mutes", FIELD_NUMBER, peers.mutes)},
};

#define PEER(...) BASIC(snapshot_peer, NULL, __VA_ARGS__)
static const struct field peer[] = {
    {PEER("node", FIELD_TEXT, node)},         {PEER("voter", FIELD_BOOL, is_voter)},
    {PEER("inTime", FIELD_BOOL, is_in_time)}, {PEER("ackedAgeMs", FIELD_MS, acked_us)},
    {PEER("heardAgeMs", FIELD_MS, heard_us)},
};

#define VIEW(...) BASIC(snapshot_view, NULL, __VA_ARGS__)
static const struct field view[] = {
    {VIEW("vip", FIELD_IP, vip)},
    {VIEW("state", FIELD_TEXT_OR_NULL, state)},
    {VIEW("iface", FIELD_TEXT_OR_NULL, iface)},
    {VIEW("addressSet", FIELD_BOOL, has_address)},
    {VIEW("mac", FIELD_TEXT_OR_NULL, mac)},
    {VIEW("other", FIELD_TEXT_OR_NULL, other)},
    {VIEW("via", FIELD_WORD, via), WORDS(snapshot_via_name_word, SNAPSHOT_VIA_PROBE)},
    {VIEW("verdict", FIELD_WORD, verdict), WORDS(snapshot_verdict_name_word, SNAPSHOT_VIEW_NONE)},
    {VIEW("ageMs", FIELD_MS, age_us)},
};

#define ALERT(...) BASIC(snapshot_alert, NULL, __VA_ARGS__)
static const struct field alert[] = {
    {ALERT("id", FIELD_TEXT, id)},
    {ALERT("severity", FIELD_WORD, severity), WORDS(snapshot_severity_name_word, SNAPSHOT_CRIT)},
    {ALERT("vip", FIELD_IP_OR_NULL, vip)},
    {ALERT("node", FIELD_TEXT_OR_NULL, node)},
    {ALERT("text", FIELD_TEXT, text)},
    {ALERT("sinceMs", FIELD_MS, since_us)},
    {ALERT("clearedMs", FIELD_MS, cleared_us)},
};

#define MOVE(...) BASIC(snapshot_move, NULL, __VA_ARGS__)
#define MOVE_IN(...) BASIC(snapshot_move, __VA_ARGS__)
static const struct field move[] = {
    {MOVE("vip", FIELD_IP, vip)},
    {MOVE("time", FIELD_TIME, wall_us)},
    {MOVE("epoch", FIELD_REVISION, epoch)},
    {MOVE("term", FIELD_REVISION, term)},
    {MOVE("from", FIELD_TEXT_OR_NULL, from)},
    {MOVE("to", FIELD_TEXT_OR_NULL, to)},
    {MOVE("cause", FIELD_TEXT, cause)},
    {MOVE("detail", FIELD_TEXT_OR_NULL, detail)},
    {MOVE("planned", FIELD_BOOL, is_planned)},
    {MOVE("detectMs", FIELD_FINE_MS, detect_us)},
    {MOVE_IN("phases", "wonMs", FIELD_FINE_MS, won_us)},
    {MOVE_IN("phases", "probedMs", FIELD_FINE_MS, probed_us)},
    {MOVE_IN("phases", "setMs", FIELD_FINE_MS, set_us)},
    {MOVE_IN("phases", "announcedMs", FIELD_FINE_MS, announced_us)},
    {MOVE_IN("outage", "ms", FIELD_FINE_MS, outage_us)},
    {MOVE_IN("outage", "errorMs", FIELD_FINE_MS, error_us)},
    {MOVE_IN("outage", "ongoing", FIELD_BOOL, is_outage_open)},
    {MOVE_IN("outage", "estimated", FIELD_BOOL, is_outage_estimated)},
    {MOVE("observers", FIELD_COUNT, n_observers)},
    {MOVE("note", FIELD_TEXT_OR_NULL, note)},
};

const struct fields snapshot_fields = TABLE(top), snapshot_etcd_fields = TABLE(etcd),
                    snapshot_member_fields = TABLE(member), snapshot_vip_fields = TABLE(vip),
                    snapshot_node_fields = TABLE(node), snapshot_view_fields = TABLE(view),
                    snapshot_peer_fields = TABLE(peer), snapshot_alert_fields = TABLE(alert),
                    snapshot_move_fields = TABLE(move);
