/* SPDX-License-Identifier: MIT */
/* How a command reaches etcd: flags beat TALOSVIP_*, which beat ETCDCTL_*, which beat the context,
 * which beats this host's agent's own settings, which beat the defaults. */
#ifndef TALOSVIP_CLI_CONNECTION_H
#define TALOSVIP_CLI_CONNECTION_H

#include "arguments.h"

#include "base/buf.h"
#include "cli/exit.h"
#include "etcd/client.h"

#include <stdbool.h>
#include <stdint.h>

/* Rows of an option table, in this order. */
#define CONNECTION_ETCD_OPTIONS                                                                    \
    {.name = "endpoints",                                                                          \
     .letter = 'e',                                                                                \
     .kind = OPTION_LIST,                                                                          \
     .metavar = "URLS",                                                                            \
     .env = {"TALOSVIP_ENDPOINTS", "ETCDCTL_ENDPOINTS"},                                           \
     .help = "etcd, separated by commas; repeatable"},                                             \
        {.name = "cacert",                                                                         \
         .kind = OPTION_FILE,                                                                      \
         .metavar = "FILE",                                                                        \
         .env = {"TALOSVIP_CACERT", "ETCDCTL_CACERT"},                                             \
         .help = "who signs etcd's certificates"},                                                 \
        {.name = "cert",                                                                           \
         .kind = OPTION_FILE,                                                                      \
         .metavar = "FILE",                                                                        \
         .env = {"TALOSVIP_CERT", "ETCDCTL_CERT"},                                                 \
         .help = "client certificate"},                                                            \
        {.name = "key",                                                                            \
         .kind = OPTION_FILE,                                                                      \
         .metavar = "FILE",                                                                        \
         .env = {"TALOSVIP_KEY", "ETCDCTL_KEY"},                                                   \
         .help = "its private key"},                                                               \
        {.name = "user",                                                                           \
         .kind = OPTION_STRING,                                                                    \
         .metavar = "NAME",                                                                        \
         .env = {"TALOSVIP_USER", "ETCDCTL_USER"},                                                 \
         .help = "etcd user"},                                                                     \
    {                                                                                              \
        .name = "password-file", .kind = OPTION_FILE, .metavar = "FILE",                           \
        .env = {"TALOSVIP_PASSWORD_FILE"}, .help = "file with the user's password"                 \
    }

/* What commands beside `run` take. */
#define CONNECTION_OPTIONS                                                                         \
    CONNECTION_ETCD_OPTIONS,                                                                       \
        {.name = "insecure-skip-tls-verify",                                                       \
         .kind = OPTION_FLAG,                                                                      \
         .env = {"TALOSVIP_INSECURE_SKIP_TLS_VERIFY", "ETCDCTL_INSECURE_SKIP_TLS_VERIFY"},         \
         .help = "trust whoever answers; for tests"},                                              \
        {.name = "dial-timeout",                                                                   \
         .kind = OPTION_DURATION,                                                                  \
         .metavar = "DURATION",                                                                    \
         .min_us = 100000,                                                                         \
         .max_us = 60000000,                                                                       \
         .env = {"TALOSVIP_DIAL_TIMEOUT", "ETCDCTL_DIAL_TIMEOUT"},                                 \
         .fallback = "2s",                                                                         \
         .help = "to reach one endpoint"},                                                         \
        {.name = "command-timeout",                                                                \
         .kind = OPTION_DURATION,                                                                  \
         .metavar = "DURATION",                                                                    \
         .min_us = 100000,                                                                         \
         .max_us = 60000000,                                                                       \
         .env = {"TALOSVIP_COMMAND_TIMEOUT", "ETCDCTL_COMMAND_TIMEOUT"},                           \
         .fallback = "5s",                                                                         \
         .help = "for an answer"},                                                                 \
    {                                                                                              \
        .name = "context", .kind = OPTION_STRING, .metavar = "CONTEXT",                            \
        .env = {"TALOSVIP_CONTEXT"}, .help = "settings from ~/.config/talosvip/config.yaml"        \
    }

/* etcdctl's habits; first in a table of habits. */
#define CONNECTION_HABITS                                                                          \
    {                                                                                              \
        "--password", "there is no --password: every user of this host could read it",             \
            "use --password-file FILE, or ETCDCTL_PASSWORD"                                        \
    }

enum connection_setting {
    CONNECTION_CONTEXT,
    CONNECTION_ENDPOINTS,
    CONNECTION_CACERT,
    CONNECTION_CERT,
    CONNECTION_KEY,
    CONNECTION_USER,
    CONNECTION_PASSWORD_FILE,
    CONNECTION_INSECURE,
    CONNECTION_DIAL_TIMEOUT,
    CONNECTION_COMMAND_TIMEOUT,
    CONNECTION_SETTINGS,
};

struct connection {
    struct etcd_client_config etcd; /* without `loop` and notices */
    const char *context;            /* its name, or NULL */
    bool is_read_only;              /* the context says that nothing may be changed */
    uint64_t command_timeout_us;
    /* For `config show`: where each value came from ("flag", "env X", "file:line", "default"). */
    char origin[CONNECTION_SETTINGS][256];
    /* Private: */
    struct config_contexts *contexts;
    struct config *agent;
    char *user_copy; /* user and password of ETCDCTL_USER */
};

/* `arguments` come from a table with CONNECTION_OPTIONS, wherever in it, and must outlive the
 * connection. EXIT_DONE; else *ret_complaint says why not, and there is nothing to free. */
enum exit_code connection_resolve(const struct arguments *arguments, struct connection *ret_c,
                                  struct complaint *ret_complaint);
/* Whether flags name one. */
bool connection_is_named(const struct arguments *arguments);
/* Takes NULL and a zeroed connection. */
void connection_done(struct connection *c);
/* One setting as text: "" when it is not set. Never a secret. */
const char *connection_setting_name(enum connection_setting setting);
void connection_setting_text(const struct connection *c, enum connection_setting setting,
                             struct buf *out);

/* etcdctl's rule for ETCDCTL_USER, "name:password" where ETCDCTL_PASSWORD is not set; elsewhere a
 * password in the user's name is a secret in the wrong place. *ret_user and *ret_password are
 * borrowed from `user`, the environment, or *ret_copy, which is the caller's to free. EXIT_DONE,
 * EXIT_USAGE, EXIT_BUG. */
enum exit_code connection_user(const struct argument *user, const char **ret_user,
                               const char **ret_password, char **ret_copy,
                               struct complaint *ret_complaint);

/* The context that `config use-context` chose: a file below $XDG_STATE_HOME. */
int connection_state_path(const char *name, struct buf *out);
/* Likewise below $XDG_CACHE_HOME. */
int connection_cache_path(const char *name, struct buf *out);
/* Every folder above such a file. 0 or -errno. */
int connection_make_folders(const char *path);
/* $XDG_CONFIG_HOME/talosvip/config.yaml. 0, -ENOENT (no home), -ENOMEM. */
int connection_contexts_path(struct buf *out);

#endif
