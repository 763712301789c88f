/* SPDX-License-Identifier: MIT */
#include "cluster/snapshot_json.h"

#include "snapshot_fields.h"

#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define BYTES_MAX (16u << 20)

static int read_etcd(struct json_object *o, struct snapshot_etcd *etcd)
{
    struct json_object *child, *members;
    size_t n;
    if (!json_object_object_get_ex(o, "etcd", &child))
        return -EBADMSG;
    int r = fields_read(child, &snapshot_etcd_fields, etcd);
    if (r == 0)
        r = fields_array(child, "members", SNAPSHOT_MEMBERS_MAX, &members, &n);
    if (r < 0)
        return r;
    etcd->n_members = (unsigned)n;
    for (size_t i = 0; r == 0 && i < n; i++)
        r = fields_read(json_object_array_get_idx(members, i), &snapshot_member_fields,
                        &etcd->members[i]);
    return r;
}

static int read_latencies(struct json_object *o, struct snapshot_node *node)
{
    struct json_object *array;
    size_t n;
    for (unsigned i = 0; i < SNAPSHOT_LATENCIES; i++)
        node->latencies_us[i] = -1;
    int r = fields_array(o, "renewLatenciesMs", SNAPSHOT_LATENCIES, &array, &n);
    for (size_t i = 0; r == 0 && i < n; i++) {
        struct json_object *value = json_object_array_get_idx(array, i);
        int64_t us = -1;
        r = value ? fields_read_ms(value, true, &us) : 0;
        if (r == 0 && us > INT32_MAX)
            us = INT32_MAX;
        node->latencies_us[i] = !value ? -1 : us < 0 ? -2 : (int32_t)us;
    }
    return r;
}

static int read_peers(struct json_object *o, struct snapshot_peers *peers)
{
    struct json_object *group;
    if (!json_object_object_get_ex(o, SNAPSHOT_PEER_LEASE, &group) ||
        !json_object_is_type(group, json_type_object))
        return 0;
    return fields_read_list(group, "agents", SNAPSHOT_PEERS_MAX, &snapshot_peer_fields,
                            sizeof(peers->list[0]), &peers->list, &peers->n);
}

static int read_nodes(struct json_object *o, struct snapshot *s)
{
    struct json_object *array;
    size_t n;
    int r = fields_read_list(o, "nodes", SNAPSHOT_NODES_MAX, &snapshot_node_fields,
                             sizeof(s->nodes[0]), &s->nodes, &s->n_nodes);
    if (r == 0)
        r = fields_array(o, "nodes", SNAPSHOT_NODES_MAX, &array, &n);
    for (size_t i = 0; r == 0 && i < n; i++) {
        struct json_object *entry = json_object_array_get_idx(array, i);
        struct snapshot_node *node = &s->nodes[i];
        r = read_latencies(entry, node);
        if (r == 0)
            r = read_peers(entry, &node->peers);
        if (r == 0)
            r = fields_read_list(entry, "views", SNAPSHOT_VIPS_MAX, &snapshot_view_fields,
                                 sizeof(node->views[0]), &node->views, &node->n_views);
    }
    return r;
}

struct seen {
    char name[SNAPSHOT_NAME_MAX];
    int64_t us;
};

static const struct field seen_list[] = {
    {.name = "node",
     .kind = FIELD_TEXT,
     .offset = offsetof(struct seen, name),
     .size = SNAPSHOT_NAME_MAX},
    {.name = "afterMs", .kind = FIELD_FINE_MS, .offset = offsetof(struct seen, us)},
};
static const struct fields seen_fields = {seen_list, sizeof(seen_list) / sizeof(seen_list[0])};

static int read_seen(struct json_object *o, struct snapshot_move *move)
{
    struct json_object *array;
    size_t n;
    int r = fields_array(o, "seen", SNAPSHOT_SEEN_MAX, &array, &n);
    for (size_t i = 0; r == 0 && i < n; i++) {
        struct seen seen = {.us = -1};
        r = fields_read(json_object_array_get_idx(array, i), &seen_fields, &seen);
        memcpy(move->seen[i], seen.name, sizeof(seen.name));
        move->seen_us[i] = seen.us;
    }
    move->n_seen = (unsigned)n;
    return r;
}

static int read_history(struct json_object *o, struct snapshot *s)
{
    struct json_object *array;
    size_t n;
    int r = fields_read_list(o, "history", SNAPSHOT_HISTORY_MAX, &snapshot_move_fields,
                             sizeof(s->history[0]), &s->history, &s->n_history);
    if (r == 0)
        r = fields_array(o, "history", SNAPSHOT_HISTORY_MAX, &array, &n);
    for (size_t i = 0; r == 0 && i < n; i++)
        r = read_seen(json_object_array_get_idx(array, i), &s->history[i]);
    return r;
}

static int read_all(struct json_object *o, struct snapshot *s)
{
    if (!fields_is(o, SNAPSHOT_API_VERSION, SNAPSHOT_KIND))
        return -EBADMSG;
    int r = fields_read(o, &snapshot_fields, s);
    if (r == 0)
        r = read_etcd(o, &s->etcd);
    if (r == 0)
        r = fields_read_list(o, "vips", SNAPSHOT_VIPS_MAX, &snapshot_vip_fields, sizeof(s->vips[0]),
                             &s->vips, &s->n_vips);
    if (r == 0)
        r = read_nodes(o, s);
    if (r == 0)
        r = fields_read_list(o, "alerts", SNAPSHOT_ALERTS_MAX, &snapshot_alert_fields,
                             sizeof(s->alerts[0]), &s->alerts, &s->n_alerts);
    return r < 0 ? r : read_history(o, s);
}

int snapshot_parse(const char *text, size_t len, struct snapshot *ret_snapshot)
{
    struct snapshot s = {.n_vips = 0};
    struct json_object *o = NULL;
    int r = fields_parse(text, len, BYTES_MAX, &o);
    if (r < 0)
        return r;
    r = read_all(o, &s);
    json_object_put(o);
    if (r < 0) {
        snapshot_done(&s);
        return r;
    }
    *ret_snapshot = s;
    return 0;
}
