/* SPDX-License-Identifier: MIT */
#include "pause.h"
#include "table.h"

static const struct option options[] = {
    PAUSE_OPTIONS("this node gives up what it holds and takes no part"),
    [PAUSE_REASON] = {.name = "reason",
                      .kind = OPTION_STRING,
                      .metavar = "TEXT",
                      .help = "why, for others to read"},
    CONNECTION_OPTIONS,
    {.name = NULL},
};

static const struct habit habits[] = {CONNECTION_HABITS, {NULL, NULL, NULL}};

static const struct example examples[] = {
    {"pause", "every address stays where it is"},
    {"pause 10.0.0.50 --reason \"switch upgrade\"", "this one does"},
    {"pause --local", "the node this is run on"},
    {"pause --node cp-2", "maintenance: cp-2 holds nothing until resume"},
    {NULL, NULL},
};

static enum exit_code run(const struct arguments *arguments)
{
    return pause_run(arguments, false);
}

const struct command cmd_pause = {
    .name = "pause",
    .group = "Change",
    .summary = "keep addresses where they are, or a node out",
    .usage = "[VIP...] [--node NODE] [--reason TEXT] [--local]",
    .examples = examples,
    .options = options,
    .habits = habits,
    .words_max = 200,
    .word = "VIP",
    .run = run,
};
