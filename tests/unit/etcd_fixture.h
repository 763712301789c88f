/* SPDX-License-Identifier: MIT */
/* A loop, a client, and what its callbacks said. */
#ifndef TALOSVIP_TESTS_ETCD_FIXTURE_H
#define TALOSVIP_TESTS_ETCD_FIXTURE_H

#include "base/loop.h"
#include "etcd/client.h"
#include "etcd/watch.h"

struct answer {
    struct etcd_client *client;
    struct etcd_client **free_client; /* the callback frees it */
    unsigned calls;
    enum etcd_status status;
    char message[ETCD_MESSAGE_MAX];
    char endpoint[300];
    int64_t lease;
    int64_t ttl_s;
    int64_t revision;
    bool succeeded;
    size_t n_responses;
    size_t n_kvs; /* of the first response that has some */
    char value[64];
    char version[32];
    size_t n_members;
    uint64_t took_us;
};

struct seen {
    unsigned lists, events, deletes, synced, broken;
    enum etcd_status status;
    char reason[ETCD_MESSAGE_MAX];
    char last_key[128];
    char last_value[64];
    size_t listed[4];
    int64_t revision;
    bool out_of_order;
    struct etcd_watch **free_watch; /* the next event frees it */
};

extern struct loop *fixture_loop;
extern unsigned fixture_notices[8];
extern char fixture_notice[700]; /* the last one */
extern const struct etcd_watch_callbacks fixture_callbacks;

int fixture_setup(void **state);
int fixture_teardown(void **state);
/* Fails the test when it cannot be made. */
struct etcd_client *fixture_client(struct etcd_client_config config, const char *const *endpoints);
void fixture_answer(void *arg, const struct etcd_reply *reply);
/* Runs the loop until *value >= want, at most `ms`. */
bool fixture_wait(const unsigned *value, unsigned want, unsigned ms);
/* Runs the loop for a while. */
void fixture_run(unsigned ms);
/* Writes a key and waits for the answer. */
void fixture_put(struct etcd_client *client, const char *key, const char *value, int64_t lease,
                 struct answer *ret_answer);
/* Reads keys and waits for the answer. */
void fixture_get(struct etcd_client *client, const char *key, bool prefix, unsigned timeout_ms,
                 struct answer *ret_answer);

/* A listening socket on a free port of loopback. What comes is answered with `text`, or with
 * silence when that is NULL. */
struct fake {
    int fd;
    uint16_t port;
    char url[64];
    const char *text;
    unsigned accepted;
    struct loop_io *io;
    int clients[32];
    struct loop_io *client_ios[32];
};
void fake_start(struct fake *f, const char *text, uint16_t port);
void fake_stop(struct fake *f);

#endif
