/* SPDX-License-Identifier: MIT */
/* The one dialog that can change the cluster. Its default is No; where a move is unsafe or unusual
 * the address has to be typed. */
#include <stdio.h>
#include <string.h>

#include "keys.h"
#include "model.h"
#include "words.h"

#define RECENT_US 60000000 /* a move so lately makes another one suspicious */
#define WIDTH_MIN 28
#define HEIGHT_MIN 5
#define PLANNED_MAX 5 /* moves that make up the usual gap */

static const struct snapshot_vip *dialog_vip(const struct model *model)
{
    return snapshot_find_vip(&model->shown, &model->dialog.vip);
}

/* The place of the chosen one in the queue, 0 for whoever is next; `n_queue` when he left it. */
static unsigned place_of(const struct snapshot_vip *vip, const char *to)
{
    unsigned i = 0;
    while (*to && i < vip->n_queue && strcmp(vip->queue[i], to) != 0)
        i++;
    return i;
}

const char *model_dialog_to(const struct model *model)
{
    const struct snapshot_vip *vip = dialog_vip(model);
    if (model->dialog.to[0])
        return model->dialog.to;
    return vip && vip->n_queue > 0 ? vip->queue[0] : NULL;
}

/* Why who is to have it may not be able to take over; "" when nothing speaks against it. */
static void doubt(struct model *model, const struct snapshot_vip *vip)
{
    const struct snapshot *s = &model->shown;
    struct dialog *d = &model->dialog;
    const char *to = model_dialog_to(model), *next = d->to[0] ? "" : ", the next one,";
    const struct snapshot_node *node = to ? snapshot_find_node(s, to) : NULL;
    char *out = d->why;
    size_t size = sizeof(d->why);
    *out = '\0';
    if (!to)
        snprintf(out, size, "nobody stands in the queue");
    else if (node && node->role == SNAPSHOT_ROLE_LOST)
        snprintf(out, size, "%s%s is lost", to, next);
    else if (node && node->is_link_known && !node->is_link_up)
        snprintf(out, size, "the link of %s%s is down", to, next);
    else if (s->etcd.state != SNAPSHOT_ETCD_OK)
        snprintf(out, size, "etcd is %s", snapshot_etcd_state_name(s->etcd.state));
    for (unsigned i = 0; i < s->n_history && !*out; i++)
        if (ip_equal(&s->history[i].vip, &vip->ip) && !snapshot_move_stays(&s->history[i]) &&
            snapshot_move_age(s, &s->history[i]) < RECENT_US)
            snprintf(out, size, "it moved less than a minute ago");
    d->needs_typing = *out != '\0';
}

static bool is_held(const struct snapshot_vip *vip)
{
    return vip && vip->holder[0] && vip->state != SNAPSHOT_VIP_STALE;
}

bool model_dialog_fits(const struct model *model)
{
    return model->width >= WIDTH_MIN && model->height >= HEIGHT_MIN;
}

void model_open_resign(struct model *model)
{
    const struct snapshot_vip *vip = model_current_vip(model);
    struct dialog *d = &model->dialog;
    if (model->is_read_only) {
        model_say(model, "%s", model->read_only_why[0] ? model->read_only_why : "read-only");
        return;
    }
    if (!is_held(vip)) {
        model_say(model, vip ? "nobody is known to hold it now" : "there is no VIP");
        return;
    }
    if (!model_dialog_fits(model)) {
        model_say(model, "the window is too small: it takes %dx%d", WIDTH_MIN, HEIGHT_MIN);
        return;
    }
    memset(d, 0, sizeof(*d));
    d->vip = vip->ip;
    doubt(model, vip);
    d->field = d->needs_typing ? DIALOG_TYPED : DIALOG_NO;
    model->overlay = OVERLAY_RESIGN;
}

bool model_dialog_has(const struct model *model, enum dialog_field field)
{
    bool is_button = field == DIALOG_NO || field == DIALOG_YES;
    return model->dialog.needs_typing ? !is_button : field != DIALOG_TYPED;
}

/* The next one in the queue or the one before; the first is whoever is next. */
static void choose(struct model *model, bool is_up)
{
    struct dialog *d = &model->dialog;
    const struct snapshot_vip *vip = dialog_vip(model);
    if (!vip)
        return;
    unsigned at = place_of(vip, d->to);
    if (at >= vip->n_queue) /* he left */
        at = 0;
    else if (is_up)
        at -= at > 0;
    else
        at += at + 1 < vip->n_queue;
    snprintf(d->to, sizeof(d->to), "%s", at > 0 ? vip->queue[at] : "");
    doubt(model, vip);
}

static void usual_gap(const struct model *model, struct buf *out)
{
    const struct snapshot *s = &model->shown;
    int64_t sum = 0;
    unsigned n = 0;
    for (unsigned i = 0; i < s->n_history && n < PLANNED_MAX; i++) {
        if (!s->history[i].is_planned || s->history[i].outage_us < 0)
            continue;
        sum += s->history[i].outage_us;
        n++;
    }
    char gap[WORD_MAX];
    if (n == 0)
        return;
    words_renewed(sum / n, gap);
    buf_printf(out, " Usual gap for a planned move: %s (last %u).", gap, n);
}

/* " (eth0 up, renewed 0.9s ago)", as far as it is known. */
static void candidate_text(const struct snapshot_node *node, struct buf *out)
{
    char age[WORD_MAX];
    const char *link = node && node->is_link_known ? node->is_link_up ? "up" : "down" : "";
    if (!node || (!*link && node->renewed_us < 0))
        return;
    words_renewed(node->renewed_us, age);
    buf_printf(out, " (%s%s%s%s", *link ? node->iface : "", *link ? " " : "", link,
               *link && node->renewed_us >= 0 ? ", " : "");
    if (node->renewed_us >= 0)
        buf_printf(out, "renewed %s ago", age);
    buf_puts(out, ")");
}

void model_dialog_text(const struct model *model, struct buf *out)
{
    const struct snapshot_vip *vip = dialog_vip(model);
    const char *to = model_dialog_to(model);
    const struct snapshot_node *node = to ? snapshot_find_node(&model->shown, to) : NULL;
    if (!vip) {
        buf_puts(out, "It is not there any more.");
        return;
    }
    buf_printf(out, "%s gives the address up. ", vip->holder[0] ? vip->holder : "Nobody");
    if (!to) {
        buf_puts(out, "Nobody is there to take it.");
    } else if (place_of(vip, model->dialog.to) == vip->n_queue) {
        buf_printf(out, "%s is not in the queue any more.", to);
    } else {
        buf_printf(out, "%s: %s", model->dialog.to[0] ? "It goes to" : "Next in the queue", to);
        candidate_text(node, out);
        buf_puts(out, ".");
    }
    usual_gap(model, out);
    if (model->dialog.why[0])
        buf_printf(out, " Careful: %s.", model->dialog.why);
}

/* What was true when the dialog was opened may not be any more. */
static bool is_still_so(struct model *model)
{
    struct dialog *d = &model->dialog;
    const struct snapshot_vip *vip = dialog_vip(model);
    char before[sizeof(d->why)];
    if (!is_held(vip)) {
        model_say(model, "nobody is known to hold it now");
        model->overlay = OVERLAY_NONE;
        return false;
    }
    if (d->to[0] && place_of(vip, d->to) == vip->n_queue) {
        model_say(model, "%s is not in the queue any more", d->to);
        d->field = DIALOG_TO;
        return false;
    }
    memcpy(before, d->why, sizeof(before));
    doubt(model, vip);
    if (!d->needs_typing || strcmp(before, d->why) == 0)
        return true;
    model_say(model, "careful: %s", d->why);
    d->field = DIALOG_TYPED;
    d->typed[0] = '\0';
    return false;
}

static void accept(struct model *model, struct effect *effect)
{
    struct dialog *d = &model->dialog;
    if (!is_still_so(model))
        return;
    effect->kind = EFFECT_RESIGN;
    effect->vip = d->vip;
    memcpy(effect->to, d->to, sizeof(effect->to));
    snprintf(effect->text, sizeof(effect->text), "%s", d->reason);
    model->overlay = OVERLAY_NONE;
}

static void step_field(struct model *model, int step)
{
    unsigned field = model->dialog.field;
    do
        field = (field + DIALOG_FIELDS + (unsigned)(step + DIALOG_FIELDS)) % DIALOG_FIELDS;
    while (!model_dialog_has(model, (enum dialog_field)field));
    model->dialog.field = (enum dialog_field)field;
}

static void dialog_return(struct model *model, struct effect *effect)
{
    struct dialog *d = &model->dialog;
    char ip[IP_TEXT_MAX];
    ip_format(&d->vip, ip);
    if (d->needs_typing && d->field == DIALOG_TYPED && strcmp(d->typed, ip) == 0)
        accept(model, effect);
    else if (d->needs_typing && d->field == DIALOG_TYPED)
        model_say(model, "that is not %s", ip);
    else if (d->field == DIALOG_YES)
        accept(model, effect);
    else if (d->field == DIALOG_NO)
        model->overlay = OVERLAY_NONE;
    else
        step_field(model, 1);
}

void model_dialog_key(struct model *model, int key, struct effect *effect)
{
    struct dialog *d = &model->dialog;
    bool is_up = key == KEY_ARROW_UP || key == KEY_ARROW_LEFT;
    bool is_text = d->field == DIALOG_REASON || d->field == DIALOG_TYPED;
    if (key == KEY_ESCAPE) {
        model->overlay = OVERLAY_NONE;
    } else if (!model_dialog_fits(model)) {
        return; /* nobody says yes to what cannot be seen */
    } else if (key == KEY_RETURN || key == '\n') {
        dialog_return(model, effect);
    } else if (key == KEY_TABULATOR || key == KEY_BACK_TAB) {
        step_field(model, key == KEY_TABULATOR ? 1 : -1);
    } else if (d->field == DIALOG_TO && (is_up || key == KEY_ARROW_DOWN || key == KEY_ARROW_RIGHT ||
                                         key == ' ' || key == 'j' || key == 'k')) {
        choose(model, is_up || key == 'k');
    } else if (is_text) {
        model_edit(d->field == DIALOG_REASON ? d->reason : d->typed, sizeof(d->reason), key);
    } else if (is_up || key == KEY_ARROW_DOWN || key == KEY_ARROW_RIGHT) {
        step_field(model, is_up ? -1 : 1);
    } else if (key == 'q' || key == 'n') {
        model->overlay = OVERLAY_NONE;
    }
}
