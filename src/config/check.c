/* SPDX-License-Identifier: MIT */
#include "config/check.h"

#include <string.h>

static const struct check checks[] = {
    {"TV001", SEVERITY_ERROR, "not UTF-8, tabs in the indentation, or not YAML"},
    {"TV002", SEVERITY_ERROR, "a key appears twice in one mapping"},
    {"TV004", SEVERITY_ERROR, "the file cannot be read, or is larger than this program takes"},
    {"TV101", SEVERITY_ERROR, "a document without kind or apiVersion, or of an unknown kind"},
    {"TV102", SEVERITY_ERROR, "unknown key"},
    {"TV103", SEVERITY_ERROR, "wrong type or value"},
    {"TV104", SEVERITY_ERROR, "a key is missing, or two keys exclude each other"},
    {"TV105", SEVERITY_ERROR, "no file names a VIP"},
    {"TV201", SEVERITY_ERROR, "VIP on a worker"},
    {"TV202", SEVERITY_ERROR, "Layer2VIPConfig for a worker"},
    {"TV205", SEVERITY_ERROR, "the VIP is an address that no host can own"},
    {"TV213", SEVERITY_ERROR, "two VIP entries with the same address"},
    {"TV217", SEVERITY_INFO, "a VIP that a cloud moves, not this agent"},
    {"TV218", SEVERITY_ERROR, "a link selector that is not understood or never matches"},
    {"TV301", SEVERITY_ERROR, "the files contradict each other"},
    {"TV502", SEVERITY_ERROR, "settings that only work together"},
    {"TV503", SEVERITY_ERROR, "two health checks with the same name"},
};

const struct check *check_table(size_t *ret_n)
{
    *ret_n = sizeof(checks) / sizeof(checks[0]);
    return checks;
}

const struct check *check_find(const char *id)
{
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
        if (strcmp(checks[i].id, id) == 0)
            return &checks[i];
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
