/* SPDX-License-Identifier: MIT */
/* The same through this host's agent: for who may use its socket, and has no access to etcd. */
#ifndef TALOSVIP_CLI_ASK_LOCAL_H
#define TALOSVIP_CLI_ASK_LOCAL_H

#include "arguments.h"

#include "api/request.h"
#include "api/server.h"
#include "api/status.h"
#include "cli/exit.h"

/* Two rows of an option table. */
#define ASK_LOCAL_OPTIONS                                                                          \
    {.name = "local", .kind = OPTION_FLAG, .help = "through this node's agent instead of etcd"},   \
    {                                                                                              \
        .name = "socket", .kind = OPTION_FILE, .metavar = "PATH", .env = {"TALOSVIP_SOCKET"},      \
        .fallback = API_SOCKET_DEFAULT, .help = "of the agent"                                     \
    }

/* Each says what is wrong, if its answer is not EXIT_DONE. */
enum exit_code ask_local_status(const char *socket, struct api_status *ret_status);
/* EXIT_NO when the agent refuses. */
enum exit_code ask_local_post(const char *socket, const struct api_request *request);
/* Follows the agent until somebody else than `from` holds the VIP, at most `wait_us`; then
 * `ret_to` is who. */
enum exit_code ask_local_follow(const char *socket, const struct ip *vip, const char *from,
                                uint64_t wait_us, char ret_to[API_NAME_MAX]);

#endif
