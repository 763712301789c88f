/* SPDX-License-Identifier: MIT */
/* The packet fence: two tcx BPF programs on each link that drop what would make this host answer
 * as owner of an armed VIP, as soon as CLOCK_BOOTTIME has reached the deadline. Renewing the
 * right is one store to memory that the programs read, so a late one writes a past time and
 * opens nothing; and it goes on working when every process of ours is frozen or dead.
 *
 * Dropped while closed, for an armed VIP: in: IPv4 and IPv6 packets to it, ARP requests and
 * neighbour solicitations for it, but not the announcements of a new owner; out: IPv4 and IPv6
 * packets from it, ARP with it as sender, neighbour advertisements for it.
 *
 * The programs are attached to the device itself, not pinned: they end with the device, by
 * fence_close(), or when the next fence_open() in this network namespace finds them. So no bpffs
 * is needed, and they also outlive the mount namespace of a container. Needs Linux 6.6, CAP_BPF
 * and CAP_NET_ADMIN; to know leftovers, the note that fence_note() left, or else CAP_SYS_ADMIN
 * during fence_open().
 *
 * After fork() both processes share the deadline and the slots. */
#ifndef TALOSVIP_NET_FENCE_H
#define TALOSVIP_NET_FENCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

/* Slot 0 is the deadline, 1 ... FENCE_SLOTS - 1 belong to VIPs, as the caller numbers them. */
#define FENCE_SLOTS 512

/* What a VIP's slot holds. */
enum { FENCE_PASS = 0, FENCE_ARMED = 1, FENCE_SHUT = 2 };

struct fence;

/* Loads the programs, and detaches those that a dead agent left on any link of this network
 * namespace. So before this, take the lock against a second agent, and remove the addresses that
 * the dead one left: they may be mute only because of its programs. Deadline 0, nothing armed.
 * `record`, copied: the file of fence_note(), of this agent alone; NULL: none. 0 or -errno, then
 * *ret_reason is a static text saying what is missing, for one line of log. */
int fence_open(const char *record, struct fence **ret_fence, const char **ret_reason);
/* Notes in the file which programs are ours, for an agent to come. Before fence_attach(), so that
 * nothing is ever attached that is not noted. Makes the folder. 0 or -errno. */
int fence_note(const struct fence *f);
/* How many programs of dead agents fence_open() took off. */
unsigned fence_swept(const struct fence *f);
/* The same memory without programs, for machines without BPF: fence_attach(), fence_detach(),
 * fence_add_vip() and fence_remove_vip() succeed and do nothing. 0 or -errno. */
int fence_open_plain(struct fence **ret_fence);
/* Has programs? */
bool fence_is_active(const struct fence *f);

/* Ends the fence: detaches the programs from all links of the namespace, removes the file of
 * fence_note(), and frees. Any process that has inherited `f` may do that. For clean exits, when
 * the addresses are gone. NULL is fine. */
void fence_close(struct fence *f);
/* The descriptors a forked child must keep open to call fence_close(). Returns how many. */
#define FENCE_FDS_MAX 4
size_t fence_descriptors(const struct fence *f, int out[FENCE_FDS_MAX]);
/* Frees what this process has of it and leaves the programs in place. NULL is fine. */
void fence_forget(struct fence *f);

/* Takes effect on a link (Ethernet framing). Again after the device was made anew; twice is no
 * error. Takes some 10 ms, so do it early. 0 or -errno. */
int fence_attach(struct fence *f, int ifindex);
/* 0 also when it was not attached or the link is gone. */
int fence_detach(struct fence *f, int ifindex);

/* Puts `vip` under the fence as `slot` (disarmed). 0 or -errno: -ERANGE for a bad slot. */
int fence_add_vip(struct fence *f, const struct ip *vip, uint32_t slot);
/* 0 also when it was not there. */
int fence_remove_vip(struct fence *f, const struct ip *vip);
/* Arm before the address is put on; disarm only after the kernel has confirmed that it is off. */
void fence_arm(struct fence *f, uint32_t slot);
void fence_disarm(struct fence *f, uint32_t slot);
/* Mute at once, whatever the deadline says, until it is armed or disarmed. */
void fence_shut(struct fence *f, uint32_t slot);
void fence_disarm_all(struct fence *f);
bool fence_is_armed(const struct fence *f, uint32_t slot);

/* The deadline, in nanoseconds of CLOCK_BOOTTIME: armed VIPs are muted from then on. */
_Atomic uint64_t *fence_deadline(struct fence *f);
/* The same, in microseconds. */
void fence_set_deadline_us(struct fence *f, uint64_t deadline_us);
uint64_t fence_deadline_us(const struct fence *f);

#endif
