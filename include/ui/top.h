/* SPDX-License-Identifier: MIT */
/* The dashboard. The caller says where the truth comes from; it shows it until its user has seen
 * enough. */
#ifndef TALOSVIP_UI_TOP_H
#define TALOSVIP_UI_TOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/ip.h"
#include "cluster/cluster.h"
#include "cluster/snapshot.h"
#include "ui/recording.h"

enum top_glyphs { TOP_GLYPHS_AUTO, TOP_GLYPHS_ASCII, TOP_GLYPHS_UTF8 };

struct top_options {
    const struct ip *vips; /* show only these; none: all */
    size_t n_vips;
    const char *const *nodes; /* the same */
    size_t n_nodes;
    uint64_t interval_us;
    enum top_glyphs glyphs;
    bool has_color, has_mouse, is_read_only, is_redacted;
    unsigned width, height;  /* of a text sample; height 0: as many lines as it takes */
    unsigned preset;         /* index into top_presets */
    const char *state_path;  /* what the user chose last; NULL: not kept */
    const char *record_path; /* or NULL */
    const char *by;          /* who asks for a move: "alice@laptop" */
    /* Called about once a second, to tell the cluster what this host itself sees; or NULL. */
    void (*on_second)(void *arg, const struct snapshot *s, struct cluster *cluster);
    void *on_second_arg;
    /* Of a replay: */
    size_t replay_at; /* the first sample to show */
    unsigned speed;   /* in thousandths */
};

/* "overview", then panels that fill the screen. NULL-terminated. */
extern const char *const top_presets[];

/* What each key does, a line each; NULL-terminated. */
extern const char *const top_keys[];

/* Leaves in the snapshot what the options ask for, and hides names and addresses if they say so.
 * 0 or -ENOMEM. */
int top_prepare(const struct top_options *options, struct snapshot *s);
/* One screen as text without escapes, its empty end cut off. 0 or -ENOMEM. Takes over the
 * snapshot's memory. */
int top_write(const struct top_options *options, struct snapshot *s, struct buf *out);

/* How it ended: quit, or by which signal. */
enum top_end { TOP_QUIT, TOP_HANGUP, TOP_INTERRUPTED, TOP_TERMINATED };

/* Shows a cluster, or a recording. `config` is without loop and callbacks. 0 with *ret_end; -ENOTTY
 * without a terminal; -ENODEV: its type is not known; -EINVAL with *ret_bad, an endpoint; else
 * -errno. */
int top_live(const struct top_options *options, const struct cluster_config *config,
             enum top_end *ret_end, const char **ret_bad);
int top_replay(const struct top_options *options, struct recording *recording,
               enum top_end *ret_end);

#endif
