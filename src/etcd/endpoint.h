/* SPDX-License-Identifier: MIT */
/* One configured endpoint, and the port beside it where its JSON gateway may be. */
#ifndef TALOSVIP_ETCD_ENDPOINT_H
#define TALOSVIP_ETCD_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

#define ENDPOINT_URL_MAX 300

struct endpoint {
    char url[ENDPOINT_URL_MAX];     /* scheme, host and port: "https://10.0.0.11:2379" */
    char sibling[ENDPOINT_URL_MAX]; /* the same on the gateway's own port; "": none to try */
    bool tls;
    bool on_sibling;     /* the gateway was found there */
    bool sibling_noted;  /* ... and that was told once */
    bool fresh;          /* the next request opens a new connection */
    unsigned generation; /* of the TLS files its connections were made with */
};

/* "https://host:port", "http://...", or without a scheme (then `tls_default` decides); port 2379
 * when left out; IPv6 in brackets; a final '/' is dropped, any other path refused. An endpoint on
 * `grpc_port` gets a sibling on `gateway_port`. 0 or -EINVAL. */
int endpoint_init(struct endpoint *ep, const char *text, bool tls_default, uint16_t grpc_port,
                  uint16_t gateway_port);
/* The URL that is in use now. */
const char *endpoint_url(const struct endpoint *ep);

#endif
