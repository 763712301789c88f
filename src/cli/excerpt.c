/* SPDX-License-Identifier: MIT */
#include "excerpt.h"

#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Bytes looked at on each side of the range: more than any terminal shows, and no more, since a
 * line can be the whole file. */
#define REACH 4096
#define TAB 8
#define REDACTED "<redacted>"

struct glyph {
    const char *text; /* borrowed */
    size_t bytes, cells;
    size_t start, end; /* offsets in the file */
};

struct glyphs {
    struct glyph *list;
    size_t n;
};

/* NEL, LS and PS break lines in YAML 1.1, too. */
static size_t break_bytes(const char *p, size_t left)
{
    if (*p == '\n' || *p == '\r')
        return 1;
    if (left >= 2 && memcmp(p, "\xc2\x85", 2) == 0)
        return 2;
    if (left >= 3 && (memcmp(p, "\xe2\x80\xa8", 3) == 0 || memcmp(p, "\xe2\x80\xa9", 3) == 0))
        return 3;
    return 0;
}

static size_t line_start(const struct validate_file *file, size_t offset)
{
    size_t floor = offset > REACH ? offset - REACH : 0;
    for (size_t i = offset; i > floor; i--)
        for (size_t n = 1; n <= 3 && n <= i; n++)
            if (break_bytes(file->text + i - n, n) == n)
                return i;
    /* Not in the middle of a character. */
    while (floor > 0 && floor < offset && ((unsigned char)file->text[floor] & 0xc0) == 0x80)
        floor++;
    return floor;
}

static size_t line_end(const struct validate_file *file, size_t offset)
{
    size_t ceiling = file->len - offset > REACH ? offset + REACH : file->len;
    for (size_t i = offset; i < ceiling; i++)
        if (break_bytes(file->text + i, file->len - i))
            return i;
    return ceiling;
}

static const struct validate_range *secret_at(const struct validate_file *file, size_t offset)
{
    size_t low = 0, high = file->n_secrets;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (file->secrets[mid].end <= offset)
            low = mid + 1;
        else
            high = mid;
    }
    return low < file->n_secrets && file->secrets[low].start <= offset ? &file->secrets[low] : NULL;
}

static struct glyph next_glyph(const struct validate_file *file, size_t at, size_t end, size_t cell)
{
    static const char spaces[TAB + 1] = "        ";
    struct glyph g = {.text = file->text + at, .bytes = 1, .cells = 1, .start = at, .end = at + 1};
    const struct validate_range *secret = secret_at(file, at);
    enum text_kind kind;
    if (secret) {
        g.text = REDACTED;
        g.bytes = g.cells = sizeof(REDACTED) - 1;
        g.end = secret->end < end ? secret->end : end;
    } else if (*g.text == '\t') {
        g.text = spaces;
        g.bytes = g.cells = TAB - cell % TAB;
    } else {
        size_t bytes = text_next(g.text, end - at, &kind);
        g.end = at + bytes;
        if (kind == TEXT_PLAIN) {
            g.bytes = bytes;
            g.cells = text_cells(text_code(g.text, bytes));
        } else {
            g.text = "?";
        }
    }
    return g;
}

static int read_glyphs(const struct validate_file *file, size_t start, size_t end,
                       struct glyphs *ret_glyphs)
{
    struct glyphs glyphs = {calloc(end - start + 1, sizeof(struct glyph)), 0};
    if (!glyphs.list)
        return -ENOMEM;
    size_t cell = 0;
    if (start == 0 && end >= 3 && memcmp(file->text, "\xef\xbb\xbf", 3) == 0)
        start = 3; /* a byte order mark has no place on a screen */
    for (size_t at = start; at < end; at = glyphs.list[glyphs.n++].end) {
        glyphs.list[glyphs.n] = next_glyph(file, at, end, cell);
        cell += glyphs.list[glyphs.n].cells;
    }
    *ret_glyphs = glyphs;
    return 0;
}

static size_t cells_between(const struct glyphs *g, size_t from, size_t to)
{
    size_t cells = 0;
    for (size_t i = from; i < to; i++)
        cells += g->list[i].cells;
    return cells;
}

/* The part of the line to show: the range, then as much as fits around it, first on the left. */
static void choose_window(const struct glyphs *g, size_t first, size_t last, size_t width,
                          size_t *ret_from, size_t *ret_to)
{
    size_t from = 0, to = g->n, room = width - 2; /* for an ellipsis on each side */
    if (cells_between(g, 0, g->n) > width) {
        from = to = first < g->n ? first : g->n;
        size_t used = 0;
        while (to < g->n && to < last && used + g->list[to].cells <= room * 2 / 3)
            used += g->list[to++].cells;
        while (from > 0 && used + g->list[from - 1].cells <= room * 3 / 4)
            used += g->list[--from].cells;
        while (to < g->n && used + g->list[to].cells <= room)
            used += g->list[to++].cells;
        while (from > 0 && used + g->list[from - 1].cells <= room)
            used += g->list[--from].cells;
    }
    *ret_from = from;
    *ret_to = to;
}

static void draw(const struct glyphs *g, size_t first, size_t last, bool is_cut_left,
                 bool is_cut_right, size_t width, const char *cut, struct excerpt *e)
{
    size_t from, to;
    choose_window(g, first, last, width, &from, &to);
    is_cut_left = is_cut_left || from > 0;
    buf_puts(&e->line, is_cut_left ? cut : "");
    for (size_t i = from; i < to; i++)
        buf_add(&e->line, g->list[i].text, g->list[i].bytes);
    if (is_cut_right || to < g->n)
        buf_puts(&e->line, cut);
    e->caret = cells_between(g, from, first < to ? first : to) + is_cut_left;
    if (first < to)
        e->caret_cells = cells_between(g, first, last < to ? last : to);
    if (e->caret_cells == 0)
        e->caret_cells = 1;
}

void excerpt_make(const struct validate_file *file, const struct finding_place *at, size_t width,
                  const char *cut, struct excerpt *ret_excerpt)
{
    struct glyphs glyphs = {NULL, 0};
    buf_init(&ret_excerpt->line, 0);
    ret_excerpt->caret = 0;
    ret_excerpt->caret_cells = 1;
    size_t offset = at->offset < file->len ? at->offset : file->len;
    size_t start = line_start(file, offset), end = line_end(file, offset), first = 0, last;
    if (read_glyphs(file, start, end, &glyphs) < 0) {
        ret_excerpt->line.error = -ENOMEM;
        return;
    }
    while (first < glyphs.n && glyphs.list[first].end <= offset)
        first++;
    for (last = first; last < glyphs.n && glyphs.list[last].start < at->end_offset;)
        last++;
    bool is_cut_left = start > 0 && offset - start >= REACH - 4 && start < offset;
    draw(&glyphs, first, last, is_cut_left, end < file->len && end - offset == REACH, width, cut,
         ret_excerpt);
    free(glyphs.list);
}

void excerpt_done(struct excerpt *excerpt)
{
    if (excerpt)
        buf_done(&excerpt->line);
}
