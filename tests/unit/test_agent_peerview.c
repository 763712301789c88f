/* SPDX-License-Identifier: MIT */
/* When the agent is healthy and ready: also while a majority of its peers decides sooner than etcd.
 * What it stands on is noted here: its functions take the place of the library's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "../../src/agent/state.h"

static struct {
    uint64_t now_us, fence_us;
    int64_t guardian;
    bool is_barred;
} host;

uint64_t clock_now_us(void)
{
    return host.now_us;
}

int64_t guardian_pid(const struct agent *a)
{
    (void)a;
    return host.guardian;
}

uint64_t fence_deadline_us(const struct fence *f)
{
    (void)f;
    return host.fence_us;
}

bool fence_is_active(const struct fence *f)
{
    (void)f;
    return true;
}

bool health_is_barred(const struct agent *a)
{
    (void)a;
    return host.is_barred;
}

unsigned health_view(const struct agent *a, struct api_check list[CONFIG_HEALTH_MAX])
{
    (void)a;
    (void)list;
    return 0;
}

void peertell_view(const struct agent *a, struct api_peers *ret_peers)
{
    (void)a;
    (void)ret_peers;
}

void metrics_view(void *arg, struct api_metrics *ret_metrics)
{
    (void)arg;
    (void)ret_metrics;
}

void change_start(void *arg, uint64_t id, const struct api_request *wish)
{
    (void)arg;
    (void)id;
    (void)wish;
}

/* The owner of one VIP, over which peers stand: their right ends in 400 ms, etcd's in 3 s. */
static struct agent *new_owner(void)
{
    struct agent *a = calloc(1, sizeof(*a));
    assert_non_null(a);
    a->vips = calloc(1, sizeof(*a->vips));
    assert_non_null(a->vips);
    host.now_us = 1000 * SECOND_US;
    host.fence_us = host.now_us + 400 * MS_US;
    host.guardian = 7;
    host.is_barred = false;
    a->election = (struct election){.has_guardian = true, .n = 1, .vips = a->vips};
    a->election.deadline_us = a->election.peer.owner.right_us = host.fence_us;
    a->election.session = (struct session){.state = SESSION_LIVE,
                                           .ttl_us = 5 * SECOND_US,
                                           .renewed_us = host.now_us - 100 * MS_US,
                                           .deadline_us = host.now_us + 3 * SECOND_US};
    a->slots[0].is_used = true;
    a->vips[0].state = VIP_HELD;
    return a;
}

static void end(struct agent *a)
{
    free(a->vips);
    free(a);
}

static void healthy_with_voters(void **state)
{
    struct agent *a = new_owner();
    (void)state;
    assert_null(view_source.healthz(a));
    assert_null(view_source.readyz(a));
    /* Nobody but etcd has a say. */
    host.fence_us = a->election.deadline_us = a->election.session.deadline_us;
    assert_null(view_source.healthz(a));
    assert_null(view_source.readyz(a));
    end(a);
}

static void assert_unhealthy(struct agent *a, const char *why)
{
    assert_string_equal(view_source.healthz(a), why);
    assert_string_equal(view_source.readyz(a), why);
    end(a);
}

static void unhealthy_for_a_reason(void **state)
{
    static const char guardian[] = "no guardian";
    struct agent *a = new_owner();
    (void)state;
    host.guardian = 0;
    assert_unhealthy(a, guardian);
    a = new_owner();
    a->election.has_guardian = false; /* not ready yet */
    assert_unhealthy(a, guardian);
    a = new_owner();
    host.fence_us = a->election.session.deadline_us; /* later than what the core has decided */
    assert_unhealthy(a, "the fences do not have the deadline");
    a = new_owner();
    a->election.is_doubtful = true;
    assert_unhealthy(a, "this process was held up, and etcd has not confirmed since");
}

static void assert_not_ready(struct agent *a, const char *why)
{
    assert_null(view_source.healthz(a));
    assert_string_equal(view_source.readyz(a), why);
    end(a);
}

static void healthy_but_not_ready(void **state)
{
    struct agent *a = new_owner();
    (void)state;
    a->is_stopping = true;
    assert_not_ready(a, "stopping");
    a = new_owner();
    host.is_barred = true;
    assert_not_ready(a, "a health check does not pass");
    a = new_owner();
    a->election.session.state = SESSION_GRANTING;
    assert_not_ready(a, "no session with etcd");
    a = new_owner();
    host.now_us = a->election.session.deadline_us;
    assert_not_ready(a, "the lease was not confirmed in time");
    a = new_owner();
    a->election.peer.owner.is_mute = true;
    assert_not_ready(a, "no majority of the voters hears this node");
    a = new_owner();
    a->election.session.renewed_us = host.now_us - 4 * SECOND_US;
    assert_not_ready(a, "the last renewal is older than two intervals");
    a = new_owner();
    a->vips[0].state = VIP_JOINING;
    assert_not_ready(a, "a VIP is neither held nor queued for");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(healthy_with_voters),
        cmocka_unit_test(unhealthy_for_a_reason),
        cmocka_unit_test(healthy_but_not_ready),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
