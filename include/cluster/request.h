/* SPDX-License-Identifier: MIT */
/* Planned moves and maintenance, asked for through etcd (docs/design.md, "Requests"). Nothing here
 * moves an address: a request is a key that the agents see, and the owner carries it out.
 *
 * A resign request is addressed to one ownership (the create revision of the holder's key), lives
 * under a lease of 30 s of its own, and is withdrawn when the call ends in any way. A pause stays
 * until it is taken back. Everything goes through the caller's etcd client and loop. */
#ifndef TALOSVIP_CLUSTER_REQUEST_H
#define TALOSVIP_CLUSTER_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/loop.h"
#include "etcd/client.h"

#define REQUEST_NAME_MAX 64  /* nodes and people, with the NUL */
#define REQUEST_TEXT_MAX 160 /* reasons, with the NUL */
#define REQUEST_LINE_MAX 320 /* of an outcome */

/* ---- what there is to ask, read at one revision ---- */

struct request_node {
    char name[REQUEST_NAME_MAX];
    bool has_agent; /* its node key is there; else whoever it is will not hear of requests */
    int64_t epoch;  /* create revision of its key */
};

struct request_pause {
    bool is_paused;
    char by[REQUEST_NAME_MAX];
    char reason[REQUEST_TEXT_MAX];
    uint64_t wall_us; /* since when; 0 unknown */
};

/* One VIP that has candidates, a request or both. */
struct request_vip {
    struct ip ip;
    unsigned n; /* candidates, the holder first; 0: nobody stands for it */
    struct request_node *queue;
    uint64_t released_wall_us; /* when it was given up last; 0 unknown */
    struct request_pause pause;
    bool is_moving; /* another resign request is open */
    char moving_by[REQUEST_NAME_MAX];
};

struct request_member {
    char name[REQUEST_NAME_MAX];
    bool has_agent;
    char iface[16];     /* of its VIPs; "" unknown, ... */
    bool is_link_up;    /* ... else its carrier */
    int64_t renewed_us; /* age of its last renewal, by the clocks of both; -1 unknown */
    struct request_pause pause;
};

struct request_scene {
    unsigned n_vips, n_nodes;
    struct request_vip *vips;     /* by address, IPv4 first */
    struct request_member *nodes; /* who has an agent, or is paused; by name */
};

struct request;

/* `scene` is the callee's, valid until it returns, and NULL unless the status is ETCD_OK. */
typedef void (*request_scene_fn)(void *arg, const struct etcd_reply *reply,
                                 const struct request_scene *scene);
/* One read of all VIPs. 0, -EINVAL, -ENOMEM; the callback comes once, later, from the loop. */
int request_look(struct etcd_client *client, uint64_t timeout_us, request_scene_fn fn, void *arg,
                 struct request **ret_request);
const struct request_member *request_find_node(const struct request_scene *scene, const char *name);
const struct request_vip *request_find_vip(const struct request_scene *scene, const struct ip *ip);

/* ---- a planned move ---- */

enum request_phase {
    REQUEST_ASKED,     /* the request is in etcd */
    REQUEST_RELEASED,  /* the holder has given the address up */
    REQUEST_WON,       /* somebody else leads: `node` */
    REQUEST_ANNOUNCED, /* `node` has the address on, and told the network */
    REQUEST_SEEN,      /* `seen` of `observers` nodes see it there */
};

struct request_progress {
    enum request_phase phase;
    uint64_t at_us; /* since the request was in etcd */
    char node[REQUEST_NAME_MAX];
    unsigned seen, observers;
};

enum request_result {
    REQUEST_DONE,      /* moved; for a pause or resume: written */
    REQUEST_REFUSED,   /* not possible, or the owner said no: `text` says why */
    REQUEST_TIMED_OUT, /* asked, and withdrawn again: nothing happened in the time given */
    REQUEST_FAILED,    /* etcd: `status` tells, `text` is a line for people */
};

struct request_outcome {
    enum request_result result;
    enum etcd_status status; /* FAILED */
    char text[REQUEST_LINE_MAX];
    char from[REQUEST_NAME_MAX], to[REQUEST_NAME_MAX]; /* DONE: who had it, who has it */
    uint64_t took_us;                                  /* DONE: from asking until WON */
    int64_t outage_us, error_us; /* longest gap that an observer measured; -1 not measured */
};

/* Both come from the loop, never from inside the call that started it. on_end comes once, last,
 * and frees the request; nothing comes after request_cancel(). */
struct request_callbacks {
    void (*on_progress)(void *arg, const struct request_progress *progress); /* may be NULL */
    void (*on_end)(void *arg, const struct request_outcome *outcome);
};

/* Strings are copied. */
struct request_resign {
    struct ip vip;
    const char *to;     /* a node's name; NULL or "": the next in the queue */
    const char *by;     /* who asks: "alice@laptop" */
    const char *reason; /* or NULL */
    uint64_t wait_us;   /* in all, for the move and what observers say of it; 0: 30 s */
};

/* Asks the present holder to give the VIP up, and follows what comes of it. Reads the queue first:
 * refused without a word to anybody when there is no holder, it has no agent, nobody could take
 * over, `to` has it, does not stand in the queue or stands behind a candidate that cannot step
 * back, the VIP is paused, or another move is under way.
 * 0, -EINVAL (no name, too long), -ENOMEM, -EMFILE. */
int request_resign(struct etcd_client *client, struct loop *loop,
                   const struct request_resign *resign, const struct request_callbacks *callbacks,
                   void *arg, struct request **ret_request);

/* ---- maintenance ---- */

/* The agents leave the VIP where it is: nobody gives it up but for safety, nobody takes it.
 * Refused when it is paused already or a move is under way. Arguments as above; progress none. */
int request_pause_vip(struct etcd_client *client, const struct ip *vip, const char *by,
                      const char *reason, const struct request_callbacks *callbacks, void *arg,
                      struct request **ret_request);
/* The node gives up what it holds and takes no part, also after a restart. */
int request_pause_node(struct etcd_client *client, const char *node, const char *by,
                       const char *reason, const struct request_callbacks *callbacks, void *arg,
                       struct request **ret_request);
/* Refused when there was no pause. */
int request_resume_vip(struct etcd_client *client, const struct ip *vip,
                       const struct request_callbacks *callbacks, void *arg,
                       struct request **ret_request);
int request_resume_node(struct etcd_client *client, const char *node,
                        const struct request_callbacks *callbacks, void *arg,
                        struct request **ret_request);

/* Ends it without a callback; an open resign request is withdrawn by a last call in the
 * background. Takes NULL. */
void request_cancel(struct request *request);

#endif
