/* SPDX-License-Identifier: MIT */
#include "cli/exit.h"

static const struct exit_meaning table[] = {
    {EXIT_DONE, "done, healthy, valid"},
    {EXIT_NO, "the answer is no: invalid configuration, address not held or held twice, refused"},
    {EXIT_USAGE, "wrong usage"},
    {EXIT_DEGRADED, "status: works, but there are warnings"},
    {EXIT_UNKNOWN, "could not find out: agent or etcd unreachable, timeout, TLS or login failed, "
                   "file unreadable"},
    {EXIT_PERMISSION, "permission missing: a capability, the right to a file or in etcd"},
    {EXIT_BUG, "internal error: please report it"},
    {EXIT_SIGHUP, "ended by SIGHUP"},
    {EXIT_SIGINT, "ended by SIGINT"},
    {EXIT_SIGTERM, "ended by SIGTERM"},
};

const struct exit_meaning *exit_table(size_t *ret_n)
{
    *ret_n = sizeof(table) / sizeof(table[0]);
    return table;
}
