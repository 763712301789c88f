/* SPDX-License-Identifier: MIT */
#include "cluster/snapshot_json.h"

#include "snapshot_fields.h"

#include <errno.h>
#include <json-c/json.h>

static int write_fields(struct json_object *o, const struct fields *fields, const void *from)
{
    return fields_write(o, fields->list, fields->n, from);
}

static struct json_object *append(struct json_object *list)
{
    struct json_object *o = json_object_new_object();
    if (o && json_object_array_add(list, o) == 0)
        return o;
    json_object_put(o);
    return NULL;
}

static struct json_object *add_list(struct json_object *o, const char *name)
{
    struct json_object *list = json_object_new_array();
    return fields_add(o, name, list) == 0 ? list : NULL;
}

/* An array of `n` structs, `size` bytes apart. */
static int add_structs(struct json_object *o, const char *name, const struct fields *fields,
                       const void *from, size_t size, unsigned n)
{
    struct json_object *list = add_list(o, name);
    int r = list ? 0 : -ENOMEM;
    for (unsigned i = 0; r == 0 && i < n; i++) {
        struct json_object *entry = append(list);
        r = entry ? write_fields(entry, fields, (const char *)from + i * size) : -ENOMEM;
    }
    return r;
}

static int add_etcd(struct json_object *o, const struct snapshot_etcd *etcd)
{
    struct json_object *child = json_object_new_object();
    int r = fields_add(o, "etcd", child);
    if (r == 0)
        r = write_fields(child, &snapshot_etcd_fields, etcd);
    return r < 0 ? r
                 : add_structs(child, "members", &snapshot_member_fields, etcd->members,
                               sizeof(etcd->members[0]), etcd->n_members);
}

/* null: none; -1: failed. */
static int add_latencies(struct json_object *o, const struct snapshot_node *node)
{
    struct json_object *list = add_list(o, "renewLatenciesMs");
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

static int add_nodes(struct json_object *o, const struct snapshot *s)
{
    struct json_object *list = add_list(o, "nodes");
    int r = list ? 0 : -ENOMEM;
    for (unsigned i = 0; r == 0 && i < s->n_nodes; i++) {
        const struct snapshot_node *node = &s->nodes[i];
        struct json_object *entry = append(list);
        r = entry ? write_fields(entry, &snapshot_node_fields, node) : -ENOMEM;
        if (r == 0)
            r = fields_add(entry, "vipSet", vip_set(node));
        if (r == 0)
            r = add_latencies(entry, node);
        if (r == 0)
            r = add_structs(entry, "views", &snapshot_view_fields, node->views,
                            sizeof(node->views[0]), node->n_views);
    }
    return r;
}

static int add_seen(struct json_object *o, const struct snapshot_move *move)
{
    struct json_object *list = add_list(o, "seen");
    int r = list ? 0 : -ENOMEM;
    for (unsigned i = 0; r == 0 && i < move->n_seen && i < SNAPSHOT_SEEN_MAX; i++) {
        struct json_object *entry = append(list);
        r = entry ? fields_add(entry, "node", fields_text(move->seen[i], SNAPSHOT_NAME_MAX))
                  : -ENOMEM;
        if (r == 0 && move->seen_us[i] >= 0)
            r = fields_add(entry, "afterMs", fields_ms(move->seen_us[i]));
    }
    return r;
}

static int add_history(struct json_object *o, const struct snapshot *s)
{
    struct json_object *list = add_list(o, "history");
    int r = list ? 0 : -ENOMEM;
    for (unsigned i = 0; r == 0 && i < s->n_history; i++) {
        struct json_object *entry = append(list);
        r = entry ? write_fields(entry, &snapshot_move_fields, &s->history[i]) : -ENOMEM;
        if (r == 0)
            r = add_seen(entry, &s->history[i]);
    }
    return r;
}

static int add_header(struct json_object *o, const char *kind)
{
    int r = fields_add(o, "apiVersion", json_object_new_string(SNAPSHOT_API_VERSION));
    return r < 0 ? r : fields_add(o, "kind", json_object_new_string(kind));
}

static int fill(struct json_object *o, const struct snapshot *s)
{
    int r = add_header(o, SNAPSHOT_KIND);
    if (r == 0)
        r = write_fields(o, &snapshot_fields, s);
    if (r == 0)
        r = add_etcd(o, &s->etcd);
    if (r == 0)
        r = add_structs(o, "vips", &snapshot_vip_fields, s->vips, sizeof(s->vips[0]), s->n_vips);
    if (r == 0)
        r = add_nodes(o, s);
    if (r == 0)
        r = add_structs(o, "alerts", &snapshot_alert_fields, s->alerts, sizeof(s->alerts[0]),
                        s->n_alerts);
    return r < 0 ? r : add_history(o, s);
}

static int fill_history(struct json_object *o, const struct snapshot *s)
{
    int r = add_header(o, "History");
    if (r == 0)
        r = write_fields(o, &snapshot_fields, s);
    return r < 0 ? r : add_history(o, s);
}

static int finish(struct json_object *o, int r, struct buf *out)
{
    if (r == 0) {
        size_t len;
        const char *text = json_object_to_json_string_length(
            o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);
        r = text ? buf_add(out, text, len) : -ENOMEM;
    }
    json_object_put(o);
    return r;
}

int snapshot_write(const struct snapshot *s, struct buf *out)
{
    struct json_object *o = json_object_new_object();
    return finish(o, o ? fill(o, s) : -ENOMEM, out);
}

int snapshot_write_history(const struct snapshot *s, struct buf *out)
{
    struct json_object *o = json_object_new_object();
    return finish(o, o ? fill_history(o, s) : -ENOMEM, out);
}
