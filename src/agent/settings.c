/* SPDX-License-Identifier: MIT */
/* Flags and environment over files over defaults. */
#include "state.h"

#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#define ENDPOINT_DEFAULT "https://127.0.0.1:2379"

/* Where a container has no machine-id(5), two machines must still not look the same; then a
 * reboot makes another machine of it, whose old key runs out with its lease. */
static const char *const machine_id_files[] = {"/etc/machine-id",
                                               "/proc/sys/kernel/random/boot_id"};

static int resolve_node(struct settings *s, const char *wanted, struct buf *why)
{
    char host[HOST_NAME_MAX + 1] = "", shown[100];
    const char *name = wanted;
    if (!wanted && gethostname(host, sizeof(host)) == 0)
        name = host;
    if (!name || (!wanted && !name[0])) {
        buf_puts(why, "this host has no name; give one with --node");
        return -EINVAL;
    }
    size_t len = strlen(name);
    if (len == 0 || len >= sizeof(s->node) || name[strspn(name, CONFIG_NODE_CHARACTERS)]) {
        buf_puts(why, wanted ? "\"" : "this host's name, \"");
        text_copy(shown, sizeof(shown), name);
        text_add_plain(why, shown);
        buf_printf(why, "\", cannot be a node's name: 1 to %zu letters, digits, '.', '-' and '_'%s",
                   sizeof(s->node) - 1, wanted ? "" : "; give one with --node");
        return -EINVAL;
    }
    memcpy(s->node, name, len + 1);
    return 0;
}

static void resolve_etcd(struct settings *s, const struct agent_options *o,
                         const struct config_etcd *c)
{
    const char *const *list = o->n_endpoints ? o->endpoints : c->endpoints;
    size_t n = o->n_endpoints ? o->n_endpoints : c->n_endpoints;
    s->n_endpoints = n < ETCD_ENDPOINTS_MAX ? n : ETCD_ENDPOINTS_MAX;
    for (size_t i = 0; i < s->n_endpoints; i++)
        s->endpoints[i] = list[i];
    if (s->n_endpoints == 0)
        s->endpoints[s->n_endpoints++] = ENDPOINT_DEFAULT;
    s->cacert = o->cacert ? o->cacert : c->ca_file;
    /* A pair stays a pair. */
    s->cert = o->cert || o->key ? o->cert : c->cert_file;
    s->key = o->cert || o->key ? o->key : c->key_file;
    s->user = o->user ? o->user : c->username;
    s->password = o->password;
    s->password_file = o->password_file ? o->password_file : c->password_file;
}

int settings_resolve(struct settings *s, const struct agent_options *o, const struct config *c,
                     struct buf *why)
{
    *s = (struct settings){.ttl_us = o->ttl_us ? o->ttl_us : c->ttl_us,
                           .refresh_us = c->refresh_us,
                           .socket = c->api.socket,
                           .has_peers = c->peers.is_enabled && !o->has_no_peers,
                           .peer_window_us =
                               o->peer_window_us ? o->peer_window_us : c->peers.window_us,
                           .peer_port = o->peer_port ? o->peer_port : c->peers.port};
    resolve_etcd(s, o, &c->etcd);
    if (file_read_id(machine_id_files[0], s->machine_id, sizeof(s->machine_id)) < 0 &&
        file_read_id(machine_id_files[1], s->machine_id, sizeof(s->machine_id)) < 0) {
        buf_printf(why, "cannot tell this machine from others: no %s", machine_id_files[0]);
        return -EINVAL;
    }
    if (s->user && !s->password && !s->password_file) {
        buf_printf(why, "etcd user \"%s\" has no password; give --password-file", s->user);
        return -EINVAL;
    }
    return resolve_node(s, o->node ? o->node : c->node, why);
}

int settings_check_ttl(const struct settings *s, bool is_fenced, struct buf *why)
{
    uint64_t least = is_fenced ? TTL_MIN_FENCED_US : TTL_MIN_PLAIN_US;
    if (s->ttl_us >= least && s->ttl_us <= TTL_MAX_US)
        return 0;
    buf_printf(why, "a lease of %.1f s is out of range: %.0f s to %.0f s%s",
               (double)s->ttl_us / 1e6, (double)least / 1e6, (double)TTL_MAX_US / 1e6,
               is_fenced ? "" : " (without the packet fence)");
    return -EINVAL;
}

void settings_client(const struct settings *s, struct loop *loop,
                     struct etcd_client_config *ret_config)
{
    *ret_config = (struct etcd_client_config){.loop = loop,
                                              .endpoints = s->endpoints,
                                              .n_endpoints = s->n_endpoints,
                                              .cacert = s->cacert,
                                              .cert = s->cert,
                                              .key = s->key,
                                              .user = s->user,
                                              .password = s->password,
                                              .password_file = s->password_file};
}
