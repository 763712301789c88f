/* SPDX-License-Identifier: MIT */
/* Completion of a command line from the command and option tables. The scripts of the shells only
 * pass words in and lines out. */
#ifndef TALOSVIP_CLI_COMPLETE_H
#define TALOSVIP_CLI_COMPLETE_H

#include "base/buf.h"

#include <stddef.h>

/* Values that only a running cluster knows: adds a line for each that begins with `prefix`, by
 * complete_add(). `what` is the word of a usage line: VIP, NODE, CONTEXT ... */
typedef void (*complete_values_fn)(void *arg, const char *what, const char *prefix,
                                   struct buf *out);

/* `words` are those after the program's name, the last one, perhaps "", is being typed. Appends
 * "value<TAB>description" lines, then ":4", or ":0" where the shell is to offer files. */
void complete_line(const char *const *words, size_t n, complete_values_fn values, void *arg,
                   struct buf *out);
/* One line, if `value` begins with `prefix`; control characters are replaced. */
void complete_add(struct buf *out, const char *prefix, const char *value, const char *description);
/* The same for the name of a node, which comes from etcd, where anybody may stand in an election:
 * nothing but letters, digits, '.', '_' and '-', as host names have them, is offered to be typed.
 */
void complete_add_node(struct buf *out, const char *prefix, const char *name,
                       const char *description);

#endif
