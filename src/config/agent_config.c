/* SPDX-License-Identifier: MIT */
/* Our own document: apiVersion talosvip/v1, kind AgentConfig. */
#include "agent_config.h"

#include "ip_text.h"
#include "setting.h"

#include "base/parse.h"

#include <string.h>
#include <sys/un.h>

#define SOCKET_DEFAULT "/run/talosvip/agent.sock"
#define PEER_PORT_DEFAULT 9755
#define NODE_MAX 253 /* of a host name, RFC 1123 section 2.1 */

static void etcd_endpoints(struct load *load, const struct setting *list, struct config_etcd *etcd)
{
    struct yaml_step item = {&list->step, NULL, 0};
    size_t n;
    const struct yaml_entry *e = setting_items(list->node, &n);
    if (n == 0 || setting_too_many(load, list, n, CONFIG_ENDPOINTS_MAX))
        return;
    const char **endpoints = arena_array(load->config->arena, n, sizeof(char *));
    if (!endpoints)
        return;
    for (; e; e = e->next, item.index++) {
        const char *url = yaml_text(e->value), *why = url ? ip_text_url(url, true, false) : NULL;
        if (!url)
            return;
        if (why)
            setting_wrong(load, e->value, &item, !strchr(url, '@'), "an etcd endpoint", why);
        size_t len = strlen(url);
        endpoints[item.index] =
            arena_strndup(load->config->arena, url, len - (len && url[len - 1] == '/'));
    }
    etcd->endpoints = endpoints;
    etcd->n_endpoints = n;
}

static void together(struct load *load, const struct setting *one, const struct setting *other)
{
    if (!one->node == !other->node)
        return;
    const struct setting *set = one->node ? one : other, *unset = one->node ? other : one;
    report_add(load->findings, "TV502", set->node, &set->step, "\"%s\" needs \"%s\" beside it",
               set->step.key, unset->step.key);
}

void agent_config_etcd(struct load *load, const struct setting *map, struct config_etcd *etcd)
{
    const struct yaml_node *node = map->node;
    if (!node)
        return;
    struct setting endpoints = setting_of(node, &map->step, "endpoints"),
                   cert = setting_of(node, &map->step, "certFile"),
                   key = setting_of(node, &map->step, "keyFile"),
                   user = setting_of(node, &map->step, "username"),
                   password = setting_of(node, &map->step, "passwordFile");
    etcd->where = config_vip_where(load, node, &map->step);
    etcd_endpoints(load, &endpoints, etcd);
    etcd->ca_file = setting_text(load, node, "caFile");
    etcd->cert_file = setting_text(load, node, "certFile");
    etcd->key_file = setting_text(load, node, "keyFile");
    etcd->username = setting_text(load, node, "username");
    etcd->password_file = setting_text(load, node, "passwordFile");
    together(load, &cert, &key);
    together(load, &user, &password);
}

static void metrics_read(struct load *load, const struct setting *metrics)
{
    struct config_api *api = &load->config->api;
    const char *text = yaml_text(metrics->node), *why;
    struct host_port hp = {.port = 0};
    if (!text)
        return;
    why = ip_text_host_port(text, &hp);
    if (!why && ip_parse(hp.host, &api->metrics_ip) < 0)
        why = "an IP address is wanted";
    if (!why && hp.port == 0)
        why = "the port is missing";
    if (why)
        setting_wrong(load, metrics->node, &metrics->step, true, "an address to listen on", why);
    api->metrics_port = hp.port;
    api->metrics_where = config_vip_where(load, metrics->node, &metrics->step);
}

static void api_read(struct load *load, const struct yaml_node *agent)
{
    struct config_api *api = &load->config->api;
    struct setting map = setting_of(agent, NULL, "api"),
                   socket = setting_of(map.node, &map.step, "socket"),
                   metrics = setting_of(map.node, &map.step, "metrics");
    const char *path = yaml_text(socket.node);
    if (path) {
        if (*path != '/')
            setting_wrong(load, socket.node, &socket.step, true, "a socket",
                          "it must be an absolute path");
        else if (socket.node->len >= sizeof(((struct sockaddr_un *)0)->sun_path))
            setting_wrong(load, socket.node, &socket.step, true, "a socket",
                          "the path is too long");
        api->socket = arena_strdup(load->config->arena, path);
        api->socket_where = config_vip_where(load, socket.node, &socket.step);
    }
    metrics_read(load, &metrics);
}

static void peers_read(struct load *load, const struct yaml_node *agent)
{
    struct config_peers *peers = &load->config->peers;
    struct setting map = setting_of(agent, NULL, "peers");
    const char *port = yaml_text(yaml_get(map.node, "port"));
    uint64_t number;
    if (!map.node)
        return;
    peers->where = config_vip_where(load, map.node, &map.step);
    peers->window_us = setting_duration(map.node, "window", peers->window_us);
    if (port && parse_u64(port, &number) == 0 && number <= UINT16_MAX)
        peers->port = (uint16_t)number;
    yaml_bool(yaml_get(map.node, "enabled"), &peers->is_enabled);
}

void agent_config_vips(struct load *load, const struct yaml_node *root)
{
    struct setting list = setting_of(root, NULL, "vips");
    struct yaml_step item = {&list.step, NULL, 0};
    size_t n;
    for (const struct yaml_entry *e = setting_items(list.node, &n); e; e = e->next, item.index++) {
        struct setting ip = setting_of(e->value, &item, "ip"),
                       link = setting_of(e->value, &item, "link");
        struct config_vip vip = {.form = CONFIG_FORM_AGENT};
        if (link.node)
            vip.link = config_vip_link(load, link.node, &link.step);
        if (ip.node && ip.node->len && vip.link)
            config_vip_add(load, ip.node, &ip.step, &vip);
    }
}

static void agent_default(struct config *config)
{
    config->ttl_us = 5000000;
    config->refresh_us = 10000000;
    config->api.socket = SOCKET_DEFAULT;
    config->peers =
        (struct config_peers){.is_enabled = true, .window_us = 500000, .port = PEER_PORT_DEFAULT};
}

/* It becomes part of a key in etcd. */
static void node_read(struct load *load, const struct setting *node)
{
    const char *name = yaml_text(node->node);
    if (!name)
        return;
    load->config->node_where = config_vip_where(load, node->node, &node->step);
    if (!*name || strlen(name) > NODE_MAX)
        setting_wrong(load, node->node, &node->step, true, "a node's name",
                      *name ? "it is too long" : "it is empty");
    else if (name[strspn(name, CONFIG_NODE_CHARACTERS)])
        setting_wrong(load, node->node, &node->step, true, "a node's name",
                      "only letters, digits, '.', '-' and '_' may be in it");
    load->config->node = arena_strdup(load->config->arena, name);
}

void agent_config_finish(struct load *load)
{
    struct config *config = load->config;
    const struct yaml_node *agent = load->agent;
    struct setting node = setting_of(agent, NULL, "node"), lease = setting_of(agent, NULL, "lease"),
                   ttl = setting_of(lease.node, &lease.step, "ttl"),
                   announce = setting_of(agent, NULL, "announce"),
                   refresh = setting_of(announce.node, &announce.step, "refresh"),
                   etcd = setting_of(agent, NULL, "etcd");
    agent_default(config);
    if (!agent)
        return;
    node_read(load, &node);
    if (ttl.node)
        config->ttl_where = config_vip_where(load, ttl.node, &ttl.step);
    if (refresh.node)
        config->refresh_where = config_vip_where(load, refresh.node, &refresh.step);
    config->ttl_us = setting_duration(lease.node, "ttl", config->ttl_us);
    config->refresh_us = setting_duration(announce.node, "refresh", config->refresh_us);
    agent_config_etcd(load, &etcd, &config->etcd);
    agent_config_health(load, agent);
    agent_config_hooks(load, agent);
    api_read(load, agent);
    peers_read(load, agent);
}
