/* SPDX-License-Identifier: MIT */
/* A real etcd of one member on loopback, for tests. */
#ifndef TALOSVIP_TESTS_ETCD_SERVER_H
#define TALOSVIP_TESTS_ETCD_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct etcd_server {
    char dir[128]; /* its data, log and certificates; removed by etcd_server_done() */
    char url[64];
    uint16_t port;
    uint16_t peer_port;
    pid_t pid;
    const char *const *extra; /* more arguments, NULL-terminated, or NULL */
    const char *scheme;
};

/* The path of "etcd", "etcdctl", ... in $ETCD_BIN_DIR, build/tools/usr/bin or $PATH; NULL. */
const char *etcd_server_find(const char *name, char out[512]);
/* Makes the directory and takes two ports. */
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

#endif
