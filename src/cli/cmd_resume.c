/* SPDX-License-Identifier: MIT */
#include "pause.h"
#include "table.h"

static const struct option options[] = {
    PAUSE_OPTIONS("this node takes part again"),
    CONNECTION_OPTIONS,
    {.name = NULL},
};

static const struct habit habits[] = {CONNECTION_HABITS, {NULL, NULL, NULL}};

static const struct example examples[] = {
    {"resume", "whatever is paused goes on"},
    {"resume --node cp-2", "cp-2 queues up again"},
    {NULL, NULL},
};

static enum exit_code run(const struct arguments *arguments)
{
    return pause_run(arguments, true);
}

const struct command cmd_resume = {
    .name = "resume",
    .group = "Change",
    .summary = "end a pause",
    .usage = "[VIP...] [--node NODE] [--local]",
    .examples = examples,
    .options = options,
    .habits = habits,
    .words_max = 200,
    .word = "VIP",
    .run = run,
};
