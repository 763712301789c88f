/* SPDX-License-Identifier: MIT */
/* Health checks and hooks of AgentConfig. */
#include "agent_config.h"

#include "ip_text.h"
#include "setting.h"

#include <string.h>

static const char *const *command_of(struct load *load, const struct yaml_node *map,
                                     const struct yaml_step *path)
{
    struct setting list = setting_of(map, path, "command");
    struct yaml_step item = {&list.step, NULL, 0};
    size_t n;
    const struct yaml_entry *e = setting_items(list.node, &n);
    if (n == 0 || setting_too_many(load, &list, n, CONFIG_COMMAND_MAX))
        return NULL;
    const char **words = arena_array(load->config->arena, n + 1, sizeof(char *));
    if (!words)
        return NULL;
    for (; e; e = e->next, item.index++) {
        const char *word = yaml_text(e->value);
        if (!word)
            return NULL; /* the schema has said it */
        if (item.index == 0 && *word != '/') {
            setting_wrong(load, e->value, &item, true, "a command", "it must be an absolute path");
            return NULL;
        }
        words[item.index] = arena_strdup(load->config->arena, word);
    }
    return words;
}

static void health_https(struct load *load, const struct setting *map, struct config_health *ret)
{
    struct setting url = setting_of(map->node, &map->step, "url");
    ret->kind = CONFIG_HEALTH_HTTPS;
    ret->url = setting_text(load, map->node, "url");
    ret->ca_file = setting_text(load, map->node, "caFile");
    const char *why = ret->url ? ip_text_url(ret->url, false, true) : NULL;
    if (why)
        setting_wrong(load, url.node, &url.step, !strchr(ret->url, '@'), "a URL to check", why);
}

static void health_tcp(struct load *load, const struct setting *map, struct config_health *ret)
{
    struct setting address = setting_of(map->node, &map->step, "address");
    struct host_port hp;
    ret->kind = CONFIG_HEALTH_TCP;
    ret->address = setting_text(load, map->node, "address");
    const char *why = ret->address ? ip_text_host_port(ret->address, &hp) : NULL;
    if (ret->address && !why && hp.port == 0)
        why = "the port is missing";
    if (why)
        setting_wrong(load, address.node, &address.step, true, "an address to check", why);
}

static void health_kind(struct load *load, const struct yaml_node *node,
                        const struct yaml_step *path, struct config_health *ret)
{
    struct setting https = setting_of(node, path, "https"), tcp = setting_of(node, path, "tcp"),
                   exec = setting_of(node, path, "exec");
    if (!!https.node + !!tcp.node + !!exec.node != 1) {
        report_add(load->findings, "TV104", node, path,
                   "a health check has exactly one of https, tcp and exec");
    } else if (https.node) {
        health_https(load, &https, ret);
    } else if (tcp.node) {
        health_tcp(load, &tcp, ret);
    } else {
        ret->kind = CONFIG_HEALTH_EXEC;
        ret->command = command_of(load, exec.node, &exec.step);
    }
}

static void health_name(struct load *load, const struct yaml_node *node,
                        const struct yaml_step *path, struct config_health *ret)
{
    struct setting name = setting_of(node, path, "name");
    const struct config *config = load->config;
    ret->name = setting_text(load, node, "name");
    for (size_t i = 0; ret->name && i < config->n_health; i++)
        if (config->health[i].name && strcmp(config->health[i].name, ret->name) == 0)
            report_add(load->findings, "TV503", name.node, &name.step,
                       "another health check has this name");
}

void agent_config_health(struct load *load, const struct yaml_node *agent)
{
    struct config *config = load->config;
    struct setting list = setting_of(agent, NULL, "health");
    struct yaml_step item = {&list.step, NULL, 0};
    size_t n;
    const struct yaml_entry *e = setting_items(list.node, &n);
    if (n == 0 || setting_too_many(load, &list, n, CONFIG_HEALTH_MAX))
        return;
    config->health = arena_array(config->arena, n, sizeof(*config->health));
    for (; e && config->health; e = e->next, item.index++) {
        struct config_health *health = &config->health[config->n_health];
        if (e->value->kind != YAML_MAPPING)
            continue;
        health->where = config_vip_where(load, e->value, &item);
        health->interval_us = setting_duration(e->value, "interval", 1000000);
        health->timeout_us = setting_duration(e->value, "timeout", 1000000);
        health->rise = setting_count(e->value, "rise", 2);
        health->fall = setting_count(e->value, "fall", 3);
        health_name(load, e->value, &item, health);
        health_kind(load, e->value, &item, health);
        config->n_health++;
    }
}

static unsigned hook_events(const struct yaml_node *list)
{
    static const char *const names[] = {"acquired", "released", "fault"};
    unsigned on = 0;
    size_t n;
    for (const struct yaml_entry *e = setting_items(list, &n); e; e = e->next)
        for (unsigned i = 0; i < 3; i++)
            if (yaml_text(e->value) && strcmp(e->value->text, names[i]) == 0)
                on |= 1u << i;
    return on;
}

void agent_config_hooks(struct load *load, const struct yaml_node *agent)
{
    struct config *config = load->config;
    struct setting list = setting_of(agent, NULL, "hooks");
    struct yaml_step item = {&list.step, NULL, 0};
    size_t n;
    const struct yaml_entry *e = setting_items(list.node, &n);
    if (n == 0 || setting_too_many(load, &list, n, CONFIG_HOOKS_MAX))
        return;
    config->hooks = arena_array(config->arena, n, sizeof(*config->hooks));
    for (; e && config->hooks; e = e->next, item.index++) {
        struct config_hook *hook = &config->hooks[config->n_hooks];
        if (e->value->kind != YAML_MAPPING)
            continue;
        hook->where = config_vip_where(load, e->value, &item);
        hook->on = hook_events(yaml_get(e->value, "on"));
        hook->command = command_of(load, e->value, &item);
        config->n_hooks++;
    }
}
