/* SPDX-License-Identifier: MIT */
/* A command that looks at a cluster: the connection, the loop, and how long to wait for what. */
#ifndef TALOSVIP_CLI_LOOK_H
#define TALOSVIP_CLI_LOOK_H

#include "connection.h"

#include "base/loop.h"
#include "cluster/cluster.h"

/* In the tables of options of the commands that look. */
#define LOOK_QUIET_OPTION                                                                          \
    {                                                                                              \
        .name = "quiet", .letter = 'q', .kind = OPTION_FLAG,                                       \
        .help = "print nothing: the exit status tells"                                             \
    }
#define LOOK_VERBOSE_OPTION                                                                        \
    {                                                                                              \
        .name = "verbose", .letter = 'v', .kind = OPTION_FLAG,                                     \
        .help = "say where the settings of the connection come from"                               \
    }

struct look {
    struct connection connection;
    struct loop *loop;
    struct cluster *cluster;
    struct loop_signal *signals[3];
    struct loop_timer *timer;
    int signal; /* that ended it; 0 none */
    /* Private: */
    bool is_borrowed; /* loop, cluster and connection are those that are kept */
    unsigned history;
    struct ip history_vip;
    uint64_t deadline_us, due_us, last_us, pace_us;
    bool is_once, is_over;
    struct snapshot before;
    bool has_before;
    bool (*on_snapshot)(void *arg, const struct snapshot *before, const struct snapshot *after);
    void *arg;
    int error;
};

/* Starts to follow the cluster; `history` moves of each VIP. EXIT_DONE, or what went wrong, which
 * has been told; then there is nothing to close. */
enum exit_code look_open(const struct arguments *arguments, unsigned history,
                         struct look *ret_look);
/* The same with as many moves as there is room for, of `vip` alone where that is not IP_NONE. */
enum exit_code look_open_history(const struct arguments *arguments, const struct ip *vip,
                                 struct look *ret_look);
void look_close(struct look *look);
/* From here on look_open() lends this one's connection to whoever names no other, as the commands
 * of a shell do; NULL ends that. One borrower at a time, and none while this one is followed. */
void look_keep(struct look *look);
/* The connection that is kept, where `arguments` name no other; else NULL. */
const struct connection *look_kept(const struct arguments *arguments);

/* Waits until all is known, or nothing can be, or the command's time is over (never 5 s).
 * EXIT_DONE with a snapshot, however little it holds, for snapshot_done(); else it was told. */
enum exit_code look_once(struct look *look, struct snapshot *ret_snapshot);
/* Says on stderr why the cluster could not be looked at; returns the exit status. EXIT_DONE, and
 * silent, where it could. */
enum exit_code look_complain(const struct look *look, const struct snapshot *s);

/* Calls `fn` with each new snapshot and the one before it (NULL the first time), at most every
 * `pace_us`, and at least every second, until it returns false, a signal comes, or `limit_us` are
 * over (0: none). EXIT_DONE; EXIT_BUG was told. `limit_us` over: look->is_over. */
enum exit_code look_follow(struct look *look, uint64_t pace_us, uint64_t limit_us,
                           bool (*fn)(void *arg, const struct snapshot *before,
                                      const struct snapshot *after),
                           void *arg);

/* The exit status for the signal that ended it; EXIT_DONE: none did. */
enum exit_code look_ended(const struct look *look);

/* Finds the one VIP that a command's word names. EXIT_DONE; EXIT_USAGE: no address at all. */
enum exit_code look_parse_vip(const char *text, struct ip *ret_vip);
/* Says that there is no such VIP, with a guess. EXIT_NO. */
enum exit_code look_no_vip(const struct snapshot *s, const char *text);
enum exit_code look_no_node(const struct snapshot *s, const char *name);

/* For --verbose, on stderr. */
void look_tell_connection(const struct look *look);

/* What is paused, on stderr: whoever looks is to know before anything else. */
void look_tell_pauses(const struct snapshot *s);

/* Says it, and returns the code. */
enum exit_code look_fail(enum exit_code code, const struct complaint *complaint);
enum exit_code look_no_memory(void);

#endif
