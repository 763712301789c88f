/* SPDX-License-Identifier: MIT */
/* __complete: what the shells' scripts call at each Tab. Never a word on stderr, never longer than
 * a person waits for a key. */
#include "complete.h"
#include "complete_values.h"
#include "table.h"

#include <fcntl.h>
#include <unistd.h>

static const struct option options[] = {{.name = NULL}};
static const struct example examples[] = {{NULL, NULL}};

static enum exit_code run(const struct arguments *arguments)
{
    struct buf out;
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere >= 0) {
        dup2(nowhere, STDERR_FILENO); /* nobody asked for an explanation */
        close(nowhere);
    }
    buf_init(&out, 0);
    complete_line(arguments->words, arguments->n_words, complete_values, NULL, &out);
    if (!out.error)
        fwrite(buf_str(&out), 1, out.len, stdout);
    buf_done(&out);
    return EXIT_DONE;
}

const struct command cmd_complete = {
    .name = "__complete",
    .group = "Other",
    .summary = "for completion scripts",
    .usage = "-- WORD...",
    .examples = examples,
    .options = options,
    .words_max = ARGUMENT_WORDS_MAX,
    .run = run,
};
