/* SPDX-License-Identifier: MIT */
/* Which links the packet fence is on, beside those of the VIPs. The kernel's part of it is in
 * test_net_echo.c. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <net/if.h>

#include "agent_fakes.h"

enum { ETH0 = 2, ETH1 = 3, ETH2 = 4, MANY = 100 };

static struct {
    bool is_active; /* the packet fence */
    bool is_on[2 * MANY];
    bool is_gone[2 * MANY];
    unsigned n_attached; /* calls */
    int error;           /* of attaching */
    echo_fn echo;
    size_t n_macs;
    loop_timer_fn on_look;
    unsigned n_probes;
    unsigned n_told; /* that a bar may have changed */
} net;

bool fence_is_active(const struct fence *f)
{
    (void)f;
    return net.is_active;
}

int fence_attach(struct fence *f, int ifindex)
{
    (void)f;
    net.n_attached++;
    if (net.error)
        return net.error;
    net.is_on[ifindex] = true;
    return 0;
}

int fence_detach(struct fence *f, int ifindex)
{
    (void)f;
    net.is_on[ifindex] = false;
    return 0;
}

int link_get(struct netlink *nl, int ifindex, struct link *ret_link)
{
    (void)nl;
    if (net.is_gone[ifindex])
        return -ENODEV;
    *ret_link = (struct link){.ifindex = ifindex, .name = "x"};
    return 0;
}

int echo_open(struct loop *loop, echo_fn fn, void *arg, struct echo **ret_echo)
{
    (void)loop;
    (void)arg;
    net.echo = fn;
    *ret_echo = (struct echo *)&net;
    return 0;
}

void echo_close(struct echo *e)
{
    (void)e;
}

int echo_watch(struct echo *e, const struct mac *macs, size_t n)
{
    (void)e;
    (void)macs;
    net.n_macs = n;
    return 0;
}

int loop_timer_new(struct loop *loop, loop_timer_fn fn, void *arg, struct loop_timer **ret_timer)
{
    (void)loop;
    (void)arg;
    net.on_look = fn;
    *ret_timer = (struct loop_timer *)&net;
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

int packet_probe(struct packet *p, const struct ip *vip, const struct ip *source)
{
    (void)p;
    assert_int_equal(vip->family, IP_V4);
    assert_null(source);
    net.n_probes++;
    return 0;
}

void links_tell(struct agent *a, const struct agent_link *l)
{
    (void)a;
    (void)l;
    net.n_told++;
}

static struct mac mac_of(int ifindex)
{
    return (struct mac){{2, 0, 0, 0, 0, (uint8_t)ifindex}};
}

/* Slot and link `i`, as links_add_vip() makes them. */
static struct agent_link *add_vip(struct agent *a, unsigned i, const char *ip, int ifindex)
{
    struct agent_link *l = &a->links[i];
    const struct link link = {.ifindex = ifindex};
    *l = (struct agent_link){.agent = a,
                             .name = "eth",
                             .ifindex = ifindex,
                             .mac = mac_of(ifindex),
                             .is_running = true,
                             .packet = (struct packet *)&net,
                             .users = 1};
    a->slots[i] = (struct slot){.is_used = true, .ip = ip_of(ip), .link = l};
    a->election.n = i + 1;
    assert_int_equal(fence_attach(a->fence, ifindex), 0);
    twins_begin(a, l, &link);
    assert_int_equal(twins_watch(a), 0);
    net.n_attached = 0;
    return l;
}

static struct agent *start(void)
{
    struct agent *a = agent_new();
    memset(&net, 0, sizeof(net));
    net.is_active = true;
    assert_int_equal(twins_open(a), 0);
    return a;
}

static void end(struct agent *a)
{
    twins_close(a);
    agent_free(a);
}

/* A question for `ip` that `from` sent comes in on `at`. */
static void hear(struct agent *a, const char *ip, int from, int at)
{
    const struct frame frame = {
        .kind = FRAME_ARP_REQUEST, .ether_source = mac_of(from), .target_ip = ip_of(ip)};
    net.echo(a, at, &frame);
}

static void remove_vip(struct agent *a, struct agent_link *l)
{
    l->users = 0;
    twins_end(a, l);
    l->ifindex = 0;
}

static void a_twin_gets_the_fence_once(void **state)
{
    struct agent *a = start();
    struct agent_link *l = add_vip(a, 0, "10.0.0.50", ETH0);
    (void)state;
    hear(a, "10.0.0.50", ETH0, ETH1);
    assert_true(net.is_on[ETH1]);
    assert_string_equal(fakes.logged, "twin");
    assert_int_equal(fakes.level, LOG_INFO);
    hear(a, "10.0.0.50", ETH0, ETH1);
    assert_int_equal(net.n_attached, 1);
    assert_int_equal(fakes.n_logged, 1);
    assert_int_equal(net.n_told, 0);
    remove_vip(a, l);
    assert_false(net.is_on[ETH0] || net.is_on[ETH1]);
    end(a);
}

static void what_is_no_question_of_ours_is_nothing(void **state)
{
    struct agent *a = start();
    (void)state;
    add_vip(a, 0, "10.0.0.50", ETH0);
    add_vip(a, 1, "10.0.0.51", ETH2);
    hear(a, "10.0.0.99", ETH0, ETH1); /* by our kernel, for somebody */
    hear(a, "10.0.0.51", ETH0, ETH1); /* not with the link of that VIP */
    hear(a, "10.0.0.50", ETH0, ETH0); /* a hub */
    a->slots[0].is_used = false;
    hear(a, "10.0.0.50", ETH0, ETH1);
    a->slots[1].link->ifindex = 0; /* gone */
    hear(a, "10.0.0.51", ETH2, ETH1);
    assert_int_equal(net.n_attached, 0);
    end(a);
}

static void without_a_packet_fence_nobody_looks(void **state)
{
    struct agent *a = agent_new();
    (void)state;
    memset(&net, 0, sizeof(net));
    assert_int_equal(twins_open(a), 0);
    assert_null(a->echo);
    add_vip(a, 0, "10.0.0.50", ETH0);
    twins_look(a);
    assert_int_equal(fakes.timer_us, 0);
    assert_null(net.on_look);
    end(a);
}

static void the_link_below_a_macvlan_is_one_from_the_start(void **state)
{
    struct agent *a = start();
    struct agent_link *l = add_vip(a, 0, "10.0.0.50", ETH0);
    struct link link = {.ifindex = ETH0, .kind = "vlan", .parent = ETH1};
    (void)state;
    twins_begin(a, l, &link);
    assert_int_equal(net.n_attached, 0);
    snprintf(link.kind, sizeof(link.kind), "macvlan");
    twins_begin(a, l, &link);
    twins_begin(a, l, &link);
    assert_int_equal(net.n_attached, 1);
    assert_true(net.is_on[ETH1]);
    link.parent = 0; /* in another namespace */
    twins_begin(a, l, &link);
    assert_int_equal(net.n_attached, 1);
    end(a);
}

static void what_fails_is_a_bar_until_it_works(void **state)
{
    struct agent *a = start();
    struct agent_link *l = add_vip(a, 0, "10.0.0.50", ETH0);
    (void)state;
    net.error = -ENOMEM;
    hear(a, "10.0.0.50", ETH0, ETH1);
    assert_int_equal(l->open_twin, ETH1);
    assert_string_equal(fakes.logged, "twin_failed");
    assert_int_equal(fakes.level, LOG_ERROR);
    assert_int_equal(net.n_told, 1);
    assert_int_equal(fakes.timer_us, fakes.now_us + SECOND_US);
    for (int i = 0; i < 3; i++) {
        hear(a, "10.0.0.50", ETH0, ETH2); /* one is enough for a bar */
        net.on_look(a);
        assert_int_equal(l->open_twin, ETH1);
        assert_int_equal(fakes.timer_us, fakes.now_us + SECOND_US);
    }
    assert_int_equal(fakes.n_logged, 1);
    assert_int_equal(net.n_told, 1);
    net.error = 0;
    net.on_look(a);
    assert_int_equal(l->open_twin, 0);
    assert_true(net.is_on[ETH1]);
    assert_int_equal(net.n_told, 2);
    hear(a, "10.0.0.50", ETH0, ETH2);
    assert_true(net.is_on[ETH2]);
    end(a);
}

static void a_link_that_is_gone_is_no_twin(void **state)
{
    struct agent *a = start();
    struct agent_link *l = add_vip(a, 0, "10.0.0.50", ETH0);
    (void)state;
    net.is_gone[ETH1] = true;
    hear(a, "10.0.0.50", ETH0, ETH1);
    net.is_gone[ETH1] = false;
    net.error = -ENODEV; /* it goes meanwhile */
    hear(a, "10.0.0.50", ETH0, ETH1);
    assert_int_equal(fakes.n_logged, 0);
    net.error = -ENOMEM;
    hear(a, "10.0.0.50", ETH0, ETH1);
    assert_int_equal(l->open_twin, ETH1);
    twins_gone(a, ETH1);
    assert_int_equal(l->open_twin, 0);
    assert_int_equal(net.n_told, 2);
    net.error = 0;
    hear(a, "10.0.0.50", ETH0, ETH1);
    hear(a, "10.0.0.50", ETH0, ETH2);
    twins_gone(a, ETH1);
    assert_int_equal(l->n_twins, 1);
    assert_int_equal(l->twins[0], ETH2);
    end(a);
}

static void lost_notifications_leave_no_ghosts(void **state)
{
    struct agent *a = start();
    struct agent_link *l = add_vip(a, 0, "10.0.0.50", ETH0);
    (void)state;
    for (int i = 0; i < 5; i++)
        hear(a, "10.0.0.50", ETH0, 10 + i);
    net.is_gone[10] = net.is_gone[12] = net.is_gone[14] = true;
    fakes.timer_us = NEVER_US;
    twins_resync(a);
    assert_int_equal(l->n_twins, 2);
    assert_int_equal(l->twins[0] + l->twins[1], 11 + 13);
    assert_true(fakes.timer_us <= fakes.now_us);
    end(a);
}

/* Anybody with raw sockets on as many links could have sent them. */
static void too_many_are_no_bar(void **state)
{
    struct agent *a = start();
    struct agent_link *l = add_vip(a, 0, "10.0.0.50", ETH0);
    (void)state;
    for (int i = 0; i < AGENT_TWINS_MAX; i++)
        hear(a, "10.0.0.50", ETH0, MANY + i);
    assert_int_equal(l->n_twins, AGENT_TWINS_MAX);
    hear(a, "10.0.0.50", ETH0, MANY + AGENT_TWINS_MAX);
    assert_int_equal(l->open_twin, 0);
    assert_true(l->has_many_twins);
    assert_false(net.is_on[MANY + AGENT_TWINS_MAX]);
    twins_gone(a, MANY);
    hear(a, "10.0.0.50", ETH0, MANY + AGENT_TWINS_MAX);
    assert_true(net.is_on[MANY + AGENT_TWINS_MAX]);
    end(a);
}

static void the_fence_stays_where_another_vip_needs_it(void **state)
{
    struct agent *a = start();
    struct agent_link *first = add_vip(a, 0, "10.0.0.50", ETH0);
    struct agent_link *second = add_vip(a, 1, "10.0.0.51", ETH1);
    (void)state;
    assert_int_equal(net.n_macs, 2);
    hear(a, "10.0.0.50", ETH0, ETH1);
    hear(a, "10.0.0.51", ETH1, ETH0);
    hear(a, "10.0.0.50", ETH0, ETH2);
    hear(a, "10.0.0.51", ETH1, ETH2);
    remove_vip(a, second);
    assert_true(net.is_on[ETH0] && net.is_on[ETH1] && net.is_on[ETH2]);
    remove_vip(a, first);
    assert_false(net.is_on[ETH0] || net.is_on[ETH1] || net.is_on[ETH2]);
    end(a);
}

char *if_indextoname(unsigned ifindex, char ret_name[IF_NAMESIZE])
{
    if (net.is_gone[ifindex])
        return NULL;
    snprintf(ret_name, IF_NAMESIZE, "eth%u", ifindex);
    return ret_name;
}

static void the_status_names_each_once(void **state)
{
    struct agent *a = start();
    char text[API_TEXT_MAX];
    (void)state;
    twins_view(a, text);
    assert_string_equal(text, "");
    add_vip(a, 0, "10.0.0.50", ETH0);
    add_vip(a, 1, "10.0.0.51", ETH1);
    hear(a, "10.0.0.50", ETH0, ETH1);
    hear(a, "10.0.0.50", ETH0, ETH2);
    hear(a, "10.0.0.51", ETH1, ETH2);
    hear(a, "10.0.0.51", ETH1, 5);
    twins_view(a, text);
    assert_string_equal(text, "eth4, eth5");
    net.is_gone[ETH2] = true;
    twins_view(a, text);
    assert_string_equal(text, "eth5");
    end(a);
}

static void asks_at_once_and_then_in_turn(void **state)
{
    struct agent *a = start();
    (void)state;
    add_vip(a, 0, "10.0.0.50", ETH0);
    add_vip(a, 1, "10.0.0.51", ETH1)->is_running = false;
    add_vip(a, 2, "fd00::50", ETH2);
    fakes.timer_us = NEVER_US;
    twins_look(a);
    assert_true(fakes.timer_us <= fakes.now_us);
    net.on_look(a);
    assert_int_equal(net.n_probes, 1); /* IPv6 needs none, a link that is down has none */
    twins_look(a);
    assert_true(fakes.timer_us > fakes.now_us && fakes.timer_us < fakes.now_us + SECOND_US);
    /* A new link of ours does not wait. */
    add_vip(a, 3, "10.0.0.53", 9);
    fakes.timer_us = NEVER_US;
    twins_look(a);
    assert_true(fakes.timer_us <= fakes.now_us);
    net.on_look(a);
    assert_int_equal(net.n_probes, 3);
    end(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_twin_gets_the_fence_once),
        cmocka_unit_test(what_is_no_question_of_ours_is_nothing),
        cmocka_unit_test(without_a_packet_fence_nobody_looks),
        cmocka_unit_test(the_link_below_a_macvlan_is_one_from_the_start),
        cmocka_unit_test(what_fails_is_a_bar_until_it_works),
        cmocka_unit_test(a_link_that_is_gone_is_no_twin),
        cmocka_unit_test(lost_notifications_leave_no_ghosts),
        cmocka_unit_test(too_many_are_no_bar),
        cmocka_unit_test(the_fence_stays_where_another_vip_needs_it),
        cmocka_unit_test(the_status_names_each_once),
        cmocka_unit_test(asks_at_once_and_then_in_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
