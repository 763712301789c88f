/* SPDX-License-Identifier: MIT */
/* Link selectors: Talos's deviceSelector, and the CEL expressions of LinkAliasConfig. */
#ifndef TALOSVIP_CONFIG_SELECTOR_H
#define TALOSVIP_CONFIG_SELECTOR_H

#include "config/config.h"

#define SELECTOR_GLOB_MAX 256

/* Adds a term; the text is borrowed. 0, or -ENOSPC when there are too many. */
int selector_add(struct config_selector *selector, enum config_field field, const char *glob,
                 bool exact);
/* Both may be NULL. */
bool selector_equal(const struct config_selector *a, const struct config_selector *b);
/* `*` stands for any text, also none; everything else for itself. */
bool selector_glob(const char *pattern, const char *text);

struct arena;

struct cel_error {
    size_t at; /* bytes into the expression */
    const char *why;
};

/* Comparisons of link properties with text, joined by &&: what LinkAliasConfig needs in practice.
 * Texts are copied to `arena`. 0; -EINVAL with the reason; -ENOMEM. */
int cel_parse(const char *expression, struct arena *arena, struct config_selector *ret_selector,
              struct cel_error *ret_error);

#endif
