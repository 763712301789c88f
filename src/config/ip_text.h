/* SPDX-License-Identifier: MIT */
/* Addresses in text: what is wrong with one, and the ones no host can own. */
#ifndef TALOSVIP_CONFIG_IP_TEXT_H
#define TALOSVIP_CONFIG_IP_TEXT_H

#include "base/ip.h"

struct buf;

/* For a text that ip_parse() refused: "300 is greater than 255". */
void ip_text_explain(const char *text, struct buf *out);
/* Why this cannot be a VIP ("a multicast address"), or NULL. */
const char *ip_text_unusable(const struct ip *ip);

/* A "host:port" or "[v6]:port", or with `port` optional. */
struct host_port {
    char host[256]; /* without brackets */
    uint16_t port;  /* 0: none given */
};
/* NULL, or what is wrong with it, in words. */
const char *ip_text_host_port(const char *text, struct host_port *ret_host_port);
/* `scheme` "http" or "https", then "://", host, port, path. NULL, or what is wrong. The text
 * itself must not be shown when it holds an '@', for that is where a password may stand. */
const char *ip_text_url(const char *url, bool allow_http, bool allow_path);

#endif
