/* SPDX-License-Identifier: MIT */
#include "core/election.h"

static const char *const vip_states[VIP_STATES] = {
    [VIP_UNUSED] = "unused",         [VIP_OFF] = "off",
    [VIP_JOINING] = "joining",       [VIP_QUEUED] = "standby",
    [VIP_CONFIRMING] = "confirming", [VIP_PROBING] = "probing",
    [VIP_TAKING] = "taking",         [VIP_HELD] = "held",
    [VIP_DROPPING] = "dropping",     [VIP_RESIGNING] = "resigning",
};

static const char *const session_states[SESSION_STATES] = {
    [SESSION_OFF] = "off",         [SESSION_GRANTING] = "connecting", [SESSION_LIVE] = "live",
    [SESSION_RESTING] = "resting", [SESSION_REVOKING] = "revoking",   [SESSION_ENDED] = "ended",
};

static const char *const causes[CAUSES] = {
    [CAUSE_NONE] = "none",
    [CAUSE_SHUTDOWN] = "shutdown",
    [CAUSE_RESIGN] = "resign",
    [CAUSE_LAPSED] = "lease_expired",
    [CAUSE_SESSION_LOST] = "session_lost",
    [CAUSE_KEY_LOST] = "key_deleted",
    [CAUSE_LINK_DOWN] = "link_down",
    [CAUSE_HEALTH] = "health_check",
    [CAUSE_CONFIG] = "config",
    [CAUSE_ADDRESS] = "address_failed",
    [CAUSE_GUARDIAN] = "no_guardian",
    [CAUSE_PEERS] = "ended_by_peers",
    [CAUSE_MUTE] = "mute",
};

static const char *const notes[PEER_NOTES] = {
    [PEER_NOTE_ON] = "on",       [PEER_NOTE_OFF] = "off",         [PEER_NOTE_MUTE] = "mute",
    [PEER_NOTE_HEARD] = "heard", [PEER_NOTE_LOST] = "lost",       [PEER_NOTE_SUSPECT] = "suspect",
    [PEER_NOTE_CALM] = "calm",   [PEER_NOTE_GRANTED] = "granted", [PEER_NOTE_ENDED] = "ended",
};

const char *vip_state_name(enum vip_state state)
{
    return state < VIP_STATES ? vip_states[state] : "?";
}

const char *session_state_name(enum session_state state)
{
    return state < SESSION_STATES ? session_states[state] : "?";
}

const char *election_cause_name(enum election_cause cause)
{
    return cause < CAUSES ? causes[cause] : "?";
}

const char *peer_note_name(enum peer_note note)
{
    return note < PEER_NOTES ? notes[note] : "?";
}
