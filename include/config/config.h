/* SPDX-License-Identifier: MIT */
/* The settings of the agent, read from Talos machine configs and from our own document
 * (apiVersion talosvip/v1, kind AgentConfig). No printing, no exit: what is wrong becomes a
 * finding with its position. */
#ifndef TALOSVIP_CONFIG_CONFIG_H
#define TALOSVIP_CONFIG_CONFIG_H

#include "base/ip.h"
#include "config/finding.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONFIG_FILE_MAX (16u << 20) /* bytes of one file */
#define CONFIG_FILES_MAX 64
#define CONFIG_NODE_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"
#define CONFIG_VIPS_MAX 200
#define CONFIG_ENDPOINTS_MAX 16
#define CONFIG_HEALTH_MAX 32
#define CONFIG_HOOKS_MAX 32
#define CONFIG_COMMAND_MAX 64 /* words of one command */
#define CONFIG_LINK_NAME_MAX 15
#define CONFIG_TTL_MIN_US UINT64_C(2000000)
#define CONFIG_TTL_MAX_US UINT64_C(600000000)
#define CONFIG_WINDOW_MIN_US UINT64_C(100000)
#define CONFIG_WINDOW_MAX_US UINT64_C(5000000)

/* Where a setting was written; line 0 means that it is a default. */
struct config_where {
    const char *file;
    const char *yaml_path; /* JSON pointer within its document */
    unsigned line, column; /* from 1, characters */
};

enum config_field {
    CONFIG_FIELD_MAC,
    CONFIG_FIELD_PERMANENT_MAC,
    CONFIG_FIELD_PCI_ID,
    CONFIG_FIELD_DRIVER,
    CONFIG_FIELD_BUS_PATH,
    CONFIG_FIELDS
};

#define CONFIG_TERMS_MAX 16

/* Chooses links by their hardware; every term must hold. */
struct config_selector {
    size_t n_terms;
    struct {
        enum config_field field;
        const char *glob; /* '*' stands for any text; case counts; the whole value */
        bool exact;       /* '*' stands for itself */
    } terms[CONFIG_TERMS_MAX];
    bool has_physical, physical; /* ether and no kind, as Talos's `physical` */
};

/* What the caller knows of a link. Text as the kernel has it: MAC lower case with colons, PCI ID
 * upper case ("1AF4:1000"), bus path "0000:00:03.0". NULL matches no term. */
struct config_device {
    const char *mac, *permanent_mac, *pci_id, *driver, *bus_path;
    bool physical; /* type ether and no rtnl kind */
};

bool config_selector_match(const struct config_selector *selector,
                           const struct config_device *device);
/* "driver=virtio_net, physical=true", for messages; cut when it does not fit. */
void config_selector_format(const struct config_selector *selector, char *out, size_t size);

/* The name of a VLAN's link: "bond0.100", or, when that could exceed 15 bytes, the first four
 * bytes of the parent, three hashed ones and the ID: "enp19f2eb0.100". 0 or -EINVAL (parent
 * empty, ID outside 1 to 4094). */
int config_vlan_name(const char *parent, unsigned vlan_id, char out[CONFIG_LINK_NAME_MAX + 1]);

enum config_form {
    CONFIG_FORM_LEGACY,      /* machine.network.interfaces[].vip */
    CONFIG_FORM_LEGACY_VLAN, /* machine.network.interfaces[].vlans[].vip */
    CONFIG_FORM_LAYER2,      /* kind Layer2VIPConfig */
    CONFIG_FORM_AGENT        /* vips[] of kind AgentConfig */
};

struct config_vip {
    struct ip ip;
    const char *link; /* name, altname or alias; NULL when only the selector says */
    const struct config_selector *selector; /* or NULL. With a link: the link is an alias, and
                                             * the selector finds what it stands for */
    uint16_t vlan_id; /* not 0: the VIP is on this VLAN of each link the selector finds
                       * (config_vlan_name); where `link` alone says, it is the VLAN's already */
    enum config_form form;
    struct config_where where; /* of the address */
};

enum config_machine {
    CONFIG_MACHINE_UNKNOWN, /* no Talos machine config, or one without a type */
    CONFIG_MACHINE_INIT,
    CONFIG_MACHINE_CONTROLPLANE,
    CONFIG_MACHINE_WORKER /* "worker", "join" */
};

enum config_health_kind { CONFIG_HEALTH_HTTPS, CONFIG_HEALTH_TCP, CONFIG_HEALTH_EXEC };

struct config_health {
    const char *name;
    enum config_health_kind kind;
    const char *url;            /* https: begins with "https://" */
    const char *ca_file;        /* https: or NULL */
    const char *address;        /* tcp: "host:port", "[::1]:6443" */
    const char *const *command; /* exec: NULL-terminated; command[0] is an absolute path */
    uint64_t interval_us, timeout_us;
    unsigned rise, fall;
    struct config_where where;
};

enum { CONFIG_ON_ACQUIRED = 1, CONFIG_ON_RELEASED = 2, CONFIG_ON_FAULT = 4 };

struct config_hook {
    unsigned on;                /* CONFIG_ON_... */
    const char *const *command; /* NULL-terminated; command[0] is an absolute path */
    struct config_where where;
};

/* NULL and 0 mean "not set": flags and environment may still set them. */
struct config_etcd {
    const char *const
        *endpoints; /* "http://..." or "https://...", without a path or a '/' behind */
    size_t n_endpoints;
    const char *ca_file, *cert_file, *key_file; /* cert and key come together */
    const char *username, *password_file;       /* together */
    struct config_where where;
};

/* The peer lease. */
struct config_peers {
    bool is_enabled;    /* default: yes */
    uint64_t window_us; /* CONFIG_WINDOW_MIN_US to CONFIG_WINDOW_MAX_US; default 500 ms */
    uint16_t port;      /* UDP; default 9755 */
    struct config_where where;
};

struct config_api {
    const char *socket;   /* absolute path that fits sun_path; never NULL */
    struct ip metrics_ip; /* family IP_NONE: off */
    uint16_t metrics_port;
    struct config_where socket_where, metrics_where;
};

struct config {
    struct config_vip *vips; /* at least one; each address once */
    size_t n_vips;
    enum config_machine machine;
    const char *node; /* or NULL: the host name */
    struct config_etcd etcd;
    uint64_t ttl_us;     /* CONFIG_TTL_MIN_US to CONFIG_TTL_MAX_US; default 5 s */
    uint64_t refresh_us; /* of the announcements; default 10 s */
    struct config_health *health;
    size_t n_health;
    struct config_hook *hooks;
    size_t n_hooks;
    struct config_api api;
    struct config_peers peers;
    struct config_where node_where, ttl_where, refresh_where;
    struct arena *arena; /* holds all of it */
};

/* Reads the files ("-" is standard input) as one description of this machine: VIPs add up,
 * contradictions are errors. A pipe that stays silent is given up after 10 s; ordinary files
 * never make it wait. Findings are appended to `findings`, also when it succeeds
 * (warnings, infos).
 * 0; -EINVAL with at least one finding of severity error; -ENOMEM. */
int config_load(const char *const *paths, size_t n, struct config **ret_config,
                struct findings *findings);
/* The same for one file in memory, called `name` in findings. `bytes` need no NUL behind. */
int config_load_memory(const char *name, const void *bytes, size_t len, struct config **ret_config,
                       struct findings *findings);
/* Only the way to etcd that the AgentConfig documents of a file name, for who connects but is no
 * agent: of *ret_config `etcd` counts, and nothing else has to be there, or right. Findings are
 * those about `etcd` and those for which the file, or what it is, cannot be read.
 * 0; -EINVAL with at least one finding of severity error; -ENOMEM. */
int config_load_etcd(const char *path, struct config **ret_config, struct findings *findings);
/* Takes NULL. */
void config_free(struct config *config);

/* Same address at the same place (link, selector, VLAN); `where` and `form` do not count. */
bool config_vip_equal(const struct config_vip *a, const struct config_vip *b);
/* The same settings; `where` does not count. */
bool config_health_equal(const struct config_health *a, const struct config_health *b);
bool config_hook_equal(const struct config_hook *a, const struct config_hook *b);

typedef void (*config_vip_fn)(void *arg, const struct config_vip *vip);
/* What a reload changes: first every VIP of `old` that `new` has not (or has at another place),
 * then every VIP of `new` that `old` has not. Either config and either function may be NULL. */
void config_vips_diff(const struct config *old_config, const struct config *new_config,
                      config_vip_fn removed, config_vip_fn added, void *arg);

#endif
