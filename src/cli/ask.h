/* SPDX-License-Identifier: MIT */
/* What the commands that change something share: the way to etcd, who asks, and the question to
 * whoever sits at the terminal. */
#ifndef TALOSVIP_CLI_ASK_H
#define TALOSVIP_CLI_ASK_H

#include "arguments.h"
#include "connection.h"

#include "base/loop.h"
#include "cli/exit.h"
#include "cluster/request.h"

struct ask {
    const char *command; /* "resign", for what is said */
    struct connection connection;
    bool is_borrowed; /* the connection's settings are a shell's */
    struct loop *loop;
    struct etcd_client *client;
    enum exit_code code;             /* of what was run last */
    struct request_outcome *outcome; /* where ask_run() leaves it */
};

/* EXIT_DONE, or it has been said what is wrong. */
enum exit_code ask_open(struct ask *a, const char *command, const struct arguments *arguments);
/* Takes a zeroed one. */
void ask_close(struct ask *a);

/* Looks, and lets `decide` say what follows from it: an exit code, having said why if it is not
 * EXIT_DONE. The scene lives until it returns. */
enum exit_code ask_look(struct ask *a,
                        enum exit_code (*decide)(void *arg, const struct request_scene *scene),
                        void *arg);
#define ASK_MOVES_MAX 5
/* The median outage of the last planned moves of the VIP that somebody measured, and of how many;
 * 0: of none, or etcd did not say. */
unsigned ask_usual_gap(struct ask *a, const struct ip *vip, int64_t *ret_us);
/* Runs the loop until a request that was started with ask_callbacks and `a` has ended. `started` is
 * what the start returned. EXIT_DONE, EXIT_NO when it was refused; what failed has been said. */
enum exit_code ask_run(struct ask *a, int started, struct request_outcome *ret_outcome);
void ask_on_end(void *arg, const struct request_outcome *outcome);

/* "alice@host": SUDO_USER, else the user of this process. */
void ask_who(char out[REQUEST_NAME_MAX]);
/* EXIT_USAGE, and why, when a reason (or NULL) is longer than can be kept. */
enum exit_code ask_reason(const char *reason);
/* The address that was typed, or a complaint, with a guess out of those there are. */
enum exit_code ask_vip(const struct arguments *arguments, struct ip *ret_vip);
enum exit_code ask_unknown_vip(const struct request_scene *scene, const struct ip *vip);
enum exit_code ask_unknown_node(const struct request_scene *scene, const char *what,
                                const char *node);
/* Asks `question`; true for yes. `typed` NULL: y or yes; else that very word has to be typed. */
bool ask_confirm(const char *question, const char *typed);
/* Whether there is somebody to ask; else EXIT_USAGE is to be returned, and has been explained. */
bool ask_can_ask(const char *command);
enum exit_code ask_complain(enum exit_code code, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
