/* SPDX-License-Identifier: MIT */
/* What libyaml complains about, in words that say what to change. */
#ifndef TALOSVIP_CONFIG_YAML_ERROR_H
#define TALOSVIP_CONFIG_YAML_ERROR_H

struct yaml_parse;
struct yaml_parser_s;

/* One TV001 for the parser's error. -EINVAL, or -ENOMEM when that was the error. */
int yaml_error_report(struct yaml_parse *parse, const struct yaml_parser_s *parser);

#endif
