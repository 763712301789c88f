/* SPDX-License-Identifier: MIT */
/* Who is connected to the server, and for how long they may be. evhttp limits neither the number
 * of connections nor the life of one that sends a byte now and then. */
#ifndef TALOSVIP_API_CLIENTS_H
#define TALOSVIP_API_CLIENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"

struct bufferevent;
struct evconnlistener;
struct evhttp_connection;

#define CLIENTS_MAX 16         /* served at a time */
#define CLIENTS_REFUSED_MAX 16 /* being told that there are too many */
#define CLIENTS_LIFE_US UINT64_C(5000000)

struct client {
    struct bufferevent *bev; /* a reference; evhttp has its own */
    uint64_t deadline_us;
    bool is_refused;
};

struct clients {
    struct clients *next; /* of all in the process */
    struct client list[CLIENTS_MAX + CLIENTS_REFUSED_MAX];
    unsigned n;
    struct event_base *base;
    struct evconnlistener *listener; /* borrowed; stopped while the list is full */
    bool is_stopped;
    struct loop_timer *timer;
};

/* In place; the address must not change afterwards. 0 or -errno. */
int clients_init(struct clients *clients, struct loop *loop);
/* After evhttp_free(). Takes one that is all zero. */
void clients_done(struct clients *clients);
/* For evhttp_set_bevcb(): the bufferevent of the connection that is being accepted. */
struct bufferevent *clients_accept(struct event_base *base, void *arg);
/* It has a whole request, which will be answered. */
void clients_mark_served(struct clients *clients, struct evhttp_connection *connection);
/* It stays for as long as it likes, if it reads. */
void clients_mark_stream(struct clients *clients, struct evhttp_connection *connection);
/* For evhttp_connection_set_closecb(), by whoever replaces the one of clients_mark_served(). */
void clients_closed(struct clients *clients);
/* For evconnlistener_set_error_cb(): tries again a little later. */
void clients_accept_failed(struct evconnlistener *listener, void *arg);
/* In a forked child: closes the child's descriptors without a word to the peers. */
void clients_forget(struct clients *clients);

#endif
