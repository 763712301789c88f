/* SPDX-License-Identifier: MIT */
#include "cmd_validate.h"
#include "connection.h"
#include "table.h"

#include "agent/agent.h"
#include "config/config.h"

#include <stdlib.h>
#include <string.h>

static const char *const log_formats[] = {"auto", "human", "logfmt", "json", "journal", NULL};
static const char *const log_levels[] = {"error", "warn", "info", "debug", NULL};

enum {
    CONFIG,
    NODE,
    ENDPOINTS,
    CACERT,
    CERT,
    KEY,
    USER,
    PASSWORD_FILE,
    TTL,
    PEER_WINDOW,
    PEER_PORT,
    NO_PEERS,
    LOG_FORMAT,
    LOG_LEVEL,
    CHECK,
    DRY_RUN,
    RELEASE,
};

static const struct option options[] = {
    [CONFIG] = {.name = "config",
                .letter = 'c',
                .kind = OPTION_FILES,
                .metavar = "FILE",
                .env = {"TALOSVIP_CONFIG"},
                .fallback = "/etc/talosvip/talosvip.yaml",
                .help = "Talos machine config or AgentConfig; repeatable"},
    [NODE] = {.name = "node",
              .kind = OPTION_STRING,
              .metavar = "NAME",
              .env = {"TALOSVIP_NODE"},
              .help = "this node's name in the election; else the host name"},
    [ENDPOINTS] = CONNECTION_ETCD_OPTIONS,
    [TTL] = {.name = "ttl",
             .kind = OPTION_DURATION,
             .metavar = "DURATION",
             .min_us = CONFIG_TTL_MIN_US,
             .max_us = CONFIG_TTL_MAX_US,
             .env = {"TALOSVIP_TTL"},
             .help = "of the lease in etcd"},
    [PEER_WINDOW] = {.name = "peer-window",
                     .kind = OPTION_DURATION,
                     .metavar = "DURATION",
                     .min_us = CONFIG_WINDOW_MIN_US,
                     .max_us = CONFIG_WINDOW_MAX_US,
                     .env = {"TALOSVIP_PEER_WINDOW"},
                     .help = "silence after which peers may end an owner's lease"},
    [PEER_PORT] = {.name = "peer-port",
                   .kind = OPTION_NUMBER,
                   .metavar = "PORT",
                   .min = 1,
                   .max = UINT16_MAX,
                   .env = {"TALOSVIP_PEER_PORT"},
                   .help = "UDP, on which agents hear each other"},
    [NO_PEERS] = {.name = "no-peers",
                  .kind = OPTION_FLAG,
                  .env = {"TALOSVIP_NO_PEERS"},
                  .help = "neither hear nor ask other agents: the lease in etcd alone decides"},
    [LOG_FORMAT] = {.name = "log-format",
                    .kind = OPTION_ENUM,
                    .metavar = "FORMAT",
                    .choices = log_formats,
                    .env = {"TALOSVIP_LOG_FORMAT"},
                    .fallback = "auto",
                    .help = "of the lines on stderr"},
    [LOG_LEVEL] = {.name = "log-level",
                   .kind = OPTION_ENUM,
                   .metavar = "LEVEL",
                   .choices = log_levels,
                   .env = {"TALOSVIP_LOG_LEVEL"},
                   .fallback = "info",
                   .help = "least important lines"},
    [CHECK] = {.name = "check",
               .kind = OPTION_FLAG,
               .help = "check the configuration against this host, and end"},
    [DRY_RUN] = {.name = "dry-run",
                 .kind = OPTION_FLAG,
                 .help = "say what would be done, take part in nothing, and end"},
    [RELEASE] = {.name = "release",
                 .kind = OPTION_FLAG,
                 .help = "take off what a killed agent left on this host, and end"},
    {.name = NULL},
};

static const struct habit habits[] = {
    CONNECTION_HABITS,
    {"-f", "unknown flag -f; did you mean -c?", NULL},
    {"-d", "there is no -d: the agent stays in the foreground", "let systemd run it"},
    {NULL, NULL, NULL},
};

static const struct example examples[] = {
    {"run -c cp-1.yaml --check", "check a configuration against this host"},
    {"run -c cp-1.yaml", "the agent: elect, hold, announce, release"},
    {NULL, NULL},
};

static int fill(const struct arguments *arguments, struct agent_options *to, char **ret_copy,
                struct complaint *ret_complaint)
{
    const struct argument *values = arguments->values;
    *to = (struct agent_options){
        .files = (const char *const *)values[CONFIG].list,
        .n_files = values[CONFIG].n,
        .node = values[NODE].text,
        .endpoints = (const char *const *)values[ENDPOINTS].list,
        .n_endpoints = values[ENDPOINTS].n,
        .cacert = values[CACERT].text,
        .cert = values[CERT].text,
        .key = values[KEY].text,
        .password_file = values[PASSWORD_FILE].text,
        .ttl_us = values[TTL].us,
        .peer_window_us = values[PEER_WINDOW].us,
        .peer_port = (uint16_t)values[PEER_PORT].number,
        .has_no_peers = values[NO_PEERS].origin >= FROM_ENVIRONMENT,
        .is_dry_run = values[DRY_RUN].origin == FROM_FLAG,
    };
    log_format_parse(values[LOG_FORMAT].text, &to->log_format);
    log_level_parse(values[LOG_LEVEL].text, &to->log_level);
    if ((values[CHECK].origin == FROM_FLAG) + (values[DRY_RUN].origin == FROM_FLAG) +
            (values[RELEASE].origin == FROM_FLAG) >
        1) {
        complaint_set(ret_complaint, "--check, --dry-run and --release exclude each other");
        return EXIT_USAGE;
    }
    int r = (int)connection_user(&values[USER], &to->user, &to->password, ret_copy, ret_complaint);
    if (to->password_file)
        to->password = NULL;
    return r;
}

static enum exit_code run(const struct arguments *arguments)
{
    struct agent_options given;
    struct complaint complaint = {.what = ""};
    char *copy = NULL;
    if (arguments->n_words > 0) {
        complaint_set(&complaint, "unexpected argument \"%.100s\"", arguments->words[0]);
        complaint_hint(&complaint, "a configuration file is named with -c FILE");
        complaint_print(&complaint);
        return EXIT_USAGE;
    }
    int code = fill(arguments, &given, &copy, &complaint);
    if (code)
        complaint_print(&complaint);
    else if (arguments->values[CHECK].origin == FROM_FLAG)
        code = (int)validate_for_run(arguments->values[CONFIG].list, arguments->values[CONFIG].n);
    else if (arguments->values[RELEASE].origin == FROM_FLAG)
        code = agent_release(&given);
    else
        code = agent_run(&given);
    free(copy);
    return (enum exit_code)code;
}

const struct command cmd_run = {
    .name = "run",
    .group = "Agent",
    .summary = "the agent, in the foreground: elect, hold, announce, release",
    .usage = "[-c FILE]... [FLAGS]",
    .examples = examples,
    .options = options,
    .habits = habits,
    .words_max = 1, /* to say better what is wrong with it */
    .run = run,
};
