/* SPDX-License-Identifier: MIT */
/* Building JSON out of texts from strangers. */
#ifndef TALOSVIP_CLI_JSON_TEXT_H
#define TALOSVIP_CLI_JSON_TEXT_H

#include <json-c/json.h>

#include "base/buf.h"

/* Valid UTF-8 in any case; NULL text gives NULL, which is left out below. */
struct json_object *json_text(const char *text);
/* Adds `value` unless it is NULL; owns it. */
void json_put(struct json_object *to, const char *key, struct json_object *value);
void json_put_text(struct json_object *to, const char *key, const char *text);
void json_put_number(struct json_object *to, const char *key, size_t value);
void json_put_bool(struct json_object *to, const char *key, int value);
/* Appends it with a newline, and frees it. NULL is lack of memory. */
void json_finish(struct json_object *root, struct buf *out);

#endif
