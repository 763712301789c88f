/* SPDX-License-Identifier: MIT */
#include "status_fields.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>

#define BYTES_MAX (4u << 20)

/* As fields_read_list(), but an agent always writes it, even empty. */
static int read_list(struct json_object *o, const char *name, const struct fields *fields,
                     size_t size, size_t max, void *ret, unsigned *ret_n)
{
    struct json_object *list;
    if (!json_object_object_get_ex(o, name, &list) || !list)
        return -EBADMSG;
    return fields_read_list(o, name, max, fields, size, ret, ret_n);
}

static int read_lists(struct json_object *o, struct api_status *status)
{
    struct json_object *peers = NULL;
    int r = read_list(o, "vips", &status_vip_fields, sizeof(struct api_vip), API_VIPS_MAX,
                      &status->vips, &status->n_vips);
    if (r == 0)
        r = read_list(o, "health", &status_check_fields, sizeof(struct api_check), API_CHECKS_MAX,
                      &status->checks, &status->n_checks);
    json_object_object_get_ex(o, "peers", &peers);
    if (r == 0)
        r = read_list(peers, "agents", &status_peer_fields, sizeof(struct api_peer), API_PEERS_MAX,
                      &status->peers.list, &status->peers.n);
    return r;
}

int api_status_parse(const char *text, size_t len, struct api_status *ret_status)
{
    struct api_status status = {.n_vips = 0};
    struct json_object *o = NULL;
    int r = fields_parse(text, len, BYTES_MAX, &o);
    if (r == 0 && !fields_is(o, STATUS_API_VERSION, STATUS_KIND))
        r = -EBADMSG;
    if (r == 0)
        r = fields_read(o, &status_fields, &status);
    if (r == 0)
        r = read_lists(o, &status);
    json_object_put(o);
    if (r < 0) {
        api_status_done(&status);
        return r;
    }
    *ret_status = status;
    return 0;
}

void api_status_done(struct api_status *status)
{
    if (!status)
        return;
    free(status->vips);
    free(status->checks);
    free(status->peers.list);
    status->vips = NULL;
    status->checks = NULL;
    status->peers.list = NULL;
    status->peers.n = 0;
    status->n_vips = status->n_checks = 0;
}
