/* SPDX-License-Identifier: MIT */
/* evhttp does not tell when it frees a connection. But bufferevent_free() clears the callbacks, so
 * a reference of our own shows whether the connection still lives. The descriptor belongs to the
 * bufferevent and is closed with the last reference: its number cannot become another one's while
 * it is on our list, nor while libevent still watches it. */
#include "clients.h"

#include "base/clock.h"

#include <errno.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RETRY_US 20000
#define TICK_US 500000         /* while there are clients */
#define INPUT_MAX (128 * 1024) /* unread bytes; more than the largest request */

/* A listener's one argument belongs to evhttp, so its errors find their clients here. */
static struct clients *all;

static const char busy[] = "HTTP/1.1 503 Service Unavailable\r\n"
                           "Content-Type: application/json\r\n"
                           "Content-Length: 29\r\n"
                           "Connection: close\r\n\r\n"
                           "{\"error\":\"too many clients\"}\n";

static bool is_gone(const struct client *client)
{
    void *arg;
    bufferevent_getcb(client->bev, NULL, NULL, NULL, &arg);
    return !arg;
}

static void drop_gone(struct clients *clients)
{
    for (unsigned i = 0; i < clients->n;) {
        if (!is_gone(&clients->list[i])) {
            i++;
            continue;
        }
        bufferevent_decref(clients->list[i].bev);
        clients->list[i] = clients->list[--clients->n];
    }
}

static void resume(struct clients *clients)
{
    if (clients->is_stopped && clients->n < CLIENTS_MAX + CLIENTS_REFUSED_MAX)
        clients->is_stopped = evconnlistener_enable(clients->listener) < 0;
}

/* evhttp then reads the end of the stream, and frees the connection. */
static void hang_up(struct client *client, uint64_t now_us)
{
    int fd = bufferevent_getfd(client->bev);
    if (client->is_refused)
        send(fd, busy, sizeof(busy) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    shutdown(fd, SHUT_RDWR);
    client->is_refused = false;
    client->deadline_us = now_us + CLIENTS_LIFE_US;
}

static void on_timer(void *arg)
{
    struct clients *clients = arg;
    uint64_t now_us = clock_now_us();
    drop_gone(clients);
    for (unsigned i = 0; i < clients->n; i++) {
        struct client *client = &clients->list[i];
        if (client->is_refused || client->deadline_us <= now_us)
            hang_up(client, now_us);
    }
    resume(clients);
    if (clients->n > 0 || clients->is_stopped)
        loop_timer_set(clients->timer, now_us + (clients->is_stopped ? RETRY_US : TICK_US));
}

int clients_init(struct clients *clients, struct loop *loop)
{
    *clients = (struct clients){.base = loop_base(loop)};
    int r = loop_timer_new(loop, on_timer, clients, &clients->timer);
    if (r < 0)
        return r;
    clients->next = all;
    all = clients;
    return 0;
}

void clients_done(struct clients *clients)
{
    for (struct clients **at = &all; *at; at = &(*at)->next)
        if (*at == clients) {
            *at = clients->next;
            break;
        }
    for (unsigned i = 0; i < clients->n; i++)
        bufferevent_decref(clients->list[i].bev);
    clients->n = 0;
    loop_timer_free(clients->timer);
    clients->timer = NULL;
}

static void stop_for_now(struct clients *clients)
{
    clients->is_stopped = true;
    evconnlistener_disable(clients->listener);
    loop_timer_set(clients->timer, clock_now_us() + RETRY_US);
}

void clients_accept_failed(struct evconnlistener *listener, void *arg)
{
    (void)arg;
    for (struct clients *c = all; c; c = c->next)
        if (c->listener == listener)
            stop_for_now(c);
}

struct bufferevent *clients_accept(struct event_base *base, void *arg)
{
    struct clients *clients = arg;
    struct bufferevent *bev = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
    drop_gone(clients);
    if (!bev)
        return NULL;
    bufferevent_setwatermark(bev, EV_READ, 0, INPUT_MAX);
    bufferevent_incref(bev);
    struct client *client = &clients->list[clients->n];
    *client = (struct client){.bev = bev,
                              .deadline_us = clock_now_us() + CLIENTS_LIFE_US,
                              .is_refused = clients->n >= CLIENTS_MAX};
    clients->n++;
    if (clients->n == CLIENTS_MAX + CLIENTS_REFUSED_MAX)
        stop_for_now(clients);
    else if (clients->n > CLIENTS_MAX)
        loop_timer_set(clients->timer, 0);
    else if (clients->n == 1)
        loop_timer_set(clients->timer, clock_now_us() + TICK_US);
    return bev;
}

void clients_closed(struct clients *clients)
{
    loop_timer_set(clients->timer, 0);
}

/* Called while the connection is being freed, so it is dropped a moment later. */
static void on_close(struct evhttp_connection *connection, void *arg)
{
    (void)connection;
    clients_closed(arg);
}

void clients_mark_stream(struct clients *clients, struct evhttp_connection *connection)
{
    const struct bufferevent *bev = evhttp_connection_get_bufferevent(connection);
    for (unsigned i = 0; i < clients->n; i++)
        if (clients->list[i].bev == bev)
            clients->list[i].deadline_us = UINT64_MAX;
}

void clients_mark_served(struct clients *clients, struct evhttp_connection *connection)
{
    const struct bufferevent *bev = evhttp_connection_get_bufferevent(connection);
    evhttp_connection_set_closecb(connection, on_close, clients);
    for (unsigned i = 0; i < clients->n; i++)
        if (clients->list[i].bev == bev)
            clients->list[i].is_refused = false;
}

void clients_forget(struct clients *clients)
{
    drop_gone(clients);
    for (unsigned i = 0; i < clients->n; i++) {
        int fd = bufferevent_getfd(clients->list[i].bev);
        bufferevent_setfd(clients->list[i].bev, -1);
        close(fd);
    }
}
