/* SPDX-License-Identifier: MIT */
/* JSON as YAML, for people who read it. */
#ifndef TALOSVIP_CLI_YAML_PRINT_H
#define TALOSVIP_CLI_YAML_PRINT_H

#include "base/buf.h"

struct json_object;

/* Appends a whole document, block style; texts that YAML could take for something else are
 * quoted as JSON, which is YAML too. */
void yaml_print(struct json_object *value, struct buf *out);
/* The same from a text. 0, or -EBADMSG: it is no JSON. */
int yaml_print_json(const char *json, struct buf *out);

#endif
