/* SPDX-License-Identifier: MIT */
/* Output that holds words of others: names from etcd, from files, from the command line. */
#ifndef TALOSVIP_CLI_PLAIN_H
#define TALOSVIP_CLI_PLAIN_H

#include <stdio.h>

/* As fprintf(), for at most one line: every control character that comes with an argument is
 * replaced, by text_add_plain(). Only the '\n' at the end of `fmt` is one. */
void plain_print(FILE *to, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
