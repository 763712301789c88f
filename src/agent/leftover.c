/* SPDX-License-Identifier: MIT */
/* What agents that were killed with their guardians left on this host, for a service manager to
 * take away when nothing of ours runs any more. */
#include "state.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* In the order of a start: opening the fence ends an old one, which may be all that mutes the
 * address that is taken off here. */
static int take_off(struct agent *a)
{
    const char *reason = NULL;
    int r = links_clean(a);
    if (r < 0) {
        fprintf(stderr, "talosvip: cannot take off what an earlier agent left: %s\n", strerror(-r));
        return 1;
    }
    if (fence_open(&a->fence, &reason) == 0)
        fence_close(a->fence);
    return 0;
}

int agent_release(const struct agent_options *options)
{
    struct agent *a = calloc(1, sizeof(*a));
    if (!a)
        return 70;
    a->lock_fd = -1;
    log_setup(options->log_format, options->log_level);
    int code = host_check_rights();
    if (code == 0)
        code = host_take_lock(a);
    if (code == 0 && netlink_open(&a->netlink) < 0)
        code = 70;
    if (code == 0)
        code = take_off(a);
    netlink_close(a->netlink);
    if (a->lock_fd >= 0)
        close(a->lock_fd);
    free(a);
    return code;
}
