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
    size_t n_answers;
};

#endif
