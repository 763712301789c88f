/* SPDX-License-Identifier: MIT */
/* A person's own settings: the clusters they look at (apiVersion talosvip/v1, kind
 * ClientConfig). Read like all YAML here: what is wrong becomes findings. */
#ifndef TALOSVIP_CONFIG_CONTEXTS_H
#define TALOSVIP_CONFIG_CONTEXTS_H

#include "config/config.h"

#define CONFIG_CONTEXTS_MAX 256

struct config_context {
    const char *name;
    struct config_etcd etcd;
    bool is_read_only; /* nothing may be changed through it */
    struct config_where where;
};

struct config_contexts {
    struct config_context *list; /* in the order of the file */
    size_t n;
    const char *current; /* or NULL */
    struct config_where current_where;
    struct arena *arena; /* holds all of it */
};

/* 0; -EINVAL with at least one finding of severity error; -ENOENT: no such file; -ENOMEM. */
int config_contexts_load(const char *path, struct config_contexts **ret_contexts,
                         struct findings *findings);
/* Takes NULL. */
void config_contexts_free(struct config_contexts *contexts);
/* By name; NULL when there is none. */
const struct config_context *config_contexts_find(const struct config_contexts *contexts,
                                                  const char *name);

#endif
