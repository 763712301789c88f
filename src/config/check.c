/* SPDX-License-Identifier: MIT */
#include "config/check.h"

#include "check_table.h"

#include <string.h>

const struct check *check_table(size_t *ret_n)
{
    *ret_n = check_table_n;
    return check_table_all;
}

const struct check *check_find(const char *id)
{
    for (size_t i = 0; i < check_table_n; i++)
        if (strcmp(check_table_all[i].id, id) == 0)
            return &check_table_all[i];
    return NULL;
}

const char *severity_name(enum severity severity)
{
    switch (severity) {
    case SEVERITY_INFO:
        return "info";
    case SEVERITY_WARNING:
        return "warning";
    case SEVERITY_ERROR:
        return "error";
    }
    return "?";
}
