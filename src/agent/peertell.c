/* SPDX-License-Identifier: MIT */
/* What the log and the status say of the peer lease. */
#include "state.h"

#include <inttypes.h>
#include <string.h>

/* Who that is, by the newest that etcd says of it; a session that is gone has its lease only. */
static const char *name_of(const struct agent *a, const struct peer_session *s, char text[20])
{
    const struct peerlease *p = &a->peerlease;
    const struct peerlease_node *node = peerstore_find_node(a, s);
    if (node)
        return node->name;
    for (unsigned i = 0; i < PEERLEASE_RECORDS_MAX; i++)
        if (p->records[i].core.name[0] && peer_is_same(&p->records[i].core.owner, s))
            return p->records[i].core.name;
    snprintf(text, 20, "%" PRIx64, (uint64_t)s->lease);
    return text;
}

/* Lists of the same voters follow each other when a VIP is taken. */
static void tell_on(struct agent *a, unsigned voters)
{
    struct peerlease *p = &a->peerlease;
    unsigned majority = voters / 2 + 1;
    if (voters != p->told_voters)
        publish_soon(a); /* our record was written with the address, before there were voters */
    log_event(voters == p->told_voters ? LOG_DEBUG : LOG_INFO, "peer_lease", NULL,
              LOG_FIELDS(LOG_NUMBER("voters", voters), LOG_NUMBER("majority", majority),
                         LOG_NUMBER("window_ms", a->election.peer.owner.current.window_us / MS_US)),
              "peer lease on: silent for %u ms, %u of %u voters may end our lease",
              (unsigned)(a->election.peer.owner.current.window_us / MS_US), majority, voters);
    p->told_voters = voters;
}

static void tell_owner(struct agent *a, const struct election_action *action)
{
    uint64_t now = clock_now_us();
    switch (action->note) {
    case PEER_NOTE_ON:
        tell_on(a, action->count);
        break;
    case PEER_NOTE_OFF:
        a->peerlease.told_voters = 0;
        log_event(LOG_INFO, "peer_lease", NULL, LOG_FIELDS(LOG_NUMBER("voters", 0)),
                  "peer lease off: the lease in etcd alone decides");
        break;
    case PEER_NOTE_MUTE:
        log_event(LOG_WARN, "peer_mute", NULL,
                  LOG_FIELDS(LOG_NUMBER("late_us", now > action->at_us ? now - action->at_us : 0)),
                  "no majority of the voters hears us: mute until it does");
        break;
    case PEER_NOTE_HEARD:
        log_event(LOG_INFO, "peer_heard", NULL, NULL, "no longer mute");
        break;
    default:
        log_event(LOG_WARN, "peer_lost", NULL, NULL,
                  "our list of voters is gone in etcd: our peers, or somebody, ended our lease");
        break;
    }
}

void peertell_note(struct agent *a, const struct election_action *action)
{
    char text[20];
    const char *name = name_of(a, &action->peer, text);
    uint64_t now = clock_now_us();
    switch (action->note) {
    case PEER_NOTE_SUSPECT:
        log_event(LOG_WARN, "peer_suspect", NULL,
                  LOG_FIELDS(LOG_TEXT("owner", name),
                             LOG_NUMBER("silent_ms", (now - action->at_us) / MS_US)),
                  "%s was last heard %" PRIu64 " ms ago; asking the other voters", name,
                  (now - action->at_us) / MS_US);
        break;
    case PEER_NOTE_CALM:
        log_event(LOG_INFO, "peer_calm", NULL, LOG_FIELDS(LOG_TEXT("owner", name)),
                  "%s is not to be ended after all", name);
        break;
    case PEER_NOTE_GRANTED:
        log_event(LOG_WARN, "peer_granted", NULL, LOG_FIELDS(LOG_TEXT("owner", name)),
                  "%s is silent: as a voter we give it up", name);
        break;
    case PEER_NOTE_ENDED:
        log_event(LOG_WARN, "peer_ended", NULL, LOG_FIELDS(LOG_TEXT("owner", name)),
                  "ended the lease of %s with a majority of its voters", name);
        break;
    default:
        tell_owner(a, action);
        break;
    }
}

static int64_t ago_ms(uint64_t at_us, uint64_t now)
{
    return at_us && at_us <= now ? (int64_t)((now - at_us) / MS_US) : -1;
}

static void view_agent(const struct agent *a, const struct peerlease_node *node, uint64_t now,
                       struct api_peer *out)
{
    const struct peer_lease *core = &a->election.peer;
    *out = (struct api_peer){.acked_ago_ms = -1, .heard_ago_ms = -1};
    snprintf(out->node, sizeof(out->node), "%s", node->name);
    for (unsigned i = 0; i < core->owner.current.n; i++)
        out->is_voter |= peer_is_same(&core->owner.current.voters[i], &node->session);
    for (unsigned i = 0; i < 2 * PEERS_MAX; i++)
        if (peer_is_same(&core->owner.members[i].session, &node->session))
            out->acked_ago_ms = ago_ms(core->owner.members[i].acked_us, now);
    for (unsigned i = 0; i < PEER_SEEN_MAX; i++)
        if (peer_is_same(&core->seen[i].owner, &node->session))
            out->heard_ago_ms = ago_ms(core->seen[i].heard_us, now);
}

static void view_counts(const struct agent *a, struct api_peers *out)
{
    const struct peer_lease *core = &a->election.peer;
    out->suspicions = core->suspicions;
    out->grants = core->grants;
    out->endings = core->endings;
    out->mutes = core->mutes;
    if (!a->peerlease.udp)
        return;
    const struct udp_counts *c = udp_counts(a->peerlease.udp);
    out->sent = c->sent;
    out->received = c->received;
    out->failed = c->failed;
    out->dropped = c->malformed + c->rejected + c->unknown;
}

void peertell_view(const struct agent *a, struct api_peers *ret_peers)
{
    const struct peerlease *p = &a->peerlease;
    const struct peer_owner *owner = &a->election.peer.owner;
    uint64_t now = clock_now_us();
    struct api_peers out = {.is_ready = p->incarnation && !p->reason && !a->fence_reason,
                            .window_ms = (int64_t)(a->settings.peer_window_us / MS_US),
                            .voters = owner->current.n,
                            .is_mute = owner->is_mute,
                            .list = ret_peers->list,
                            .remaining_ms = -1};
    const char *why = !p->incarnation   ? "switched off"
                      : a->fence_reason ? "no packet fence"
                      : p->reason       ? p->reason
                                        : "";
    snprintf(out.reason, sizeof(out.reason), "%s", why);
    if (out.voters) {
        out.majority = out.voters / 2 + 1;
        out.remaining_ms = owner->right_us > now ? (int64_t)((owner->right_us - now) / MS_US) : 0;
    }
    view_counts(a, &out);
    for (unsigned i = 0; i < PEERLEASE_NODES_MAX && out.n < API_PEERS_MAX; i++)
        if (p->nodes[i].name[0] && strcmp(p->nodes[i].name, a->settings.node) != 0)
            view_agent(a, &p->nodes[i], now, &out.list[out.n++]);
    *ret_peers = out;
}

void peertell_fill_record(const struct agent *a, struct record_node *record)
{
    _Static_assert(API_PEERS_MAX <= RECORD_PEERS_MAX, "the record has room for all");
    struct api_peer list[API_PEERS_MAX] = {{.is_voter = false}};
    struct api_peers view = {.list = list};
    peertell_view(a, &view);
    struct record_peers *out = &record->peers;
    *out = (struct record_peers){.is_known = true,
                                 .is_ready = view.is_ready,
                                 .is_mute = view.is_mute,
                                 .suspicions = (int64_t)view.suspicions,
                                 .grants = (int64_t)view.grants,
                                 .endings = (int64_t)view.endings,
                                 .mutes = (int64_t)view.mutes};
    snprintf(out->reason, sizeof(out->reason), "%.*s", RECORD_TEXT_MAX - 1, view.reason);
    for (unsigned i = 0; i < view.n && i < API_PEERS_MAX; i++) {
        struct record_peer *to = &out->list[out->n++];
        to->is_voter = list[i].is_voter;
        to->acked_ago_ms = list[i].acked_ago_ms;
        to->heard_ago_ms = list[i].heard_ago_ms;
        snprintf(to->node, sizeof(to->node), "%.*s", RECORD_NAME_MAX - 1, list[i].node);
    }
}
