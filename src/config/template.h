/* SPDX-License-Identifier: MIT */
/* Values that stand in for others: of templates (Go, Jinja, shell, Terraform), of sops, and of
 * secret stores. */
#ifndef TALOSVIP_CONFIG_TEMPLATE_H
#define TALOSVIP_CONFIG_TEMPLATE_H

#include "model.h"

#include <stdbool.h>
#include <stddef.h>

/* Whether a value, or a part of it, is filled in later. */
bool template_is_value(const char *text, size_t len);

/* Findings that only say that something is filled in later become TV107. */
void template_apply(struct model *model);

#endif
