/* SPDX-License-Identifier: MIT */
#include "cli/command.h"
#include "cli/exit.h"

#include <fcntl.h>
#include <unistd.h>

/* What is opened first must not become stdin, stdout or stderr, and be written into. The wrong way
 * round, so that their use fails as on a closed one. */
static void fill_closed(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 &&
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            _exit(EXIT_UNKNOWN);
}

int main(int argc, char **argv)
{
    fill_closed();
    return command_main(argc, argv);
}
