/* SPDX-License-Identifier: MIT */
#include "status_fields.h"

#include <errno.h>
#include <json-c/json.h>

/* `etcd.connected` says the same as `etcd.error`, for those who only want yes or no. */
static int add_derived(struct json_object *o, const struct api_status *status)
{
    struct json_object *etcd = fields_group(o, "etcd");
    return etcd ? fields_add(etcd, "connected", json_object_new_boolean(!status->etcd_error[0]))
                : -ENOMEM;
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static int add_lists(struct json_object *o, const struct api_status *status)
{
    struct json_object *peers = fields_group(o, "peers");
    int r = fields_write_list(o, "vips", &status_vip_fields, status->vips, sizeof(*status->vips),
                              least(status->n_vips, API_VIPS_MAX));
    if (r == 0)
        r = fields_write_list(o, "health", &status_check_fields, status->checks,
                              sizeof(*status->checks), least(status->n_checks, API_CHECKS_MAX));
    if (r == 0 && !peers)
        r = -ENOMEM;
    if (r == 0)
        r = fields_write_list(peers, "agents", &status_peer_fields, status->peers.list,
                              sizeof(*status->peers.list), least(status->peers.n, API_PEERS_MAX));
    return r;
}

int api_status_write(const struct api_status *status, struct buf *out)
{
    struct json_object *o = fields_begin(STATUS_API_VERSION, STATUS_KIND);
    int r = o ? fields_write(o, &status_fields, status) : -ENOMEM;
    if (r == 0)
        r = add_derived(o, status);
    if (r == 0)
        r = add_lists(o, status);
    return fields_end(o, r, out);
}
