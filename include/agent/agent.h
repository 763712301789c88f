/* SPDX-License-Identifier: MIT */
/* The agent: everything wired together, in the foreground. */
#ifndef TALOSVIP_AGENT_AGENT_H
#define TALOSVIP_AGENT_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"

/* From the command line and the environment; NULL and 0 leave it to the configuration. */
struct agent_options {
    const char *const *files; /* configuration files, in order */
    size_t n_files;
    const char *node;
    const char *const *endpoints;
    size_t n_endpoints;
    const char *cacert, *cert, *key;
    const char *user;
    const char *password; /* from the environment only; never logged */
    const char *password_file;
    uint64_t ttl_us;
    uint64_t peer_window_us;
    uint16_t peer_port;
    bool has_no_peers; /* whatever the configuration says */
    enum log_format log_format;
    enum log_level log_level;
    bool is_dry_run; /* say what would be done, and return */
};

/* Runs until SIGTERM or SIGINT has been served. Returns the exit code of the program. */
int agent_run(const struct agent_options *options);

/* Takes off addresses and fences that agents which were killed left on this host; only the log's
 * options count. Refuses while an agent or its guardian lives. An exit code. */
int agent_release(const struct agent_options *options);

#endif
