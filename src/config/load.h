/* SPDX-License-Identifier: MIT */
/* Shared by the files that turn trees into settings. */
#ifndef TALOSVIP_CONFIG_LOAD_H
#define TALOSVIP_CONFIG_LOAD_H

#include "config/config.h"
#include "report.h"
#include "selector.h"
#include "yaml.h"

struct pending_vip {
    struct config_vip vip;
    const struct yaml_node *node; /* its address */
    struct pending_vip *next;
};

/* A LinkAliasConfig. */
struct alias {
    const char *name;
    const struct config_selector *selector; /* NULL: not understood */
    const struct yaml_node *match;
    struct cel_error error; /* why not */
    struct alias *next;
};

struct load {
    struct arena *arena; /* trees and scratch; gone after loading */
    struct config *config;
    struct findings *findings;
    size_t errors_before; /* in findings, of others */
    struct pending_vip *vips, **vips_tail;
    size_t n_vips;
    bool full;             /* too many VIPs, and said so */
    bool served_elsewhere; /* a VIP that a cloud moves was seen */
    struct alias *aliases;
    const struct yaml_node *machine_type; /* the first one */
    const struct yaml_node *agent;        /* all AgentConfig documents in one, or NULL */
};

/* 0 or -ENOMEM; load_done() takes one that is all zero, too. */
int load_init(struct load *load, struct findings *findings);
void load_done(struct load *load);
/* How many of n files are read; more are a finding. */
size_t load_count(struct findings *findings, size_t n);
/* Adds all documents of a text. 0 or -ENOMEM. */
int load_bytes(struct load *load, const char *name, const char *bytes, size_t len);
/* Ends loading, whatever happened before (`r`), with all memory but that of the result. 0, -EINVAL
 * with findings, or -ENOMEM. */
int load_finish(struct load *load, int r, struct config **ret_config);

/* Documents by kind; `root` is a mapping. Lack of memory sticks in the arenas. */
void talos_machine_config(struct load *load, const struct yaml_node *root);
void talos_layer2_vip(struct load *load, const struct yaml_node *root);
void talos_hcloud_vip(struct load *load, const struct yaml_node *root);
void talos_link_alias(struct load *load, const struct yaml_node *root);
void agent_config_document(struct load *load, const struct yaml_node *root);
/* A VIP needs an alias that was not understood; said once. */
void talos_report_alias(struct load *load, struct alias *alias);
/* A deviceSelector; NULL, mostly with a finding, when it selects nothing. */
const struct config_selector *talos_device_selector(struct load *load, const struct yaml_node *node,
                                                    const struct yaml_step *path);
/* Reports letters of a case that no MAC address of the kernel has. */
void talos_check_macs(struct load *load, const struct yaml_node *node, const struct yaml_step *path,
                      const struct config_selector *selector);
/* Reports a document behind a ClientConfig, which has its file for itself. */
void contexts_second(const struct yaml_node *root, struct findings *findings);
/* What is known once all files are read. */
void agent_config_finish(struct load *load);
void config_vip_finish(struct load *load);

/* A VIP whose address is `node`; `vip` tells the rest, without `ip` and `where`. A bad address
 * is reported and nothing added. */
void config_vip_add(struct load *load, const struct yaml_node *node, const struct yaml_step *path,
                    const struct config_vip *vip);
/* The address of a VIP; false, and a finding, when it is none. */
bool config_vip_address(struct load *load, const struct yaml_node *node,
                        const struct yaml_step *path, struct ip *ret_ip);
/* The text of a link's name in the config's arena; NULL, and a finding, when no link can be
 * called so. */
const char *config_vip_link(struct load *load, const struct yaml_node *node,
                            const struct yaml_step *path);
struct config_where config_vip_where(struct load *load, const struct yaml_node *node,
                                     const struct yaml_step *path);

#endif
