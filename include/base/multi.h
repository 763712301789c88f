/* SPDX-License-Identifier: MIT */
/* libcurl's multi handle driven by the loop: its sockets, its timer, and what every transfer needs
 * that must not hold up the loop. What is transferred is the user's business. Handles are libcurl's
 * own, as pointers, so that who does not use libcurl need not see its header. */
#ifndef TALOSVIP_BASE_MULTI_H
#define TALOSVIP_BASE_MULTI_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"

struct multi;

struct multi_config {
    struct loop *loop;
    bool has_tls;
    unsigned max_connections; /* kept open */
    /* Called from the loop, never from inside libcurl, when something may have ended or the time
     * set by multi_arm() has come. It calls multi_arm() at its end, or frees the multi. */
    void (*pump)(void *arg);
    void *arg;
};

/* 0 or -errno. */
int multi_new(const struct multi_config *config, struct multi **ret_multi);
/* All transfers must have been removed. Takes NULL. */
void multi_free(struct multi *m);

/* The CURLM, to add and remove transfers. */
void *multi_handle(struct multi *m);
/* Lets libcurl do what is due. */
void multi_run(struct multi *m);
/* The next transfer that has ended: its owner, and its CURLcode. False when there is none. */
bool multi_next(struct multi *m, void **ret_owner, int *ret_code);
/* Calls pump() at `at_us` at the latest; UINT64_MAX: only when libcurl has something to do. */
void multi_arm(struct multi *m, uint64_t at_us);

/* Options of a new CURL handle: no signals, no proxy of the environment's, sockets that no child
 * inherits, no redirects, no waiting for a resolver that hangs. `error` has CURL_ERROR_SIZE bytes.
 * 0 or -ENOMEM. */
int multi_prepare(void *easy, void *owner, char *error);
/* TLS 1.2 or newer, the server always verified; NULL leaves libcurl's default. Files are read anew
 * for each connection. 0 or -ENOMEM. */
int multi_set_tls(void *easy, const char *cacert, const char *cert, const char *key);

#endif
