/* SPDX-License-Identifier: MIT */
/* What the files of the protocol share while one step runs. */
#ifndef TALOSVIP_CORE_STEP_H
#define TALOSVIP_CORE_STEP_H

#include "core/deadline.h"
#include "core/election.h"

/* A request without an answer counts as lost; etcd itself may sit on one for 7 s. */
#define REQUEST_TIMEOUT_US (1100 * MS_US)
#define RETRY_US (100 * MS_US)
/* A fault must have been away this long before we queue up again, at the tail. */
#define REJOIN_US SECOND_US

struct step {
    struct election *e;
    uint64_t now;
    struct election_actions *out;
};

/* Appends an action; the caller fills in the rest. */
struct election_action *step_act(struct step *s, enum election_action_type type);
/* Appends a request with a fresh id, which it returns. */
uint32_t step_request(struct step *s, enum election_action_type type,
                      struct election_action **ret_action);
/* 0 .. max-1 */
uint64_t step_jitter(struct step *s, uint64_t max);

/* session.c */
void session_start(struct step *s);
void session_event(struct step *s, const struct election_event *ev);
void session_timers(struct step *s);
/* Notes that the deadline has passed. True the first time. */
bool session_lapse(struct step *s);
void session_end(struct step *s);
/* The lease is gone, or as good as gone. */
void session_lose(struct step *s, enum election_cause cause);
/* D, the sooner end of etcd's right and of the peer lease, for the fences; `is_forced`: even if it
 * is the same as before. */
void session_store_deadline(struct step *s, bool is_forced);
uint64_t session_wake(const struct election *e);

/* vip.c; `i` is the slot */
void vip_set_state(struct step *s, unsigned i, enum vip_state to, enum election_cause cause);
void vip_event(struct step *s, unsigned i, const struct election_event *ev);
void vip_timers(struct step *s, unsigned i);
void vip_on_lapsed(struct step *s, unsigned i);
/* The lease was confirmed and there is a right; `was_late`: it had been long in doubt. */
void vip_on_confirmed(struct step *s, unsigned i, bool was_late);
void vip_on_session_lost(struct step *s, unsigned i, enum election_cause cause);
/* A majority of our voters acknowledges again. */
void vip_on_heard(struct step *s, unsigned i);
/* Mute for too long: another is to have it. */
void vip_on_yield(struct step *s, unsigned i);
/* The key check says that etcd does not hold what we believe. */
void vip_on_keys_doubted(struct step *s, unsigned i);
/* We slept: whatever is held is to be proved again. */
void vip_on_doubt(struct step *s, unsigned i);
/* Joins, leaves, or gives up, as the world now wants it. */
void vip_reconsider(struct step *s, unsigned i);
bool vip_is_off(const struct vip *v);
uint64_t vip_wake(const struct election *e, const struct vip *v);

/* handover.c: what people ask for */
void handover_note(struct step *s, unsigned i, const struct election_event *ev);
void handover_note_pause(struct step *s, unsigned i, int64_t revision, bool is_paused);
/* Resigns, or steps behind, when it is time to. */
void handover_consider(struct step *s, unsigned i);
uint64_t handover_wake(const struct vip *v);
/* The bars that count while it is paused or not. */
unsigned handover_bars(const struct vip *v);
bool handover_may_take(const struct vip *v);

/* take.c: from the queue to the address */
void take_join(struct step *s, unsigned i);
void take_ask_proof(struct step *s, unsigned i);
/* Where our key stands now; `is_proved`: etcd itself just said so, not the watch. */
void take_settle(struct step *s, unsigned i, bool is_proved);
void take_probe_sent(struct step *s, unsigned i);
void take_probe_timer(struct step *s, unsigned i);
void take_on_set(struct step *s, unsigned i, enum election_result result);
void take_refresh(struct step *s, unsigned i);
void take_put_back(struct step *s, unsigned i);
/* Held, and proved again. */
void take_resume(struct step *s, unsigned i);
void take_tell(struct step *s, unsigned i);

/* peer.c: the peer lease */
void peer_event(struct step *s, const struct election_event *ev);
void peer_timers(struct step *s);
/* At the head of a step: who slept did not listen. */
void peer_note_lateness(struct step *s);
void peer_stop(struct step *s);
/* Stopping, but an owner is still to strike us off its list. */
bool peer_is_needed(const struct election *e);
uint64_t peer_wake(const struct election *e);
struct peer_session peer_self(const struct election *e);
bool peer_is_self(const struct election *e, const struct peer_session *session);
/* Place in the list, or -1. */
int peer_voter_at(const struct peer_record *record, const struct peer_session *session);
struct election_action *peer_note(struct step *s, enum peer_note note);

/* owner.c: rules 1, 5, 6 */
bool owner_has_member(const struct election *e, const struct peer_session *session);
/* Notes that P has passed. True the first time. */
bool owner_mute(struct step *s);
void owner_on_acked(struct step *s, const struct peer_input *in);
void owner_on_leaving(struct step *s, const struct peer_session *from);
void owner_on_members(struct step *s, const struct peer_session *sessions, unsigned n);
void owner_on_published(struct step *s, const struct election_event *ev);
void owner_on_put(struct step *s, const struct peer_record *r);
void owner_on_deleted(struct step *s, const char *name, int64_t revision);
void owner_on_listed(struct step *s, const struct election_event *ev);
/* Under a new lease it starts from nothing. */
void owner_reset(struct step *s);
void owner_timers(struct step *s);
uint64_t owner_wake(const struct election *e);

/* voter.c: rules 2 and 3 */
/* When we last heard that owner; 0 = never. */
uint64_t voter_heard(const struct peer_lease *p, const struct peer_session *owner);
void voter_on_heartbeat(struct step *s, const struct peer_input *in);
void voter_on_asked(struct step *s, const struct peer_input *in);
/* Gives up that term of the owner, if that may be done now. */
bool voter_grant(struct step *s, const struct peer_session *owner, int64_t term,
                 uint64_t window_us);

/* ender.c: rules 3 and 4 */
bool ender_has_record(const struct election *e, const struct peer_session *owner);
void ender_on_granted(struct step *s, const struct peer_input *in);
void ender_on_leaving(struct step *s, const struct peer_session *from);
void ender_on_put(struct step *s, const struct peer_record *r);
void ender_on_deleted(struct step *s, const char *name, int64_t revision);
void ender_on_listed(struct step *s, const struct election_event *ev);
void ender_on_ended(struct step *s, const struct election_event *ev);
void ender_on_revoked(struct step *s, const struct election_event *ev);
void ender_timers(struct step *s);
uint64_t ender_wake(const struct election *e);

/* give.c: from the address to out of the queue */
void give_drop(struct step *s, unsigned i, enum election_cause cause);
void give_on_cleared(struct step *s, unsigned i, enum election_result result);
void give_delete_again(struct step *s, unsigned i);
void give_resign(struct step *s, unsigned i, bool is_recorded, enum election_cause cause);
void give_on_resigned(struct step *s, unsigned i, enum election_result result);
void give_off(struct step *s, unsigned i, enum election_cause cause);
/* Our key is gone from etcd, and nobody of us deleted it. */
void give_lost_key(struct step *s, unsigned i);

#endif
