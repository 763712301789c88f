/* SPDX-License-Identifier: MIT */
#include "config/config.h"

#include <string.h>

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_command(const char *const *a, const char *const *b)
{
    while (a && b && *a && *b && strcmp(*a, *b) == 0) {
        a++;
        b++;
    }
    return a == b || (a && b && !*a && !*b);
}

bool config_health_equal(const struct config_health *a, const struct config_health *b)
{
    return same_text(a->name, b->name) && a->kind == b->kind && same_text(a->url, b->url) &&
           same_text(a->ca_file, b->ca_file) && same_text(a->address, b->address) &&
           same_command(a->command, b->command) && a->interval_us == b->interval_us &&
           a->timeout_us == b->timeout_us && a->rise == b->rise && a->fall == b->fall;
}

bool config_hook_equal(const struct config_hook *a, const struct config_hook *b)
{
    return a->on == b->on && same_command(a->command, b->command);
}

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
