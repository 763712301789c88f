/* SPDX-License-Identifier: MIT */
#include "etcd/message.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base64.h"

size_t etcd_prefix_end(const char *prefix, size_t len, char *out)
{
    memmove(out, prefix, len);
    while (len > 0 && (unsigned char)out[len - 1] == 0xff)
        len--;
    if (len == 0) {
        /* Nothing sorts behind it: etcd writes "to the end" as a zero byte. */
        out[0] = '\0';
        return 1;
    }
    out[len - 1] = (char)((unsigned char)out[len - 1] + 1);
    return len;
}

static int fail(struct buf *b, int error)
{
    if (!b->error)
        b->error = error;
    return b->error;
}

static size_t length(const char *data, size_t len)
{
    return len || !data ? len : strlen(data);
}

static void add_bytes(struct buf *b, const char *name, const char *data, size_t len)
{
    buf_printf(b, "\"%s\":\"", name);
    base64_add(b, data, len);
    buf_putc(b, '"');
}

static void add_number(struct buf *b, const char *name, int64_t number)
{
    buf_printf(b, ",\"%s\":\"%" PRId64 "\"", name, number);
}

/* "key" and, where it is more than one key, "range_end". */
static int add_range(struct buf *b, const struct etcd_range *range)
{
    char end[ETCD_KEY_MAX + 1];
    size_t len = length(range->key, range->key_len);
    size_t end_len = length(range->end, range->end_len);
    if (!range->key || len > ETCD_KEY_MAX || end_len > ETCD_KEY_MAX || (len == 0 && !range->prefix))
        return fail(b, -EINVAL);
    /* The empty prefix is every key; etcd wants the least key there is. */
    add_bytes(b, "key", len ? range->key : "\0", len ? len : 1);
    if (range->prefix)
        end_len = etcd_prefix_end(range->key, len, end);
    else if (end_len)
        memcpy(end, range->end, end_len);
    if (end_len) {
        buf_putc(b, ',');
        add_bytes(b, "range_end", end, end_len);
    }
    return b->error;
}

static int add_range_request(struct buf *b, const struct etcd_range *range)
{
    static const char *const orders[] = {"NONE", "ASCEND", "DESCEND"};
    static const char *const sorts[] = {"KEY", "VERSION", "CREATE", "MOD", "VALUE"};
    if (range->limit < 0 || range->revision < 0 || range->max_create_revision < 0 ||
        range->order > ETCD_DESCEND || range->sort_by > ETCD_BY_VALUE)
        return fail(b, -EINVAL);
    buf_putc(b, '{');
    add_range(b, range);
    if (range->limit)
        add_number(b, "limit", range->limit);
    if (range->revision)
        add_number(b, "revision", range->revision);
    if (range->max_create_revision)
        add_number(b, "max_create_revision", range->max_create_revision);
    if (range->order)
        buf_printf(b, ",\"sort_order\":\"%s\",\"sort_target\":\"%s\"", orders[range->order],
                   sorts[range->sort_by]);
    if (range->keys_only)
        buf_puts(b, ",\"keys_only\":true");
    if (range->count_only)
        buf_puts(b, ",\"count_only\":true");
    if (range->serializable)
        buf_puts(b, ",\"serializable\":true");
    return buf_putc(b, '}');
}

static int add_put(struct buf *b, const struct etcd_op *op)
{
    size_t len = length(op->range.key, op->range.key_len);
    if (!op->range.key || len == 0 || len > ETCD_KEY_MAX)
        return fail(b, -EINVAL);
    buf_putc(b, '{');
    add_bytes(b, "key", op->range.key, len);
    buf_putc(b, ',');
    add_bytes(b, "value", op->value, length(op->value, op->value_len));
    if (op->ignore_lease)
        buf_puts(b, ",\"ignore_lease\":true");
    else if (op->lease)
        add_number(b, "lease", op->lease);
    return buf_putc(b, '}');
}

static int add_op(struct buf *b, const struct etcd_op *op)
{
    switch (op->kind) {
    case ETCD_OP_PUT:
        buf_puts(b, "{\"request_put\":");
        add_put(b, op);
        break;
    case ETCD_OP_RANGE:
        buf_puts(b, "{\"request_range\":");
        add_range_request(b, &op->range);
        break;
    case ETCD_OP_DELETE:
        buf_puts(b, "{\"request_delete_range\":{");
        add_range(b, &op->range);
        buf_putc(b, '}');
        break;
    default:
        return fail(b, -EINVAL);
    }
    return buf_putc(b, '}');
}

static int add_ops(struct buf *b, const char *name, const struct etcd_op *ops, size_t n)
{
    if (n > ETCD_OPS_MAX)
        return fail(b, -EINVAL);
    buf_printf(b, ",\"%s\":[", name);
    for (size_t i = 0; i < n && !b->error; i++) {
        if (i)
            buf_putc(b, ',');
        add_op(b, &ops[i]);
    }
    return buf_putc(b, ']');
}

static int add_compare(struct buf *b, const struct etcd_compare *c)
{
    static const char *const targets[][2] = {{"CREATE", "create_revision"},
                                             {"MOD", "mod_revision"},
                                             {"VERSION", "version"},
                                             {"LEASE", "lease"}};
    size_t len = length(c->key, c->key_len);
    if (c->target > ETCD_LEASE || !c->key || len == 0 || len > ETCD_KEY_MAX || c->number < 0)
        return fail(b, -EINVAL);
    buf_putc(b, '{');
    add_bytes(b, "key", c->key, len);
    buf_printf(b, ",\"target\":\"%s\",\"result\":\"EQUAL\"", targets[c->target][0]);
    add_number(b, targets[c->target][1], c->number);
    return buf_putc(b, '}');
}

int etcd_request_txn(struct buf *b, const struct etcd_txn *txn)
{
    if (txn->n_compares > ETCD_OPS_MAX)
        return fail(b, -EINVAL);
    buf_puts(b, "{\"compare\":[");
    for (size_t i = 0; i < txn->n_compares && !b->error; i++) {
        if (i)
            buf_putc(b, ',');
        add_compare(b, &txn->compares[i]);
    }
    buf_putc(b, ']');
    add_ops(b, "success", txn->success, txn->n_success);
    add_ops(b, "failure", txn->failure, txn->n_failure);
    return buf_putc(b, '}');
}

int etcd_request_range(struct buf *b, const struct etcd_range *range)
{
    return add_range_request(b, range);
}

int etcd_request_grant(struct buf *b, int64_t ttl_s)
{
    if (ttl_s <= 0)
        return fail(b, -EINVAL);
    return buf_printf(b, "{\"TTL\":\"%" PRId64 "\"}", ttl_s);
}

int etcd_request_lease(struct buf *b, int64_t lease)
{
    if (lease <= 0)
        return fail(b, -EINVAL);
    return buf_printf(b, "{\"ID\":\"%" PRId64 "\"}", lease);
}

int etcd_request_watch(struct buf *b, const struct etcd_watch_request *request)
{
    if (request->start_revision < 0 || request->watch_id <= 0)
        return fail(b, -EINVAL);
    buf_puts(b, "{\"create_request\":{");
    add_range(b, &request->range);
    add_number(b, "start_revision", request->start_revision);
    add_number(b, "watch_id", request->watch_id);
    return buf_puts(b, "}}");
}

/* RFC 8259 section 7. */
static void add_string(struct buf *b, const char *text)
{
    buf_putc(b, '"');
    for (const unsigned char *p = (const unsigned char *)text; *p && !b->error; p++) {
        if (*p < 0x20 || *p == 0x7f)
            buf_printf(b, "\\u%04x", *p);
        else if (*p == '"' || *p == '\\')
            buf_printf(b, "\\%c", *p);
        else
            buf_putc(b, (char)*p);
    }
    buf_putc(b, '"');
}

int etcd_request_authenticate(struct buf *b, const char *user, const char *password)
{
    buf_puts(b, "{\"name\":");
    add_string(b, user);
    buf_puts(b, ",\"password\":");
    add_string(b, password);
    return buf_putc(b, '}');
}

int etcd_request_empty(struct buf *b)
{
    return buf_puts(b, "{}");
}
