/* SPDX-License-Identifier: MIT */
/* Loads text and looks at what was found. */
#ifndef TALOSVIP_TESTS_CONFIG_SUPPORT_H
#define TALOSVIP_TESTS_CONFIG_SUPPORT_H

#include "config/config.h"

#define FIXTURES "tests/unit/config/"
/* A first document that makes the settings whole; line 6 is the first below. */
#define WITH_VIP                                                                                   \
    "apiVersion: v1alpha1\n"                                                                       \
    "kind: Layer2VIPConfig\n"                                                                      \
    "name: 192.0.2.1\n"                                                                            \
    "link: eth0\n"                                                                                 \
    "---\n"
#define AGENT "apiVersion: talosvip/v1\nkind: AgentConfig\n"
/* Line 6 is the first below. */
#define CONTROLPLANE                                                                               \
    "version: v1alpha1\n"                                                                          \
    "machine:\n"                                                                                   \
    "  type: controlplane\n"                                                                       \
    "  network:\n"                                                                                 \
    "    interfaces:\n"

struct loaded {
    int result;
    struct config *config; /* NULL after an error */
    struct findings findings;
};

void loaded_text(struct loaded *loaded, const char *text);
void loaded_bytes(struct loaded *loaded, const char *bytes, size_t len);
void loaded_files(struct loaded *loaded, size_t n, const char *const *paths);
void loaded_done(struct loaded *loaded);
/* What is wrong with the findings goes to the test's output. */
void loaded_print(const struct loaded *loaded);

/* One text and the one finding that it must give. */
struct finding_case {
    const char *text;
    const char *id;
    enum severity severity;
    unsigned line, column;
    const char *message; /* all of it */
    const char *help;    /* all of it; NULL when there must be none; "*" when any will do */
};

void finding_case_check(const struct finding_case *c);
/* True when a finding with this ID stands there. */
bool loaded_has(const struct loaded *loaded, const char *id, unsigned line, unsigned column);
/* The VIP with this address; fails the test when there is none. */
const struct config_vip *loaded_vip(const struct loaded *loaded, const char *ip);

#endif
