/* SPDX-License-Identifier: MIT */
/* What --host and --probe find out about this host, for validate_files(). */
#ifndef TALOSVIP_CLI_HOST_FACTS_H
#define TALOSVIP_CLI_HOST_FACTS_H

#include "complaint.h"

#include "config/validate.h"

struct host_facts;

/* 0, or -errno when the kernel does not tell. */
int host_facts_new(struct host_facts **ret_facts);
/* Takes NULL. */
void host_facts_free(struct host_facts *facts);
/* Both borrowed from `facts`. */
void host_facts_links(const struct host_facts *facts, struct validate_options *to);

/* Asks the wire three times within 100 ms who has each VIP of the report, on `iface` or else on
 * the link its file names. The answers are the facts'. 0; -EPERM, or another -errno; with the line
 * to say. */
int host_facts_probe(struct host_facts *facts, const struct validate_report *report,
                     const char *iface, struct validate_options *to,
                     struct complaint *ret_complaint);

#endif
