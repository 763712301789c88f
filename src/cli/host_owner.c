/* SPDX-License-Identifier: MIT */
/* Who answered to --probe. */
#include "host_facts.h"
#include "host_facts_state.h"

#include "api/client.h"
#include "api/server.h"
#include "api/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_US UINT64_C(1000000)
#define REPLY_MAX (4u << 20)

/* The status of this host's agent; false when there is none. */
static bool ask_agent(struct api_status *ret_status)
{
    const char *socket = getenv("TALOSVIP_SOCKET");
    struct buf body;
    buf_init(&body, REPLY_MAX);
    int r = api_client_get(socket && *socket ? socket : API_SOCKET_DEFAULT, "/v1/status",
                           TIMEOUT_US, &body);
    bool good = r == 200 && api_status_parse(buf_str(&body), body.len, ret_status) == 0;
    buf_done(&body);
    return good;
}

static const struct api_vip *vip_of(const struct api_status *status, const struct ip *ip)
{
    for (unsigned i = 0; status && i < status->n_vips; i++)
        if (ip_equal(&status->vips[i].ip, ip))
            return &status->vips[i];
    return NULL;
}

static const struct link *link_of(const struct host_facts *f, int ifindex)
{
    for (size_t i = 0; i < f->n_links; i++)
        if (f->links[i].ifindex == ifindex)
            return &f->links[i];
    return NULL;
}

static bool is_known(const struct host_facts *f, const struct ip *vip, const struct link *link)
{
    for (size_t i = 0; i < f->n_answers; i++)
        if (ip_equal(&f->answers[i].vip, vip) && mac_equal(&f->answers[i].mac, &link->mac))
            return true;
    return false;
}

static void add_own(struct host_facts *f, const struct ip *vip)
{
    for (size_t i = 0; i < f->n_addresses && f->n_answers < ANSWERS_MAX; i++) {
        const struct link *link = link_of(f, f->addresses[i].ifindex);
        if (!link || !ip_equal(&f->addresses[i].ip, vip) || is_known(f, vip, link))
            continue;
        bool is_ours = address_is_ours(&f->addresses[i]);
        struct owner_text *owner = &f->owners[f->n_answers];
        snprintf(owner->text, sizeof(owner->text), "%s, on %s",
                 is_ours ? "the agent of this host" : "this host", link->name);
        f->answers[f->n_answers++] = (struct validate_probe_answer){
            .vip = *vip, .mac = link->mac, .owner = owner->text, .is_agent = is_ours};
        return;
    }
}

static void name_owner(struct host_facts *f, size_t i, const struct api_status *status)
{
    struct validate_probe_answer *answer = &f->answers[i];
    struct owner_text *owner = &f->owners[i];
    const struct api_vip *vip = vip_of(status, &answer->vip);
    if (answer->owner)
        return;
    for (size_t k = 0; k < f->n_links; k++)
        if (f->links[k].has_mac && mac_equal(&f->links[k].mac, &answer->mac)) {
            snprintf(owner->text, sizeof(owner->text), "%s of this host", f->links[k].name);
            answer->owner = owner->text;
            return;
        }
    /* The agent of the holder is elsewhere: its MAC is not known here, but who leads in etcd is. */
    if (!vip || !vip->holder[0] || strcmp(vip->holder, status->node) == 0)
        return;
    snprintf(owner->text, sizeof(owner->text), "%s, says the agent of this host", vip->holder);
    answer->owner = owner->text;
    answer->is_agent = true;
}

void host_owner_find(struct host_facts *facts, const struct validate_report *report)
{
    struct api_status status = {.n_vips = 0};
    for (size_t i = 0; i < report->n_files; i++)
        for (size_t k = 0; k < report->files[i].n_vips; k++)
            add_own(facts, &report->files[i].vips[k].ip);
    bool has_agent = facts->n_answers > 0 && ask_agent(&status);
    for (size_t i = 0; i < facts->n_answers; i++)
        name_owner(facts, i, has_agent ? &status : NULL);
    if (has_agent)
        api_status_done(&status);
}
