/* SPDX-License-Identifier: MIT */
/* What libcurl and OpenSSL complain about, in one line for people. */
#ifndef TALOSVIP_ETCD_FAILURE_H
#define TALOSVIP_ETCD_FAILURE_H

#include <curl/curl.h>

#include "etcd/message.h"

struct failure {
    CURL *easy;
    CURLcode result;
    const char *text; /* CURLOPT_ERRORBUFFER */
    const char *url;
    const char *cacert; /* or NULL */
    const char *cert;
    const char *key;
};

/* Sets status and message. Returns whether the port may be one that speaks gRPC only. */
bool failure_describe(const struct failure *failure, struct etcd_reply *reply);

#endif
