/* SPDX-License-Identifier: MIT */
/* One line of a file as a terminal shows it, and where a range of it is. Counted in cells: tabs
 * are expanded (every 8), wide characters count 2, combining ones 0. */
#ifndef TALOSVIP_CLI_EXCERPT_H
#define TALOSVIP_CLI_EXCERPT_H

#include "base/buf.h"
#include "config/validate.h"

struct excerpt {
    struct buf line;    /* cut so that it has at most `width` cells */
    size_t caret;       /* cells before the range */
    size_t caret_cells; /* of the range within this line; at least 1 */
};

/* `at` is a place with a line, in a file with text; `cut`, one cell wide, stands where the line is
 * cut. The caller ends it with excerpt_done(). Memory
 * that ran out sticks in `line`. */
void excerpt_make(const struct validate_file *file, const struct finding_place *at, size_t width,
                  const char *cut, struct excerpt *ret_excerpt);
void excerpt_done(struct excerpt *excerpt);

#endif
