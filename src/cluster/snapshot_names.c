/* SPDX-License-Identifier: MIT */
#include "cluster/snapshot.h"

static const char *const vip_states[] = {
    [SNAPSHOT_VIP_HELD] = "held",     [SNAPSHOT_VIP_FREE] = "free",
    [SNAPSHOT_VIP_MOVING] = "moving", [SNAPSHOT_VIP_DUP] = "dup",
    [SNAPSHOT_VIP_SILENT] = "silent", [SNAPSHOT_VIP_STALE] = "stale",
};

static const char *const etcd_states[] = {
    [SNAPSHOT_ETCD_CONNECTING] = "connecting",   [SNAPSHOT_ETCD_OK] = "ok",
    [SNAPSHOT_ETCD_DEGRADED] = "degraded",       [SNAPSHOT_ETCD_NO_QUORUM] = "no quorum",
    [SNAPSHOT_ETCD_UNREACHABLE] = "unreachable",
};

static const char *const roles[] = {
    [SNAPSHOT_ROLE_HOLDER] = "holder",   [SNAPSHOT_ROLE_NEXT] = "next",
    [SNAPSHOT_ROLE_STANDBY] = "standby", [SNAPSHOT_ROLE_PAUSED] = "paused",
    [SNAPSHOT_ROLE_LOST] = "lost",       [SNAPSHOT_ROLE_OBSERVER] = "observer",
    [SNAPSHOT_ROLE_TALOS] = "talos",
};

static const char *const verdicts[] = {
    [SNAPSHOT_VIEW_UNKNOWN] = "unknown", [SNAPSHOT_VIEW_SELF] = "self",
    [SNAPSHOT_VIEW_MATCH] = "match",     [SNAPSHOT_VIEW_WRONG] = "wrong",
    [SNAPSHOT_VIEW_NONE] = "none",
};

static const char *const vias[] = {
    [SNAPSHOT_VIA_NONE] = "none",
    [SNAPSHOT_VIA_KERNEL] = "kernel",
    [SNAPSHOT_VIA_NEIGH] = "neigh",
    [SNAPSHOT_VIA_PROBE] = "probe",
};

static const char *const severities[] = {
    [SNAPSHOT_INFO] = "info", [SNAPSHOT_WARN] = "warning", [SNAPSHOT_CRIT] = "critical"};

static const char *const severity_words[] = {
    [SNAPSHOT_INFO] = "INFO", [SNAPSHOT_WARN] = "WARN", [SNAPSHOT_CRIT] = "CRIT"};

#define NAME_IN(names_, value_)                                                                    \
    ((size_t)(value_) < sizeof(names_) / sizeof(*(names_)) ? (names_)[value_] : "?")

const char *snapshot_vip_state_name(enum snapshot_vip_state state)
{
    return NAME_IN(vip_states, state);
}

const char *snapshot_etcd_state_name(enum snapshot_etcd_state state)
{
    return NAME_IN(etcd_states, state);
}

const char *snapshot_role_name(enum snapshot_role role)
{
    return NAME_IN(roles, role);
}

const char *snapshot_verdict_name(enum snapshot_verdict verdict)
{
    return NAME_IN(verdicts, verdict);
}

const char *snapshot_via_name(enum snapshot_via via)
{
    return NAME_IN(vias, via);
}

const char *snapshot_severity_name(enum snapshot_severity severity)
{
    return NAME_IN(severities, severity);
}

const char *snapshot_severity_word(enum snapshot_severity severity)
{
    return NAME_IN(severity_words, severity);
}
