/* SPDX-License-Identifier: MIT */
/* What is believed of one health check: results in a row change it. Pure. */
#ifndef TALOSVIP_AGENT_HEALTH_CHECK_H
#define TALOSVIP_AGENT_HEALTH_CHECK_H

#include <stdbool.h>
#include <stdint.h>

/* Until the first verdict checks follow each other in this time, or in their interval if that is
 * less: nobody campaigns before, so it should not take long. */
#define HEALTH_FIRST_US UINT64_C(200000)

struct health_check {
    unsigned rise, fall; /* at least 1 */
    bool is_up;
    bool is_decided; /* false: is_up is what was assumed */
    bool last;       /* the newest result */
    unsigned streak; /* how many in a row were like it */
};

/* `is_up` is assumed until `rise` or `fall` results in a row have decided. */
void health_check_init(struct health_check *c, unsigned rise, unsigned fall, bool is_up);
/* A result. True when it changed, or for the first time decided, what is believed. */
bool health_check_note(struct health_check *c, bool has_passed);
/* From the start of one check to that of the next: within 10 % of the interval, so that the checks
 * of several nodes do not fall together. `random` is any number. */
uint64_t health_check_pause(const struct health_check *c, uint64_t interval_us, uint64_t random);

#endif
