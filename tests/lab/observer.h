/* SPDX-License-Identifier: MIT */
/* The observer's parts: wire.c asks who has a VIP, echo.c is a client of it, report.c tells, and
 * observer.c has the loop. Times are microseconds of CLOCK_BOOTTIME. Whatever fails at the start
 * ends the program; later nothing does. */
#ifndef TALOSVIP_TESTS_LAB_OBSERVER_H
#define TALOSVIP_TESTS_LAB_OBSERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/ip.h"

enum {
    PROBE_US = 5000,
    ECHO_US = 2000,
    LATE_US = 5000,
    SLOTS = 16,
    VIPS_MAX = 8,
    OWNERS_MAX = 8,
    GAPS_MAX = 64,
    FLAP_US = 50000,  /* a former owner that answers again so soon: it never stopped */
    CLAIM_US = 30000, /* who claims the VIP must answer for it by then */
    ICMP4_ECHO = 8,   /* RFC 792 */
    ICMP4_ECHO_REPLY = 0,
    ICMP4_FILTER = 1, /* linux/icmp.h */
};

struct slot {
    uint64_t sent_us; /* 0: not in use */
    bool is_answered;
    bool is_dup;
    struct mac mac; /* the first who answered */
    uint64_t answer_us;
};

struct gap {
    uint64_t start_us, length_us, late_us;
};

/* Everything counted since the last reset. */
struct record {
    uint64_t since_us;
    unsigned probes, answers, strays, dups, flaps, claims, echoes, echo_answers, gaps_seen;
    struct mac owners[OWNERS_MAX];
    unsigned owner_count;
    struct gap gaps[GAPS_MAX]; /* the first ones */
    struct gap worst;
};

struct vip {
    struct ip ip;
    char text[IP_TEXT_MAX];
    struct slot slots[SLOTS];
    bool has_owner;
    struct mac owner, former;
    uint64_t owner_since_us;
    uint64_t answered_us; /* the last answer */
    uint64_t steady_us;   /* since then every probe was answered, by `owner` */
    struct mac claimant;  /* not the owner; judged at claim_until_us (0: none) */
    uint64_t claim_until_us;
    int echo_fd;
    uint16_t echo_id, echo_seq;
    uint64_t waiting_us; /* sending of the first request after the last answer; 0: none */
    uint64_t late_us;    /* of that wait */
    struct record rec;
};

extern struct vip vips[VIPS_MAX];
extern unsigned vip_count;

/* Ends the program with errno's text. */
__attribute__((noreturn)) void die(const char *what);
/* One message of a socket that does not block, and when it arrived by the kernel's timestamp; its
 * length, or -1 when there is no more. */
ssize_t message_read(int fd, uint8_t *data, size_t size, uint64_t *ret_at);

/* The packet socket on `link`; its descriptor. */
int wire_open(const char *link);
/* Asks who has `v`, under the MAC of `turn` (0 to SLOTS - 1). */
void wire_probe(struct vip *v, unsigned turn, uint64_t now);
/* Takes in all frames that have arrived. */
void wire_read(void);
/* A claim whose time is up: did the claimant answer for the VIP? */
void wire_judge(struct vip *v, uint64_t now);

void echo_open(struct vip *v);
void echo_send(struct vip *v, uint64_t now);
void echo_read(struct vip *v);

/* One event line, "t", "event" and "vip" first; `fmt` starts with a comma. */
void report_event(uint64_t at_us, const char *name, const struct vip *v, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void report_to(FILE *events);
/* The observer itself woke late by that much. */
void report_late(uint64_t us);
void report_reset(uint64_t now);
/* One line of JSON each, on stdout. */
void report_state(uint64_t now);
void report_summary(uint64_t now);
double millis(uint64_t us);

#endif
