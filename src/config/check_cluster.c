/* SPDX-License-Identifier: MIT */
/* The endpoint of the cluster, and what AgentConfig says. */
#include "model.h"

#include "base/buf.h"
#include "setting.h"

#include <inttypes.h>
#include <string.h>

#define API_PORT 6443
#define TTL_SHORT_US UINT64_C(5000000)
#define WINDOW_SHORT_US UINT64_C(150000)

static void endpoint_suggest(struct model *model, struct finding *f, const struct ip *ip,
                             uint64_t port)
{
    char text[IP_TEXT_MAX];
    struct buf url;
    buf_init(&url, 0);
    ip_format(ip, text);
    buf_printf(&url, ip->family == IP_V6 ? "https://[%s]:%" PRIu64 : "https://%s:%" PRIu64, text,
               port);
    finding_set_help(&model->findings, f, "did you mean %s?", buf_str(&url));
    finding_set_suggestion(&model->findings, f, buf_str(&url));
    report_text_done(&model->findings, &url);
}

static void check_address(struct model *model, const struct ip *ip, uint64_t port)
{
    const struct model_vip *found = model->vips;
    while (found && !ip_equal(&found->ip, ip))
        found = found->next;
    if (!found) {
        struct finding *f =
            spot_report(model, "TV211", &model->endpoint_at,
                        "the cluster endpoint does not use VIP %s", model->vips->text);
        for (const struct model_vip *vip = model->vips; vip; vip = vip->next)
            spot_relate(model, f, &vip->at, "a VIP of this file");
        if (!model->vips->next)
            endpoint_suggest(model, f, &model->vips->ip, port);
    } else if (!found->is_cloud && (model->endpoint_port ? model->endpoint_port : 443) != port) {
        struct finding *f = spot_report(model, "TV211", &model->endpoint_at,
                                        "the cluster endpoint has port %" PRIu64
                                        ", and the API server listens on %" PRIu64,
                                        model->endpoint_port ? model->endpoint_port : 443, port);
        endpoint_suggest(model, f, ip, port);
    }
}

void check_cluster(struct model *model)
{
    struct ip ip;
    /* A VIP that is wrong itself is no measure. */
    for (const struct model_vip *vip = model->vips; vip; vip = vip->next)
        if (vip->is_outside)
            return;
    if (model->vips && model->endpoint_host && !model_is_worker(model) &&
        ip_parse(model->endpoint_host, &ip) == 0)
        check_address(model, &ip, model->api_port ? model->api_port : API_PORT);
}

static void path_add(struct model *model, const struct yaml_node *map, const struct yaml_step *path,
                     const char *key, enum path_kind kind)
{
    const struct yaml_node *node = yaml_get(map, key);
    struct yaml_step step = {path, key, 0}, item = {&step, NULL, 0};
    const struct yaml_step *at = &step;
    if (kind == PATH_COMMAND) {
        node = node && node->kind == YAML_SEQUENCE && node->entries ? node->entries->value : NULL;
        at = &item;
    }
    struct model_path *added = arena_alloc(model->load.arena, sizeof(*added));
    if (!added || !yaml_text(node))
        return;
    *added = (struct model_path){
        .at = model_spot(model, node, at), .path = node->text, .kind = kind, .next = model->paths};
    model->paths = added;
}

/* The same key of each of a list, or of a mapping in each. */
static void paths(struct model *model, const struct yaml_node *agent, const char *list,
                  const char *map, const char *key, enum path_kind kind)
{
    struct yaml_step step = {NULL, list, 0}, item = {&step, NULL, 0}, below = {&item, map, 0};
    size_t n;
    for (const struct yaml_entry *e = setting_items(yaml_get(agent, list), &n); e;
         e = e->next, item.index++)
        path_add(model, map ? yaml_get(e->value, map) : e->value, map ? &below : &item, key, kind);
}

void model_agent(struct model *model)
{
    const struct yaml_node *agent = model->load.agent, *etcd = yaml_get(agent, "etcd"),
                           *lease = yaml_get(agent, "lease"), *peers = yaml_get(agent, "peers");
    struct yaml_step etcd_step = {NULL, "etcd", 0}, lease_step = {NULL, "lease", 0},
                     peers_step = {NULL, "peers", 0}, ttl = {&lease_step, "ttl", 0},
                     window = {&peers_step, "window", 0};
    if (!agent)
        return;
    agent_config_finish(&model->load);
    for (const struct pending_vip *p = model->load.vips; p; p = p->next) {
        struct model_vip *vip = arena_alloc(model->load.arena, sizeof(*vip));
        if (!vip)
            return;
        vip->ip = p->vip.ip;
        ip_format(&vip->ip, vip->text);
        vip->at = (struct spot){p->node, p->vip.where.yaml_path};
        vip->form = MODEL_AGENT;
        vip->link_name = p->vip.link;
        *model->vips_tail = vip;
        model->vips_tail = &vip->next;
    }
    path_add(model, etcd, &etcd_step, "caFile", PATH_BUNDLE);
    path_add(model, etcd, &etcd_step, "certFile", PATH_CERTIFICATE);
    path_add(model, etcd, &etcd_step, "keyFile", PATH_PLAIN);
    paths(model, agent, "hooks", NULL, "command", PATH_COMMAND);
    paths(model, agent, "health", "exec", "command", PATH_COMMAND);
    paths(model, agent, "health", "https", "caFile", PATH_BUNDLE);
    if (yaml_get(lease, "ttl"))
        model->ttl_at = model_spot(model, yaml_get(lease, "ttl"), &ttl);
    if (yaml_get(peers, "window"))
        model->window_at = model_spot(model, yaml_get(peers, "window"), &window);
}

static void check_plain(struct model *model, const struct yaml_node *etcd)
{
    struct yaml_step step = {NULL, "etcd", 0}, list = {&step, "endpoints", 0},
                     item = {&list, NULL, 0};
    const struct yaml_node *file = yaml_get(etcd, "caFile");
    const char *name = file ? "caFile" : "certFile";
    size_t n;
    file = file ? file : yaml_get(etcd, "certFile");
    if (!file)
        return;
    for (const struct yaml_entry *e = setting_items(yaml_get(etcd, "endpoints"), &n); e;
         e = e->next, item.index++) {
        const char *url = yaml_text(e->value);
        if (!url || strncmp(url, "http://", 7) != 0)
            continue;
        struct spot at = model_spot(model, e->value, &item), other = {file, "/etcd"};
        struct finding *f = spot_report(model, "TV504", &at,
                                        "this endpoint is without TLS, though %s is given", name);
        spot_relate(model, f, &other, "%s here", name);
        finding_set_help(&model->findings, f, "https:// instead of http://?");
    }
}

static void check_lease(struct model *model)
{
    const struct config *config = model->load.config;
    if (model->ttl_at.node && config->ttl_us >= CONFIG_TTL_MIN_US &&
        config->ttl_us < TTL_SHORT_US) {
        struct finding *f = spot_report(model, "TV501", &model->ttl_at,
                                        "a lease this short moves the VIP at the first hiccup");
        finding_set_help(&model->findings, f, "5s is the default");
    }
    for (size_t i = 0; i < config->n_health; i++) {
        const struct config_health *health = &config->health[i];
        if (health->timeout_us < config->ttl_us || config->ttl_us < CONFIG_TTL_MIN_US ||
            !health->where.line)
            continue;
        struct finding_place at = {.file = model->name,
                                   .yaml_path = health->where.yaml_path,
                                   .line = health->where.line,
                                   .column = health->where.column,
                                   .end_line = health->where.line,
                                   .end_column = health->where.column + 1};
        finding_add(&model->findings, "TV501", &at,
                    "this check may take as long as the lease lasts: its timeout is too long");
    }
}

static void check_window(struct model *model)
{
    const struct config *config = model->load.config;
    uint64_t us = config->peers.window_us;
    if (!model->window_at.node || !config->peers.is_enabled)
        return;
    if (us >= CONFIG_WINDOW_MIN_US && us < WINDOW_SHORT_US) {
        struct finding *f = spot_report(model, "TV506", &model->window_at,
                                        "a window this short takes a busy host for a dead one");
        finding_set_help(&model->findings, f, "500ms is the default");
    } else if (us <= CONFIG_WINDOW_MAX_US && us >= config->ttl_us &&
               config->ttl_us >= CONFIG_TTL_MIN_US) {
        struct finding *f =
            spot_report(model, "TV506", &model->window_at,
                        "a window as long as the lease: the peers would never be the faster ones");
        finding_set_help(&model->findings, f, "500ms is the default");
    }
}

void check_agent(struct model *model)
{
    if (!model->load.agent)
        return;
    check_lease(model);
    check_window(model);
    check_plain(model, yaml_get(model->load.agent, "etcd"));
}
