/* SPDX-License-Identifier: MIT */
/* The inside of a client: shared by client.c, call.c, attempt.c, login.c and watch.c.
 *
 * All work is done in one place, client_pump(), which the loop calls: first what is due, then
 * libcurl, then what ended, and the callbacks last. A callback may free anything: objects that
 * are freed meanwhile go to the graveyard, which is emptied when the pump is left. */
#ifndef TALOSVIP_ETCD_STATE_H
#define TALOSVIP_ETCD_STATE_H

#include <sys/queue.h>
#include <time.h>

#include "endpoint.h"
#include "etcd/client.h"
#include "etcd/watch.h"
#include "transport.h"

#define CALL_SLOTS 2 /* the first request and the one for the case that it hangs */

struct attempt {
    struct etcd_call *call;
    struct transfer *transfer; /* NULL: not under way */
    unsigned endpoint;
    bool trial; /* of the sibling port */
    uint64_t sent_us;
    struct buf body;
};

struct etcd_call {
    TAILQ_ENTRY(etcd_call) link; /* in client->calls, or client->ended */
    struct etcd_client *client;
    enum etcd_kind kind;
    etcd_call_fn fn;
    void *arg;
    struct buf body;
    uint64_t start_us;
    uint64_t hedge_us;
    uint64_t deadline_us;
    int64_t lease; /* the one a renewal is for, else 0 */
    struct attempt attempts[CALL_SLOTS];
    unsigned first;    /* endpoint */
    unsigned tries;    /* endpoints asked so far */
    unsigned failures; /* of them */
    bool started;      /* false: new, or waiting for a login */
    bool hedged;
    bool relogged;           /* the token was renewed for its sake */
    bool ended;              /* in client->ended */
    bool delivering;         /* its callback runs */
    struct etcd_reply reply; /* the answer, or the most telling failure */
};

TAILQ_HEAD(call_list, etcd_call);
LIST_HEAD(watch_list, etcd_watch);

/* Identity of a file's contents. */
struct file_mark {
    dev_t dev;
    ino_t ino;
    struct timespec mtime;
    off_t size;
};

struct etcd_client {
    bool is_insecure;
    uint64_t connect_timeout_us;
    struct loop *loop;
    struct transport *transport;
    struct endpoint endpoints[ETCD_ENDPOINTS_MAX];
    unsigned n_endpoints;
    unsigned current; /* to be asked first */
    unsigned good;    /* answered last */
    char *files[3];   /* cacert, cert, key; or NULL */
    struct file_mark marks[3];
    uint64_t marks_us; /* when they were looked at */
    unsigned generation;
    void (*on_notice)(void *arg, enum etcd_notice kind, const char *text);
    void *notice_arg;

    struct call_list calls;
    struct call_list ended; /* to be told */
    struct watch_list watches;
    struct watch_list graveyard;
    unsigned round;
    unsigned depth; /* > 0: inside the pump */
    bool dead;      /* freed inside it */
    uint64_t random;

    char *user;
    char *password;
    char *password_file;
    char token[ETCD_TOKEN_MAX];
    uint64_t token_us;       /* when the token is to be renewed */
    uint64_t auth_off_us;    /* until then etcd is taken to have no auth */
    struct etcd_call *login; /* under way */
    struct headers *plain;   /* headers without a token */
    struct headers *authed;  /* with it; NULL when there is none */
};

enum { FILE_CACERT, FILE_CERT, FILE_KEY };

/* client.c */
void client_notice(struct etcd_client *c, enum etcd_notice kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* `endpoint` failed: whoever uses it turns to another one. */
void client_endpoint_failed(struct etcd_client *c, unsigned endpoint);
/* `endpoint` gave an answer that counts; with `prefer` it is the one to ask from now on. */
void client_endpoint_answered(struct etcd_client *c, unsigned endpoint, bool prefer);
/* The headers for a request now; not a new reference. */
struct headers *client_headers(const struct etcd_client *c);
/* Calls the pump soon. */
void client_wake(struct etcd_client *c);
/* Uniform in [0, n), n > 0; for jitter. */
uint64_t client_random(struct etcd_client *c, uint64_t n);
/* Whether the next request to the endpoint must open a new connection; notes that it did. */
bool client_take_fresh(struct etcd_client *c, unsigned endpoint);

/* call.c */
/* Takes over `body` (also on error). */
int call_start(struct etcd_client *c, enum etcd_kind kind, struct buf *body, int64_t lease,
               uint64_t timeout_us, etcd_call_fn fn, void *arg, struct etcd_call **ret_call);
/* The next endpoint is asked soon, too: the first one may be that of a node that has just died. */
void call_hurry(struct etcd_call *call);
/* Starts, hedges and times out; returns when to come again. */
void calls_run(struct etcd_client *c, uint64_t now);
uint64_t calls_due(const struct etcd_client *c);
/* Runs the callbacks of what has ended; stops when the client was freed. */
void calls_deliver(struct etcd_client *c);
/* Ends a call with what is in call->reply. */
void call_end(struct etcd_call *call);
void call_fail(struct etcd_call *call, enum etcd_status status, const char *text);
void call_free(struct etcd_call *call);

/* attempt.c */
/* Asks the next endpoint in turn. */
void attempt_next(struct attempt *a);
/* Breaks it off when it is under way. */
void attempt_stop(struct attempt *a);
/* How much a failure tells: an unreachable member is the least interesting thing. */
int attempt_rank(enum etcd_status status);

/* login.c */
/* 1: requests may go out; 0: a login is under way; -1: it cannot even be tried, `reply` says why.
 */
int login_check(struct etcd_client *c, uint64_t now, struct etcd_reply *reply);
/* 0 or -ENOMEM. "" forgets the token. */
int login_set_token(struct etcd_client *c, const char *token);
/* The token a request was sent with was refused. */
void login_refused(struct etcd_client *c, const struct headers *headers);
/* Whether an answer to a request with `headers` asks for a new token. Behind TLS with client
 * certificates etcd takes one without a token for that of a user without a name, and forbids it. */
bool login_is_due(const struct etcd_client *c, enum etcd_status status,
                  const struct headers *headers);

/* watch.c */
void watches_run(struct etcd_client *c, uint64_t now);
uint64_t watches_due(const struct etcd_client *c);
/* Moves the streams that are on `endpoint`. */
void watches_suspect(struct etcd_client *c, unsigned endpoint);
void watches_bury(struct etcd_client *c);

#endif
