/* SPDX-License-Identifier: MIT */
/* Long output through a pager, where a person looks at it: $TALOSVIP_PAGER, $PAGER, else
 * `less -FIRX`, the first that is set; set and empty, or `cat`, is none. One at a time. */
#ifndef TALOSVIP_CLI_PAGER_H
#define TALOSVIP_CLI_PAGER_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

/* What every command that pages has in its option table, under this name. */
#define PAGER_OPTION                                                                               \
    {                                                                                              \
        .name = "no-pager", .kind = OPTION_FLAG, .help = "print it all, also on a terminal"        \
    }

struct pager {
    pid_t pid;  /* 0: there is none */
    int stdout; /* the terminal, kept for later */
    struct sigaction interrupt, quit, pipe;
};

/* From here on stdout goes to the pager, if `is_wanted`, stdout is a terminal that is not `dumb`,
 * and the pager can be started; else it stays as it is. Keys that interrupt are the pager's until
 * pager_close(), so whatever takes long comes before. The program must have no threads. */
void pager_open(struct pager *ret_pager, bool is_wanted);

/* Waits until it is left, and gives stdout back. What it did not read is lost in silence. */
void pager_close(struct pager *pager);

#endif
