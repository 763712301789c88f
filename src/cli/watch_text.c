/* SPDX-License-Identifier: MIT */
#include "watch_text.h"

#include "base/clock.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

void watch_human(const struct event *event, const struct style *style, int width, struct buf *out)
{
    time_t seconds = (time_t)(event->wall_us / 1000000);
    char ip[IP_TEXT_MAX] = "-", clock[16], kind[16];
    struct tm tm;
    if (style->is_local_time)
        localtime_r(&seconds, &tm);
    else
        gmtime_r(&seconds, &tm);
    strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
    if (event->vip.family != IP_NONE)
        ip_format(&event->vip, ip);
    buf_printf(out, "%s.%03u  %-*s  ", clock, (unsigned)(event->wall_us / 1000 % 1000), width, ip);
    snprintf(kind, sizeof(kind), "%-7s", event_kind_name(event->kind));
    style_add(style,
              event->severity == SNAPSHOT_CRIT   ? STYLE_CRIT
              : event->severity == SNAPSHOT_WARN ? STYLE_WARN
                                                 : STYLE_GOOD,
              kind, out);
    buf_puts(out, "  ");
    text_add_plain(out, event->text);
    buf_putc(out, '\n');
}

/* Quoted where it is no plain word. */
static void add_field(struct buf *out, const char *name, const char *text)
{
    struct buf plain;
    if (!*text)
        return;
    buf_printf(out, " %s=", name);
    if (!strpbrk(text, " \"=\\")) {
        text_add_plain(out, text);
        return;
    }
    buf_init(&plain, 0);
    text_add_plain(&plain, text);
    buf_putc(out, '"');
    for (const char *c = buf_str(&plain); *c; c++) {
        if (*c == '"' || *c == '\\')
            buf_putc(out, '\\');
        buf_putc(out, *c);
    }
    buf_putc(out, '"');
    buf_done(&plain);
}

void watch_logfmt(const struct event *event, struct buf *out)
{
    char time[CLOCK_TEXT_MAX], ip[IP_TEXT_MAX] = "", kind[STYLE_WORD_MAX], outage[32] = "";
    style_lower(event_kind_name(event->kind), kind);
    clock_format_utc(event->wall_us, time);
    if (event->vip.family != IP_NONE)
        ip_format(&event->vip, ip);
    if (event->outage_us >= 0)
        snprintf(outage, sizeof(outage), "%" PRId64, event->outage_us / 1000);
    buf_printf(out, "ts=%s level=%s event=%s", time,
               event->severity == SNAPSHOT_CRIT   ? "error"
               : event->severity == SNAPSHOT_WARN ? "warn"
                                                  : "info",
               kind);
    add_field(out, "vip", ip);
    add_field(out, "node", event->node);
    add_field(out, "from", event->from);
    add_field(out, "to", event->to);
    add_field(out, "cause", event->cause);
    add_field(out, "outage_ms", outage);
    add_field(out, "id", event->id);
    add_field(out, "msg", event->text);
    buf_putc(out, '\n');
}
