/* SPDX-License-Identifier: MIT */
/* A line is built on the stack and handed over in one write(2): it needs no memory, lines of the
 * agent and its guardian do not mix (4 KiB is PIPE_BUF), and a reader that stopped reading costs
 * lines, never time. */
#include "base/log.h"

#include "base/clock.h"
#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_MAX_BYTES 4096
#define LINE_TAIL 16 /* kept free for what closes a line: ellipsis, quote, brace, newline */
#define VALUE_MAX 1024
#define MESSAGE_MAX 3072
#define NODE_MAX 64

static const char *const level_names[] = {"error", "warn", "info", "debug"};
static const char *const level_labels[] = {"ERROR", "WARN ", "INFO ", "DEBUG"};
static const char level_priorities[] = "3467"; /* syslog(3) */
static const char *const format_names[] = {"auto", "human", "logfmt", "json", "journal"};

static struct {
    enum log_format format;
    enum log_level level;
    char node[NODE_MAX];
    uint64_t lost; /* lines that nobody could take */
} setup = {.format = LOG_HUMAN, .level = LOG_INFO};

struct line {
    char data[LINE_MAX_BYTES];
    size_t len;
    bool is_cut;
    bool has_pair;
};

static int find_name(const char *const *names, size_t n, const char *text)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], text) == 0)
            return (int)i;
    return -EINVAL;
}

int log_level_parse(const char *text, enum log_level *ret_level)
{
    int i = find_name(level_names, sizeof(level_names) / sizeof(level_names[0]), text);
    if (i < 0)
        return i;
    *ret_level = (enum log_level)i;
    return 0;
}

int log_format_parse(const char *text, enum log_format *ret_format)
{
    int i = find_name(format_names, sizeof(format_names) / sizeof(format_names[0]), text);
    if (i < 0)
        return i;
    *ret_format = (enum log_format)i;
    return 0;
}

/* systemd names the journal's socket as "device:inode"; a shell may have redirected stderr. */
static bool is_journal(void)
{
    const char *text = getenv("JOURNAL_STREAM");
    uint64_t device, inode;
    struct stat st;
    return text && sscanf(text, "%" SCNu64 ":%" SCNu64, &device, &inode) == 2 &&
           fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

void log_setup(enum log_format format, enum log_level level)
{
    if (format == LOG_AUTO)
        format = isatty(STDERR_FILENO) ? LOG_HUMAN : is_journal() ? LOG_JOURNAL : LOG_LOGFMT;
    setup.format = format;
    setup.level = level;
}

bool log_is_human(void)
{
    return setup.format == LOG_HUMAN;
}

void log_set_node(const char *node)
{
    snprintf(setup.node, sizeof(setup.node), "%s", node ? node : "");
}

/* All of `data`, or nothing and no more characters in this line. */
static void put(struct line *line, const char *data, size_t n)
{
    if (line->is_cut || line->len + n > sizeof(line->data) - LINE_TAIL) {
        line->is_cut = true;
        return;
    }
    memcpy(line->data + line->len, data, n);
    line->len += n;
}

static void put_text(struct line *line, const char *text)
{
    put(line, text, strlen(text));
}

/* For what must not be missing; LINE_TAIL has the room. */
static void put_end(struct line *line, const char *text)
{
    size_t n = strlen(text);
    memcpy(line->data + line->len, text, n);
    line->len += n;
}

/* One character that cannot stand for itself. */
static void put_escape(struct line *line, const char *s, size_t n, enum text_kind kind)
{
    char out[32];
    size_t len = 0;
    const char *named = *s == '\n' ? "\\n" : *s == '\t' ? "\\t" : *s == '\r' ? "\\r" : NULL;
    if (named) {
        put_text(line, named);
        return;
    }
    if (setup.format != LOG_JSON) {
        for (size_t i = 0; i < n; i++)
            len += (size_t)snprintf(out + len, sizeof(out) - len, "\\x%02x", (unsigned char)s[i]);
        put(line, out, len);
    } else if (kind == TEXT_INVALID) {
        put_text(line, "\\ufffd");
    } else if (n == 1) {
        len = (size_t)snprintf(out, sizeof(out), "\\u%04x", (unsigned char)*s);
        put(line, out, len);
    } else {
        put(line, s, n); /* legal in JSON as it is */
    }
}

/* At most `max` bytes of `text`; quotes and backslashes escaped where the text is quoted. */
static void put_escaped(struct line *line, const char *text, size_t max, bool is_quoted)
{
    size_t len = strlen(text), left = len > max ? max : len;
    while (left > 0 && !line->is_cut) {
        enum text_kind kind;
        size_t n = text_next(text, len, &kind);
        if (n > left)
            break;
        if (kind != TEXT_PLAIN)
            put_escape(line, text, n, kind);
        else if (is_quoted && (*text == '"' || *text == '\\'))
            put(line, *text == '"' ? "\\\"" : "\\\\", 2);
        else
            put(line, text, n);
        text += n;
        len -= n;
        left -= n;
    }
    if (len > 0)
        put_end(line, "\xe2\x80\xa6");
}

static void put_quoted(struct line *line, const char *text, size_t max)
{
    put(line, "\"", 1);
    if (line->is_cut)
        return;
    put_escaped(line, text, max, true);
    put_end(line, "\"");
}

/* Go's logfmt readers take a bare word when nothing in it needs a thought. */
static bool is_bare(const char *text)
{
    for (const char *s = text; *s; s++)
        if (*s <= ' ' || *s > '~' || *s == '"' || *s == '=' || *s == '\\')
            return false;
    return *text;
}

/* One `name=value`, whole or not at all, as the format has it. `text` NULL: the number. */
static void put_pair(struct line *line, const char *name, const char *text, int64_t number,
                     size_t max)
{
    char digits[24];
    bool is_json = setup.format == LOG_JSON;
    size_t least = strlen(name) + sizeof(digits) + LINE_TAIL;
    if (line->is_cut || line->len + least > sizeof(line->data) - LINE_TAIL) {
        line->is_cut = true;
        return;
    }
    if (line->has_pair)
        put_text(line, is_json ? "," : " ");
    line->has_pair = true;
    put_text(line, is_json ? "\"" : "");
    put_text(line, name);
    put_text(line, is_json ? "\":" : "=");
    if (!text) {
        snprintf(digits, sizeof(digits), "%" PRId64, number);
        put_text(line, digits);
    } else if (!is_json && is_bare(text) && strlen(text) < max) {
        size_t before = line->len;
        put_text(line, text);
        if (line->is_cut) { /* too long for what is left: as much as fits, in quotes */
            line->is_cut = false;
            line->len = before;
            put_quoted(line, text, max);
        }
    } else {
        put_quoted(line, text, max);
    }
}

static void put_machine(struct line *line, enum log_level level, const char *event, const char *vip,
                        const struct log_field *fields, const char *message)
{
    char stamp[CLOCK_TEXT_MAX];
    clock_format_utc(clock_wall_us(), stamp);
    if (setup.format == LOG_JSON)
        put(line, "{", 1);
    if (setup.format == LOG_JOURNAL) {
        put(line, (char[]){'<', level_priorities[level], '>'}, 3);
    } else {
        put_pair(line, "ts", stamp, 0, sizeof(stamp));
    }
    put_pair(line, "level", level_names[level], 0, VALUE_MAX);
    put_pair(line, "event", event, 0, VALUE_MAX);
    if (vip)
        put_pair(line, "vip", vip, 0, VALUE_MAX);
    if (setup.node[0])
        put_pair(line, "node", setup.node, 0, VALUE_MAX);
    for (; fields && fields->name; fields++)
        put_pair(line, fields->name, fields->text, fields->number, VALUE_MAX);
    if (*message)
        put_pair(line, "msg", message, 0, MESSAGE_MAX);
    if (setup.format == LOG_JSON)
        put_end(line, "}");
}

static void put_human(struct line *line, enum log_level level, const char *vip, const char *message)
{
    char stamp[CLOCK_TEXT_MAX];
    clock_format_utc(clock_wall_us(), stamp);
    put(line, stamp + 11, 12); /* hh:mm:ss.mmm of an RFC 3339 text */
    put_text(line, " ");
    put_text(line, level_labels[level]);
    put_text(line, " ");
    if (vip) {
        put_escaped(line, vip, VALUE_MAX, false);
        put_text(line, " ");
    }
    put_escaped(line, message, MESSAGE_MAX, false);
}

/* A pipe or a terminal whose reader stopped is asked first: stderr may be shared with a shell,
 * so it is not ours to make non-blocking. */
static bool send_line(const struct line *line)
{
    struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};
    ssize_t n;
    if (poll(&p, 1, 0) != 1 || !(p.revents & POLLOUT))
        return false;
    do
        n = write(STDERR_FILENO, line->data, line->len);
    while (n < 0 && errno == EINTR);
    return n > 0;
}

static void emit(enum log_level level, const char *event, const char *vip,
                 const struct log_field *fields, const char *message)
{
    struct line line = {.len = 0};
    if (setup.format == LOG_HUMAN)
        put_human(&line, level, vip, message);
    else
        put_machine(&line, level, event, vip, fields, message);
    put_end(&line, "\n");
    if (!send_line(&line))
        setup.lost++;
}

static void emit_lost(void)
{
    char message[64];
    uint64_t lost = setup.lost;
    snprintf(message, sizeof(message), "%" PRIu64 " log lines were lost", lost);
    setup.lost = 0;
    emit(LOG_WARN, "log_lost", NULL, LOG_FIELDS(LOG_NUMBER("lines", lost)), message);
    if (setup.lost > 0)
        setup.lost = lost;
}

void log_event(enum log_level level, const char *event, const char *vip,
               const struct log_field *fields, const char *fmt, ...)
{
    char message[MESSAGE_MAX + 8];
    int saved_errno = errno;
    va_list ap;
    if (level > setup.level)
        return;
    va_start(ap, fmt);
    if (vsnprintf(message, sizeof(message), fmt, ap) < 0)
        message[0] = '\0';
    va_end(ap);
    if (setup.lost > 0)
        emit_lost();
    emit(level, event, vip, fields, message);
    errno = saved_errno;
}
