/* SPDX-License-Identifier: MIT */
/* The JSON values that agents write for each other. Pure; bounded both ways. */
#ifndef TALOSVIP_ETCD_RECORD_H
#define TALOSVIP_ETCD_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/ip.h"

#define RECORD_NAME_MAX 64
#define RECORD_ADDRESSES_MAX 16

/* talosvip/v1/nodes/<node>: under the node's lease. */
struct record_node {
    char node[RECORD_NAME_MAX];
    char machine_id[RECORD_NAME_MAX];
    char version[32];
    unsigned n_addresses;
    struct ip addresses[RECORD_ADDRESSES_MAX]; /* its own ones on the links of its VIPs */
};

/* talosvip/v1/released/<ip> */
struct record_released {
    char node[RECORD_NAME_MAX];
    char cause[32];
    int64_t revision; /* create revision of the key that was given up */
    uint64_t wall_us;
};

/* 0, -ENOMEM, or the buf's error. */
int record_node_write(const struct record_node *r, struct buf *out);
int record_released_write(const struct record_released *r, struct buf *out);
/* 0, or -EBADMSG: no JSON object, a missing or wrong field. Unknown fields are ignored, for newer
 * versions write more. */
int record_node_parse(const char *text, size_t len, struct record_node *ret_record);
int record_released_parse(const char *text, size_t len, struct record_released *ret_record);

#endif
