/* SPDX-License-Identifier: MIT */
/* The bytes of a file: checked before libyaml sees them, and the way from its character index
 * back to bytes. */
#ifndef TALOSVIP_CONFIG_YAML_SOURCE_H
#define TALOSVIP_CONFIG_YAML_SOURCE_H

#include "yaml.h"

struct yaml_source {
    const char *name;
    const char *bytes; /* without a byte order mark */
    size_t len;
    size_t bom;       /* bytes that were skipped in front */
    uint32_t *blocks; /* byte of each 256th character; NULL when all is ASCII */
    size_t n_blocks;
};

/* 0; -EINVAL with one finding at the first byte that cannot be; -ENOMEM. */
int yaml_source_init(struct yaml_source *source, const char *name, const char *bytes, size_t len,
                     struct arena *arena, struct findings *findings);
/* Byte offset in the file of the n-th character (from 0) behind the mark. */
size_t yaml_source_offset(const struct yaml_source *source, size_t character);
/* The line around a byte (not counting the byte order mark), without its line break. */
const char *yaml_source_line(const struct yaml_source *source, size_t byte, size_t *ret_len);

#endif
