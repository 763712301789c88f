/* SPDX-License-Identifier: MIT */
/* A real etcd of one member on loopback, for tests. */
#ifndef TALOSVIP_TESTS_ETCD_SERVER_H
#define TALOSVIP_TESTS_ETCD_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct etcd_server {
    /* Its data, log and certificates. Removed by etcd_server_done(), or when the test ends without,
     * in whatever way. etcd itself ends with the test too. */
    char dir[128];
    char url[64];
    uint16_t port;
    uint16_t peer_port;
    int holds[2]; /* keep the two ports from everyone else until etcd_server_done() */
    pid_t pid;
    pid_t keeper;
    int life;                 /* the keeper sees it closed */
    const char *const *extra; /* more arguments, NULL-terminated, or NULL */
    const char *scheme;
};

/* The path of "etcd", "etcdctl", ... in $ETCD_BIN_DIR, build/tools/usr/bin or $PATH; NULL. */
const char *etcd_server_find(const char *name, char out[512]);
/* Makes the directory and takes two ports. From here on the test has five minutes, then SIGALRM
 * ends it. Of *s only `extra` is the caller's. */
bool etcd_server_init(struct etcd_server *s, const char *scheme);
/* Starts it and waits until its port takes connections. */
bool etcd_server_start(struct etcd_server *s);
/* `sig` to it, and waits for its end. */
void etcd_server_stop(struct etcd_server *s, int sig);
void etcd_server_done(struct etcd_server *s);
/* Runs a program to its end, silently; true when it exits with 0. */
bool etcd_server_run(const char *const *argv);
/* A free port of 127.0.0.1. */
uint16_t etcd_server_port(void);

/* The server that all tests of a program share, as a fixture of their group. */
extern struct etcd_server group_server;
int etcd_server_setup(void **state);
int etcd_server_teardown(void **state);
/* Says so when there is no such program: the tests are skipped. */
bool etcd_server_is_missing(const char *name);

#endif
