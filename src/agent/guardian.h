/* SPDX-License-Identifier: MIT */
/* What the agent and its guardian share across fork(). */
#ifndef TALOSVIP_AGENT_GUARDIAN_H
#define TALOSVIP_AGENT_GUARDIAN_H

#include <pthread.h>
#include <stdatomic.h>

#include "state.h"

/* Written by the agent one word at a time, read by the guardian at any moment, also after the
 * agent died between two writes. An address is noted before it is put on, and its note is taken
 * back only after the kernel has said that it is off. */
struct ledger {
    /* Held by the agent for life. A robust lock is given up by the kernel as soon as the memory of
     * its owner goes; a pidfd tells only after all files are closed, and closing packet sockets
     * takes tens of milliseconds. */
    pthread_mutex_t agent_lives;
    int64_t agent_pid;
    _Atomic int64_t lease;
    _Atomic uint64_t right_us; /* etcd's; the packet fence may have to be mute before it ends */
    _Atomic bool is_done;
    char token[ETCD_TOKEN_MAX]; /* spares the guardian the login; a torn one is refused by etcd */
    struct {
        _Atomic int32_t ifindex; /* 0 = no address to care for */
        _Atomic int64_t revision;
        struct ip ip;
    } vips[ELECTION_VIPS_MAX];
};

/* The guardian's life, in the child, with all signals blocked. `ready_fd` is written to once it
 * stands guard. Does not return. */
void guard(const struct settings *settings, struct ledger *ledger, struct fence *fence,
           int agent_pidfd, int ready_fd) __attribute__((noreturn));

struct farewell;
/* farewell.c: makes ready for it, for the moment itself has no time. 0 or -errno. */
int farewell_prepare(const struct settings *settings, const struct ledger *ledger,
                     struct farewell **ret_farewell);
/* Gives the VIPs that `was_held` marks up in etcd, and the lease; a few seconds at most. */
void farewell_say(struct farewell *farewell, const bool *was_held);

#endif
