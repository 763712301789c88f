/* SPDX-License-Identifier: MIT */
/* What the files of the agent share. Wiring only: events go into the core, its actions come out
 * and are carried out in order; every decision is the core's. */
#ifndef TALOSVIP_AGENT_STATE_H
#define TALOSVIP_AGENT_STATE_H

#include <stdio.h>

#include "agent/agent.h"
#include "api/metrics.h"
#include "api/server.h"
#include "base/clock.h"
#include "base/loop.h"
#include "config/config.h"
#include "core/deadline.h"
#include "core/election.h"
#include "core/observe.h"
#include "etcd/client.h"
#include "etcd/record.h"
#include "etcd/watch.h"
#include "net/echo.h"
#include "net/fence.h"
#include "net/link.h"
#include "net/monitor.h"
#include "net/netlink.h"
#include "net/packet.h"
#include "peerlease.h"

#define AGENT_LINKS_MAX 64
#define AGENT_PEERS_MAX 64
#define AGENT_EVENTS_MAX (4 * ELECTION_VIPS_MAX)
#define AGENT_GATEWAYS_MAX 4
#define AGENT_TWINS_MAX 16 /* of each link */
/* All that a command of the configuration finds in its environment, but for what a hook is told. */
#define AGENT_CHILD_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define AGENT_CHANGES_MAX 8
#define AGENT_CHECKS_MAX 4

_Static_assert(ELECTION_VIPS_MAX <= PACKET_WATCH_MAX, "every VIP is listened for");
_Static_assert(AGENT_LINKS_MAX <= ECHO_MACS_MAX, "every link has a MAC");
_Static_assert(ELECTION_VIPS_MAX < FENCE_SLOTS, "every VIP has a slot of the fence");
_Static_assert(CONFIG_VIPS_MAX <= ELECTION_VIPS_MAX && ELECTION_VIPS_MAX <= API_VIPS_MAX,
               "every VIP configured has a place");
_Static_assert(CAUSES <= API_CAUSES_MAX && CONFIG_HEALTH_MAX <= API_CHECKS_MAX,
               "every cause and every health check is counted");

struct agent;

/* The settings in force: flags over environment over files over defaults. Strings live as long
 * as the options and the configuration. */
struct settings {
    char node[NODE_NAME_MAX];
    char machine_id[64];
    const char *endpoints[ETCD_ENDPOINTS_MAX];
    size_t n_endpoints;
    const char *cacert, *cert, *key;
    const char *user, *password, *password_file;
    uint64_t ttl_us;
    uint64_t refresh_us;
    const char *socket;
    bool has_peers; /* takes part in the peer lease */
    uint64_t peer_window_us;
    uint16_t peer_port;
};

/* One request to etcd: at most one of its kind is out, and a newer one replaces it. */
struct request {
    struct agent *agent;
    struct etcd_call *call;
    enum election_action_type type;
    uint32_t req;
    unsigned vip;
};

/* A link that carries VIPs. */
struct agent_link {
    struct agent *agent;
    char name[LINK_NAME_MAX]; /* "" = free */
    int ifindex;              /* 0 = not there now */
    struct mac mac;
    bool is_running;
    uint64_t changed_us; /* when the carrier changed last; 0: not since we look */
    struct packet *packet;
    bool has_failed; /* the log was told, and it is tried again */
    unsigned users;
    unsigned n_twins;
    int twins[AGENT_TWINS_MAX]; /* other links into the same network, under the packet fence too */
    bool has_many_twins;        /* more than that: the log was told */
    int open_twin;              /* one that the fence could not be put on: no VIP is taken; 0 */
};

/* Someone whose neighbour cache matters: a gateway, or another node of the cluster. */
struct peer {
    struct ip ip;
    bool has_answered;
};

struct slot {
    bool is_used;
    struct ip ip;
    char text[IP_TEXT_MAX];
    char link_name[LINK_NAME_MAX];
    struct agent_link *link;
    bool is_heard;  /* its link listens for it */
    bool is_probed; /* the election is still to hear that its probe was sent */
    struct request proof, resign;
    unsigned n_peers;
    struct peer peers[AGENT_PEERS_MAX];
    uint64_t elected_us;  /* when we were first seen to lead, for the log */
    uint64_t released_us; /* until somebody was heard to take over; 0 = not waiting */
    bool has_told_seen;
    bool was_held; /* since the hooks were last told of a release */
    struct api_vip_counters counters;
    char previous[NODE_NAME_MAX];    /* who led before us */
    struct record_released released; /* the newest that a proof showed */
    struct record_request asked;     /* of its owner, whoever that is */
    int64_t asked_mod;               /* mod revision of that key; 0 = there is none */
    struct observe view;             /* who has it, on the wire */
    uint64_t shut_us; /* when the packet fence was shut for it; 0: not since it was set */
    struct ip source; /* of probes by NDP: the node's own there; IP_NONE: none */
};

/* What other agents of the cluster say of themselves. */
struct neighbour_agent {
    struct record_node record; /* node "" = free */
};

struct guardian;
struct publisher;
struct history;

struct agent {
    const struct agent_options *options;
    struct config *config;
    struct settings settings;
    struct loop *loop;

    struct election election;
    struct vip *vips;
    struct election_action *actions;
    unsigned actions_max;
    struct election_event events[AGENT_EVENTS_MAX]; /* answers of the kernel, to be told next */
    unsigned n_events;
    bool is_stepping;
    struct loop_timer *timer, *probed;

    struct netlink *netlink;
    struct monitor *monitor;
    struct echo *echo;       /* what finds twins; NULL without the packet fence */
    struct loop_timer *look; /* the next question for it */
    uint64_t look_us, looked_us;
    struct fence *fence;
    const char *fence_reason; /* NULL while the packet fence is active */
    struct agent_link links[AGENT_LINKS_MAX];
    struct loop_timer *links_retry;
    struct slot slots[ELECTION_VIPS_MAX];

    struct etcd_client *etcd;
    struct etcd_watch *watch;
    struct request grant, renew, revoke;
    struct request checks[AGENT_CHECKS_MAX]; /* the txns of the key check that is out */
    bool check_failed, check_gone;           /* as far as they have answered */
    uint64_t check_term;                     /* the oldest raft term of their answers */
    struct etcd_call *start_call;
    struct loop_timer *start_timer;
    uint64_t start_us; /* when the agent began to look for etcd */
    bool has_told_waiting;
    char etcd_error[API_TEXT_MAX]; /* "" while it answers */
    struct neighbour_agent others[AGENT_PEERS_MAX];
    struct peerlease peerlease;
    bool is_paused; /* this node takes no part until resume */
    struct record_request pause;
    int64_t pause_mod;                         /* mod revision of that key */
    struct change *changes[AGENT_CHANGES_MAX]; /* POSTs that etcd has not answered yet */

    struct {
        bool is_known;
        unsigned n;
        struct mac *list;
    } own_macs;               /* of all links of this host */
    uint64_t closed_us;       /* since when there is no deadline; 0: there is one */
    struct loop_timer *sight; /* the next probe */
    uint64_t sight_us;
    unsigned sight_first;
    struct publisher *publisher;
    struct history *history;
    struct guardian *guardian;
    struct api_server *api;
    struct api_vip *view;       /* of the status */
    struct api_server *metrics; /* on TCP, or NULL */
    struct ip metrics_ip;       /* where it listens */
    uint16_t metrics_port;
    struct api_counters counters;
    struct children *children;
    struct health *health;
    struct hooks *hooks;
    struct loop_signal *signals[4];
    struct loop_timer *watchdog;
    struct loop_timer *farewell; /* how long a stopping agent listens for its successor */
    int lock_fd;
    uint64_t born_us, born_wall_us;
    bool has_told_ready, is_stopping, is_finished;
    int exit_code;
    uint64_t late_told_us;
};

/* feed.c: the way of an event into the core and of the actions out. While actions are carried out,
 * as feed_later(). */
void feed(struct agent *a, struct election_event *ev);
/* An answer that comes while actions are carried out: told right after them. It points nowhere, for
 * whoever gives it has returned by then. */
void feed_later(struct agent *a, const struct election_event *ev);
void feed_simple(struct agent *a, enum election_event_type type, unsigned vip, bool yes);

/* feed.c, too: it was held up beyond the deadline; others acted meanwhile. */
bool agent_has_overslept(const struct agent *a);

/* perform.c */
void perform(struct agent *a, const struct election_action *action);
void perform_tell_probed(void *arg);
/* Everything is released, and the successors have been heard: the loop ends. */
void finish_if_taken_over(struct agent *a);

/* transition.c: a new state of a VIP, for the counters and the hooks */
void transition(struct agent *a, const struct election_action *action);

/* health.c. 0 or -errno. */
int health_open(struct agent *a);
void health_close(struct agent *a);
/* Goes over to the checks of the configuration in force; the one before must still be there. */
int health_reload(struct agent *a);
/* Some check does not pass, or has not passed yet: no VIP may be taken part for. */
bool health_is_barred(const struct agent *a);
/* The name of the check that is to blame. */
const char *health_culprit(const struct agent *a);
/* Returns how many there are. */
unsigned health_view(const struct agent *a, struct api_check list[CONFIG_HEALTH_MAX]);

/* hooks.c. 0 or -errno. */
int hooks_open(struct agent *a);
void hooks_close(struct agent *a);
/* As health_reload(). */
int hooks_reload(struct agent *a);
/* Tells the hooks that want to know of `on` (one of CONFIG_ON_...), a little later. `cause` is a
 * word of core/names.c or another event of the log, or ""; `epoch` the create revision of our key,
 * or 0. */
void hooks_fire(struct agent *a, unsigned on, unsigned vip, const char *cause, int64_t epoch);
/* Ends the loop when the hooks have ended, or 3 s from now. */
void hooks_end(struct agent *a);

/* store.c: etcd */
int store_open(struct agent *a);
void store_close(struct agent *a);
void store_request(struct agent *a, const struct election_action *action);
/* Nobody waits for its answer any more. */
void store_cancel(struct request *q);
/* Notes whether etcd answers; every answer is to be told. */
void store_note_answer(struct agent *a, const struct etcd_reply *reply);
/* watch.c */
int watch_open(struct agent *a);
/* False for a key that is no candidate's. */
bool watch_read_candidate(const struct etcd_kv *kv, struct ip *ret_ip, struct candidate *ret);

/* requests.c: what people ask for through etcd */
void requests_list(struct agent *a, const struct etcd_response *keys, int64_t revision);
void requests_event(struct agent *a, enum etcd_event_type type, const struct etcd_kv *kv,
                    int64_t revision);
/* The key that pauses this node, read before the election. */
void requests_bar(struct agent *a, unsigned slot, bool is_paused);
void requests_begin(struct agent *a, const struct etcd_response *paused);
/* The request is carried out: its key goes. Any other one that came meanwhile stays. */
void requests_finish(struct agent *a, unsigned slot, int64_t epoch);
void requests_refuse(struct agent *a, const struct election_action *action);
/* "alice@host: kernel update" for a release, "" when nobody asked for it. */
void requests_detail(const struct agent *a, unsigned slot, char out[RECORD_TEXT_MAX]);

/* change.c: POSTs of the API */
void change_start(void *arg, uint64_t id, const struct api_request *wish);
/* Before the etcd client goes. */
void change_close(struct agent *a);

/* own_macs.c: whether a link of this host has it */
bool own_macs_have(struct agent *a, const struct mac *mac);
/* Frees what they are kept in. */
void own_macs_done(struct agent *a);
/* A link changed. */
void own_macs_forget(struct agent *a);

/* begin.c: before the election */
/* Finds out whether our name is free, and gives up what a dead predecessor left; then EV_START. */
void store_begin(struct agent *a);

/* links.c */
/* resolve.c: 0 and the name of the link; -ENODEV, -errno and the reason in `why` */
int links_resolve(struct agent *a, const struct config_vip *vip, char ret_name[LINK_NAME_MAX],
                  struct buf *why);
int links_open(struct agent *a);
void links_close(struct agent *a);
/* Puts it behind the packet fence and listens for it, before the election hears of it. 0; or
 * -errno, and nothing is left of it. */
int links_add_vip(struct agent *a, unsigned slot);
/* Carries frames, and is listened on. */
bool links_is_usable(const struct slot *slot);
/* Not taken part for: that, or a twin of its link is without the packet fence. */
bool links_is_barred(const struct slot *slot);
void links_remove_vip(struct agent *a, unsigned slot);
/* Every address with our tag that the election does not know of goes. */
int links_clean(struct agent *a);
/* Whether its VIPs may be taken part for has changed. */
void links_tell(struct agent *a, const struct agent_link *l);
/* Whether the kernel has the VIP on its link now. */
bool links_has_address(struct agent *a, unsigned slot);

/* twins.c: the packet fence on other links of this host that answer for a VIP, too */
int twins_open(struct agent *a);
void twins_close(struct agent *a);
/* `l` is `link` now. */
void twins_begin(struct agent *a, struct agent_link *l, const struct link *link);
/* No VIP needs the fence on `l` and its twins any more. */
void twins_end(struct agent *a, struct agent_link *l);
/* A link or its MAC has changed. 0 or -errno. */
int twins_watch(struct agent *a);
/* A link came: asks soon who else hears us. */
void twins_look(struct agent *a);
void twins_gone(struct agent *a, int ifindex);
/* "eth1, eth2" */
void twins_view(const struct agent *a, char out[API_TEXT_MAX]);
/* Some may have gone unseen. */
void twins_resync(struct agent *a);

/* sight.c: every VIP is watched on the wire, whoever holds it */
int sight_open(struct agent *a);
void sight_close(struct agent *a);
void sight_add_vip(struct agent *a, unsigned slot);
void sight_heard(struct agent *a, unsigned slot, const struct mac *mac);
/* The kernel has said that our address is on, or off; which it was asked for at `asked_us`. */
void sight_own(struct agent *a, unsigned slot, bool has_address, uint64_t asked_us);
/* The packet fence is about to get another deadline; 0: it closes. */
void sight_deadline(struct agent *a, uint64_t deadline_us);
/* The link, or its MAC, changed. */
void sight_link(struct agent *a, const struct agent_link *l);
/* Something happened to this VIP: look now. */
void sight_hint(struct agent *a, unsigned slot);

/* publish.c: talosvip/v1/nodes/<node> */
int publish_open(struct agent *a);
void publish_close(struct agent *a);
/* Something changed that others should know. */
void publish_soon(struct agent *a);
/* A new session: the key is written under its lease. */
void publish_session(struct agent *a);
/* A renewal was answered after `us`, or failed. */
void publish_renewed(struct agent *a, bool is_ok, uint64_t us);
/* The etcd client goes: its calls are ended. */
void publish_cancel(struct agent *a);

/* history.c: who had which VIP when, and why it moved */
int history_open(struct agent *a);
void history_close(struct agent *a);
/* After a step: the queue of this VIP may have changed. */
void history_stepped(struct agent *a, unsigned slot);
void history_state(struct agent *a, const struct election_action *action);
void history_announced(struct agent *a, unsigned slot);
/* This node has an agent. */
void history_agent(struct agent *a, const char *node);
/* The wire shows a new owner. */
void history_turn(struct agent *a, unsigned slot);
/* What we gave up is in somebody's record, but what we saw of it is not yet. */
bool history_is_busy(const struct agent *a);
/* Who and why, for the record of a release. */
void history_explain(const struct agent *a, unsigned slot, enum election_cause cause,
                     char ret_detail[RECORD_TEXT_MAX]);
/* history_stay.c: etcd's leader changed, and nothing moved */
enum history_proof { HISTORY_RENEWED = 1, HISTORY_CHECKED = 2 };
/* Of every answer of etcd: a newer raft term is a new leader. */
void history_term(struct agent *a, const struct etcd_header *header);
/* Our lease, or all of our keys, were found alive by an answer of that term. */
void history_proved(struct agent *a, enum history_proof proof, uint64_t term);
/* Somebody said that he has this VIP; `before_us`: when the same station was heard before. */
void history_heard(struct agent *a, unsigned slot, uint64_t before_us);
/* The etcd client goes: its call is ended. */
void history_cancel(struct agent *a);

/* peers.c */
void peers_note(struct agent *a, const struct record_node *record);
void peers_forget(struct agent *a, const char *node);
/* Who is to be asked, for a new run of announcements. */
void peers_begin(struct agent *a, unsigned slot);
void peers_ask(struct agent *a, unsigned slot);
/* Other agents that etcd knows of. */
unsigned peers_count(const struct agent *a);
bool peers_is_agent(const struct agent *a, const char *node);
void peers_heard(struct agent *a, unsigned slot, const struct frame *frame);

/* guardian.c */
int guardian_start(struct agent *a);
/* A new one with the settings in force now. */
void guardian_restart(struct agent *a);
void guardian_free(struct agent *a);
int64_t guardian_pid(const struct agent *a);
/* `right_us`: past it the addresses come off. */
void guardian_note_right(struct agent *a, int64_t lease, uint64_t right_us);
/* `has_address`: it may be on from now on; false: the kernel has said that it is off. */
void guardian_note_address(struct agent *a, unsigned slot, bool has_address, int64_t revision);
void guardian_note_token(struct agent *a);
/* Everything is released: there is nothing to give up. */
void guardian_note_done(struct agent *a);

/* report.c */
void report_start(struct agent *a);
void report_state(struct agent *a, const struct election_action *action);
void report_session(struct agent *a, const struct election_action *action);
void report_foreign(struct agent *a, unsigned slot);
void report_unprobed(struct agent *a, unsigned slot);
void report_late_renewal(struct agent *a);
void report_conflict(struct agent *a, unsigned slot, const struct mac *mac);
void report_taken_over(struct agent *a, unsigned slot, const struct mac *mac);
/* `answered` of the peers that were asked have switched to us. */
void report_seen(struct agent *a, unsigned slot, unsigned answered, unsigned asked);
/* What was released and not heard of again. */
void report_alone(struct agent *a);
/* To whoever listens to the events of the API. */
void report_event(struct agent *a, const char *vip, const char *from, const char *to,
                  const char *cause);

/* view.c: the status for the API */
extern const struct api_source view_source;

/* metrics.c: the metrics for it, and the server of api.metrics */
void metrics_view(void *arg, struct api_metrics *ret_metrics);
/* A renewal was answered, or given up (`latency_us` 0). */
void metrics_count_renewal(struct agent *a, uint64_t latency_us);
/* Listens where the configuration in force says; -errno of the new address, then on none. */
int metrics_listen(struct agent *a);

/* notify.c: systemd's notification socket (sd_notify(3)) */
void notify_send(const char *text);
/* Interval of WATCHDOG=1 in microseconds, 0 = none asked for. */
uint64_t notify_watchdog_us(void);

/* settings.c; 0, or -EINVAL and the reason in `why` */
int settings_resolve(struct settings *s, const struct agent_options *options,
                     const struct config *config, struct buf *why);
/* The etcd client of these settings; it points into them. */
void settings_client(const struct settings *s, struct loop *loop,
                     struct etcd_client_config *ret_config);
/* Without the packet fence a lease must be longer. */
int settings_check_ttl(const struct settings *s, bool is_fenced, struct buf *why);

/* host.c: each returns an exit code, 0 to go on */
int host_check_rights(void);
int host_take_lock(struct agent *a);
int host_check_ttl(const struct agent *a, bool is_fenced);
/* Nobody has put a VIP of the configuration on a link by hand. */
int host_check_untouched(struct agent *a);
/* 1 and where it is, if somebody has; 0 or -errno. */
int host_find_foreign(struct agent *a, const struct ip *vip, struct address *ret_foreign,
                      char ret_name[LINK_NAME_MAX]);
void host_drop_rights(const struct settings *s);
/* Ahead of whatever else this host does, and not swapped out, as far as it is allowed; else says
 * so. A bug that keeps the processor loses that again. */
void host_go_first(void);
/* If it is allowed without a limit. */
void host_lock_memory(void);
/* Says, once, that it was lost. */
void host_tell_busy(void);
/* leftover.c: opens the packet fence and ends the one of a dead agent. As fence_open(). */
int leftover_open_fence(struct agent *a, const char **ret_reason);
/* confine.c: 0 or -errno; then nothing is forbidden. */
int confine(void);

/* lock.c: one agent in a network namespace. 0 and *ret_fd; -EADDRINUSE when another has it. */
int lock_take(int *ret_fd);
/* The process that took it, though it may have ended since; 0 when that cannot be told, as of one
 * in another PID namespace. Not to be asked often: unix(7), a queue that nobody empties. */
int64_t lock_owner(void);

/* reload.c */
void reload(struct agent *a);
/* Gives every VIP of the configuration that has none a slot, and puts it under the election. */
void reload_add_missing(struct agent *a);
/* The election has let go of a VIP that the configuration no longer names. */
void reload_forget_vip(struct agent *a, unsigned slot);
/* The links of all VIPs; what cannot be found is logged. 0 or -errno. */
int reload_resolve(struct agent *a, const struct config *config);

/* dry_run.c: says what would be done; returns the exit code */
int dry_run(struct agent *a);

#endif
