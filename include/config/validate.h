/* SPDX-License-Identifier: MIT */
/* Checks configuration files as a person would who knows Talos well: Talos machine configs of
 * all generations, our own AgentConfig, and talosconfig. Reads files, and nothing else of the
 * host: what --host and --probe found out is handed in. No printing, no exit. */
#ifndef TALOSVIP_CONFIG_VALIDATE_H
#define TALOSVIP_CONFIG_VALIDATE_H

#include "base/ip.h"
#include "config/config.h"
#include "config/finding.h"

#include <stdbool.h>
#include <stddef.h>

#define VALIDATE_ALTNAMES_MAX 8
#define VALIDATE_ADDRESSES_MAX 16
#define VALIDATE_VIPS_MAX 16
#define VALIDATE_FINDINGS_MAX 20000 /* kept; more are only counted */

enum validate_mode { VALIDATE_METAL, VALIDATE_CLOUD, VALIDATE_CONTAINER };

/* A link of this host. */
struct validate_link {
    const char *name, *altnames[VALIDATE_ALTNAMES_MAX]; /* unused ones NULL */
    bool is_up, has_carrier;
    struct ip_prefix addresses[VALIDATE_ADDRESSES_MAX];
    unsigned n_addresses;
    struct config_device device;
    const char *kind; /* rtnl kind, "" or NULL for none */
};

/* Somebody answered for an address. */
struct validate_probe_answer {
    struct ip vip;
    struct mac mac;
    const char *owner; /* who it is, when that is known; or NULL */
    bool is_agent;     /* the owner is one of our agents */
};

/* A value of a kernel setting, such as "net.ipv4.conf.eth0.arp_ignore". */
struct validate_sysctl {
    const char *name, *value;
};

/* What --host found besides links; filled by the caller. */
struct validate_host {
    bool lacks_net_admin, lacks_net_raw;
    const struct validate_sysctl *sysctls;
    size_t n_sysctls;
    /* Of certificates named by the files: days left of the first, or of the one of a bundle that
     * ends last; negative when it is over. -errno when the file cannot be read. NULL: not asked. */
    int (*certificate)(void *arg, const char *path, bool is_bundle, int *ret_days);
    /* 0, or -errno: whether a hook's or a check's command can be run. NULL: not asked. */
    int (*executable)(void *arg, const char *path);
    void *arg;
};

struct validate_options {
    enum validate_mode mode;
    bool is_strict, vip_only;
    bool is_for_agent; /* to run with these files, as they are: what it refuses is an error */
    const struct ip_prefix *subnets; /* --subnet: of the VIPs' links, besides those in the files */
    size_t n_subnets;
    const char *const *allow; /* --allow: IDs */
    size_t n_allow;
    const struct validate_link *links; /* NULL: no --host */
    size_t n_links;
    const struct validate_host *host;            /* or NULL */
    const struct validate_probe_answer *answers; /* --probe; or NULL */
    size_t n_answers;
    /* One for each path, or NULL: the file was found in a directory and not named. That such a
     * file is for another program (a Kubernetes manifest) is a warning and no error. */
    const bool *is_found;
};

/* Bytes of a file, from `start` to before `end`. */
struct validate_range {
    size_t start, end;
};

struct validate_vip {
    struct ip ip;
    const char *link; /* or the selector in words */
};

/* All memory is the report's. */
struct validate_file {
    const char *path;
    const char *type;         /* "talos/v1alpha1", "talosvip/v1", "talosconfig", "unknown" */
    const char *machine_type; /* "" if none */
    bool is_valid;
    bool is_unreadable; /* TV004: nothing of it was checked */
    size_t errors, warnings, infos, suppressed;
    const char *text; /* source, for excerpts; no NUL inside is promised. NULL if unreadable */
    size_t len;
    const struct validate_range *secrets; /* never show these; in order, apart */
    size_t n_secrets;
    struct validate_vip vips[VALIDATE_VIPS_MAX];
    size_t n_vips;
};

struct validate_report {
    struct validate_file *files; /* in the order given */
    size_t n_files;
    /* In the order of files and lines; those about several files last (is_across), and these count
     * in no single file. Suppressed ones are here, too, and marked; the counters below do not
     * count them. Severities are after --strict. */
    struct findings findings;
    size_t errors, warnings, infos, suppressed;
    bool is_valid;
    bool has_mode; /* `mode` was of importance: there are machine configs */
    enum validate_mode mode;
    struct arena *arena; /* private */
};

/* Checks the files together ("-" is standard input); directories are expanded by the caller.
 * Files that cannot be read are findings TV004. 0, or -ENOMEM with nothing in the report. */
int validate_files(const char *const *paths, size_t n, const struct validate_options *options,
                   struct validate_report *ret_report);
/* The same for one file in memory, called `name`. */
int validate_memory(const char *name, const char *bytes, size_t len,
                    const struct validate_options *options, struct validate_report *ret_report);
/* Takes NULL, and a report that is all zero. */
void validate_report_done(struct validate_report *report);

/* Whether an ID is one of the check table's ("TV203"); for --allow. */
bool validate_is_check(const char *id);

#endif
