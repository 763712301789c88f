/* SPDX-License-Identifier: MIT */
/* What lies over the panels: the help, the sort menu, a row's details, the resign dialog. */
#include "view.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ui/top.h"
#include "words.h"

const char *const top_keys[] = {
    "Up Down k j  Home End g G  move in the panel, to its ends",
    "PgUp PgDn Ctrl-B Ctrl-F    a page up, down",
    "Ctrl-U Ctrl-D              half a page up, down",
    "Tab Shift-Tab 1..6         next, previous panel, by number",
    "Enter                      details; Esc or q closes",
    "z                          one panel on the whole screen",
    "/ n N                      search, next, previous",
    "f                          filter: x  !x  node:cp-1; Esc empties",
    "s  S I                     sort menu, reverse",
    "< > Left Right h l         sort by the column before, after",
    "r                          resign the VIP (asks first)",
    "p Z                        pause; data is still collected",
    "+ -                        slower, faster refresh",
    "c                          copy the row (OSC 52)",
    "w                          write a snapshot file",
    "e                          events panel",
    "m C A                      mouse, colour, ASCII on or off",
    "? F1                       this help",
    "Ctrl-L Ctrl-Z Ctrl-C q     repaint, suspend, quit, back or quit",
    "replay: t T b r [ ]        step, back, time, rewind, speed",
    NULL,
};

/* Every symbol that can appear, with its word. */
static void legend(const struct view *v, struct buf *out)
{
    const struct glyphs *g = v->g;
    buf_printf(out, "%s HELD, OK    one owner, as it should be\n", g->good);
    buf_printf(out, "%s FREE        no owner and no key\n", g->idle);
    buf_printf(out, "%s MOVING WARN between owners, or look at it\n", g->warn);
    buf_printf(out, "%s DUP         two stations answer\n", g->crit);
    buf_printf(out, "%s SILENT CRIT held, and nobody answers\n", g->crit);
    buf_printf(out, "%s STALE       only the last known; (names)\n", g->unknown);
    buf_printf(out, "%s             the selected row\n", g->select);
    char bar[VIEW_BAR_MAX];
    glyphs_bar(g, 600, 6, bar);
    buf_printf(out, "%s        lease left; %s%s%s nobody knows\n", bar, g->dot, g->dot, g->dot);
    for (unsigned i = 0; i < GLYPHS_LEVELS; i++)
        buf_puts(out, i == 0 || strcmp(g->spark[i], g->spark[i - 1]) != 0 ? g->spark[i] : "");
    buf_printf(out, " renewal: <5 <10 <20 <50 ms\n         <100 <250 ms <1 s and more; %s failed\n",
               g->fail);
    buf_printf(out, "%s %s           sorted up, down\n", g->ascending, g->descending);
    buf_printf(out, "%s %s %s %s       owned, planned move, unplanned, now\n", g->held, g->planned,
               g->unplanned, g->now);
    buf_printf(out, "%s             etcd leader change, in the graph\n", g->mark);
    buf_printf(out, "%sok  %sWRONG    MAC of the holder, another\n", g->check, g->crit);
    buf_puts(out, "next N         place in the queue\n");
    buf_puts(out, "talos          a node without agent\n");
    buf_puts(out, "CLOCK          offset; leases do not use it\n");
}

static void help_text(const struct view *v, unsigned width, struct buf *out)
{
    struct buf right;
    buf_init(&right, 0);
    legend(v, &right);
    const char *line = buf_str(&right);
    bool has_two = width >= 116;
    for (unsigned i = 0; top_keys[i]; i++) {
        size_t len = strcspn(line, "\n");
        if (has_two)
            buf_printf(out, "%-66s%.*s\n", top_keys[i], (int)len, line);
        else
            buf_printf(out, "%s\n", top_keys[i]);
        if (has_two)
            line += len + (line[len] == '\n');
    }
    buf_printf(out, "%s%s", has_two ? "" : "\n", line);
    buf_done(&right);
}

static unsigned count_lines(const char *text, unsigned *ret_widest)
{
    unsigned n = 0;
    *ret_widest = 0;
    while (*text) {
        char line[1024];
        size_t len = strcspn(text, "\n");
        snprintf(line, sizeof(line), "%.*s", (int)len, text);
        if (text_width(line) > *ret_widest)
            *ret_widest = (unsigned)text_width(line);
        n++;
        text += len + (text[len] == '\n');
    }
    return n;
}

/* Bytes of a line that fit, up to the end of a word in their second half where there is one. */
static size_t fit_line(const char *text, size_t len, unsigned width)
{
    size_t at = 0, word = 0;
    unsigned cells = 0;
    while (at < len) {
        enum text_kind kind;
        size_t n = text_next(text + at, len - at, &kind);
        if (at > 0 && text[at] == ' ' && text[at - 1] != ' ')
            word = at;
        cells += kind == TEXT_PLAIN ? text_cells(text_code(text + at, n)) : 1;
        if (cells > width && at > 0)
            return word * 2 > at ? word : at;
        at += n;
    }
    return at;
}

/* Lines that are too long go on in the next one: scrolling reaches everything. */
static void wrap_lines(const char *text, unsigned width, struct buf *out)
{
    while (*text) {
        size_t len = strcspn(text, "\n"), n = fit_line(text, len, width);
        buf_add(out, text, n);
        buf_putc(out, '\n');
        text += n;
        len -= n;
        size_t blanks = len > 0 ? strspn(text, " ") : 0;
        text += blanks;
        if (*text == '\n' && len == blanks)
            text++;
    }
}

/* As much of the text as fits into a frame, from the line that was scrolled to. */
static void draw_lines(struct view *v, const char *title, const char *text, unsigned widest)
{
    unsigned lines = count_lines(text, &(unsigned){0});
    if (widest < text_width(title) + 4)
        widest = (unsigned)text_width(title) + 4;
    struct rect in = view_frame(v, widest + 4, lines + 2, title);
    unsigned top = v->m->overlay_top;
    if (top + in.height > lines)
        top = lines > in.height ? lines - in.height : 0;
    for (unsigned i = 0; i < top + in.height && *text; i++) {
        char line[1024];
        size_t len = strcspn(text, "\n");
        snprintf(line, sizeof(line), "%.*s", (int)len, text);
        if (i >= top)
            canvas_cut(v->canvas, in.row + i - top, in.col, in.col + in.width, STYLE_PLAIN, line,
                       v->g->cut);
        text += len + (text[len] == '\n');
    }
    if (lines > in.height && in.height + 2 <= v->m->height)
        canvas_printf(v->canvas, in.row + in.height, in.col + 1, in.col + in.width, STYLE_DIM,
                      in.width > 30 ? " %u-%u of %u; j k scroll " : " %u-%u/%u j k ", top + 1,
                      top + in.height, lines);
}

static void draw_text(struct view *v, const char *title, const char *text)
{
    unsigned width = v->m->width, widest;
    struct buf lines;
    buf_init(&lines, 0);
    count_lines(text, &widest);
    bool has_frame = width >= 10 && v->m->height >= 5;
    wrap_lines(text, has_frame ? width - 4 : width, &lines);
    draw_lines(v, title, buf_str(&lines), widest);
    buf_done(&lines);
}

static void draw_sort(struct view *v)
{
    const char *const *names = rows_sorts(v->m->focus);
    unsigned n = 0;
    while (names[n])
        n++;
    struct rect in = view_frame(v, 24, n + 2, "Sort by");
    for (unsigned i = 0; i < n && i < in.height; i++) {
        bool is_chosen = i == v->m->overlay_at;
        canvas_printf(v->canvas, in.row + i, in.col, in.col + in.width, STYLE_PLAIN, "%s %s",
                      is_chosen ? v->g->select : " ", names[i]);
        if (is_chosen)
            canvas_mark(v->canvas, in.row + i, in.col, in.col + in.width, STYLE_SELECTED);
    }
}

void view_overlay(struct view *v)
{
    static const char *const titles[PANEL_COUNT] = {
        [PANEL_VIPS] = "VIP",     [PANEL_NODES] = "Node",   [PANEL_MOVES] = "Failover",
        [PANEL_ALERTS] = "Alert", [PANEL_EVENTS] = "Event", [PANEL_MEMBERS] = "etcd member"};
    struct buf text;
    if (v->m->overlay == OVERLAY_SORT) {
        draw_sort(v);
        return;
    }
    buf_init(&text, 0);
    if (v->m->overlay == OVERLAY_HELP) {
        help_text(v, v->m->width, &text);
        draw_text(v, "Help", buf_str(&text));
    } else {
        view_details_text(v, &text);
        draw_text(v, titles[v->m->overlay_panel], buf_str(&text));
    }
    buf_done(&text);
}

static unsigned draw_field(struct view *v, unsigned row, unsigned col, unsigned end,
                           enum dialog_field field, const char *label, const char *text,
                           unsigned cells)
{
    bool is_here = v->m->dialog.field == field;
    char underline[128];
    memset(underline, '_', sizeof(underline));
    size_t width = text_width(text);
    size_t rest = cells > width && cells - width < sizeof(underline) ? cells - width : 0;
    underline[rest] = '\0';
    col = canvas_text(v->canvas, row, col, end, STYLE_PLAIN, label);
    unsigned from = col;
    col = canvas_printf(v->canvas, row, col, end, STYLE_PLAIN, "[%s%s]", text, underline);
    if (is_here)
        canvas_mark(v->canvas, row, from, col, STYLE_SELECTED);
    return col;
}

void view_dialog(struct view *v)
{
    const struct dialog *d = &v->m->dialog;
    char ip[IP_TEXT_MAX], title[96], to[SNAPSHOT_NAME_MAX + 8], prompt[96];
    struct buf text;
    if (!model_dialog_fits(v->m)) {
        canvas_fill(v->canvas, 0, 0, v->m->width, STYLE_PLAIN, " ");
        canvas_text(v->canvas, 0, 0, v->m->width, STYLE_WARN, MODEL_DIALOG_TOO_SMALL);
        return;
    }
    buf_init(&text, 0);
    model_dialog_text(v->m, &text);
    unsigned width = v->m->width < 68 ? v->m->width : 68, inside = width > 4 ? width - 4 : 1;
    unsigned lines = view_wrap(v, 0, 0, 0, inside, STYLE_PLAIN, buf_str(&text));
    if (lines + 5 > v->m->height) /* what is asked goes before what it means */
        lines = v->m->height > 5 ? v->m->height - 5 : 0;
    ip_format(&d->vip, ip);
    snprintf(title, sizeof(title), "Resign %s?", ip);
    struct rect in = view_frame(v, width, lines + 4, title);
    unsigned end = in.col + in.width;
    view_wrap(v, in.row, lines, in.col, in.width, STYLE_PLAIN, buf_str(&text));
    buf_done(&text);
    const char *name = model_dialog_to(v->m);
    snprintf(to, sizeof(to), "%s %s", name ? name : "?", v->g->choose);
    unsigned row = in.row + lines;
    unsigned col = draw_field(v, row, in.col, end, DIALOG_TO, "To: ", to, 0);
    draw_field(v, row++, col + 3, end, DIALOG_REASON, "Reason: ", d->reason, 33);
    if (d->needs_typing) {
        snprintf(prompt, sizeof(prompt), "Type %s to go on: ", ip);
        draw_field(v, row, in.col, end, DIALOG_TYPED, prompt, d->typed, 20);
        return;
    }
    col = in.col + (in.width > 26 ? in.width - 25 : 0);
    col = draw_field(v, row, col, end, DIALOG_NO, "", " No ", 0);
    draw_field(v, row, col + 3, end, DIALOG_YES, "", " Yes, resign ", 0);
}
