/* SPDX-License-Identifier: MIT */
/* The lines at the top: which cluster, how etcd is, and how old all of this is. */
#include "view.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "words.h"

const char *view_etcd_word(const struct snapshot *s)
{
    static const char *const words[] = {[SNAPSHOT_ETCD_CONNECTING] = "connecting",
                                        [SNAPSHOT_ETCD_OK] = "OK",
                                        [SNAPSHOT_ETCD_DEGRADED] = "DEGRADED",
                                        [SNAPSHOT_ETCD_NO_QUORUM] = "NO QUORUM",
                                        [SNAPSHOT_ETCD_UNREACHABLE] = "UNREACHABLE"};
    return words[s->etcd.state];
}

static enum style etcd_style(const struct snapshot *s)
{
    static const uint8_t styles[] = {[SNAPSHOT_ETCD_CONNECTING] = STYLE_UNKNOWN,
                                     [SNAPSHOT_ETCD_OK] = STYLE_GOOD,
                                     [SNAPSHOT_ETCD_DEGRADED] = STYLE_WARN,
                                     [SNAPSHOT_ETCD_NO_QUORUM] = STYLE_CRIT,
                                     [SNAPSHOT_ETCD_UNREACHABLE] = STYLE_CRIT};
    return styles[s->etcd.state];
}

enum style view_status(const struct view *v, char *out, size_t size)
{
    const struct model *m = v->m;
    const struct snapshot *s = &m->shown;
    char age[WORD_MAX], retry[WORD_MAX];
    if (m->replay.is_on && !m->is_batch) {
        snprintf(out, size, "REPLAY %zu/%zu %s%g%s", m->replay.at + 1, m->replay.n, "x",
                 m->replay.speed / 1000.0,
                 m->replay.is_paused   ? " paused"
                 : m->replay.is_at_end ? " end"
                                       : "");
        return STYLE_TITLE;
    }
    if (m->paused_us) {
        words_age((int64_t)(m->now_us - m->paused_us), age);
        snprintf(out, size, "PAUSED %s (+%u events)", age, m->n_events - m->paused_events);
        return STYLE_WARN;
    }
    if (s->age_us < 0) {
        snprintf(out, size, "%s",
                 s->etcd.state == SNAPSHOT_ETCD_CONNECTING ? "CONNECTING" : "DOWN");
        return s->etcd.state == SNAPSHOT_ETCD_CONNECTING ? STYLE_UNKNOWN : STYLE_CRIT;
    }
    words_age(s->age_us, age);
    if (model_is_stale(m)) {
        words_age((s->etcd.retry_us + 999999) / 1000000 * 1000000, retry);
        snprintf(out, size, s->etcd.retry_us >= 0 ? "STALE %s   retry in %s" : "STALE %s", age,
                 retry);
        return STYLE_CRIT;
    }
    if (s->age_us > 2 * (int64_t)(m->interval_us > 1000000 ? m->interval_us : 1000000)) {
        snprintf(out, size, "SLOW  %.1fs", (double)s->age_us / 1e6);
        return STYLE_WARN;
    }
    snprintf(out, size, "LIVE  %.1fs", (double)m->interval_us / 1e6);
    return STYLE_GOOD;
}

/* Pieces from the left to the right as long as they fit, the rest is left out. */
static void join(char *out, size_t size, unsigned room, const char *const pieces[], unsigned n)
{
    *out = '\0';
    for (unsigned i = 0; i < n; i++) {
        size_t len = strlen(out);
        if (*pieces[i] == '\0')
            continue;
        if (text_width(out) + text_width(pieces[i]) + (len ? 2 : 0) > room)
            return;
        snprintf(out + len, size - len, "%s%s", len ? "  " : "", pieces[i]);
    }
}

static void draw_first_line(struct view *v)
{
    const struct snapshot *s = &v->m->shown;
    const struct snapshot_etcd *e = &s->etcd;
    char text[512], state[64], leader[96] = "", term[40] = "", db[96] = "", rev[40] = "",
                               w[WORD_MAX];
    unsigned width = v->m->width;
    unsigned col = canvas_text(v->canvas, 0, 0, width, STYLE_TITLE, "talosvip");
    col = canvas_printf(v->canvas, 0, col, width, STYLE_PLAIN, "  %.*s",
                        text_fit(s->cluster, width / 3), s->cluster);
    snprintf(state, sizeof(state), "etcd %s %u/%u", view_etcd_word(s), e->n_healthy, e->n_members);
    if (model_is_stale(v->m) || (e->state == SNAPSHOT_ETCD_UNREACHABLE && s->age_us >= 0)) {
        words_time(s->wall_us - (uint64_t)s->age_us, w);
        snprintf(text, sizeof(text), "%s   last contact %sZ", state, w);
    } else {
        int64_t bytes = -1, quota = -1;
        for (unsigned i = 0; i < e->n_members; i++)
            if (e->members[i].db_bytes > bytes)
                bytes = e->members[i].db_bytes, quota = e->members[i].quota_bytes;
        if (*e->leader)
            snprintf(leader, sizeof(leader), "leader %s", e->leader);
        if (e->term >= 0)
            snprintf(term, sizeof(term), "term %lld", (long long)e->term);
        if (e->revision >= 0)
            snprintf(rev, sizeof(rev), "rev %lld", (long long)e->revision);
        words_bytes(bytes, w);
        if (bytes >= 0)
            snprintf(db, sizeof(db), "db %s", w);
        words_bytes(quota, w);
        if (bytes >= 0 && quota > 0)
            snprintf(db + strlen(db), sizeof(db) - strlen(db), "/%s", w);
        const char *pieces[] = {state, leader, term, db, rev};
        join(text, sizeof(text), width > col + 2 ? width - col - 2 : 0, pieces, 5);
    }
    col = canvas_right(v->canvas, 0, col + 2, width, STYLE_PLAIN, text);
    canvas_restyle(v->canvas, 0, col + 5, col + (unsigned)strlen(state), etcd_style(s));
}

/* "ok 2ms", or why not. */
static void health_text(const struct view *v, const struct snapshot_member *m, char *out,
                        size_t size)
{
    char word[WORD_MAX];
    words_latency(m->rtt_us, word);
    if (m->is_healthy)
        snprintf(out, size, "ok %s", word);
    else
        snprintf(out, size, "%s", snapshot_member_health(m));
    if (!m->is_healthy && m->is_asked && v->m->shown.etcd.n_healthy > 0)
        for (char *c = out; *c && *c != ' '; c++) /* the odd one out is loud */
            *c = (char)toupper((unsigned char)*c);
}

/* On line 1 of the screen; without drawing when `end` is 0. Returns the cells that it takes. */
static unsigned draw_member(struct view *v, unsigned col, unsigned end,
                            const struct snapshot_member *m)
{
    char name[40], health[SNAPSHOT_TEXT_MAX];
    const char *who = m->name[0] ? m->name : m->endpoint;
    snprintf(name, sizeof(name), "%.*s%s ", text_fit(who, 24), who, m->is_leader ? "*" : "");
    health_text(v, m, health, sizeof(health));
    canvas_text(v->canvas, 1, col, end, STYLE_PLAIN, name);
    canvas_text(v->canvas, 1, col + (unsigned)text_width(name), end,
                m->is_healthy ? STYLE_GOOD
                : m->is_asked ? STYLE_WARN
                              : STYLE_UNKNOWN,
                health);
    return (unsigned)(text_width(name) + text_width(health));
}

static unsigned draw_members(struct view *v, unsigned end)
{
    const struct snapshot_etcd *e = &v->m->shown.etcd;
    unsigned col = 0;
    for (unsigned i = 0; i < e->n_members; i++) {
        col += i > 0 ? 3 : 0;
        if (end > 0 && col + 8 > end)
            break;
        col += draw_member(v, col, end, &e->members[i]);
    }
    return col;
}

static void draw_second_line(struct view *v)
{
    const struct snapshot *s = &v->m->shown;
    char status[160], text[256], time[WORD_MAX], bytes[WORD_MAX], record[WORD_MAX + 8] = "";
    unsigned width = v->m->width;
    enum style style = view_status(v, status, sizeof(status));
    if (v->m->recorded_bytes >= 0) {
        words_bytes(v->m->recorded_bytes, bytes);
        snprintf(record, sizeof(record), "REC %.16s   ", bytes);
    }
    /* The day goes first, when there is too much to say. */
    words_date_time(s->wall_us, time);
    size_t len = strlen(record) + text_width(status) + 3 + strlen(time) + 1;
    bool is_short = draw_members(v, 0) + 3 + len > width || model_is_stale(v->m);
    snprintf(text, sizeof(text), s->wall_us ? "%s%s   %sZ" : "%s%s", record, status,
             time + (is_short ? 11 : 0));
    unsigned right = canvas_right(v->canvas, 1, 0, width, STYLE_PLAIN, text);
    unsigned at = right + (unsigned)strlen(record);
    canvas_restyle(v->canvas, 1, at, at + (unsigned)text_width(status), style);
    unsigned end = right > 2 ? right - 2 : 0;
    if (end > 0)
        draw_members(v, end);
    if (s->etcd.n_members == 0)
        canvas_text(v->canvas, 1, 0, end, STYLE_UNKNOWN,
                    s->etcd.error[0] ? s->etcd.error : "connecting");
}

/* Two stations answer: who they are matters more than anything else. */
static bool duplicate_text(const struct snapshot *s, char *out, size_t size)
{
    for (unsigned i = 0; i < s->n_vips; i++) {
        const struct snapshot_vip *vip = &s->vips[i];
        char ip[IP_TEXT_MAX], tail[WORD_MAX];
        if (vip->state != SNAPSHOT_VIP_DUP || vip->n_macs < 2)
            continue;
        ip_format(&vip->ip, ip);
        int len = snprintf(out, size, "%s answers from %u MACs:", ip, vip->n_macs);
        for (unsigned k = 0; k < vip->n_macs && (size_t)len < size; k++) {
            const char *who = "unknown";
            for (unsigned n = 0; n < s->n_nodes; n++)
                if (strcmp(s->nodes[n].mac, vip->macs[k]) == 0)
                    who = s->nodes[n].name;
            words_mac_tail(vip->macs[k], 3, tail);
            len +=
                snprintf(out + len, size - (size_t)len, "%s %s (%s)", k ? " and" : "", who, tail);
        }
        return true;
    }
    return false;
}

void view_banner_text(const struct view *v, char *out, size_t size)
{
    const struct snapshot_alert *worst = snapshot_worst(&v->m->shown);
    *out = '\0';
    if (worst && worst->severity == SNAPSHOT_CRIT && strcmp(worst->id, "TVA02") == 0 &&
        duplicate_text(&v->m->shown, out, size))
        return;
    if (worst)
        view_alert_text(worst, out, size);
}

/* Of VIPs with leases of their own length, some may be over theirs and others not. */
static void stale_text(const struct view *v, char *out, size_t size)
{
    char age[WORD_MAX], ttl[WORD_MAX], lease[WORD_MAX + 40] = "So ";
    int64_t ttl_us;
    bool is_all = model_expired(v->m, &ttl_us) == v->m->shown.n_vips;
    words_age(v->m->shown.age_us, age);
    words_age(ttl_us, ttl);
    if (ttl_us > 0)
        snprintf(lease, sizeof(lease), "That is longer than the %s lease, so ", ttl);
    snprintf(out, size,
             "No answer from etcd for %s. %s%s is only the LAST KNOWN one. "
             "Check: talosvip status --local",
             age, lease, is_all ? "the holder below" : "a (name)");
}

static void draw_banner(struct view *v, unsigned row)
{
    char text[512];
    unsigned width = v->m->width;
    if (model_is_expired(v->m)) {
        stale_text(v, text, sizeof(text));
        canvas_printf(v->canvas, row, 0, width, STYLE_WARN, "%s STALE  ", v->g->warn);
        view_wrap(v, row, 2, 9, width - 9, STYLE_PLAIN, text);
    } else if (model_banner_lines(v->m) > 0) {
        view_banner_text(v, text, sizeof(text));
        unsigned col = canvas_printf(v->canvas, row, 0, width, STYLE_CRIT, "%s CRIT", v->g->crit);
        canvas_cut(v->canvas, row, col + 2, width, STYLE_PLAIN, text, v->g->cut);
    }
}

/* From where all of this is seen, and through which interface: this host, or in a recording the
 * one that wrote it. */
static void observer_text(const struct model *m, char *out, size_t size)
{
    const struct snapshot_node *node = snapshot_find_node(&m->shown, m->observer);
    for (unsigned i = 0; i < m->shown.n_nodes && !node; i++)
        if (m->shown.nodes[i].role == SNAPSHOT_ROLE_OBSERVER)
            node = &m->shown.nodes[i];
    const char *name = m->observer[0] || !node ? m->observer : node->name;
    bool has_iface = node && node->iface[0];
    snprintf(out, size, "%s%.*s%s%s", *name ? "   observer: " : "", text_fit(name, 40), name,
             *name && has_iface ? "/" : "", *name && has_iface ? node->iface : "");
}

static void draw_wide_line(struct view *v)
{
    const struct model *m = v->m;
    const struct snapshot *s = &m->shown;
    char status[160], text[512], time[WORD_MAX], bytes[WORD_MAX], watch[WORD_MAX + 16] = "",
                                                                                   observer[96];
    unsigned width = m->width, agents = 0;
    unsigned col = canvas_text(v->canvas, 0, 0, width, STYLE_TITLE, "talosvip top");
    col = canvas_printf(v->canvas, 0, col, width, STYLE_PLAIN, "  %.*s", text_fit(s->cluster, 40),
                        s->cluster);
    if (s->etcd.endpoint[0])
        col = canvas_printf(v->canvas, 0, col, width, STYLE_DIM, "  via %.60s (1 of %u)",
                            s->etcd.endpoint, s->etcd.n_members);
    for (unsigned i = 0; i < s->n_nodes; i++)
        agents += s->nodes[i].has_agent;
    enum style style = view_status(v, status, sizeof(status));
    words_date_time(s->wall_us, time);
    size_t live = strncmp(status, "LIVE  ", 6) == 0 ? 6 : 0;
    int len = 0;
    if (m->recorded_bytes >= 0) {
        words_bytes(m->recorded_bytes, bytes);
        len = snprintf(text, sizeof(text), "REC %s   ", bytes);
    }
    unsigned before = (unsigned)len;
    observer_text(m, observer, sizeof(observer));
    if (s->age_us >= 0 && !model_is_stale(m)) {
        char word[WORD_MAX];
        words_latency(s->age_us, word);
        snprintf(watch, sizeof(watch), "  watch +%s", word);
    }
    /* What matters less goes first, when there is too much to say. */
    size_t need = col + 2 + (size_t)len + text_width(status) + 48;
    if (need + strlen(watch) + text_width(observer) > width)
        *observer = '\0';
    if (need + strlen(watch) > width)
        *watch = '\0';
    len += snprintf(text + len, sizeof(text) - (size_t)len, "%.*s%s%s%s   %u agents%s", (int)live,
                    status, live ? "every " : "", status + live, watch, agents, observer);
    if (s->wall_us)
        snprintf(text + len, sizeof(text) - (size_t)len, "   %s UTC", time);
    unsigned right = canvas_right(v->canvas, 0, col + 2, width, STYLE_PLAIN, text);
    canvas_restyle(v->canvas, 0, right + before,
                   right + before + (live ? 4 : (unsigned)strlen(status)), style);
}

void view_header(struct view *v)
{
    unsigned rows = v->m->layout.kind == LAYOUT_WIDE ? 1 : 2;
    if (rows == 1) {
        draw_wide_line(v);
    } else {
        draw_first_line(v);
        draw_second_line(v);
    }
    if (v->m->layout.header > rows)
        draw_banner(v, rows);
}
