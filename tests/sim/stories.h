/* SPDX-License-Identifier: MIT */
/* Verbs of the stories. They speak of VIP 0 of a cluster of three, in which node 0 owns it, node 1
 * is next and node 2 last. A broken expectation becomes the world's violation, and nothing runs
 * after it. Times are microseconds of virtual time. */
#ifndef TALOSVIP_SIM_STORIES_H
#define TALOSVIP_SIM_STORIES_H

#include "world.h"

enum { OWNER, HEIR, LAST, NOBODY = -1 };
enum { FENCED = true, PLAIN = false };

struct story {
    const char *name;
    void (*tell)(struct world *w);
};

/* Each ends with a story without a name. */
extern const struct story stories_of_processes[];
extern const struct story stories_of_etcd[];
extern const struct story stories_of_doubt[];
extern const struct story stories_of_peers[];
extern const struct story stories_of_requests[];

void expect(struct world *w, bool is_so, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void run_for(struct world *w, uint64_t us);

/* The agents start a second apart; the queue is OWNER, HEIR, LAST. */
void start_all(struct world *w, bool is_fenced);
void start_agent(struct world *w, unsigned node);
void stop_agent(struct world *w, unsigned node);
void kill_guardian(struct world *w, unsigned node);
/* Without anybody who starts another. */
void lose_guardian(struct world *w, unsigned node);
void freeze_all_of(struct world *w, unsigned node);
void thaw_all_of(struct world *w, unsigned node);
void power_off(struct world *w, unsigned node);
void set_link(struct world *w, unsigned node, bool is_up);
void set_bar(struct world *w, unsigned node, unsigned bar, bool is_up);
void cut_etcd(struct world *w, unsigned node);
void join_etcd(struct world *w, unsigned node);
void lose_quorum(struct world *w);
void regain_quorum(struct world *w);
void delete_address(struct world *w, unsigned node);
void delete_key(struct world *w, unsigned node);
void revoke_lease(struct world *w, unsigned node);
/* A campaign txn of the node that was given up long ago reaches etcd after all. */
void deliver_old_campaign(struct world *w, unsigned node);
/* The proof that the node waits for arrives now, whatever the network does to others. */
void deliver_proof(struct world *w, unsigned node);

/* `node` answers within `worst`, in most seeds within `usual`; counted from now. */
void wait_owner(struct world *w, int node, uint64_t usual, uint64_t worst);
void wait_state(struct world *w, unsigned node, enum vip_state state, uint64_t worst);
/* All the time, from now on. */
void expect_owner_for(struct world *w, int node, uint64_t us);
/* Nobody but `node` for that long; it may be nobody. */
void expect_no_other_for(struct world *w, int node, uint64_t us);

struct vip *vip_of(struct world *w, unsigned node);
int64_t lease_of(const struct world *w, unsigned node);
/* The create revision of the node's key; 0 = it has none. */
int64_t key_of(const struct world *w, unsigned node);
/* A line with this text since `mark`, a former value of world.traced. */
bool was_traced(const struct world *w, unsigned mark, const char *text);

#endif
