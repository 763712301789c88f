/* SPDX-License-Identifier: MIT */
/* The files that FILE, DIR and - stand for. */
#ifndef TALOSVIP_CLI_EXPAND_H
#define TALOSVIP_CLI_EXPAND_H

#include <stdbool.h>
#include <stddef.h>

#define EXPAND_FILES_MAX 10000

struct expand {
    char **paths;   /* owned; each file once */
    bool *is_found; /* one for each path: it was in a directory */
    size_t n, cap;
    bool is_full; /* there are more than EXPAND_FILES_MAX */
};

/* Appends one path, or a directory's *.yaml and *.yml, by name, without its folders. What cannot
 * be opened stays as it is, for its reader to say so. 0, -ENOENT for a directory without such a
 * file, or -ENOMEM. */
int expand_add(struct expand *expand, const char *path);
/* Takes NULL. */
void expand_done(struct expand *expand);

#endif
