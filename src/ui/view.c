/* SPDX-License-Identifier: MIT */
#include "view.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "words.h"

void view_title(struct view *v, const struct rect *rect, enum panel panel, const char *left,
                const char *right)
{
    unsigned style = v->m->focus == panel ? STYLE_TITLE : STYLE_DIM;
    unsigned end = rect->col + rect->width, at = rect->col + 2;
    canvas_fill(v->canvas, rect->row, rect->col, end, STYLE_DIM, v->g->line);
    at = canvas_printf(v->canvas, rect->row, at - 1, end, style, " %s ", left);
    size_t width = text_width(right) + 2;
    if (*right && at + width + 1 < end) {
        char text[256];
        snprintf(text, sizeof(text), " %s ", right);
        canvas_right(v->canvas, rect->row, at, end - 1, style, text);
    }
}

void view_heads(struct view *v, const struct rect *rect, unsigned row, const struct column *columns,
                unsigned n)
{
    if (row >= rect->row + rect->height)
        return;
    for (unsigned i = 0; i < n; i++)
        view_cell(v, row, &columns[i], STYLE_HEAD, columns[i].title);
}

void view_cell(struct view *v, unsigned row, const struct column *column, unsigned style,
               const char *text)
{
    if (column->is_shown)
        canvas_cut(v->canvas, row, column->col, column->end, style == STYLE_PLAIN ? v->tone : style,
                   text, v->g->cut);
}

/* Every place in a row where the searched text stands. */
static void mark_matches(struct view *v, const struct rect *rect, unsigned row, const char *search)
{
    const struct cell *cells = canvas_row(v->canvas, row);
    size_t len = strlen(search);
    for (unsigned col = rect->col; len > 0 && col + len <= rect->col + rect->width; col++) {
        size_t i = 0;
        while (i < len && cells[col + i].code < 128 &&
               tolower((int)cells[col + i].code) == tolower((unsigned char)search[i]))
            i++;
        if (i == len)
            canvas_mark(v->canvas, row, col, col + (unsigned)len, STYLE_MATCH);
    }
}

void view_rows(struct view *v, enum panel panel, unsigned head, view_row_fn draw)
{
    const struct rect *r = &v->m->layout.panels[panel];
    const struct panel_state *p = &v->m->panels[panel];
    unsigned lines = r->height > head ? r->height - head : 0;
    unsigned fit = p->n - p->top <= lines ? p->n - p->top : lines > 1 ? lines - 1 : lines;
    bool has_cursor = panel == v->m->focus;
    for (unsigned i = 0; i < fit; i++) {
        unsigned row = r->row + head + i, at = p->top + i;
        draw(v, p->rows[at], row);
        mark_matches(v, r, row, p->search);
        if (at != p->at || (!has_cursor && panel != PANEL_VIPS))
            continue;
        canvas_text(v->canvas, row, r->col, r->col + 1, STYLE_PLAIN, v->g->select);
        if (has_cursor)
            canvas_mark(v->canvas, row, r->col, r->col + r->width, STYLE_SELECTED);
    }
    if (fit < lines && p->top + fit < p->n)
        canvas_printf(v->canvas, r->row + head + fit, r->col + 2, r->col + r->width, STYLE_DIM,
                      "%s %u more", v->g->more, p->n - p->top - fit);
    else if (p->n == 0 && lines > 0 && p->filter[0] && rows_count(v->m, panel) > 0)
        canvas_printf(v->canvas, r->row + head, r->col + 2, r->col + r->width, STYLE_DIM,
                      "nothing matches the filter \"%s\"; Esc empties it", p->filter);
}

void view_title_right(const struct view *v, enum panel panel, const char *rest, char *out,
                      size_t size)
{
    const struct panel_state *p = &v->m->panels[panel];
    bool says_all = panel == PANEL_NODES && *rest == '\0';
    struct buf text;
    buf_init(&text, size - 1);
    if (p->search[0])
        buf_printf(&text, "/%s %u/%u   ", p->search, p->found_at, p->found);
    if (says_all || p->sort > 0 || p->is_reversed)
        buf_printf(&text, "sort %s %s   ", rows_sorts(panel)[p->sort],
                   p->is_reversed ? v->g->descending : v->g->ascending);
    if (says_all || p->filter[0])
        buf_printf(&text, "filter %s   ", p->filter[0] ? p->filter : "none");
    buf_puts(&text, rest);
    snprintf(out, size, "%s", buf_str(&text));
    buf_done(&text);
    for (size_t len = strlen(out); len > 0 && out[len - 1] == ' '; len--)
        out[len - 1] = '\0';
}

void view_age(const struct view *v, char *out, size_t size)
{
    char word[WORD_MAX];
    int64_t ttl;
    *out = '\0';
    if (model_is_expired(v->m) && model_expired(v->m, &ttl) == v->m->shown.n_vips) {
        words_age(v->m->shown.age_us, word);
        snprintf(out, size, "last known %s ago", word);
    } else if (model_is_stale(v->m)) {
        words_time(v->m->shown.wall_us - (uint64_t)v->m->shown.age_us, word);
        snprintf(out, size, "as of %sZ", word);
    }
}

unsigned view_wrap(struct view *v, unsigned row, unsigned rows, unsigned col, unsigned width,
                   unsigned style, const char *text)
{
    unsigned lines = 0;
    while (*text && width > 0) {
        size_t len = 0, good = 0;
        char line[512];
        for (size_t cells = 0; text[len] && len + 5 < sizeof(line);) {
            enum text_kind kind;
            size_t n = text_next(text + len, strlen(text + len), &kind);
            cells += kind == TEXT_PLAIN ? text_cells(text_code(text + len, n)) : 1;
            if (cells > width)
                break;
            len += n;
            if (text[len] == ' ' || text[len] == '\0')
                good = len;
        }
        if (good == 0 && len == 0)
            break;
        size_t take = good > 0 ? good : len;
        snprintf(line, sizeof(line), "%.*s", (int)take, text);
        if (lines < rows)
            canvas_text(v->canvas, row + lines, col, col + width, style, line);
        lines++;
        text += take;
        while (*text == ' ')
            text++;
    }
    return lines;
}

struct rect view_frame(struct view *v, unsigned width, unsigned height, const char *title)
{
    struct canvas *g = v->canvas;
    if (width > g->width)
        width = g->width;
    unsigned most = g->height - (v->m->layout.has_keys && g->height > 5);
    if (height > most)
        height = most;
    unsigned row = (g->height - height) / 2, col = (g->width - width) / 2, end = col + width;
    for (unsigned i = row; i < row + height; i++)
        canvas_fill(g, i, col, end, STYLE_PLAIN, " ");
    if (width < 10 || height < 5)
        return (struct rect){row, col, height, width};
    for (unsigned i = 0; i < 2; i++) {
        unsigned line = i == 0 ? row : row + height - 1;
        canvas_fill(g, line, col, end, STYLE_PLAIN, v->g->line);
        canvas_text(g, line, col, end, STYLE_PLAIN, v->g->corner[i * 2]);
        canvas_text(g, line, end - 1, end, STYLE_PLAIN, v->g->corner[i * 2 + 1]);
    }
    for (unsigned i = row + 1; i < row + height - 1; i++) {
        canvas_text(g, i, col, end, STYLE_PLAIN, v->g->side);
        canvas_text(g, i, end - 1, end, STYLE_PLAIN, v->g->side);
    }
    canvas_printf(g, row, col + 2, end - 2, STYLE_TITLE, " %s ", title);
    return (struct rect){row + 1, col + 2, height - 2, width - 4};
}

static void draw_keys(struct view *v)
{
    static const char wide[] =
        "? Help   / Search   n Next   f Filter   s Sort   S Reverse   Tab Panel   z Zoom   "
        "Enter Details   r Resign   c Copy   p Pause   m Mouse   + - Interval   q Quit";
    static const char normal[] =
        "? Help  / Search  f Filter  s Sort  Enter Details  r Resign  p Pause  q Quit";
    static const char replay[] =
        "? Help  t T Step  b Time  r Rewind  [ ] Speed  p Pause  Enter Details  q Quit";
    static const char small[] = "? Help  q Quit";
    const struct model *m = v->m;
    const char *text = m->replay.is_on ? replay : m->layout.kind == LAYOUT_WIDE ? wide : normal;
    if (m->layout.kind == LAYOUT_COMPACT || text_width(text) > m->width)
        text = small;
    canvas_text(v->canvas, m->height - 1, 0, m->width, STYLE_DIM, text);
}

/* What is being typed, or has just happened, lies over the keys. */
static void draw_bottom(struct view *v)
{
    const struct model *m = v->m;
    static const char *const prompts[] = {[INPUT_SEARCH] = "search: ",
                                          [INPUT_FILTER] = "filter (x, !x, key:value): ",
                                          [INPUT_TIME] = "go to time: "};
    unsigned row = m->height - 1;
    if (m->layout.has_keys && !m->is_batch)
        draw_keys(v);
    if (m->is_batch || (m->input == INPUT_NONE && m->message[0] == '\0'))
        return;
    canvas_fill(v->canvas, row, 0, m->width, STYLE_PLAIN, " ");
    if (m->input == INPUT_NONE) {
        canvas_cut(v->canvas, row, 0, m->width, STYLE_TITLE, m->message, v->g->cut);
        return;
    }
    unsigned col = canvas_text(v->canvas, row, 0, m->width, STYLE_TITLE, prompts[m->input]);
    col = canvas_text(v->canvas, row, col, m->width, STYLE_PLAIN, m->typed);
    canvas_text(v->canvas, row, col, m->width, STYLE_SELECTED, " ");
}

static void draw_panels(struct view *v)
{
    static void (*const panels[PANEL_COUNT])(struct view *) = {
        [PANEL_VIPS] = view_vips,     [PANEL_NODES] = view_nodes,   [PANEL_MOVES] = view_moves,
        [PANEL_ALERTS] = view_alerts, [PANEL_EVENTS] = view_events, [PANEL_MEMBERS] = view_members};
    const struct layout *l = &v->m->layout;
    view_header(v);
    for (unsigned i = 0; i < PANEL_COUNT; i++) {
        v->tone = model_is_stale(v->m) && i != PANEL_ALERTS && i != PANEL_EVENTS ? STYLE_DIM
                                                                                 : STYLE_PLAIN;
        if (l->panels[i].height > 0)
            panels[i](v);
    }
    v->tone = STYLE_PLAIN;
    if (l->cleared.height > 0)
        view_cleared(v);
    if (l->summary.height > 0)
        view_summary(v);
    if (l->graph.height > 0)
        view_graph(v);
    if (l->timeline.height > 0)
        view_timeline(v);
}

int view_draw(const struct model *model, struct canvas *canvas)
{
    struct view v = {.canvas = canvas,
                     .g = glyphs_get(model->is_ascii ? GLYPHS_ASCII : model->glyph_set),
                     .m = model};
    int r = canvas_resize(canvas, model->width, model->height);
    if (r < 0)
        return r;
    canvas->is_ascii = v.g->set == GLYPHS_ASCII;
    if (model->layout.kind == LAYOUT_LINE)
        view_line(&v);
    else if (model->layout.kind == LAYOUT_COMPACT)
        view_compact(&v);
    else
        draw_panels(&v);
    if (model->overlay == OVERLAY_RESIGN)
        view_dialog(&v);
    else if (model->overlay != OVERLAY_NONE)
        view_overlay(&v);
    if (model->layout.kind != LAYOUT_LINE || model->input != INPUT_NONE || model->message[0])
        draw_bottom(&v);
    return 0;
}
