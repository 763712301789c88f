/* SPDX-License-Identifier: MIT */
/* etcd's members, and the summary beside them. */
#include "view.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "words.h"

enum {
    COL_MEMBER,
    COL_ID,
    COL_ROLE,
    COL_HEALTH,
    COL_RTT,
    COL_VERSION,
    COL_DB,
    COL_IN_USE,
    COL_TERM,
    COL_INDEX,
    COL_ALARM,
    COLUMNS,
};

static const struct column table[COLUMNS] = {
    [COL_MEMBER] = {.title = "MEMBER", .width = 9},
    [COL_ID] = {.title = "ID", .width = 17, .drop = 2},
    [COL_ROLE] = {.title = "ROLE", .width = 8},
    [COL_HEALTH] = {.title = "HEALTH", .width = 8},
    [COL_RTT] = {.title = "RTT", .width = 6},
    [COL_VERSION] = {.title = "VERSION", .width = 8, .drop = 4},
    [COL_DB] = {.title = "DB", .width = 7, .drop = 6},
    [COL_IN_USE] = {.title = "IN USE", .width = 7, .drop = 3},
    [COL_TERM] = {.title = "TERM", .width = 5, .drop = 5},
    [COL_INDEX] = {.title = "RAFT INDEX", .width = 10, .drop = 1},
    [COL_ALARM] = {.title = "ALARM", .width = 5},
};

static void fit(struct view *v, struct column *c, const struct rect *r)
{
    memcpy(c, table, sizeof(table));
    for (unsigned i = 0; i < v->m->shown.etcd.n_members; i++) {
        const struct snapshot_member *m = &v->m->shown.etcd.members[i];
        table_want(&c[COL_MEMBER], (unsigned)text_width(m->name[0] ? m->name : m->endpoint), 28);
        if (!m->is_healthy)
            table_want(&c[COL_HEALTH], (unsigned)text_width(snapshot_member_health(m)) + 2, 24);
    }
    table_fit(c, COLUMNS, r->col, r->col + r->width);
}

static void draw_row(struct view *v, unsigned index, unsigned row)
{
    const struct snapshot_member *m = &v->m->shown.etcd.members[index];
    struct column c[COLUMNS];
    char text[SNAPSHOT_TEXT_MAX + 8];
    fit(v, c, &v->m->layout.panels[PANEL_MEMBERS]);
    view_cell(v, row, &c[COL_MEMBER], STYLE_PLAIN, m->name[0] ? m->name : m->endpoint);
    snprintf(text, sizeof(text), m->id ? "%" PRIx64 : "-", m->id);
    view_cell(v, row, &c[COL_ID], STYLE_PLAIN, text);
    view_cell(v, row, &c[COL_ROLE], STYLE_PLAIN,
              m->is_leader    ? "LEADER"
              : m->is_learner ? "learner"
              : m->is_healthy ? "follower"
                              : "?");
    snprintf(text, sizeof(text), "%s %s",
             m->is_healthy ? v->g->good
             : m->is_asked ? v->g->crit
                           : v->g->unknown,
             snapshot_member_health(m));
    view_cell(v, row, &c[COL_HEALTH],
              m->is_healthy ? STYLE_GOOD
              : m->is_asked ? STYLE_WARN
                            : STYLE_UNKNOWN,
              text);
    words_latency(m->rtt_us, text);
    view_cell(v, row, &c[COL_RTT], STYLE_PLAIN, text);
    view_cell(v, row, &c[COL_VERSION], STYLE_PLAIN, m->version[0] ? m->version : "-");
    words_bytes(m->db_bytes, text);
    view_cell(v, row, &c[COL_DB], STYLE_PLAIN, text);
    words_bytes(m->in_use_bytes, text);
    view_cell(v, row, &c[COL_IN_USE], STYLE_PLAIN, text);
    snprintf(text, sizeof(text), m->raft_term >= 0 ? "%lld" : "-", (long long)m->raft_term);
    view_cell(v, row, &c[COL_TERM], STYLE_PLAIN, text);
    words_number(m->raft_index, text);
    view_cell(v, row, &c[COL_INDEX], STYLE_PLAIN, text);
    view_cell(v, row, &c[COL_ALARM], m->alarm[0] ? STYLE_CRIT : STYLE_PLAIN,
              m->alarm[0] ? m->alarm : "-");
}

void view_members(struct view *v)
{
    const struct rect *r = &v->m->layout.panels[PANEL_MEMBERS];
    const struct snapshot_etcd *e = &v->m->shown.etcd;
    struct column c[COLUMNS];
    char left[128], right[256];
    snprintf(left, sizeof(left), "etcd  cluster %.8" PRIx64 "  %s %u/%u  quorum %u",
             e->cluster_id > UINT32_MAX ? e->cluster_id >> 32 : e->cluster_id,
             view_etcd_word(&v->m->shown), e->n_healthy, e->n_members, e->quorum);
    view_title_right(v, PANEL_MEMBERS, "", right, sizeof(right));
    view_title(v, r, PANEL_MEMBERS, left, right);
    fit(v, c, r);
    view_heads(v, r, r->row + 1, c, COLUMNS);
    view_rows(v, PANEL_MEMBERS, 2, draw_row);
}

/* Of the VIP that fared worst; -1 when nothing was measured, or an outage goes on. */
static double held_percent(const struct snapshot *s)
{
    const uint64_t week = UINT64_C(7) * 86400 * 1000000;
    double least = -1;
    for (unsigned i = 0; i < s->n_history; i++)
        if (s->history[i].is_outage_open)
            return -1;
    for (unsigned i = 0; i < s->n_vips; i++) {
        double held =
            snapshot_held(s, &s->vips[i].ip, s->wall_us > week ? s->wall_us - week : 0, s->wall_us);
        if (held >= 0 && (least < 0 || held < least))
            least = held;
    }
    return least < 0 ? -1 : 100 * least;
}

static void week_text(const struct view *v, char *out, size_t size)
{
    struct view_moves_total total;
    char worst[WORD_MAX], held[32] = "";
    double percent = held_percent(&v->m->shown);
    if (percent >= 0)
        snprintf(held, sizeof(held), "  held %.3f %%", percent);
    view_moves_total(&v->m->shown, 7, &total);
    words_renewed(total.worst_us, worst);
    if (total.week == 0)
        snprintf(out, size, "nothing on record");
    else
        snprintf(out, size, "%u move%s%s%.16s%s", total.week, total.week == 1 ? "" : "s",
                 total.worst_us >= 0 ? "  worst " : "", total.worst_us >= 0 ? worst : "", held);
}

void view_summary(struct view *v)
{
    const struct rect *r = &v->m->layout.summary;
    const struct snapshot *s = &v->m->shown;
    unsigned held = 0, free = 0, dup = 0, end = r->col + r->width;
    char text[400], move[2 * SNAPSHOT_NAME_MAX + 8], ip[IP_TEXT_MAX], age[WORD_MAX], gap[WORD_MAX];
    for (unsigned i = 0; i < s->n_vips; i++) {
        held += s->vips[i].state == SNAPSHOT_VIP_HELD;
        free += s->vips[i].state == SNAPSHOT_VIP_FREE;
        dup += s->vips[i].state == SNAPSHOT_VIP_DUP;
    }
    view_title(v, r, PANEL_COUNT, "Summary", "");
    canvas_printf(v->canvas, r->row + 1, r->col, end, STYLE_PLAIN,
                  "VIPs      %u held   %u free   %u duplicate", held, free, dup);
    int spare = snapshot_members_spare(&s->etcd);
    if (s->etcd.state == SNAPSHOT_ETCD_CONNECTING)
        canvas_text(v->canvas, r->row + 2, r->col, end, STYLE_UNKNOWN, "Tolerance -");
    else if (spare < 0)
        canvas_text(v->canvas, r->row + 2, r->col, end, STYLE_UNKNOWN, "Tolerance not known");
    else if (spare > 0)
        canvas_printf(v->canvas, r->row + 2, r->col, end, STYLE_PLAIN,
                      "Tolerance %d more etcd member%s may fail", spare, spare == 1 ? "" : "s");
    else if (snapshot_members_too_few(&s->etcd))
        canvas_text(v->canvas, r->row + 2, r->col, end, STYLE_CRIT,
                    "Tolerance none: too few etcd members answer");
    else
        canvas_text(v->canvas, r->row + 2, r->col, end, STYLE_WARN,
                    "Tolerance no further etcd member may fail");
    const struct snapshot_move *last = snapshot_last_move(s, NULL);
    if (last) {
        ip_format(&last->vip, ip);
        view_move(v, last, move, sizeof(move));
        view_outage(v, last, false, gap);
        gap[strcspn(gap, " ")] = '\0';
        bool is_ahead = last->wall_us > s->wall_us; /* the clock of who wrote it */
        words_age((int64_t)snapshot_move_age(s, last), age);
        if (is_ahead)
            words_when(last->wall_us, s->wall_us, age);
        snprintf(text, sizeof(text), "Last move %s%s  %s  %s  %s", age, is_ahead ? "" : " ago", ip,
                 move, gap);
        canvas_cut(v->canvas, r->row + 3, r->col, end, STYLE_PLAIN, text, v->g->cut);
    }
    week_text(v, text, sizeof(text));
    canvas_printf(v->canvas, r->row + 4, r->col, end, STYLE_PLAIN, "7 days    %s", text);
    for (unsigned row = r->row; row < r->row + r->height; row++)
        canvas_text(v->canvas, row, r->col - 1, r->col, STYLE_DIM,
                    row == r->row ? v->g->tee[0] : v->g->side);
}
