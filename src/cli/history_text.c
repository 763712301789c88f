/* SPDX-License-Identifier: MIT */
#include "history_text.h"

#include "grid.h"
#include "span.h"
#include "status_snapshot.h"

#include "base/clock.h"
#include "base/text.h"

#include <inttypes.h>
#include <string.h>

static bool passes(const struct snapshot_move *m, const struct history_filter *f)
{
    struct buf cause;
    bool is_wanted = true;
    if ((f->vip.family != IP_NONE && !ip_equal(&f->vip, &m->vip)) ||
        (f->node && strcmp(f->node, m->from) != 0 && strcmp(f->node, m->to) != 0) ||
        (f->since && m->wall_us < f->since) || (f->until && m->wall_us > f->until))
        return false;
    if (!f->cause)
        return true;
    buf_init(&cause, 0);
    status_cause(m, &cause);
    is_wanted = strcasestr(buf_str(&cause), f->cause) != NULL || strstr(m->cause, f->cause) != NULL;
    buf_done(&cause);
    return is_wanted;
}

void history_filter(struct snapshot *s, const struct history_filter *filter)
{
    unsigned n = 0;
    for (unsigned i = 0; i < s->n_history; i++)
        if ((filter->limit == 0 || n < filter->limit) && passes(&s->history[i], filter)) {
            if (n != i)
                s->history[n] = s->history[i];
            n++;
        }
    s->n_history = n;
}

static void add_seen(struct grid *g, const struct snapshot_move *m, struct buf *cell)
{
    if (m->n_observers > 0)
        buf_printf(cell, "%u/%u", m->n_seen, m->n_observers);
    grid_take(g, cell);
}

static void add_us(struct grid *g, int64_t us, struct buf *cell)
{
    if (us >= 0)
        span_seconds(cell, us);
    grid_take(g, cell);
}

static void add_row(struct grid *g, const struct snapshot_move *m, const struct style *style,
                    bool is_wide, struct buf *cell)
{
    char ip[IP_TEXT_MAX];
    ip_format(&m->vip, ip);
    span_time(cell, m->wall_us, style->is_local_time);
    grid_take(g, cell);
    grid_add(g, ip);
    grid_add(g, m->from[0] ? m->from : "(none)");
    if (snapshot_move_stays(m))
        grid_add(g, "(stays)");
    else
        grid_add(g, m->to[0] ? m->to : "(none)");
    status_cause(m, cell);
    grid_take(g, cell);
    status_outage(m, style, cell);
    grid_take(g, cell);
    add_seen(g, m, cell);
    if (!is_wide)
        return;
    buf_printf(cell, "%" PRId64, m->epoch);
    grid_take(g, cell);
    const int64_t phases[] = {m->detect_us, m->won_us, m->probed_us, m->set_us, m->announced_us};
    for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++)
        add_us(g, phases[i], cell);
    grid_add(g, m->note);
}

void history_table(const struct snapshot *s, const struct style *style, bool is_wide,
                   struct buf *out)
{
    static const char *const heads[] = {"WHEN",  "VIP",    "FROM", "TO",
                                        "CAUSE", "OUTAGE", "SEEN", NULL};
    static const char *const wide[] = {"WHEN",   "VIP",  "FROM",      "TO",     "CAUSE",
                                       "OUTAGE", "SEEN", "EPOCH",     "DETECT", "WON",
                                       "PROBED", "SET",  "ANNOUNCED", "NOTE",   NULL};
    struct grid grid;
    struct buf cell;
    grid_init(&grid, is_wide ? wide : heads);
    buf_init(&cell, 0);
    for (unsigned i = 0; i < s->n_history; i++)
        add_row(&grid, &s->history[i], style, is_wide, &cell);
    grid_write(&grid, !style->no_heads, out);
    grid_done(&grid);
    buf_done(&cell);
}

/* RFC 4180. */
static void add_quoted(struct buf *out, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        text_add_plain(out, text);
        return;
    }
    struct buf plain;
    buf_init(&plain, 0);
    text_add_plain(&plain, text);
    buf_putc(out, '"');
    for (const char *c = buf_str(&plain); *c; c++) {
        if (*c == '"')
            buf_putc(out, '"');
        buf_putc(out, *c);
    }
    buf_putc(out, '"');
    buf_done(&plain);
}

static void add_ms(struct buf *out, int64_t us)
{
    buf_putc(out, ',');
    if (us >= 0)
        buf_printf(out, "%" PRId64 ".%03" PRId64, us / 1000, us % 1000);
}

void history_csv(const struct snapshot *s, bool with_heads, struct buf *out)
{
    if (with_heads)
        buf_puts(out, "time,vip,from,to,cause,detail,planned,epoch,detect_ms,won_ms,probed_ms,"
                      "set_ms,announced_ms,outage_ms,error_ms,seen,observers,note\r\n");
    for (unsigned i = 0; i < s->n_history; i++) {
        const struct snapshot_move *m = &s->history[i];
        const char *const texts[] = {m->from, m->to, m->cause, m->detail};
        const int64_t times[] = {m->detect_us,    m->won_us,    m->probed_us, m->set_us,
                                 m->announced_us, m->outage_us, m->error_us};
        char time[CLOCK_TEXT_MAX], ip[IP_TEXT_MAX];
        clock_format_utc(m->wall_us, time);
        ip_format(&m->vip, ip);
        buf_printf(out, "%s,%s", time, ip);
        for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k++) {
            buf_putc(out, ',');
            add_quoted(out, texts[k]);
        }
        buf_printf(out, ",%s,%" PRId64, m->is_planned ? "true" : "false", m->epoch);
        for (size_t k = 0; k < sizeof(times) / sizeof(times[0]); k++)
            add_ms(out, times[k]);
        buf_printf(out, ",%u,%u,", m->n_seen, m->n_observers);
        add_quoted(out, m->note);
        buf_puts(out, "\r\n");
    }
}
