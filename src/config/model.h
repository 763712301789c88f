/* SPDX-License-Identifier: MIT */
/* What one file says about links, addresses and VIPs, whatever form it says it in: the checks
 * read this and not the YAML. Every fact knows where it stands. */
#ifndef TALOSVIP_CONFIG_MODEL_H
#define TALOSVIP_CONFIG_MODEL_H

#include "config/validate.h"
#include "load.h"

/* Where something stands; node NULL: nowhere. */
struct spot {
    const struct yaml_node *node;
    const char *path; /* JSON pointer */
};

struct fact {
    struct spot at;
    const char *text; /* as written */
    const char *what; /* "the gateway of eth0", for messages */
    struct ip_prefix prefix;
    bool has_bits; /* a prefix length was written */
    struct fact *next;
};

struct facts {
    struct fact *first, **tail;
    size_t n;
};

struct model_link {
    const char *name;                       /* NULL: only the selector says */
    const char *words;                      /* for messages: the name, or the selector */
    const struct config_selector *selector; /* of a deviceSelector or an alias; or NULL */
    struct spot at, selector_at;
    struct spot ignore_at; /* `ignore: true` */
    struct spot dhcp4_at, dhcp6_at;
    struct facts addresses;
    struct model_link *parent; /* of a VLAN, or NULL */
    uint64_t vlan_id;          /* 0: no VLAN */
    struct model_link *master; /* bond or bridge it is a member of */
    struct spot member_at;
    bool is_configured; /* not only named as a member */
    bool is_alias, is_dummy, is_legacy;
    struct model_link *next;
};

enum model_form { MODEL_LEGACY, MODEL_LEGACY_VLAN, MODEL_LAYER2, MODEL_HCLOUD, MODEL_AGENT };

struct model_vip {
    struct ip ip;
    char text[IP_TEXT_MAX];
    struct spot at, link_at;
    enum model_form form;
    bool is_cloud;           /* moved by a provider's API */
    bool is_outside;         /* TV203 */
    const char *link_name;   /* or NULL */
    struct model_link *link; /* or NULL: not in this file */
    struct model_vip *next;
};

enum path_kind { PATH_COMMAND, PATH_PLAIN, PATH_CERTIFICATE, PATH_BUNDLE };

/* A command of AgentConfig, or a file it names. */
struct model_path {
    struct spot at;
    const char *path;
    enum path_kind kind;
    struct model_path *next;
};

struct model {
    struct load load; /* its findings are this file's */
    struct findings findings;
    const struct validate_options *options;
    const char *name; /* of the file, as in findings */
    size_t index;     /* among the files */
    bool is_found;    /* in a directory: see validate_options */
    const char *text;
    size_t len;
    struct yaml_document *documents;
    const struct yaml_node *scalars; /* the first of the file */
    bool has_talos, has_agent, has_client, has_talosconfig, has_machine_config, is_broken;
    size_t n_links, n_vips;
    struct model_link *links, **links_tail;
    struct model_vip *vips, **vips_tail;
    struct facts gateways, nameservers, timeservers, pod_subnets, service_subnets;
    bool has_cluster; /* cluster.controlPlane: what is not set has its default */
    struct spot endpoint_at;
    const char *endpoint, *endpoint_host; /* without port; or NULL */
    uint64_t endpoint_port, api_port;     /* 0: not given */
    struct spot type_at;
    const char *type; /* "" when not given */
    bool has_version;
    bool is_whole; /* has what joins a cluster, too: no patch */
    struct spot root_at, install_at;
    bool has_disk, has_unattended;  /* of the installation */
    const char *hostname, *cluster; /* or NULL; the cluster's ID or name */
    struct spot hostname_at;
    struct facts endpoints; /* of talosconfig */
    struct model_path *paths;
    struct spot ttl_at, window_at, etcd_at;
};

/* Reads a whole file's text into an empty model that has findings, options, name, text and len.
 * 0 or -ENOMEM. */
int model_read(struct model *model);
/* Takes a model that is all zero. */
void model_done(struct model *model);

bool model_is_worker(const struct model *model);
bool model_is_control_plane(const struct model *model);
/* Does not say that it is a machine config: others are merged into it, or it into others. */
bool model_is_patch(const struct model *model);
/* Has a machine type. */
bool model_is_node(const struct model *model);
/* Files that do not say to which cluster they belong are of any. */
bool model_is_one_cluster(const struct model *a, const struct model *b);
const struct model_vip *model_vip_find(const struct model *model, const struct ip *ip);
const char *vip_link_words(const struct model_vip *vip);
/* By name or altname. */
bool host_link_is_named(const struct validate_link *link, const char *name);

/* Parts of model_read(). */
void model_machine_config(struct model *model, const struct yaml_node *root);
/* A Talos document that says something about links, VIPs or the cluster; others are ignored. */
void model_document(struct model *model, const char *kind, const struct yaml_node *root);
void model_agent(struct model *model);
void model_talosconfig(struct model *model, const struct yaml_node *root);
/* Once all documents are read: VIPs find their links. */
void model_finish(struct model *model);

/* For the parts. */
struct spot model_spot(struct model *model, const struct yaml_node *node,
                       const struct yaml_step *path);
/* Found by name, or made; the name is borrowed. NULL without memory or when there are too many. */
struct model_link *model_link_get(struct model *model, const char *name);
struct model_link *model_link_find(const struct model *model, const char *name);
struct model_link *model_link_new(struct model *model);
void model_member(struct model *model, struct model_link *master, const struct yaml_node *node,
                  const struct yaml_step *path);
/* An address, "10.0.0.1" or "10.0.0.1/24". What cannot be parsed is TV103 when `is_checked`. */
struct fact *model_fact(struct model *model, struct facts *facts, const struct yaml_node *node,
                        const struct yaml_step *path, const char *what, bool is_checked);
/* The same for each of a list, and, when `key` is given, that key of each. */
void model_fact_list(struct model *model, struct facts *facts, const struct yaml_node *map,
                     const struct yaml_step *path, const char *list, const char *key,
                     const char *what, bool is_checked);
/* A VIP, when the address is one; else NULL and a finding. */
struct model_vip *model_vip(struct model *model, const struct yaml_node *node,
                            const struct yaml_step *path, enum model_form form);
void model_endpoint(struct model *model, const struct yaml_node *node,
                    const struct yaml_step *path);

/* Findings at spots. */
struct finding *spot_report(struct model *model, const char *id, const struct spot *at,
                            const char *fmt, ...) __attribute__((format(printf, 4, 5)));
struct finding_place spot_place(const struct spot *at);
void spot_relate(struct model *model, struct finding *finding, const struct spot *at,
                 const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* The same for what several files say together. */
#define across_report(...) across_mark(spot_report(__VA_ARGS__))
struct finding *across_mark(struct finding *finding);

/* The checks of one file. */
void check_subnet(struct model *model, struct model_vip *vip);
void check_vips(struct model *model);
void check_links(struct model *model);
void check_cluster(struct model *model);
void check_machine(struct model *model);
void check_type(struct model *model);
void check_agent(struct model *model);
void check_environment(struct model *model);
/* Those of all files together; findings go to the model they are about. */
void check_across(struct model *models, size_t n);
/* What answered to --probe, and which file's node that is. */
void check_probe(struct model *models, size_t n);
/* 0 or -ENOMEM. */
int check_taken(struct model *models, size_t n);

/* What the agent says that is started with these files. 0 or -ENOMEM. */
int refusals_find(const struct model *models, size_t n, struct findings *ret_refused);
/* Adds what it refuses of this file, where that is no error yet: no comment helps against it. */
void refusals_apply(struct model *model, const struct findings *refused);
/* Where nothing of a file may be shown: the ranges in order and apart, in the model's memory
 * (`arena`). 0 or -ENOMEM. */
int secrets_find(const struct model *model, struct arena *arena,
                 const struct validate_range **ret_ranges, size_t *ret_n);
/* Marks what comments and --allow take out, and makes errors of warnings when strict. */
void suppress_apply(struct model *model);

#endif
