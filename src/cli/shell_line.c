/* SPDX-License-Identifier: MIT */
#include "shell_line.h"

#include <errno.h>
#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* One word at *p, which is no blank, into `out`. 0 or -EINVAL. */
static int read_word(const char **p, char **out)
{
    char quote = '\0';
    for (; **p && (quote || (!is_blank(**p) && **p != '|')); ++*p) {
        if (quote && **p == quote)
            quote = '\0';
        else if (!quote && (**p == '"' || **p == '\''))
            quote = **p;
        else if (**p == '\\' && quote != '\'' && (*p)[1])
            *(*out)++ = *++*p;
        else
            *(*out)++ = **p;
    }
    *(*out)++ = '\0';
    return quote ? -EINVAL : 0;
}

int shell_line_read(const char *line, struct shell_line *ret_line)
{
    struct shell_line *to = ret_line;
    char *out = to->text;
    int r = 0;
    to->n = 0;
    to->pipe = NULL;
    to->is_open = false;
    if (strlen(line) >= sizeof(to->text))
        return -E2BIG;
    for (const char *p = line; *p && r == 0 && !to->pipe;) {
        to->is_open = !is_blank(*p) && *p != '|' && *p != '#';
        if (*p == '|') {
            to->pipe = p + 1;
        } else if (*p == '#') { /* a comment, in scripts */
            break;
        } else if (is_blank(*p)) {
            p++;
        } else if (to->n + 1 == SHELL_WORDS_MAX) {
            return -E2BIG;
        } else {
            to->words[to->n++] = out;
            r = read_word(&p, &out);
        }
    }
    to->words[to->n] = NULL;
    return r;
}
