/* SPDX-License-Identifier: MIT */
/* From what etcd and the wire tell to who had a VIP before, and why it moved. Pure. */
#ifndef TALOSVIP_AGENT_CAUSE_H
#define TALOSVIP_AGENT_CAUSE_H

#include "etcd/record.h"

/* A candidate while its key led. */
struct reign {
    int64_t epoch; /* create revision of its key; 0 none */
    int64_t lease;
    char node[RECORD_NAME_MAX];
    uint64_t since_us, since_wall_us; /* when we learned */
    bool is_agent;                    /* etcd had a record of that node */
};

struct cause_facts {
    struct reign before;                    /* who led directly before us, as we saw it */
    bool was_seen;                          /* on the wire, or it led for long */
    const struct record_released *released; /* NULL: none */
    const struct record_move *newest;       /* the record before this one; NULL: none */
    int64_t session;                        /* lease of the record of node `before`; 0 none */
    int64_t last_sign_us;                   /* from the old owner's last answer or heartbeat to when
                                               its key was gone; -1 none */
};

/* Fills in from, previous_epoch, cause, detail and is_planned. */
void cause_tell(const struct cause_facts *facts, struct record_move *move);
/* The record that an owner before `move` did not live to write, if there was one. */
bool cause_missing(const struct cause_facts *facts, struct record_move *ret_move);
/* What the old owner itself knows better than whoever wrote the record. `own` is why it let go, of
 * election_cause_name(), `detail` what it has to say of that. True when the record changed. What
 * somebody did to it (its word in `released`, a key deleted) stands; but where it had let go by
 * itself before its peers ended its lease, that was the cause. */
bool cause_correct(struct record_move *move, const char *own, const char *detail);

#endif
