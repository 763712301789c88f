/* SPDX-License-Identifier: MIT */
#include "complete_values.h"

#include "complete.h"
#include "connection.h"

#include "api/client.h"
#include "api/server.h"
#include "api/status.h"
#include "config/contexts.h"

#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE_US UINT64_C(300000)
#define REPLY_MAX (4u << 20)

static bool ask_agent(struct api_status *ret_status)
{
    struct buf body;
    const char *socket = getenv("TALOSVIP_SOCKET");
    buf_init(&body, REPLY_MAX);
    bool is_known = api_client_get(socket && *socket ? socket : API_SOCKET_DEFAULT, "/v1/status",
                                   PATIENCE_US, &body) == 200 &&
                    api_status_parse(buf_str(&body), body.len, ret_status) == 0;
    buf_done(&body);
    return is_known;
}

static void add_vips(const struct api_status *status, const char *prefix, struct buf *out)
{
    for (unsigned i = 0; i < status->n_vips; i++) {
        const struct api_vip *vip = &status->vips[i];
        char ip[IP_TEXT_MAX], text[API_NAME_MAX + 16];
        ip_format(&vip->ip, ip);
        snprintf(text, sizeof(text), vip->holder[0] ? "held by %s" : "%s",
                 vip->holder[0] ? vip->holder : vip->state);
        complete_add(out, prefix, ip, text);
    }
}

/* Each name once, however many queues it stands in. */
static void add_node(struct buf *seen, const char *name, const char *text, const char *prefix,
                     struct buf *out)
{
    char word[API_NAME_MAX + 2];
    snprintf(word, sizeof(word), "\n%s\n", name);
    if (!*name || strstr(buf_str(seen), word))
        return;
    buf_printf(seen, "%s", word);
    complete_add(out, prefix, name, text);
}

static void add_nodes(const struct api_status *status, const char *prefix, struct buf *out)
{
    struct buf seen;
    buf_init(&seen, 0);
    for (unsigned i = 0; i < status->n_vips; i++) {
        const struct api_vip *vip = &status->vips[i];
        char ip[IP_TEXT_MAX], text[IP_TEXT_MAX + 32];
        ip_format(&vip->ip, ip);
        snprintf(text, sizeof(text), "holds %s", ip);
        add_node(&seen, vip->holder, text, prefix, out);
        for (unsigned k = 0; k < vip->queued; k++) {
            snprintf(text, sizeof(text), "next %u for %s", k + 1, ip);
            add_node(&seen, vip->queue[k], text, prefix, out);
        }
    }
    buf_done(&seen);
}

static void add_from_agent(const char *prefix, struct buf *out,
                           void (*add)(const struct api_status *, const char *, struct buf *))
{
    struct api_status status;
    if (!ask_agent(&status))
        return;
    add(&status, prefix, out);
    api_status_done(&status);
}

static void add_contexts(const char *prefix, struct buf *out)
{
    struct config_contexts *contexts = NULL;
    struct findings findings;
    struct buf path;
    buf_init(&path, 0);
    findings_init(&findings);
    if (connection_contexts_path(&path) == 0 &&
        config_contexts_load(buf_str(&path), &contexts, &findings) == 0)
        for (size_t i = 0; i < contexts->n; i++)
            complete_add(out, prefix, contexts->list[i].name,
                         contexts->list[i].is_read_only ? "read-only" : "");
    config_contexts_free(contexts);
    findings_done(&findings);
    buf_done(&path);
}

static void add_interfaces(const char *prefix, struct buf *out)
{
    struct if_nameindex *list = if_nameindex();
    for (struct if_nameindex *i = list; i && i->if_name; i++)
        complete_add(out, prefix, i->if_name, "");
    if (list)
        if_freenameindex(list);
}

void complete_values(void *arg, const char *what, const char *prefix, struct buf *out)
{
    (void)arg;
    if (strcmp(what, "VIP") == 0)
        add_from_agent(prefix, out, add_vips);
    else if (strcmp(what, "NODE") == 0)
        add_from_agent(prefix, out, add_nodes);
    else if (strcmp(what, "CONTEXT") == 0)
        add_contexts(prefix, out);
    else if (strcmp(what, "IF") == 0)
        add_interfaces(prefix, out);
}
