/* SPDX-License-Identifier: MIT */
/* Asks another service whether it is well, without holding up the loop (libcurl): by an HTTPS GET,
 * which any 2xx answers, or by a TCP connection that is accepted. Certificates are verified,
 * redirects not followed, connections used again; at most 64 KiB of an answer are read. */
#ifndef TALOSVIP_API_PROBE_H
#define TALOSVIP_API_PROBE_H

#include "base/loop.h"

#define PROBE_WHY_MAX 200

struct prober;
struct probe;

/* 0 or -errno. */
int prober_new(struct loop *loop, struct prober **ret_prober);
/* All probes must have been freed. Takes NULL. */
void prober_free(struct prober *prober);

/* `why` is NULL when all is well, else a line about what is not, for the call only. The probe may
 * be freed from here, or started again. */
typedef void (*probe_fn)(void *arg, const char *why);

/* `ca_file` may be NULL: the system's. Texts are copied. 0 or -ENOMEM. */
int probe_new_https(struct prober *prober, const char *url, const char *ca_file, probe_fn fn,
                    void *arg, struct probe **ret_probe);
/* `address` is "host:port" or "[v6]:port". */
int probe_new_tcp(struct prober *prober, const char *address, probe_fn fn, void *arg,
                  struct probe **ret_probe);
/* One question; fn() is called once, from the loop. Not while one is out. 0 or -ENOMEM. */
int probe_start(struct probe *probe, uint64_t timeout_us);
/* Breaks off what is out; fn() is not called any more. Takes NULL. */
void probe_free(struct probe *probe);

#endif
