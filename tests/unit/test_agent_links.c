/* SPDX-License-Identifier: MIT */
/* Which VIPs an agent takes part for, as the kernel gives it what it needs or does not. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "agent_fakes.h"

static struct {
    int fence_error, filter_error, netlink_error;
    struct ip fenced[4];
    unsigned n_fenced;
    struct link link; /* ifindex 0: there is none */
    char name[LINK_NAME_MAX];
    struct monitor_callbacks callbacks;
    loop_timer_fn timer;
    void *arg;
} kernel;

void feed_simple(struct agent *a, enum election_event_type type, unsigned vip, bool yes)
{
    struct election_event ev = {.type = type, .vip = vip, .yes = yes};
    feed(a, &ev);
}

int fence_add_vip(struct fence *f, const struct ip *vip, uint32_t slot)
{
    (void)f;
    (void)slot;
    if (kernel.fence_error)
        return kernel.fence_error;
    kernel.fenced[kernel.n_fenced++] = *vip;
    return 0;
}

int fence_remove_vip(struct fence *f, const struct ip *vip)
{
    (void)f;
    (void)vip;
    return 0;
}

bool fence_is_active(const struct fence *f)
{
    (void)f;
    return false;
}

int fence_attach(struct fence *f, int ifindex)
{
    (void)f;
    (void)ifindex;
    return 0;
}

int fence_detach(struct fence *f, int ifindex)
{
    return fence_attach(f, ifindex);
}

int packet_open(struct loop *loop, int ifindex, const struct mac *mac, packet_frame_fn fn,
                void *arg, struct packet **ret_packet)
{
    (void)loop;
    (void)ifindex;
    (void)mac;
    (void)fn;
    (void)arg;
    *ret_packet = (struct packet *)&kernel;
    return 0;
}

void packet_close(struct packet *p)
{
    (void)p;
}

int packet_watch(struct packet *p, const struct ip *vips, size_t n)
{
    (void)p;
    (void)vips;
    (void)n;
    return kernel.filter_error;
}

int link_find(struct netlink *nl, const char *name, struct link *ret_link)
{
    (void)nl;
    if (kernel.netlink_error)
        return kernel.netlink_error;
    if (!kernel.link.ifindex || strcmp(name, kernel.link.name) != 0)
        return -ENODEV;
    *ret_link = kernel.link;
    return 0;
}

int link_get(struct netlink *nl, int ifindex, struct link *ret_link)
{
    (void)nl;
    if (kernel.netlink_error)
        return kernel.netlink_error;
    if (kernel.link.ifindex != ifindex)
        return -ENODEV;
    *ret_link = kernel.link;
    return 0;
}

int address_find(struct netlink *nl, const struct ip *ip, struct address **ret_list, size_t *ret_n)
{
    (void)nl;
    (void)ip;
    *ret_list = NULL;
    *ret_n = 0;
    return 0;
}

int monitor_open(struct loop *loop, const struct monitor_callbacks *callbacks, void *arg,
                 struct monitor **ret_monitor)
{
    (void)loop;
    kernel.callbacks = *callbacks;
    kernel.arg = arg;
    *ret_monitor = (struct monitor *)&kernel;
    return 0;
}

void monitor_set_ports(struct monitor *m, const uint32_t *ports, size_t n)
{
    (void)m;
    (void)ports;
    (void)n;
}

void monitor_close(struct monitor *m)
{
    (void)m;
}

uint32_t netlink_port(const struct netlink *nl)
{
    (void)nl;
    return 1;
}

int loop_timer_new(struct loop *loop, loop_timer_fn fn, void *arg, struct loop_timer **ret_timer)
{
    (void)loop;
    (void)arg;
    kernel.timer = fn;
    *ret_timer = (struct loop_timer *)&kernel;
    return 0;
}

void loop_timer_set(struct loop_timer *timer, uint64_t at_us)
{
    if (timer)
        fakes.timer_us = at_us;
}

void loop_timer_free(struct loop_timer *timer)
{
    (void)timer;
}

int links_resolve(struct agent *a, const struct config_vip *vip, char ret_name[LINK_NAME_MAX],
                  struct buf *why)
{
    (void)a;
    (void)vip;
    (void)why;
    snprintf(ret_name, LINK_NAME_MAX, "eth0");
    return 0;
}

bool health_is_barred(const struct agent *a)
{
    (void)a;
    return false;
}

void peerlease_update(struct agent *a)
{
    (void)a;
}

/* ---- the agent under test ---- */

static struct config_vip vips[3];
static struct config config = {.vips = vips};

/* With a link, but no VIP yet. */
static struct agent *new_agent(void)
{
    struct agent *a = agent_new();
    memset(&kernel, 0, sizeof(kernel));
    memset(vips, 0, sizeof(vips));
    kernel.link = (struct link){.ifindex = 2, .is_running = true};
    snprintf(kernel.link.name, sizeof(kernel.link.name), "eth0");
    a->config = &config;
    config.n_vips = 0;
    assert_int_equal(links_open(a), 0);
    return a;
}

static void end(struct agent *a)
{
    links_close(a);
    agent_free(a);
}

/* The configuration names it, too. */
static void configure(struct agent *a, const char *ip)
{
    vips[config.n_vips++].ip = ip_of(ip);
    reload_add_missing(a);
    for (unsigned i = 0; i < fakes.n_told; i++)
        if (fakes.told[i].ev.type == EV_VIP_ADDED && fakes.told[i].ev.vip >= a->election.n)
            a->election.n = fakes.told[i].ev.vip + 1;
}

/* What the election was told since it was last asked for: that one was added, with those bars. */
static void expect_added(unsigned vip, unsigned bars)
{
    const struct election_event *ev = &told(EV_VIP_ADDED)->ev;
    assert_int_equal(ev->vip, vip);
    assert_int_equal(ev->bar, bars);
}

static void expect_bar(unsigned at, unsigned vip, bool is_up)
{
    const struct election_event *ev = &fakes.told[at].ev;
    assert_true(at < fakes.n_told);
    assert_int_equal(ev->type, EV_BAR);
    assert_int_equal(ev->bar, BAR_LINK);
    assert_int_equal(ev->vip, vip);
    assert_int_equal(ev->yes, is_up);
}

/* Not even for a moment: it could be taken without a fence. */
static void test_no_part_without_the_fence(void **state)
{
    struct agent *a = new_agent();
    (void)state;
    kernel.fence_error = -ENOMEM;
    configure(a, "10.77.0.50");
    assert_int_equal(fakes.n_told, 0);
    assert_string_equal(fakes.logged, "vip_failed");
    assert_int_equal(a->election.n, 0);
    /* It does not take the place of another, and is tried again by the next reload. */
    kernel.fence_error = 0;
    configure(a, "10.77.0.51");
    assert_int_equal(fakes.n_told, 2);
    assert_int_equal(kernel.n_fenced, 2);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(fakes.told[i].ev.type, EV_VIP_ADDED);
        assert_int_equal(fakes.told[i].ev.bar, 0);
        assert_true(ip_equal(&kernel.fenced[i], &vips[i].ip));
    }
    end(a);
}

static void test_no_part_without_a_place_for_its_link(void **state)
{
    struct agent *a = new_agent();
    (void)state;
    for (unsigned k = 0; k < AGENT_LINKS_MAX; k++) {
        a->links[k].users = 1;
        snprintf(a->links[k].name, sizeof(a->links[k].name), "other%u", k);
    }
    configure(a, "10.77.0.50");
    assert_int_equal(fakes.n_told, 0);
    assert_string_equal(fakes.logged, "vip_failed");
    assert_false(a->slots[0].is_used);
    memset(a->links, 0, sizeof(a->links));
    end(a);
}

static void test_barred_from_the_first_without_a_link(void **state)
{
    struct agent *a = new_agent();
    (void)state;
    kernel.link.is_running = false;
    configure(a, "10.77.0.50");
    expect_added(0, BAR_LINK);
    kernel.link.is_running = true;
    kernel.callbacks.on_link(a, &kernel.link);
    assert_int_equal(fakes.n_told, 1);
    expect_bar(0, 0, false);
    end(a);
}

/* Nobody's answer could be heard: silence would be taken for a free address. */
static void test_barred_while_it_cannot_listen(void **state)
{
    struct agent *a = new_agent();
    (void)state;
    configure(a, "10.77.0.50");
    expect_added(0, 0);
    kernel.filter_error = -ENOMEM;
    configure(a, "10.77.0.51");
    expect_added(1, BAR_LINK);
    assert_string_equal(fakes.logged, "watch_failed");
    /* The old one is still listened for; and each is asked for again, without a word. */
    unsigned logged = fakes.n_logged;
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(fakes.timer_us, fakes.now_us + SECOND_US);
        fakes.now_us = fakes.timer_us;
        kernel.timer(a);
        assert_int_equal(fakes.n_told, 2);
        expect_bar(0, 0, false);
        expect_bar(1, 1, true);
        fakes.n_told = 0;
    }
    assert_int_equal(fakes.n_logged, logged);
    assert_false(links_is_usable(&a->slots[1]));
    kernel.filter_error = 0;
    fakes.now_us = fakes.timer_us;
    kernel.timer(a);
    assert_int_equal(fakes.n_told, 2);
    expect_bar(1, 1, false);
    assert_true(links_is_usable(&a->slots[1]));
    /* And that was the last time. */
    fakes.n_told = 0;
    kernel.timer(a);
    assert_int_equal(fakes.n_told, 0);
    end(a);
}

/* Somebody would be answered there, fence or not; but what is heard counts all the same. */
static void test_barred_while_a_twin_has_no_fence(void **state)
{
    struct agent *a = new_agent();
    (void)state;
    configure(a, "10.77.0.50");
    expect_added(0, 0);
    a->links[0].open_twin = 9;
    links_tell(a, &a->links[0]);
    assert_int_equal(fakes.n_told, 1);
    expect_bar(0, 0, true);
    assert_true(links_is_usable(&a->slots[0]));
    fakes.n_told = 0;
    configure(a, "10.77.0.51");
    expect_added(1, BAR_LINK);
    a->links[0].open_twin = 0;
    links_tell(a, &a->links[0]);
    assert_int_equal(fakes.n_told, 2);
    expect_bar(0, 0, false);
    expect_bar(1, 1, false);
    end(a);
}

/* A device that comes anew has a socket that listens for nobody. */
static void test_a_new_device_is_listened_on_first(void **state)
{
    struct agent *a = new_agent();
    (void)state;
    configure(a, "10.77.0.50");
    expect_added(0, 0);
    kernel.callbacks.on_link_gone(a, 2);
    assert_int_equal(fakes.n_told, 1);
    expect_bar(0, 0, true);
    kernel.filter_error = -ENOMEM;
    kernel.link.ifindex = 3;
    fakes.n_told = 0;
    kernel.callbacks.on_link(a, &kernel.link);
    assert_int_equal(fakes.n_told, 1);
    expect_bar(0, 0, true);
    kernel.filter_error = 0;
    fakes.n_told = 0;
    kernel.timer(a);
    assert_int_equal(fakes.n_told, 1);
    expect_bar(0, 0, false);
    end(a);
}

/* A link that the kernel did not tell of in time is looked for again. */
static void test_a_link_is_looked_for_again(void **state)
{
    struct agent *a = new_agent();
    (void)state;
    kernel.netlink_error = -ETIMEDOUT;
    configure(a, "10.77.0.50");
    expect_added(0, BAR_LINK);
    assert_string_equal(fakes.logged, "link_failed");
    kernel.netlink_error = 0;
    kernel.timer(a);
    assert_true(fakes.n_told > 0);
    expect_bar(fakes.n_told - 1, 0, false);
    end(a);
}

/* A link that was renamed is not found by its name. */
static void test_lost_notifications(void **state)
{
    struct agent *a = new_agent();
    (void)state;
    configure(a, "10.77.0.50");
    expect_added(0, 0);
    snprintf(kernel.link.name, sizeof(kernel.link.name), "renamed");
    kernel.link.is_running = false;
    kernel.callbacks.on_resync(a);
    assert_int_equal(fakes.n_told, 1);
    expect_bar(0, 0, true);
    fakes.n_told = 0;
    kernel.link.is_running = true;
    kernel.callbacks.on_resync(a);
    assert_int_equal(fakes.n_told, 1);
    expect_bar(0, 0, false);
    /* Gone, and one of its name is there. */
    fakes.n_told = 0;
    kernel.link.ifindex = 9;
    snprintf(kernel.link.name, sizeof(kernel.link.name), "eth0");
    kernel.callbacks.on_resync(a);
    assert_int_equal(fakes.n_told, 2);
    expect_bar(0, 0, true);
    expect_bar(1, 0, false);
    assert_int_equal(a->slots[0].link->ifindex, 9);
    /* It could not be looked at: that is done again. */
    fakes.n_told = 0;
    kernel.netlink_error = -ENOBUFS;
    kernel.link.is_running = false;
    kernel.callbacks.on_resync(a);
    assert_int_equal(fakes.n_told, 0);
    kernel.netlink_error = 0;
    kernel.timer(a);
    assert_true(fakes.n_told > 0);
    expect_bar(0, 0, true);
    end(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_part_without_the_fence),
        cmocka_unit_test(test_no_part_without_a_place_for_its_link),
        cmocka_unit_test(test_barred_from_the_first_without_a_link),
        cmocka_unit_test(test_barred_while_it_cannot_listen),
        cmocka_unit_test(test_barred_while_a_twin_has_no_fence),
        cmocka_unit_test(test_a_new_device_is_listened_on_first),
        cmocka_unit_test(test_a_link_is_looked_for_again),
        cmocka_unit_test(test_lost_notifications),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
