/* SPDX-License-Identifier: MIT */
#include "etcd/record.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#include "record_field.h"

/* The kind as its word, beside the record. */
struct request_text {
    struct record_request request;
    char kind[8];
};

static const char *const kinds[] = {[RECORD_RESIGN] = "resign", [RECORD_PAUSE] = "pause"};

#define COUNT(table_) (sizeof(table_) / sizeof((table_)[0]))
#define REQUEST(name_, kind_, member_, required_, absent_)                                         \
    RECORD_FIELD(request_text, name_, kind_, member_, required_, absent_)

static const struct record_field fields[] = {
    REQUEST("kind", RECORD_TEXT, kind, true, 0),
    REQUEST("by", RECORD_TEXT, request.by, false, 0),
    REQUEST("reason", RECORD_TEXT, request.reason, false, 0),
    REQUEST("to", RECORD_TEXT, request.to, false, 0),
    REQUEST("epoch", RECORD_NUMBER, request.epoch, false, 0),
    REQUEST("refused", RECORD_TEXT, request.refused, false, 0),
    REQUEST("wallUs", RECORD_WALL, request.wall_us, false, 0),
};

int record_request_write(const struct record_request *r, struct buf *out)
{
    struct request_text text = {.request = *r};
    memcpy(text.kind, kinds[r->kind], strlen(kinds[r->kind]));
    record_begin(out, fields, COUNT(fields), &text);
    return buf_putc(out, '}');
}

int record_request_parse(const char *text, size_t len, struct record_request *ret_record)
{
    struct request_text record;
    struct json_object *o;
    int r = record_open(text, len, &o);
    if (r < 0)
        return r;
    r = record_read(o, fields, COUNT(fields), &record);
    json_object_put(o);
    if (r < 0)
        return r;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        if (strcmp(record.kind, kinds[i]) != 0)
            continue;
        record.request.kind = (enum record_request_kind)i;
        *ret_record = record.request;
        return 0;
    }
    return -EBADMSG;
}
