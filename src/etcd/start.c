/* SPDX-License-Identifier: MIT */
#include "state.h"

static struct buf new_body(void)
{
    struct buf b;
    buf_init(&b, ETCD_REQUEST_MAX);
    return b;
}

int etcd_call_grant(struct etcd_client *client, int64_t ttl_s, uint64_t timeout_us, etcd_call_fn fn,
                    void *arg, struct etcd_call **ret_call)
{
    struct buf body = new_body();
    etcd_request_grant(&body, ttl_s);
    return call_start(client, ETCD_KIND_GRANT, &body, 0, timeout_us, fn, arg, ret_call);
}

int etcd_call_renew(struct etcd_client *client, int64_t lease, uint64_t timeout_us, etcd_call_fn fn,
                    void *arg, struct etcd_call **ret_call)
{
    struct buf body = new_body();
    etcd_request_lease(&body, lease);
    return call_start(client, ETCD_KIND_KEEPALIVE, &body, lease, timeout_us, fn, arg, ret_call);
}

int etcd_call_revoke(struct etcd_client *client, int64_t lease, uint64_t timeout_us,
                     etcd_call_fn fn, void *arg, struct etcd_call **ret_call)
{
    struct buf body = new_body();
    etcd_request_lease(&body, lease);
    return call_start(client, ETCD_KIND_REVOKE, &body, 0, timeout_us, fn, arg, ret_call);
}

int etcd_call_txn(struct etcd_client *client, const struct etcd_txn *txn, uint64_t timeout_us,
                  etcd_call_fn fn, void *arg, struct etcd_call **ret_call)
{
    struct buf body = new_body();
    etcd_request_txn(&body, txn);
    return call_start(client, ETCD_KIND_TXN, &body, 0, timeout_us, fn, arg, ret_call);
}

int etcd_call_range(struct etcd_client *client, const struct etcd_range *range, uint64_t timeout_us,
                    etcd_call_fn fn, void *arg, struct etcd_call **ret_call)
{
    struct buf body = new_body();
    etcd_request_range(&body, range);
    return call_start(client, ETCD_KIND_RANGE, &body, 0, timeout_us, fn, arg, ret_call);
}

int etcd_call_status(struct etcd_client *client, uint64_t timeout_us, etcd_call_fn fn, void *arg,
                     struct etcd_call **ret_call)
{
    struct buf body = new_body();
    etcd_request_empty(&body);
    return call_start(client, ETCD_KIND_STATUS, &body, 0, timeout_us, fn, arg, ret_call);
}

int etcd_call_members(struct etcd_client *client, uint64_t timeout_us, etcd_call_fn fn, void *arg,
                      struct etcd_call **ret_call)
{
    struct buf body = new_body();
    etcd_request_empty(&body);
    return call_start(client, ETCD_KIND_MEMBERS, &body, 0, timeout_us, fn, arg, ret_call);
}

int etcd_call_time_to_live(struct etcd_client *client, int64_t lease, uint64_t timeout_us,
                           etcd_call_fn fn, void *arg, struct etcd_call **ret_call)
{
    struct buf body = new_body();
    etcd_request_lease(&body, lease);
    return call_start(client, ETCD_KIND_TIME_TO_LIVE, &body, 0, timeout_us, fn, arg, ret_call);
}
