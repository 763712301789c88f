/* SPDX-License-Identifier: MIT */
/* `run --dry-run`: what would happen, without doing any of it. */
#include "state.h"

#include "etcd/keys.h"
#include "net/address.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *describe_link(struct agent *a, const char *name)
{
    struct link link;
    if (link_find(a->netlink, name, &link) < 0)
        return "gone";
    return link.is_running ? "up" : link.is_up ? "no carrier" : "down";
}

static int check_links(struct agent *a)
{
    if (reload_resolve(a, a->config) < 0)
        return 1;
    for (size_t k = 0; k < a->config->n_vips; k++) {
        const struct config_vip *vip = &a->config->vips[k];
        char name[LINK_NAME_MAX], text[IP_TEXT_MAX];
        struct buf why;
        buf_init(&why, 512);
        if (links_resolve(a, vip, name, &why) == 0) {
            ip_format(&vip->ip, text);
            printf("%s: ok (%s on %s, %s)\n", vip->where.file, text, name, describe_link(a, name));
        }
        buf_done(&why);
    }
    return 0;
}

int dry_run(struct agent *a)
{
    const struct settings *s = &a->settings;
    int code = check_links(a);
    if (code)
        return code;
    printf("node      %s (machine %s)\n", s->node, s->machine_id);
    for (size_t i = 0; i < s->n_endpoints; i++)
        printf("%s%s\n", i ? "          " : "etcd      ", s->endpoints[i]);
    printf("lease     %.1f s, renewed every %.1f s\n", (double)s->ttl_us / 1e6,
           (double)deadline_interval(s->ttl_us, true) / 1e6);
    for (size_t k = 0; k < a->config->n_vips; k++) {
        char text[IP_TEXT_MAX];
        ip_format(&a->config->vips[k].ip, text);
        printf("election  %s%s\n", KEYS_ELECTION_PREFIX, text);
    }
    puts("would take part in these elections; nothing was changed");
    return 0;
}
