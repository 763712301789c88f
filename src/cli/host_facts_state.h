/* SPDX-License-Identifier: MIT */
/* Shared by host_facts.c and host_probe.c. */
#ifndef TALOSVIP_CLI_HOST_FACTS_STATE_H
#define TALOSVIP_CLI_HOST_FACTS_STATE_H

#include "config/validate.h"
#include "net/address.h"
#include "net/link.h"

struct link_text {
    char mac[MAC_TEXT_MAX], permanent_mac[MAC_TEXT_MAX];
};

struct setting_text {
    char name[64], value[16];
};

#define OWNER_MAX 160

struct owner_text {
    char text[OWNER_MAX];
};

struct host_facts {
    struct netlink *netlink;
    struct link *links;
    size_t n_links;
    struct address *addresses;
    size_t n_addresses;
    struct validate_link *views;
    struct link_text *link_texts;
    struct setting_text *texts;
    struct validate_sysctl *sysctls;
    struct validate_host host;
    struct validate_probe_answer *answers;
    struct owner_text *owners; /* one for each answer */
    size_t n_answers;
};

#define ANSWERS_MAX 128

/* host_owner.c: adds this host to those that answer, which it does not to itself, and says who the
 * others are, as far as its links and its agent know. */
void host_owner_find(struct host_facts *facts, const struct validate_report *report);

#endif
