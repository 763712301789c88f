/* SPDX-License-Identifier: MIT */
#include "etcd/record.h"

#include <errno.h>
#include <json-c/json.h>

#include "base/clock.h"
#include "record_field.h"

const char *const record_causes[] = {
    "first election",
    "shutdown",
    "resign",
    "no longer configured",
    "link down",
    "health check",
    "address refused",
    "agent died",
    "lease expired",
    "etcd session lost",
    "key deleted",
    "silent",
    "no peer hears it",
    "unknown",
    RECORD_CAUSE_STAYED,
    NULL,
};

#define MOVE(name_, kind_, member_, required_, absent_)                                            \
    RECORD_FIELD(record_move, name_, kind_, member_, required_, absent_)
#define SEEN(name_, kind_, member_, required_, absent_)                                            \
    RECORD_FIELD(record_seen, name_, kind_, member_, required_, absent_)
#define RELEASED(name_, kind_, member_, required_, absent_)                                        \
    RECORD_FIELD(record_released, name_, kind_, member_, required_, absent_)
#define COUNT(table_) (sizeof(table_) / sizeof((table_)[0]))

static const struct record_field move_fields[] = {
    MOVE("to", RECORD_TEXT, to, true, 0),
    MOVE("from", RECORD_TEXT, from, false, 0),
    MOVE("cause", RECORD_TEXT, cause, true, 0),
    MOVE("detail", RECORD_TEXT, detail, false, 0),
    MOVE("planned", RECORD_BOOL, is_planned, false, 0),
    MOVE("epoch", RECORD_NUMBER, epoch, true, 0),
    MOVE("previousEpoch", RECORD_NUMBER, previous_epoch, false, 0),
    MOVE("term", RECORD_NUMBER, term, false, 0),
    MOVE("goneWallUs", RECORD_WALL, gone_wall_us, false, 0),
    MOVE("lastSignUs", RECORD_NUMBER, last_sign_us, false, -1),
    MOVE("wonUs", RECORD_NUMBER, won_us, false, -1),
    MOVE("probedUs", RECORD_NUMBER, probed_us, false, -1),
    MOVE("setUs", RECORD_NUMBER, set_us, false, -1),
    MOVE("announcedUs", RECORD_NUMBER, announced_us, false, -1),
    MOVE("observers", RECORD_COUNT, observers, false, 0),
    MOVE("note", RECORD_TEXT, note, false, 0),
};

static const struct record_field seen_fields[] = {
    SEEN("node", RECORD_TEXT, node, true, 0),
    SEEN("seenMs", RECORD_NUMBER, seen_ms, false, -1),
    SEEN("outageUs", RECORD_NUMBER, outage_us, false, -1),
    SEEN("errorUs", RECORD_NUMBER, error_us, false, -1),
};

static const struct record_field released_fields[] = {
    RELEASED("node", RECORD_TEXT, node, true, 0),
    RELEASED("cause", RECORD_TEXT, cause, true, 0),
    RELEASED("detail", RECORD_TEXT, detail, false, 0),
    RELEASED("revision", RECORD_NUMBER, revision, true, 0),
    RELEASED("wallUs", RECORD_WALL, wall_us, false, 0),
};

/* For people who read the record as it is; parsers take wallUs. */
static void add_time(struct buf *out, uint64_t wall_us)
{
    char time[CLOCK_TEXT_MAX];
    clock_format_utc(wall_us, time);
    buf_printf(out, ",\"time\":\"%s\"", time);
}

int record_released_write(const struct record_released *r, struct buf *out)
{
    record_begin(out, released_fields, COUNT(released_fields), r);
    add_time(out, r->wall_us);
    return buf_putc(out, '}');
}

int record_move_write(const struct record_move *r, struct buf *out)
{
    record_begin(out, move_fields, COUNT(move_fields), r);
    if (r->gone_wall_us)
        add_time(out, r->gone_wall_us);
    record_list(out, "seen");
    for (unsigned i = 0; i < r->n_seen; i++) {
        buf_puts(out, i ? "," : "");
        record_begin(out, seen_fields, COUNT(seen_fields), &r->seen[i]);
        buf_putc(out, '}');
    }
    return buf_puts(out, "]}");
}

int record_released_parse(const char *text, size_t len, struct record_released *ret_record)
{
    struct record_released record;
    struct json_object *o;
    int r = record_open(text, len, &o);
    if (r < 0)
        return r;
    r = record_read(o, released_fields, COUNT(released_fields), &record);
    json_object_put(o);
    if (r == 0 && record.revision <= 0)
        r = -EBADMSG;
    if (r == 0)
        *ret_record = record;
    return r;
}

static int read_seen(struct json_object *value, void *to)
{
    return record_read(value, seen_fields, COUNT(seen_fields), to);
}

int record_move_parse(const char *text, size_t len, struct record_move *ret_record)
{
    struct record_move record = {.n_seen = 0};
    struct json_object *o;
    int r = record_open(text, len, &o);
    if (r < 0)
        return r;
    r = record_read(o, move_fields, COUNT(move_fields), &record);
    if (r == 0)
        r = record_read_list(o, "seen", RECORD_SEEN_MAX, read_seen, record.seen,
                             sizeof(record.seen[0]), &record.n_seen);
    json_object_put(o);
    if (r == 0)
        *ret_record = record;
    return r;
}
