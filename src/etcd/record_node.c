/* SPDX-License-Identifier: MIT */
#include "etcd/record.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "field.h"
#include "record_field.h"

#define NODE(name_, kind_, member_, required_, absent_)                                            \
    RECORD_FIELD(record_node, name_, kind_, member_, required_, absent_)
#define LINK(name_, kind_, member_, required_, absent_)                                            \
    RECORD_FIELD(record_link, name_, kind_, member_, required_, absent_)
#define VIP(name_, kind_, member_, required_, absent_)                                             \
    RECORD_FIELD(record_vip, name_, kind_, member_, required_, absent_)
#define PEERS(name_, kind_, member_, required_, absent_)                                           \
    RECORD_FIELD(record_peers, name_, kind_, member_, required_, absent_)
#define PEER(name_, kind_, member_, required_, absent_)                                            \
    RECORD_FIELD(record_peer, name_, kind_, member_, required_, absent_)
#define COUNT(table_) (sizeof(table_) / sizeof((table_)[0]))

static const struct record_field node_fields[] = {
    NODE("node", RECORD_TEXT, node, true, 0),
    NODE("machineId", RECORD_TEXT, machine_id, true, 0),
    NODE("agent", RECORD_TEXT, version, true, 0),
    NODE("wallUs", RECORD_WALL, wall_us, false, 0),
    NODE("lease", RECORD_HEX, lease, false, 0),
    NODE("ttlMs", RECORD_NUMBER, ttl_ms, false, -1),
    NODE("renewedAgoMs", RECORD_NUMBER, renewed_ago_ms, false, -1),
    NODE("latencyUs", RECORD_NUMBER, latency_us, false, -1),
    NODE("p99Us", RECORD_NUMBER, p99_us, false, -1),
    NODE("packetFence", RECORD_BOOL, has_packet_fence, false, 0),
    NODE("guardian", RECORD_BOOL, has_guardian, false, 0),
    NODE("paused", RECORD_BOOL, is_paused, false, 0),
    NODE("incarnation", RECORD_HEX, incarnation, false, 0),
    NODE("peerAddress", RECORD_IP, peer_ip, false, 0),
    NODE("peerPort", RECORD_PORT, peer_port, false, 0),
};

static const struct record_field link_fields[] = {
    LINK("name", RECORD_TEXT, name, true, 0),
    LINK("mac", RECORD_TEXT, mac, false, 0),
    LINK("up", RECORD_BOOL, is_up, false, 0),
    LINK("changedAgoMs", RECORD_NUMBER, changed_ago_ms, false, -1),
    LINK("speedMbit", RECORD_NUMBER, speed_mbit, false, -1),
    LINK("address", RECORD_IP, address, false, 0),
    LINK("prefixLen", RECORD_BYTE, prefix_len, false, 0),
};

static const struct record_field vip_fields[] = {
    VIP("vip", RECORD_IP, ip, true, 0),
    VIP("state", RECORD_TEXT, state, false, 0),
    VIP("iface", RECORD_TEXT, iface, false, 0),
    VIP("addressSet", RECORD_BOOL, has_address, false, 0),
    VIP("epoch", RECORD_NUMBER, epoch, false, 0),
    VIP("heldForMs", RECORD_NUMBER, held_for_ms, false, -1),
    VIP("mac", RECORD_TEXT, mac, false, 0),
    VIP("other", RECORD_TEXT, other, false, 0),
    VIP("via", RECORD_TEXT, via, false, 0),
    VIP("seenAgoMs", RECORD_NUMBER, seen_ago_ms, false, -1),
    VIP("silentMs", RECORD_NUMBER, silent_ms, false, -1),
};

static const struct record_field peers_fields[] = {
    PEERS("ready", RECORD_BOOL, is_ready, true, 0),
    PEERS("reason", RECORD_TEXT, reason, false, 0),
    PEERS("mute", RECORD_BOOL, is_mute, false, 0),
    PEERS("suspicions", RECORD_NUMBER, suspicions, false, -1),
    PEERS("grants", RECORD_NUMBER, grants, false, -1),
    PEERS("endings", RECORD_NUMBER, endings, false, -1),
    PEERS("mutes", RECORD_NUMBER, mutes, false, -1),
};

static const struct record_field peer_fields[] = {
    PEER("node", RECORD_TEXT, node, true, 0),
    PEER("voter", RECORD_BOOL, is_voter, false, 0),
    PEER("ackedAgoMs", RECORD_NUMBER, acked_ago_ms, false, -1),
    PEER("heardAgoMs", RECORD_NUMBER, heard_ago_ms, false, -1),
};

static void write_latencies(const struct record_node *r, struct buf *out)
{
    unsigned first = 0;
    while (first < RECORD_LATENCIES && r->latencies_us[first] == -1)
        first++;
    if (first == RECORD_LATENCIES)
        return;
    record_list(out, "latenciesUs");
    for (unsigned i = first; i < RECORD_LATENCIES; i++)
        buf_printf(out, "%s%d", i > first ? "," : "", (int)r->latencies_us[i]);
    buf_putc(out, ']');
}

static void write_peers(const struct record_peers *p, struct buf *out)
{
    if (!p->is_known)
        return;
    buf_puts(out, ",\"peers\":");
    record_begin(out, peers_fields, COUNT(peers_fields), p);
    record_list(out, "agents");
    for (unsigned i = 0; i < p->n; i++) {
        buf_puts(out, i ? "," : "");
        record_begin(out, peer_fields, COUNT(peer_fields), &p->list[i]);
        buf_putc(out, '}');
    }
    buf_puts(out, "]}");
}

int record_node_write(const struct record_node *r, struct buf *out)
{
    char text[IP_TEXT_MAX];
    record_begin(out, node_fields, COUNT(node_fields), r);
    record_list(out, "addresses");
    for (unsigned i = 0; i < r->n_addresses; i++) {
        ip_format(&r->addresses[i], text);
        buf_printf(out, "%s\"%s\"", i ? "," : "", text);
    }
    buf_putc(out, ']');
    write_latencies(r, out);
    write_peers(&r->peers, out);
    record_list(out, "links");
    for (unsigned i = 0; i < r->n_links; i++) {
        buf_puts(out, i ? "," : "");
        record_begin(out, link_fields, COUNT(link_fields), &r->links[i]);
        buf_putc(out, '}');
    }
    buf_putc(out, ']');
    record_list(out, "vips");
    for (unsigned i = 0; i < r->n_vips; i++) {
        buf_puts(out, i ? "," : "");
        record_begin(out, vip_fields, COUNT(vip_fields), &r->vips[i]);
        buf_putc(out, '}');
    }
    return buf_puts(out, "]}");
}

static int read_address(struct json_object *value, void *to)
{
    return json_object_is_type(value, json_type_string) &&
                   ip_parse(json_object_get_string(value), to) == 0
               ? 0
               : -EBADMSG;
}

static int read_latency(struct json_object *value, void *to)
{
    int64_t us = json_object_is_type(value, json_type_int) ? json_object_get_int64(value) : -3;
    if (us < -2 || us > INT32_MAX)
        return -EBADMSG;
    *(int32_t *)to = (int32_t)us;
    return 0;
}

static int read_link(struct json_object *value, void *to)
{
    return record_read(value, link_fields, COUNT(link_fields), to);
}

static int read_vip(struct json_object *value, void *to)
{
    return record_read(value, vip_fields, COUNT(vip_fields), to);
}

static int read_peer(struct json_object *value, void *to)
{
    return record_read(value, peer_fields, COUNT(peer_fields), to);
}

static int read_peers(struct json_object *o, struct record_peers *p)
{
    struct json_object *group = NULL;
    int r = field_object(o, "peers", &group);
    if (r < 0 || !group)
        return r;
    r = record_read(group, peers_fields, COUNT(peers_fields), p);
    if (r == 0)
        r = record_read_list(group, "agents", RECORD_PEERS_MAX, read_peer, p->list,
                             sizeof(p->list[0]), &p->n);
    p->is_known = true;
    return r;
}

/* The newest are written last, and old ones may be missing. */
static int read_latencies(struct json_object *o, struct record_node *r)
{
    int32_t read[RECORD_LATENCIES];
    unsigned n = 0;
    int e = record_read_list(o, "latenciesUs", RECORD_LATENCIES, read_latency, read,
                             sizeof(read[0]), &n);
    for (unsigned i = 0; i < RECORD_LATENCIES; i++)
        r->latencies_us[i] = i + n < RECORD_LATENCIES ? -1 : read[i + n - RECORD_LATENCIES];
    return e;
}

static int read_vips(struct json_object *o, struct record_node *r)
{
    r->vips = calloc(RECORD_VIPS_MAX, sizeof(*r->vips));
    if (!r->vips)
        return -ENOMEM;
    int e = record_read_list(o, "vips", RECORD_VIPS_MAX, read_vip, r->vips, sizeof(*r->vips),
                             &r->n_vips);
    if (e < 0 || r->n_vips == RECORD_VIPS_MAX)
        return e;
    if (r->n_vips == 0) {
        free(r->vips);
        r->vips = NULL;
        return 0;
    }
    void *smaller = realloc(r->vips, r->n_vips * sizeof(*r->vips));
    if (smaller)
        r->vips = smaller;
    return 0;
}

int record_node_parse(const char *text, size_t len, struct record_node *ret_record)
{
    struct record_node record = {.n_vips = 0};
    struct json_object *o;
    int r = record_open(text, len, &o);
    if (r < 0)
        return r;
    r = record_read(o, node_fields, COUNT(node_fields), &record);
    if (r == 0)
        r = record_read_list(o, "addresses", RECORD_ADDRESSES_MAX, read_address, record.addresses,
                             sizeof(record.addresses[0]), &record.n_addresses);
    if (r == 0)
        r = record_read_list(o, "links", RECORD_LINKS_MAX, read_link, record.links,
                             sizeof(record.links[0]), &record.n_links);
    if (r == 0)
        r = read_latencies(o, &record);
    if (r == 0)
        r = read_peers(o, &record.peers);
    if (r == 0 && (record.peer_ip.family == IP_NONE) != (record.peer_port == 0))
        r = -EBADMSG;
    if (r == 0)
        r = read_vips(o, &record);
    json_object_put(o);
    if (r == 0)
        *ret_record = record;
    else
        record_node_done(&record);
    return r;
}

void record_node_done(struct record_node *r)
{
    if (!r)
        return;
    free(r->vips);
    r->vips = NULL;
    r->n_vips = 0;
}
