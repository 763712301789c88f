/* SPDX-License-Identifier: MIT */
/* The manual's pages as text. The build makes them of docs/man/, so they say what man(1) says. */
#ifndef TALOSVIP_CLI_MANUAL_H
#define TALOSVIP_CLI_MANUAL_H

#include <stddef.h>

/* Page names are short: "status" for talosvip-status(1), "talosvip.yaml" as it is. */
#define MANUAL_NAME_MAX 64

/* NULL when there is none; else its text and length. The text is constant and has no end mark. */
const char *manual_find(const char *name, size_t *ret_len);
/* The name of page `i`, counted from 0; NULL behind the last. */
const char *manual_name(size_t i, char ret_name[MANUAL_NAME_MAX]);

#endif
