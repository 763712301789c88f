/* SPDX-License-Identifier: MIT */
#include "glyphs.h"

#include <string.h>

#include "base/text.h"

static const struct glyphs sets[] = {
    [GLYPHS_UTF8] = {.set = GLYPHS_UTF8,
                     .good = "●",
                     .idle = "○",
                     .warn = "▲",
                     .crit = "✗",
                     .unknown = "?",
                     .select = "►",
                     .fail = "✗",
                     .check = "✓ ",
                     .line = "─",
                     .side = "│",
                     .corner = {"┌", "┐", "└", "┘"},
                     .tee = {"┬", "┴", "├"},
                     .axis = "┤",
                     .arrow = "→",
                     .error = "±",
                     .ascending = "▲",
                     .descending = "▼",
                     .choose = "▾",
                     .dot = "·",
                     .more = "…",
                     .cut = "…",
                     .mark = "▲",
                     .held = "━",
                     .planned = "│",
                     .unplanned = "✗",
                     .now = "►",
                     .dash = "–",
                     .spark = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"}},
    /* What a console font of 256 characters (CP437) has. */
    [GLYPHS_CONSOLE] = {.set = GLYPHS_CONSOLE,
                        .good = "■",
                        .idle = "○",
                        .warn = "▲",
                        .crit = "‼",
                        .unknown = "?",
                        .select = "►",
                        .fail = "‼",
                        .check = "√ ",
                        .line = "─",
                        .side = "│",
                        .corner = {"┌", "┐", "└", "┘"},
                        .tee = {"┬", "┴", "├"},
                        .axis = "┤",
                        .arrow = "→",
                        .error = "±",
                        .ascending = "▲",
                        .descending = "▼",
                        .choose = "▼",
                        .dot = "·",
                        .more = "...",
                        .cut = "~",
                        .mark = "▲",
                        .held = "═",
                        .planned = "│",
                        .unplanned = "‼",
                        .now = "►",
                        .dash = "-",
                        .spark = {"░", "░", "▒", "▒", "▓", "▓", "█", "█"}},
    [GLYPHS_ASCII] = {.set = GLYPHS_ASCII,
                      .good = "*",
                      .idle = "-",
                      .warn = "!",
                      .crit = "X",
                      .unknown = "?",
                      .select = ">",
                      .fail = "X",
                      .check = "",
                      .line = "-",
                      .side = "|",
                      .corner = {"+", "+", "+", "+"},
                      .tee = {"+", "+", "+"},
                      .axis = "|",
                      .arrow = "->",
                      .error = "+-",
                      .ascending = "^",
                      .descending = "v",
                      .choose = "v",
                      .dot = ".",
                      .more = "...",
                      .cut = "~",
                      .mark = "^",
                      .held = "=",
                      .planned = "|",
                      .unplanned = "X",
                      .now = ">",
                      .dash = "-",
                      .spark = {".", ":", "-", "=", "+", "*", "#", "#"}},
};

const struct glyphs *glyphs_get(enum glyph_set set)
{
    return &sets[set];
}

static bool are_narrow(const char *text, int (*cells)(wchar_t))
{
    size_t len = strlen(text);
    while (len > 0) {
        enum text_kind kind;
        size_t n = text_next(text, len, &kind);
        if (cells((wchar_t)text_code(text, n)) != 1)
            return false;
        text += n;
        len -= n;
    }
    return true;
}

static bool is_set_narrow(const struct glyphs *g, int (*cells)(wchar_t))
{
    const char *const used[] = {
        g->good,      g->idle,      g->warn,      g->crit,      g->select,     g->fail,   g->check,
        g->line,      g->side,      g->corner[0], g->corner[1], g->corner[2],  g->tee[0], g->tee[1],
        g->tee[2],    g->corner[3], g->axis,      g->arrow,     g->error,      g->dot,    g->cut,
        g->ascending, g->choose,    g->held,      g->planned,   g->descending, g->dash,
    };
    for (size_t i = 0; i < sizeof(used) / sizeof(used[0]); i++)
        if (!are_narrow(used[i], cells))
            return false;
    for (size_t i = 0; i < GLYPHS_LEVELS; i++)
        if (!are_narrow(g->spark[i], cells))
            return false;
    return true;
}

enum glyph_set glyphs_choose(const char *codeset, const char *term, int (*cells)(wchar_t))
{
    if (!codeset || (strcmp(codeset, "UTF-8") != 0 && strcmp(codeset, "utf8") != 0))
        return GLYPHS_ASCII;
    bool is_console = term && strncmp(term, "linux", 5) == 0;
    if (!is_console && is_set_narrow(&sets[GLYPHS_UTF8], cells))
        return GLYPHS_UTF8;
    return is_set_narrow(&sets[GLYPHS_CONSOLE], cells) ? GLYPHS_CONSOLE : GLYPHS_ASCII;
}

static void bar_ascii(unsigned part, unsigned cells, char *out)
{
    unsigned inside = cells > 2 ? cells - 2 : 0, full = (part * inside + 500) / 1000;
    memset(out, '-', cells);
    memset(out + 1, '#', full);
    out[0] = '[';
    out[cells - 1] = ']';
    out[cells] = '\0';
}

void glyphs_bar(const struct glyphs *glyphs, unsigned part, unsigned cells, char *out)
{
    static const char *const eighths[] = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    if (part > 1000)
        part = 1000;
    if (glyphs->set == GLYPHS_ASCII && cells >= 2) {
        bar_ascii(part, cells, out);
        return;
    }
    unsigned full = (part * cells * 8 + 500) / 1000;
    *out = '\0';
    for (unsigned i = 0; i < cells; i++, full -= full < 8 ? full : 8) {
        const char *glyph = full >= 8 ? "█" : eighths[full];
        if (glyphs->set != GLYPHS_UTF8 && full < 8)
            glyph = full >= 4 ? "▌" : " ";
        out = stpcpy(out, glyph);
    }
}

unsigned glyphs_level(int64_t us)
{
    static const int64_t below_ms[] = {5, 10, 20, 50, 100, 250, 1000};
    unsigned level = 0;
    while (level < GLYPHS_LEVELS - 1 && us >= below_ms[level] * 1000)
        level++;
    return level;
}
