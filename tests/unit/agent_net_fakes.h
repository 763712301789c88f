/* SPDX-License-Identifier: MIT */
/* agent_fakes.h, and a socket, links and a key in etcd that note what they are asked for. */
#ifndef TALOSVIP_TESTS_AGENT_NET_FAKES_H
#define TALOSVIP_TESTS_AGENT_NET_FAKES_H

#include "agent_fakes.h"
#include "net/address.h"

struct sent {
    struct datagram d;
    struct ip to;
    uint16_t port;
};

static struct {
    struct udp *udp; /* while it is open */
    struct udp_place place;
    struct datagram_keys keys;
    udp_message_fn fn;
    void *arg;
    int error; /* of the next opening */
    unsigned n_sent, n_published, n_created;
    struct sent sent[2 * PEERS_MAX];
    etcd_call_fn created;
    struct ip_prefix own[2]; /* on links 1 and 2 */
} net;

static struct udp *const a_socket = (struct udp *)&net;

int udp_open(struct loop *loop, const struct udp_place *place, const struct datagram_keys *keys,
             udp_message_fn fn, void *arg, struct udp **ret_udp)
{
    (void)loop;
    assert_null(net.udp);
    if (net.error)
        return net.error;
    net.place = *place;
    net.keys = *keys;
    net.fn = fn;
    net.arg = arg;
    *ret_udp = net.udp = a_socket;
    return 0;
}

int udp_move(struct udp *udp, const struct udp_place *place)
{
    assert_ptr_equal(udp, net.udp);
    net.place = *place;
    return net.error;
}

void udp_close(struct udp *udp)
{
    assert_ptr_equal(udp, net.udp);
    net.udp = NULL;
}

void udp_set_keys(struct udp *udp, const struct datagram_keys *keys)
{
    assert_ptr_equal(udp, net.udp);
    net.keys = *keys;
}

int udp_send(struct udp *udp, const struct datagram *d, const struct ip *to, uint16_t port,
             uint64_t *ret_sent_us)
{
    uint8_t data[DATAGRAM_SIZE];
    assert_ptr_equal(udp, net.udp);
    assert_null(ret_sent_us);
    assert_int_equal(datagram_write(d, &net.keys, data), 0); /* others would take it */
    net.sent[net.n_sent++] = (struct sent){*d, *to, port};
    return 0;
}

const struct udp_counts *udp_counts(const struct udp *udp)
{
    static const struct udp_counts none;
    (void)udp;
    return &none;
}

int address_in_subnet(struct netlink *nl, int ifindex, const struct ip *vip,
                      struct ip_prefix *ret_own)
{
    const struct ip_prefix *own = &net.own[ifindex - 1];
    (void)nl;
    if (own->ip.family != vip->family || !ip_prefix_contains(own, vip))
        return -ENOENT;
    *ret_own = *own;
    return 0;
}

int loop_timer_new(struct loop *loop, loop_timer_fn fn, void *arg, struct loop_timer **ret_timer)
{
    (void)loop;
    (void)fn;
    (void)arg;
    *ret_timer = (struct loop_timer *)&fakes;
    return 0;
}

void loop_timer_set(struct loop_timer *timer, uint64_t at_us)
{
    (void)timer;
    fakes.timer_us = at_us;
}

void loop_timer_free(struct loop_timer *timer)
{
    (void)timer;
}

void publish_soon(struct agent *a)
{
    (void)a;
    net.n_published++;
}

int peers_call_create_key(struct etcd_client *client, const struct peers_key *key,
                          uint64_t timeout_us, etcd_call_fn fn, void *arg,
                          struct etcd_call **ret_call)
{
    static const uint8_t none[PEERS_KEY_SIZE];
    (void)client;
    (void)arg;
    assert_int_equal(key->generation, 1);
    assert_memory_not_equal(key->current, none, sizeof(none));
    assert_true(timeout_us <= SECOND_US);
    net.n_created++;
    net.created = fn;
    *ret_call = (struct etcd_call *)&net;
    return 0;
}

/* ---- the agent under test ---- */

static inline struct agent *new_agent(void)
{
    struct agent *a = agent_new();
    memset(&net, 0, sizeof(net));
    net.own[0] = (struct ip_prefix){ip_of("10.0.0.1"), 24};
    net.own[1] = (struct ip_prefix){ip_of("10.9.0.1"), 24};
    a->peerlease.incarnation = 0;
    for (int i = 0; i < 2; i++)
        a->links[i] = (struct agent_link){.ifindex = i + 1, .is_running = true};
    return a;
}

static inline void add_vip(struct agent *a, const char *ip, unsigned link)
{
    a->slots[a->election.n++] =
        (struct slot){.is_used = true, .ip = ip_of(ip), .link = &a->links[link]};
}

static inline void tell_key(struct agent *a, uint64_t generation, uint8_t current, uint8_t previous)
{
    struct peers_key key = {.generation = generation, .has_previous = previous != 0};
    struct buf out;
    buf_init(&out, 0);
    memset(key.current, current, sizeof(key.current));
    if (previous)
        memset(key.previous, previous, sizeof(key.previous));
    assert_int_equal(peers_key_write(&key, &out), 0);
    struct etcd_kv kv = {.value = buf_str(&out), .value_len = strlen(buf_str(&out))};
    peerwire_on_key(a, &kv);
    buf_done(&out);
}

static inline void after(struct agent *a, uint64_t us)
{
    fakes.now_us += us;
    peerwire_on_timer(a, fakes.now_us);
}

/* An agent that listens under key 'a', and told the core so. */
static inline struct agent *ready_agent(void)
{
    struct agent *a = new_agent();
    add_vip(a, "10.0.0.50", 0);
    peerlease_update(a);
    a->peerlease.incarnation = 11;
    tell_key(a, 1, 'a', 0);
    assert_non_null(net.udp);
    assert_null(a->peerlease.reason);
    fakes.n_told = fakes.n_logged = net.n_published = 0;
    return a;
}

static inline void end(struct agent *a)
{
    peerlease_close(a);
    assert_null(net.udp);
    agent_free(a);
}

#endif
