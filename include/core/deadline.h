/* SPDX-License-Identifier: MIT */
/* Arithmetic of the right to hold. Pure. All times in microseconds of CLOCK_BOOTTIME. */
#ifndef TALOSVIP_CORE_DEADLINE_H
#define TALOSVIP_CORE_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

#define SECOND_US UINT64_C(1000000)
#define MS_US UINT64_C(1000)
#define NEVER_US UINT64_MAX

/* The smallest TTL that leaves a usable right: etcd's own floor with its default timing (1.5
 * election timeouts, rounded up), and room for the longer margin without the packet fence. */
#define TTL_MIN_FENCED_US (2 * SECOND_US)
#define TTL_MIN_PLAIN_US (4 * SECOND_US)
#define TTL_MAX_US (600 * SECOND_US)
#define TTL_DEFAULT_US (5 * SECOND_US)

/* What is kept back from a TTL: an etcd leader that was deposed may still answer for one
 * heartbeat, clocks may differ in rate by 1 %, and without the packet fence the kernel may remove
 * an expired address up to 1.5 s late. */
uint64_t deadline_margin(uint64_t ttl_us, bool is_fenced);

/* When a right ends that a request sent at `sent_us` confirmed: etcd counts the TTL from when it
 * handles the request, which is never before it was sent. 0 when nothing is left. */
uint64_t deadline_of(uint64_t sent_us, uint64_t ttl_us, bool is_fenced);

/* Time between renewals: 1 s, or a third of the right when that is less. */
uint64_t deadline_interval(uint64_t ttl_us, bool is_fenced);

/* valid_lft in seconds for an address set at `now_us`: never longer than the right, in whole
 * seconds as the kernel counts; at least 1 where the packet fence keeps the exact time, 0 (set
 * nothing) where it does not and less than a second is left. */
uint32_t deadline_lifetime(uint64_t deadline_us, uint64_t now_us, bool is_fenced);

#endif
