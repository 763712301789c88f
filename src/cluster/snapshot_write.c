/* SPDX-License-Identifier: MIT */
#include "cluster/snapshot_json.h"

#include "snapshot_fields.h"

#include <errno.h>
#include <json-c/json.h>

static int add_etcd(struct json_object *o, const struct snapshot_etcd *etcd)
{
    struct json_object *child = json_object_new_object();
    int r = fields_add(o, "etcd", child);
    if (r == 0)
        r = fields_write(child, &snapshot_etcd_fields, etcd);
    return r < 0 ? r
                 : fields_write_list(child, "members", &snapshot_member_fields, etcd->members,
                                     sizeof(etcd->members[0]), etcd->n_members);
}

/* null: none; -1: failed. */
static int add_latencies(struct json_object *o, const struct snapshot_node *node)
{
    struct json_object *list = fields_add_list(o, "renewLatenciesMs");
    for (unsigned i = 0; list && i < SNAPSHOT_LATENCIES; i++) {
        int32_t us = node->latencies_us[i];
        struct json_object *value = NULL;
        if (us != -1 && !(value = us < 0 ? json_object_new_int(-1) : fields_ms(us)))
            return -ENOMEM;
        if (json_object_array_add(list, value) < 0) {
            json_object_put(value);
            return -ENOMEM;
        }
    }
    return list ? 0 : -ENOMEM;
}

/* For those who only ask whether this kernel has any of the addresses. */
static struct json_object *vip_set(const struct snapshot_node *node)
{
    bool is_set = false;
    for (unsigned i = 0; i < node->n_views; i++)
        is_set = is_set || node->views[i].has_address;
    return json_object_new_boolean(is_set);
}

static int add_peers(struct json_object *o, const struct snapshot_peers *peers)
{
    struct json_object *group = fields_group(o, SNAPSHOT_PEER_LEASE);
    return group ? fields_write_list(group, "agents", &snapshot_peer_fields, peers->list,
                                     sizeof(peers->list[0]), peers->n)
                 : -ENOMEM;
}

static int add_nodes(struct json_object *o, const struct snapshot *s)
{
    struct json_object *list = fields_add_list(o, "nodes");
    int r = list ? 0 : -ENOMEM;
    for (unsigned i = 0; r == 0 && i < s->n_nodes; i++) {
        const struct snapshot_node *node = &s->nodes[i];
        struct json_object *entry = fields_append(list);
        r = entry ? fields_write(entry, &snapshot_node_fields, node) : -ENOMEM;
        if (r == 0)
            r = add_peers(entry, &node->peers);
        if (r == 0)
            r = fields_add(entry, "vipSet", vip_set(node));
        if (r == 0)
            r = add_latencies(entry, node);
        if (r == 0)
            r = fields_write_list(entry, "views", &snapshot_view_fields, node->views,
                                  sizeof(node->views[0]), node->n_views);
    }
    return r;
}

static int add_seen(struct json_object *o, const struct snapshot_move *move)
{
    struct json_object *list = fields_add_list(o, "seen");
    int r = list ? 0 : -ENOMEM;
    for (unsigned i = 0; r == 0 && i < move->n_seen && i < SNAPSHOT_SEEN_MAX; i++) {
        struct json_object *entry = fields_append(list);
        r = entry ? fields_add(entry, "node", fields_text(move->seen[i], SNAPSHOT_NAME_MAX))
                  : -ENOMEM;
        if (r == 0 && move->seen_us[i] >= 0)
            r = fields_add(entry, "afterMs", fields_ms(move->seen_us[i]));
    }
    return r;
}

static int add_history(struct json_object *o, const struct snapshot *s)
{
    struct json_object *list = fields_add_list(o, "history");
    int r = list ? 0 : -ENOMEM;
    for (unsigned i = 0; r == 0 && i < s->n_history; i++) {
        struct json_object *entry = fields_append(list);
        r = entry ? fields_write(entry, &snapshot_move_fields, &s->history[i]) : -ENOMEM;
        if (r == 0)
            r = add_seen(entry, &s->history[i]);
    }
    return r;
}

static int fill(struct json_object *o, const struct snapshot *s)
{
    int r = fields_write(o, &snapshot_fields, s);
    if (r == 0)
        r = add_etcd(o, &s->etcd);
    if (r == 0)
        r = fields_write_list(o, "vips", &snapshot_vip_fields, s->vips, sizeof(s->vips[0]),
                              s->n_vips);
    if (r == 0)
        r = add_nodes(o, s);
    if (r == 0)
        r = fields_write_list(o, "alerts", &snapshot_alert_fields, s->alerts, sizeof(s->alerts[0]),
                              s->n_alerts);
    return r < 0 ? r : add_history(o, s);
}

int snapshot_write(const struct snapshot *s, struct buf *out)
{
    struct json_object *o = fields_begin(SNAPSHOT_API_VERSION, SNAPSHOT_KIND);
    return fields_end(o, o ? fill(o, s) : -ENOMEM, out);
}

int snapshot_write_history(const struct snapshot *s, struct buf *out)
{
    struct json_object *o = fields_begin(SNAPSHOT_API_VERSION, "History");
    int r = o ? fields_write(o, &snapshot_fields, s) : -ENOMEM;
    return fields_end(o, r < 0 ? r : add_history(o, s), out);
}
