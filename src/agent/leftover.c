/* SPDX-License-Identifier: MIT */
/* What agents that were killed with their guardians left on this host, for a service manager to
 * take away when nothing of ours runs any more. */
#include "state.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int leftover_open_fence(struct agent *a, const char **ret_reason)
{
    char record[PATH_MAX]; /* beside the socket, which is this agent's alone */
    snprintf(record, sizeof(record), "%s.fence", a->settings.socket);
    int r = fence_open(record, &a->fence, ret_reason);
    unsigned n = r == 0 ? fence_swept(a->fence) : 0;
    if (n > 0)
        log_event(LOG_WARN, "leftover", NULL, LOG_FIELDS(LOG_NUMBER("programs", n)),
                  "taking off the packet fence that an earlier agent left behind");
    return r;
}

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
    if (leftover_open_fence(a, &reason) == 0)
        fence_close(a->fence);
    return 0;
}

int agent_release(const struct agent_options *options)
{
    struct agent *a = calloc(1, sizeof(*a));
    if (!a)
        return 70;
    a->lock_fd = -1;
    a->settings.socket = API_SOCKET_DEFAULT;
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
