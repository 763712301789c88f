/* SPDX-License-Identifier: MIT */
#include "view.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "words.h"

enum {
    COL_NODE,
    COL_ROLE,
    COL_ADDRESS,
    COL_IFACE,
    COL_LINK,
    COL_SET,
    COL_RENEWED,
    COL_LATENCY,
    COL_P99,
    COL_SPARK,
    COL_IS_AT,
    COL_VERDICT,
    COL_VIA,
    COL_CLOCK,
    COL_AGENT,
    COLUMNS,
};

/* From 100 cells on come, in this order, CLOCK and p99. */
static const struct column standard[COLUMNS] = {
    [COL_NODE] = {.title = "NODE", .width = 7},
    [COL_ROLE] = {.title = "ROLE", .width = 8},
    [COL_ADDRESS] = {.title = "", .from = 1000},
    [COL_IFACE] = {.title = "IFACE", .width = 6, .drop = 5},
    [COL_LINK] = {.title = "LINK", .width = 5, .drop = 9},
    [COL_SET] = {.title = "", .from = 1000},
    [COL_RENEWED] = {.title = "RENEWED", .width = 7, .drop = 8},
    [COL_LATENCY] = {.title = "LAT", .width = 5, .drop = 6},
    [COL_P99] = {.title = "p99", .width = 5, .drop = 1, .from = 100},
    [COL_SPARK] = {.title = "LAT 60s", .width = 12, .drop = 4},
    [COL_IS_AT] = {.title = "", .width = 15},
    [COL_VERDICT] = {.title = "", .from = 1000},
    [COL_VIA] = {.title = "", .from = 1000},
    [COL_CLOCK] = {.title = "CLOCK", .width = 7, .drop = 2, .from = 100},
    [COL_AGENT] = {.title = "VER", .width = 5, .drop = 3},
};
static const struct column wide[COLUMNS] = {
    [COL_NODE] = {.title = "NODE", .width = 7},
    [COL_ROLE] = {.title = "ROLE", .width = 8},
    [COL_ADDRESS] = {.title = "ADDRESS", .width = 15, .drop = 3},
    [COL_IFACE] = {.title = "IFACE", .width = 6, .drop = 6},
    [COL_LINK] = {.title = "LINK", .width = 11},
    [COL_SET] = {.title = "VIP SET", .width = 8},
    [COL_RENEWED] = {.title = "RENEWED", .width = 8},
    [COL_LATENCY] = {.title = "LAT", .width = 5, .drop = 7},
    [COL_P99] = {.title = "p99", .width = 5, .drop = 4},
    [COL_SPARK] = {.title = "RENEWAL LATENCY 60s", .width = 21, .drop = 5},
    [COL_IS_AT] = {.title = "", .width = 18},
    [COL_VERDICT] = {.title = "VERDICT", .width = 9},
    [COL_VIA] = {.title = "VIA", .width = 6, .drop = 2},
    [COL_CLOCK] = {.title = "CLOCK", .width = 7},
    [COL_AGENT] = {.title = "AGENT", .width = 5, .drop = 1},
};

static void fit(struct view *v, struct column *c, const struct rect *r)
{
    memcpy(c, r->width >= 150 ? wide : standard, sizeof(standard));
    for (unsigned i = 0; i < v->m->shown.n_nodes; i++) {
        const struct snapshot_node *node = &v->m->shown.nodes[i];
        table_want(&c[COL_NODE], (unsigned)text_width(node->name), 24);
        table_want(&c[COL_ADDRESS], (unsigned)strlen(node->address), 18);
    }
    const struct snapshot_vip *vip = model_current_vip(v->m);
    char ip[IP_TEXT_MAX] = "";
    if (vip)
        ip_format(&vip->ip, ip);
    table_want(&c[COL_IS_AT], (unsigned)strlen(ip) + 6, 18);
    table_fit(c, COLUMNS, r->col + 2, r->col + r->width);
}

void view_sparkline(struct view *v, unsigned row, unsigned col, unsigned end,
                    const struct snapshot_node *node, unsigned cells)
{
    for (unsigned i = 0; i < cells; i++) {
        int32_t us = node->latencies_us[i * SNAPSHOT_LATENCIES / cells];
        if (us == -1)
            continue;
        unsigned level = glyphs_level(us);
        canvas_text(v->canvas, row, col + i, end,
                    us < 0       ? STYLE_CRIT
                    : level >= 6 ? STYLE_WARN
                                 : v->tone,
                    us < 0 ? v->g->fail : v->g->spark[level]);
    }
}

static enum style role_text(const struct view *v, const struct snapshot_node *node, char *out,
                            size_t size)
{
    static const char *const words[] = {
        [SNAPSHOT_ROLE_HOLDER] = "HOLDER",   [SNAPSHOT_ROLE_NEXT] = "next",
        [SNAPSHOT_ROLE_STANDBY] = "standby", [SNAPSHOT_ROLE_PAUSED] = "paused",
        [SNAPSHOT_ROLE_LOST] = "LOST",       [SNAPSHOT_ROLE_OBSERVER] = "observer",
        [SNAPSHOT_ROLE_TALOS] = "talos"};
    if (node->role == SNAPSHOT_ROLE_NEXT)
        snprintf(out, size, "next %u", node->position);
    else
        snprintf(out, size, "%s", words[node->role]);
    if (model_is_node_expired(v->m, node)) {
        if (node->role == SNAPSHOT_ROLE_NEXT)
            snprintf(out, size, "(next %u)", node->position);
        else
            snprintf(out, size, "(%s)", snapshot_role_name(node->role));
        return STYLE_UNKNOWN;
    }
    return node->role == SNAPSHOT_ROLE_HOLDER   ? STYLE_GOOD
           : node->role == SNAPSHOT_ROLE_LOST   ? STYLE_CRIT
           : node->role == SNAPSHOT_ROLE_PAUSED ? STYLE_WARN
                                                : STYLE_PLAIN;
}

/* What a node said of itself too long ago is not true any more. */
static bool is_silent(const struct view *v, const struct snapshot_node *node)
{
    return node->role == SNAPSHOT_ROLE_LOST || model_is_node_expired(v->m, node);
}

static enum style link_text(const struct view *v, const struct snapshot_node *node, bool is_long,
                            char *out, size_t size)
{
    char word[WORD_MAX];
    if (!node->is_link_known || is_silent(v, node)) {
        snprintf(out, size, node->has_agent ? "?" : "-");
        return STYLE_UNKNOWN;
    }
    if (node->is_link_up) {
        words_speed(node->speed_mbit, word);
        snprintf(out, size, is_long && *word ? "up %s" : "up", word);
        return STYLE_PLAIN;
    }
    words_age(node->link_us, word);
    snprintf(out, size, is_long && node->link_us >= 0 ? "down %s" : "down", word);
    return STYLE_CRIT;
}

/* In the standard layout the verdict stands behind the tail of the address. */
static enum style is_at_text(const struct view *v, const struct snapshot_node *node,
                             const struct snapshot_view *view, bool is_long, char *out)
{
    char tail[WORD_MAX], age[WORD_MAX];
    bool is_wrong = view && view->verdict == SNAPSHOT_VIEW_WRONG;
    snprintf(out, WORD_MAX, is_long ? "" : "-");
    if (!view && !is_silent(v, node))
        return STYLE_PLAIN;
    if (is_silent(v, node)) {
        words_age(view && view->age_us >= 0 ? view->age_us : node->age_us, age);
        bool is_old = node->role == SNAPSHOT_ROLE_LOST && !model_is_node_expired(v->m, node);
        snprintf(out, WORD_MAX, is_old && (view || node->age_us >= 0) ? "? (%s old)" : "?", age);
        return STYLE_UNKNOWN;
    }
    if (is_long && view->mac[0]) {
        snprintf(out, WORD_MAX, "%s", view->mac);
        return is_wrong ? STYLE_CRIT : STYLE_PLAIN;
    }
    if (view->verdict == SNAPSHOT_VIEW_SELF) {
        snprintf(out, WORD_MAX, "self");
        return STYLE_PLAIN;
    }
    if (view->verdict == SNAPSHOT_VIEW_NONE || !view->mac[0]) {
        snprintf(out, WORD_MAX, view->verdict == SNAPSHOT_VIEW_NONE ? "none" : "-");
        return view->verdict == SNAPSHOT_VIEW_NONE ? STYLE_WARN : STYLE_PLAIN;
    }
    words_mac_tail(view->mac, is_wrong ? 2 : 3, tail);
    snprintf(out, WORD_MAX, "%.24s%s", tail,
             view->verdict == SNAPSHOT_VIEW_MATCH ? " ok"
             : is_wrong                           ? " WRONG"
                                                  : "");
    return is_wrong ? STYLE_CRIT : STYLE_PLAIN;
}

static void verdict_text(const struct view *v, const struct snapshot_view *view, char *out)
{
    static const char *const words[] = {[SNAPSHOT_VIEW_UNKNOWN] = "?",
                                        [SNAPSHOT_VIEW_SELF] = "self",
                                        [SNAPSHOT_VIEW_MATCH] = "match",
                                        [SNAPSHOT_VIEW_WRONG] = "WRONG",
                                        [SNAPSHOT_VIEW_NONE] = "none"};
    snprintf(out, WORD_MAX, "%s%s",
             view->verdict == SNAPSHOT_VIEW_MATCH   ? v->g->check
             : view->verdict == SNAPSHOT_VIEW_WRONG ? v->g->crit
                                                    : "",
             view->verdict == SNAPSHOT_VIEW_WRONG ? " WRONG" : words[view->verdict]);
}

/* An address on a node that is not its holder is the worst there can be. */
static enum style set_text(const struct snapshot_node *node, const struct snapshot_vip *vip,
                           const struct snapshot_view *view, char *out)
{
    snprintf(out, WORD_MAX, !view ? "-" : view->has_address ? "yes" : "no");
    return view && view->has_address && vip && vip->state != SNAPSHOT_VIP_MOVING &&
                   strcmp(vip->holder, node->name) != 0
               ? STYLE_CRIT
               : STYLE_PLAIN;
}

static void draw_wide_cells(struct view *v, const struct snapshot_node *node,
                            const struct snapshot_view *view, unsigned row, const struct column *c)
{
    char text[WORD_MAX];
    view_cell(v, row, &c[COL_ADDRESS], STYLE_PLAIN, node->address[0] ? node->address : "-");
    enum style style = set_text(node, model_current_vip(v->m), view, text);
    view_cell(v, row, &c[COL_SET], is_silent(v, node) ? STYLE_UNKNOWN : style,
              is_silent(v, node) ? "?" : text);
    if (!view || is_silent(v, node))
        return;
    verdict_text(v, view, text);
    view_cell(v, row, &c[COL_VERDICT],
              view->verdict == SNAPSHOT_VIEW_WRONG   ? STYLE_CRIT
              : view->verdict == SNAPSHOT_VIEW_MATCH ? STYLE_GOOD
                                                     : STYLE_PLAIN,
              text);
    view_cell(v, row, &c[COL_VIA], STYLE_PLAIN,
              view->via == SNAPSHOT_VIA_NONE ? "-" : snapshot_via_name(view->via));
}

static void draw_row(struct view *v, unsigned index, unsigned row)
{
    const struct snapshot_node *node = &v->m->shown.nodes[index];
    const struct snapshot_vip *vip = model_current_vip(v->m);
    const struct snapshot_view *view = vip ? snapshot_find_view(node, &vip->ip) : NULL;
    const struct rect *r = &v->m->layout.panels[PANEL_NODES];
    bool is_wide = r->width >= 150;
    struct column c[COLUMNS];
    char text[SNAPSHOT_NAME_MAX];
    fit(v, c, r);
    view_cell(v, row, &c[COL_NODE], STYLE_PLAIN, node->name);
    enum style style = role_text(v, node, text, sizeof(text));
    view_cell(v, row, &c[COL_ROLE], style, text);
    view_cell(v, row, &c[COL_IFACE], STYLE_PLAIN, node->iface[0] ? node->iface : "-");
    style = link_text(v, node, is_wide, text, sizeof(text));
    view_cell(v, row, &c[COL_LINK], style, text);
    words_renewed(node->renewed_us, text);
    if (is_wide && node->renewed_us >= 0)
        strcat(text, " ago");
    view_cell(v, row, &c[COL_RENEWED], STYLE_PLAIN, text);
    words_latency(is_silent(v, node) ? -1 : node->latency_us, text);
    view_cell(v, row, &c[COL_LATENCY], STYLE_PLAIN, text);
    words_latency(node->p99_us, text);
    view_cell(v, row, &c[COL_P99], STYLE_PLAIN, text);
    if (c[COL_SPARK].is_shown)
        view_sparkline(v, row, c[COL_SPARK].col, c[COL_SPARK].end, node, is_wide ? 20 : 12);
    style = is_at_text(v, node, view, is_wide, text);
    view_cell(v, row, &c[COL_IS_AT], style, text);
    words_offset(node->clock_offset_us, text);
    view_cell(v, row, &c[COL_CLOCK], STYLE_PLAIN, node->is_clock_known ? text : "-");
    view_cell(v, row, &c[COL_AGENT], STYLE_PLAIN, node->agent[0] ? node->agent : "-");
    if (is_wide)
        draw_wide_cells(v, node, view, row, c);
}

void view_nodes(struct view *v)
{
    const struct rect *r = &v->m->layout.panels[PANEL_NODES];
    const struct snapshot_vip *vip = model_current_vip(v->m);
    struct column c[COLUMNS];
    char left[32], right[256], rest[128], ip[WORD_MAX], is_at[WORD_MAX + 8];
    view_age(v, rest, sizeof(rest));
    view_title_right(v, PANEL_NODES, rest, right, sizeof(right));
    unsigned n = 0;
    for (unsigned i = 0; i < v->m->shown.n_nodes; i++)
        n += v->m->shown.nodes[i].role != SNAPSHOT_ROLE_OBSERVER;
    snprintf(left, sizeof(left), "Nodes %u", n);
    view_title(v, r, PANEL_NODES, left, right);
    fit(v, c, r);
    if (vip)
        words_ip(&vip->ip, c[COL_IS_AT].end - c[COL_IS_AT].col - 6, v->g->more, ip);
    snprintf(is_at, sizeof(is_at), "%.40s%sIS AT", vip ? ip : "", vip ? " " : "");
    c[COL_IS_AT].title = is_at;
    view_heads(v, r, r->row + 1, c, COLUMNS);
    view_rows(v, PANEL_NODES, 2, draw_row);
}
