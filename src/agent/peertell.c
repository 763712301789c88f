/* SPDX-License-Identifier: MIT */
/* What the log and the status say of the peer lease. */
#include "state.h"

#include <inttypes.h>

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
        log_event(LOG_INFO, "peer_heard", NULL, NULL, "a majority of the voters hears us again");
        break;
    default:
        log_event(LOG_WARN, "peer_lost", NULL, NULL,
                  "our peers found us silent and ended our lease");
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
