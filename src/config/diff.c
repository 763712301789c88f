/* SPDX-License-Identifier: MIT */
#include "config/config.h"

static bool has(const struct config *config, const struct config_vip *vip)
{
    for (size_t i = 0; config && i < config->n_vips; i++)
        if (config_vip_equal(&config->vips[i], vip))
            return true;
    return false;
}

static void each_missing(const struct config *of, const struct config *in, config_vip_fn fn,
                         void *arg)
{
    for (size_t i = 0; of && fn && i < of->n_vips; i++)
        if (!has(in, &of->vips[i]))
            fn(arg, &of->vips[i]);
}

void config_vips_diff(const struct config *old_config, const struct config *new_config,
                      config_vip_fn removed, config_vip_fn added, void *arg)
{
    each_missing(old_config, new_config, removed, arg);
    each_missing(new_config, old_config, added, arg);
}
