/* SPDX-License-Identifier: MIT */
/* The data behind config/check.h, in the order of the IDs. */
#ifndef TALOSVIP_CONFIG_CHECK_TABLE_H
#define TALOSVIP_CONFIG_CHECK_TABLE_H

#include "config/check.h"

extern const struct check check_table_all[];
extern const size_t check_table_n;

#endif
