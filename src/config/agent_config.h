/* SPDX-License-Identifier: MIT */
/* The parts of AgentConfig; `agent` is all such documents in one. */
#ifndef TALOSVIP_CONFIG_AGENT_CONFIG_H
#define TALOSVIP_CONFIG_AGENT_CONFIG_H

#include "load.h"
#include "setting.h"

void agent_config_health(struct load *load, const struct yaml_node *agent);
void agent_config_hooks(struct load *load, const struct yaml_node *agent);
/* The VIPs of one document. */
void agent_config_vips(struct load *load, const struct yaml_node *root);

/* The mapping `etcd`; nothing when it is not set. */
void agent_config_etcd(struct load *load, const struct setting *map, struct config_etcd *etcd);

#endif
