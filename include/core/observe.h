/* SPDX-License-Identifier: MIT */
/* What one node sees of one VIP on the wire: which station answers, whether a second one does, and
 * how long nobody did. Says when to probe: now and then while somebody answers, every 20 ms once
 * an answer is missing. Pure, no allocation; times are microseconds that never fall. */
#ifndef TALOSVIP_CORE_OBSERVE_H
#define TALOSVIP_CORE_OBSERVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"
#include "core/deadline.h"

#define OBSERVE_ANSWER_US (20 * MS_US)      /* an answer later than this is missing */
#define OBSERVE_HOLDUP_US (20 * MS_US)      /* who looks later than this did not look */
#define OBSERVE_SILENT_US (80 * MS_US)      /* without an answer: not just one lost frame */
#define OBSERVE_EAGER_US (15 * SECOND_US)   /* of silence with a probe every 20 ms, */
#define OBSERVE_PATIENT_US (60 * SECOND_US) /* then every 200 ms until here, then routine */
#define OBSERVE_OTHER_US (3 * SECOND_US)    /* a second station counts after its last word */

/* Somebody new answered, or somebody answered again: the end of a gap. */
struct observe_turn {
    uint64_t at_us;          /* 0: none yet */
    uint64_t min_us, max_us; /* how long nobody had it: at least, at most */
    bool is_measured;        /* the two are known */
    bool is_new;             /* another station than before */
};

struct observe {
    bool is_blind; /* the link is down: nothing is known */
    bool is_own;   /* this kernel has the address; `mac` is its own */
    bool has_mac;
    bool has_other;
    bool has_news; /* worth telling others; whoever told them clears it */
    bool is_asked; /* the newest probe has no answer yet */
    struct mac mac;
    struct mac other;   /* a second station, if has_other; else the last one that was replaced */
    uint64_t heard_us;  /* last sign of `mac`; 0 never */
    uint64_t other_us;  /* last sign of `other`; 0 never */
    uint64_t sign_us;   /* last sign of any station but this node; 0 never */
    uint64_t flip_us;   /* when two stations began to take turns */
    unsigned flips;     /* how often they did within a second */
    uint64_t next_us;   /* when to probe next */
    uint64_t asked_us;  /* when the newest probe went out */
    uint64_t missed_us; /* the first of the probes in a row without an answer, */
    uint64_t last_us;   /* the newest of those, */
    unsigned missed;    /* and how many */
    uint64_t since_us;  /* when the search for an answer began anew */
    struct observe_turn turn;  /* the newest */
    struct observe_turn moved; /* the newest that brought another station */
};

/* Nothing is known; the first probe is due at `first_us`. */
void observe_start(struct observe *o, uint64_t first_us);
/* Whether a probe is to be sent now. `interval_us`: between probes while all is well; `eager_us`:
 * while answers are missing, OBSERVE_ANSWER_US or more where many addresses are silent. */
bool observe_timer(struct observe *o, uint64_t now, uint64_t interval_us, uint64_t eager_us);
/* A probe was sent (false: it could not be, so nothing follows from silence). */
void observe_sent(struct observe *o, uint64_t now, bool is_sent);
/* Another station says that it has the address. */
void observe_heard(struct observe *o, const struct mac *mac, uint64_t now, uint64_t interval_us);
/* This kernel has the address (`mac` is its link's), or has it no more; it still had it at
 * `since_us`. */
void observe_own(struct observe *o, const struct mac *mac, bool is_own, uint64_t since_us,
                 uint64_t now);
/* This node was held up: what it saw last is no beginning of a gap. */
void observe_doubt(struct observe *o);
/* The link went down, or up again. */
void observe_blind(struct observe *o, bool is_blind, uint64_t now);
/* Something is known to have happened: look now. */
void observe_hint(struct observe *o, uint64_t now);

/* Nobody has answered for so long, in microseconds; 0 while somebody does or nobody looked. */
uint64_t observe_silent_us(const struct observe *o, uint64_t now);

#endif
