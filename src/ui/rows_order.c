/* SPDX-License-Identifier: MIT */
#include "rows.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "model.h"

const char *const *rows_sorts(enum panel panel)
{
    static const char *const names[PANEL_COUNT + 1][7] = {
        [PANEL_VIPS] = {"VIP", "STATE", "HOLDER", "SINCE", "LEASE", "ARP"},
        [PANEL_NODES] = {"NODE", "ROLE", "RENEWED", "LAT", "p99", "CLOCK"},
        [PANEL_MOVES] = {"WHEN", "VIP", "CAUSE", "OUTAGE"},
        [PANEL_ALERTS] = {"SEVERITY", "AGE", "ID"},
        [PANEL_EVENTS] = {"WHEN"},
        [PANEL_MEMBERS] = {"MEMBER", "HEALTH", "RTT", "DB"},
    };
    return names[panel];
}

static int order(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

/* Numbers inside names count as numbers: cp-2 before cp-10. */
static int by_name(const char *a, const char *b)
{
    return strverscmp(a, b);
}

/* The worst first. */
static int vip_rank(enum snapshot_vip_state state)
{
    static const int rank[] = {
        [SNAPSHOT_VIP_DUP] = 0,  [SNAPSHOT_VIP_SILENT] = 1, [SNAPSHOT_VIP_MOVING] = 2,
        [SNAPSHOT_VIP_FREE] = 3, [SNAPSHOT_VIP_STALE] = 4,  [SNAPSHOT_VIP_HELD] = 5};
    return rank[state];
}

static int compare_vips(unsigned sort, const struct snapshot_vip *a, const struct snapshot_vip *b)
{
    switch (sort) {
    case 1:
        return order(vip_rank(a->state), vip_rank(b->state));
    case 2:
        return by_name(a->holder, b->holder);
    case 3:
        return order(a->since_us, b->since_us);
    case 4:
        return order(a->remaining_us, b->remaining_us);
    case 5:
        return order((int64_t)a->agree - (int64_t)a->observers,
                     (int64_t)b->agree - (int64_t)b->observers);
    default:
        return a->ip.family != b->ip.family ? order(a->ip.family, b->ip.family)
                                            : memcmp(a->ip.bytes, b->ip.bytes, 16);
    }
}

static int compare_nodes(unsigned sort, const struct snapshot_node *a,
                         const struct snapshot_node *b)
{
    switch (sort) {
    case 1:
        return a->role != b->role ? order(a->role, b->role) : order(a->position, b->position);
    case 2:
        return order(a->renewed_us, b->renewed_us);
    case 3:
        return order(a->latency_us, b->latency_us);
    case 4:
        return order(a->p99_us, b->p99_us);
    case 5:
        return order(a->clock_offset_us, b->clock_offset_us);
    default: /* who only looks on stands last */
        return a->role != b->role &&
                       (a->role == SNAPSHOT_ROLE_OBSERVER || b->role == SNAPSHOT_ROLE_OBSERVER)
                   ? order(a->role == SNAPSHOT_ROLE_OBSERVER, b->role == SNAPSHOT_ROLE_OBSERVER)
                   : by_name(a->name, b->name);
    }
}

static int compare_moves(unsigned sort, const struct snapshot_move *a,
                         const struct snapshot_move *b)
{
    switch (sort) {
    case 1:
        return memcmp(&a->vip, &b->vip, sizeof(a->vip));
    case 2:
        return strcmp(a->cause, b->cause);
    case 3:
        return order(b->outage_us, a->outage_us);
    default:
        return 0;
    }
}

static int compare_alerts(unsigned sort, const struct snapshot_alert *a,
                          const struct snapshot_alert *b)
{
    return sort == 1 ? order(a->since_us, b->since_us) : sort == 2 ? strcmp(a->id, b->id) : 0;
}

static int compare_members(unsigned sort, const struct snapshot_member *a,
                           const struct snapshot_member *b)
{
    return sort == 1   ? order(a->is_healthy, b->is_healthy)
           : sort == 2 ? order(a->rtt_us, b->rtt_us)
           : sort == 3 ? order(a->db_bytes, b->db_bytes)
                       : by_name(a->name, b->name);
}

int rows_compare(const struct model *model, enum panel panel, unsigned sort, unsigned a, unsigned b)
{
    const struct snapshot *s = &model->shown;
    int r = 0;
    if (panel == PANEL_VIPS)
        r = compare_vips(sort, &s->vips[a], &s->vips[b]);
    else if (panel == PANEL_NODES)
        r = compare_nodes(sort, &s->nodes[a], &s->nodes[b]);
    else if (panel == PANEL_MOVES)
        r = compare_moves(sort, &s->history[a], &s->history[b]);
    else if (panel == PANEL_ALERTS)
        r = compare_alerts(sort, &s->alerts[a], &s->alerts[b]);
    else if (panel == PANEL_MEMBERS)
        r = compare_members(sort, &s->etcd.members[a], &s->etcd.members[b]);
    return r != 0 ? r : order(a, b);
}

/* " key=" in the text, and `value` in what follows, up to the next field. */
static bool has_field(const char *text, const char *key, size_t key_len, const char *value)
{
    for (const char *at = text; at; at = strchr(at, ' ')) {
        at += *at == ' ';
        if (strncasecmp(at, key, key_len) != 0 || at[key_len] != '=')
            continue;
        const char *from = at + key_len + 1;
        size_t len = *from == '"' ? strcspn(from + 1, "\"") + 1 : strcspn(from, " ");
        char part[SNAPSHOT_TEXT_MAX];
        len = len < sizeof(part) ? len : sizeof(part) - 1;
        memcpy(part, from, len);
        part[len] = '\0';
        if (strcasestr(part, value))
            return true;
    }
    return false;
}

static bool has_word(const char *text, const char *word)
{
    /* An address has colons of its own: only a name of letters makes a field of it. */
    size_t key_len = strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_");
    if (key_len > 1 && word[key_len] == ':' && word[key_len + 1] != ':')
        return has_field(text, word, key_len, word + key_len + 1);
    return strcasestr(text, word) != NULL;
}

bool rows_match(const char *text, const char *filter)
{
    char words[MODEL_INPUT_MAX], *rest = NULL;
    strncpy(words, filter, sizeof(words) - 1);
    words[sizeof(words) - 1] = '\0';
    for (char *word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        bool is_inverse = *word == '!';
        if (word[is_inverse] != '\0' && has_word(text, word + is_inverse) == is_inverse)
            return false;
    }
    return true;
}
