/* SPDX-License-Identifier: MIT */
/* Findings at nodes. */
#ifndef TALOSVIP_CONFIG_REPORT_H
#define TALOSVIP_CONFIG_REPORT_H

#include "yaml.h"

struct buf;

/* The place of a node; borrows its file's name and `yaml_path`. */
struct finding_place report_place(const struct yaml_node *node, const char *yaml_path);
/* A finding at a node; `path` leads to it. NULL when it was only counted. */
struct finding *report_add(struct findings *findings, const char *id, const struct yaml_node *node,
                           const struct yaml_step *path, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* Frees a text that was built for a message; lack of memory is noted in `findings`. */
void report_text_done(struct findings *findings, struct buf *text);

/* RFC 6901: "/machine/network/interfaces/0", "" for the root. */
void report_pointer(const struct yaml_step *path, struct buf *out);
/* For people: machine.network.interfaces[0], or `root` for the root. */
void report_words(const struct yaml_step *path, const char *root, struct buf *out);
/* "text" in quotes, on one line, cut after 64 bytes. */
void report_quote(const char *text, size_t len, struct buf *out);

#endif
