/* SPDX-License-Identifier: MIT */
/* The twins of a link that carries VIPs: other links of this host in the same network. Linux
 * answers ARP for an address on each of them, wherever the address is, so that the packet fence
 * must be there, too. They are found by our own questions for a VIP, which come in there; those
 * that cannot be found so are known by how they are built. */
#include "state.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>

/* Links come and go in bursts where containers start. */
#define LOOK_PAUSE_US (400 * MS_US)
#define RETRY_US SECOND_US

/* What is sent with such a link is not heard by the one below it, but both hear what others send.
 */
static bool is_split_off(const struct link *link)
{
    static const char *const kinds[] = {"macvlan", "macvtap", "ipvlan", "ipvtap"};
    for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(link->kind, kinds[i]) == 0)
            return true;
    return false;
}

static bool is_twin(const struct agent_link *l, int ifindex)
{
    for (unsigned i = 0; i < l->n_twins; i++)
        if (l->twins[i] == ifindex)
            return true;
    return false;
}

static bool needs_fence(const struct agent *a, int ifindex)
{
    for (unsigned k = 0; k < AGENT_LINKS_MAX; k++)
        if (a->links[k].users && (a->links[k].ifindex == ifindex || is_twin(&a->links[k], ifindex)))
            return true;
    return false;
}

static void look_at(struct agent *a, uint64_t at_us)
{
    if (at_us >= a->look_us)
        return;
    a->look_us = at_us;
    loop_timer_set(a->look, at_us);
}

static void tell_open(struct agent *a, struct agent_link *l, const struct link *twin, int r)
{
    if (l->open_twin != twin->ifindex)
        log_event(
            LOG_ERROR, "twin_failed", NULL,
            LOG_FIELDS(LOG_TEXT("iface", twin->name), LOG_TEXT("link", l->name),
                       LOG_TEXT("error", strerror(-r))),
            "%s is in the network of %s, too, and the packet fence cannot be put on it: %s; no "
            "VIP is taken on %s",
            twin->name, l->name, strerror(-r), l->name);
    l->open_twin = twin->ifindex;
    look_at(a, clock_now_us() + RETRY_US);
}

/* No bar: whoever can send our questions from so many links could end the VIP here with it. */
static void tell_many(struct agent_link *l)
{
    if (!l->has_many_twins)
        log_event(LOG_ERROR, "twin_failed", NULL,
                  LOG_FIELDS(LOG_TEXT("link", l->name), LOG_TEXT("error", "too many")),
                  "more than %d links seem to be in the network of %s; the packet fence is not on "
                  "all of them",
                  AGENT_TWINS_MAX, l->name);
    l->has_many_twins = true;
}

static void enclose(struct agent *a, struct agent_link *l, int ifindex)
{
    struct link twin = {.ifindex = ifindex};
    int r = link_get(a->netlink, ifindex, &twin);
    if (r == 0 && l->n_twins == AGENT_TWINS_MAX) {
        tell_many(l);
        return;
    }
    if (r == 0)
        r = fence_attach(a->fence, ifindex);
    if (r < 0 && r != -ENODEV) {
        tell_open(a, l, &twin, r);
        return;
    }
    if (l->open_twin == ifindex)
        l->open_twin = 0;
    if (r == -ENODEV) /* it has just gone */
        return;
    l->twins[l->n_twins++] = ifindex;
    log_event(LOG_INFO, "twin", NULL,
              LOG_FIELDS(LOG_TEXT("iface", twin.name), LOG_TEXT("link", l->name)),
              "%s is in the network of %s, too: the packet fence is on both", twin.name, l->name);
}

static void find(struct agent *a, struct agent_link *l, int ifindex)
{
    bool was_open = l->open_twin;
    if (l->ifindex == ifindex || is_twin(l, ifindex) || (was_open && l->open_twin != ifindex))
        return;
    enclose(a, l, ifindex);
    if (was_open != (l->open_twin != 0))
        links_tell(a, l);
}

static void on_echo(void *arg, int ifindex, const struct frame *frame)
{
    struct agent *a = arg;
    for (unsigned i = 0; i < a->election.n; i++) {
        const struct slot *slot = &a->slots[i];
        if (!slot->is_used || !slot->link || !slot->link->ifindex ||
            !ip_equal(&slot->ip, &frame->target_ip) ||
            !mac_equal(&slot->link->mac, &frame->ether_source))
            continue;
        find(a, slot->link, ifindex);
        return;
    }
}

/* One question for each link is enough; which VIP it is for does not matter. */
static void ask(const struct agent *a, const struct agent_link *l)
{
    for (unsigned i = 0; i < a->election.n; i++) {
        const struct slot *slot = &a->slots[i];
        if (!slot->is_used || slot->link != l || slot->ip.family != IP_V4)
            continue;
        packet_probe(l->packet, &slot->ip, NULL);
        return;
    }
}

static void on_look(void *arg)
{
    struct agent *a = arg;
    a->look_us = NEVER_US;
    a->looked_us = clock_now_us();
    for (unsigned k = 0; k < AGENT_LINKS_MAX; k++) {
        struct agent_link *l = &a->links[k];
        if (!l->users)
            continue;
        if (l->open_twin)
            find(a, l, l->open_twin);
        if (l->packet && l->is_running)
            ask(a, l);
    }
}

void twins_look(struct agent *a)
{
    if (a->echo)
        look_at(a, a->looked_us ? a->looked_us + LOOK_PAUSE_US : 0);
}

int twins_watch(struct agent *a)
{
    struct mac macs[AGENT_LINKS_MAX];
    size_t n = 0;
    for (unsigned k = 0; k < AGENT_LINKS_MAX; k++)
        if (a->links[k].users && a->links[k].ifindex)
            macs[n++] = a->links[k].mac;
    return a->echo ? echo_watch(a->echo, macs, n) : 0;
}

void twins_begin(struct agent *a, struct agent_link *l, const struct link *link)
{
    a->looked_us = 0; /* the next look is at once */
    if (a->echo && is_split_off(link) && link->parent && !is_twin(l, link->parent))
        enclose(a, l, link->parent);
}

void twins_end(struct agent *a, struct agent_link *l)
{
    unsigned n = l->n_twins;
    l->n_twins = 0;
    l->has_many_twins = false;
    for (unsigned i = 0; i < n; i++)
        if (!needs_fence(a, l->twins[i]))
            fence_detach(a->fence, l->twins[i]);
    if (l->ifindex && !needs_fence(a, l->ifindex))
        fence_detach(a->fence, l->ifindex);
}

void twins_gone(struct agent *a, int ifindex)
{
    for (unsigned k = 0; k < AGENT_LINKS_MAX; k++) {
        struct agent_link *l = &a->links[k];
        if (!l->users)
            continue;
        for (unsigned i = 0; i < l->n_twins; i++)
            if (l->twins[i] == ifindex)
                l->twins[i--] = l->twins[--l->n_twins];
        if (l->open_twin != ifindex)
            continue;
        l->open_twin = 0;
        links_tell(a, l);
    }
}

void twins_resync(struct agent *a)
{
    struct link link;
    for (unsigned k = 0; k < AGENT_LINKS_MAX; k++) {
        const struct agent_link *l = &a->links[k];
        unsigned i = 0;
        while (l->users && i < l->n_twins)
            if (link_get(a->netlink, l->twins[i], &link) == -ENODEV)
                twins_gone(a, l->twins[i]); /* which takes it from the list */
            else
                i++;
    }
    twins_look(a);
}

/* Neither a link of VIPs itself, nor a twin of one before number `k`. */
static bool is_news(const struct agent *a, unsigned k, int ifindex)
{
    for (unsigned i = 0; i < AGENT_LINKS_MAX; i++) {
        const struct agent_link *l = &a->links[i];
        if (l->users && (l->ifindex == ifindex || (i < k && is_twin(l, ifindex))))
            return false;
    }
    return true;
}

void twins_view(const struct agent *a, char out[API_TEXT_MAX])
{
    char name[IF_NAMESIZE];
    size_t len = 0;
    out[0] = '\0';
    for (unsigned k = 0; k < AGENT_LINKS_MAX; k++) {
        const struct agent_link *l = &a->links[k];
        for (unsigned i = 0; l->users && i < l->n_twins; i++)
            if (len < API_TEXT_MAX - 2 - sizeof(name) && is_news(a, k, l->twins[i]) &&
                if_indextoname((unsigned)l->twins[i], name))
                len +=
                    (size_t)snprintf(out + len, API_TEXT_MAX - len, "%s%s", len ? ", " : "", name);
    }
}

int twins_open(struct agent *a)
{
    a->look_us = NEVER_US;
    if (!fence_is_active(a->fence))
        return 0;
    int r = loop_timer_new(a->loop, on_look, a, &a->look);
    return r < 0 ? r : echo_open(a->loop, on_echo, a, &a->echo);
}

void twins_close(struct agent *a)
{
    loop_timer_free(a->look);
    a->look = NULL;
    echo_close(a->echo);
    a->echo = NULL;
}
