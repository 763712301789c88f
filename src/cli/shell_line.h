/* SPDX-License-Identifier: MIT */
/* A line of the shell as words: blanks separate, quotes and backslashes as in sh, and what stands
 * behind the first bare "|" is for the system's shell. Pure. */
#ifndef TALOSVIP_CLI_SHELL_LINE_H
#define TALOSVIP_CLI_SHELL_LINE_H

#include <stdbool.h>
#include <stddef.h>

#define SHELL_LINE_MAX 4096
#define SHELL_WORDS_MAX 128

struct shell_line {
    char text[SHELL_LINE_MAX];    /* of the words */
    char *words[SHELL_WORDS_MAX]; /* into `text`; NULL behind the last */
    size_t n;
    const char *pipe; /* into the line that was read; NULL: no "|" */
    bool is_open;     /* the last word goes on: no blank behind it */
};

/* 0; -E2BIG (too long, or too many words); -EINVAL: a quote is not closed, and the words are
 * those up to there. */
int shell_line_read(const char *line, struct shell_line *ret_line);

#endif
