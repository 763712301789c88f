/* SPDX-License-Identifier: MIT */
/* Log lines with fields, on stderr, in four formats. Only agent/, ui/ and cli/ log. */
#ifndef TALOSVIP_BASE_LOG_H
#define TALOSVIP_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_AUTO, LOG_HUMAN, LOG_LOGFMT, LOG_JSON, LOG_JOURNAL };

/* 0 or -EINVAL. */
int log_level_parse(const char *text, enum log_level *ret_level);
int log_format_parse(const char *text, enum log_format *ret_format);

/* AUTO: human on a terminal, journal when stderr is the journal (JOURNAL_STREAM), else logfmt. */
void log_setup(enum log_format format, enum log_level level);
bool log_is_human(void);
/* What LOG_LOGFMT, LOG_JSON and LOG_JOURNAL lines carry as node=. Copied. */
void log_set_node(const char *node);

struct log_field {
    const char *name; /* NULL ends the list */
    const char *text; /* or NULL: `number` counts */
    int64_t number;
};

#define LOG_TEXT(name_, text_) ((struct log_field){.name = (name_), .text = (text_)})
#define LOG_NUMBER(name_, n_) ((struct log_field){.name = (name_), .number = (int64_t)(n_)})
#define LOG_FIELDS(...) ((const struct log_field[]){__VA_ARGS__, {.name = NULL}})

/* One line. `event` is a stable word for machines; `vip` may be NULL. Humans get `vip` and the
 * message (printf), machines the event, the fields and the message. */
void log_event(enum log_level level, const char *event, const char *vip,
               const struct log_field *fields, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

#endif
