/* SPDX-License-Identifier: MIT */
/* The one dialog that can change the cluster. Its default is No; where a move is unsafe or unusual
 * the address has to be typed. */
#include <stdio.h>
#include <string.h>

#include "keys.h"
#include "model.h"
#include "words.h"

#define RECENT_US 60000000 /* a move so lately makes another one suspicious */
#define PLANNED_MAX 5      /* moves that make up the usual gap */

/* Why the next one in the queue may not be able to take over; "" when nothing speaks against it. */
static void doubt(const struct model *model, const struct snapshot_vip *vip, char *out, size_t size)
{
    const struct snapshot *s = &model->shown;
    const struct snapshot_node *next =
        vip->n_queue > 0 ? snapshot_find_node(s, vip->queue[0]) : NULL;
    *out = '\0';
    if (vip->n_queue == 0)
        snprintf(out, size, "nobody stands in the queue");
    else if (next && next->role == SNAPSHOT_ROLE_LOST)
        snprintf(out, size, "%s, the next one, is lost", next->name);
    else if (next && next->is_link_known && !next->is_link_up)
        snprintf(out, size, "the link of %s, the next one, is down", next->name);
    else if (s->etcd.state != SNAPSHOT_ETCD_OK)
        snprintf(out, size, "etcd is %s", snapshot_etcd_state_name(s->etcd.state));
    for (unsigned i = 0; i < s->n_history && !*out; i++)
        if (ip_equal(&s->history[i].vip, &vip->ip) &&
            s->wall_us - s->history[i].wall_us < RECENT_US)
            snprintf(out, size, "it moved less than a minute ago");
}

void model_open_resign(struct model *model)
{
    const struct snapshot_vip *vip = model_current_vip(model);
    struct dialog *d = &model->dialog;
    if (model->is_read_only) {
        model_say(model, "%s", model->read_only_why[0] ? model->read_only_why : "read-only");
        return;
    }
    if (!vip || !vip->holder[0] || vip->state == SNAPSHOT_VIP_STALE) {
        model_say(model, vip ? "nobody is known to hold it now" : "there is no VIP");
        return;
    }
    memset(d, 0, sizeof(*d));
    d->vip = vip->ip;
    doubt(model, vip, d->why, sizeof(d->why));
    d->needs_typing = d->why[0] != '\0';
    d->field = d->needs_typing ? DIALOG_TYPED : DIALOG_NO;
    model->overlay = OVERLAY_RESIGN;
}

bool model_dialog_has(const struct model *model, enum dialog_field field)
{
    bool is_button = field == DIALOG_NO || field == DIALOG_YES;
    return model->dialog.needs_typing ? !is_button : field != DIALOG_TYPED;
}

const char *model_dialog_choice(const struct model *model, unsigned choice)
{
    const struct snapshot_vip *vip = snapshot_find_vip(&model->shown, &model->dialog.vip);
    return vip && choice < vip->n_queue ? vip->queue[choice] : NULL;
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
    const struct snapshot_vip *vip = snapshot_find_vip(&model->shown, &model->dialog.vip);
    const char *to = model_dialog_choice(model, model->dialog.choice);
    const struct snapshot_node *node = to ? snapshot_find_node(&model->shown, to) : NULL;
    if (!vip) {
        buf_puts(out, "It is not there any more.");
        return;
    }
    buf_printf(out, "%s gives the address up. ", vip->holder[0] ? vip->holder : "Nobody");
    if (!to) {
        buf_puts(out, "Nobody is there to take it.");
    } else {
        buf_printf(out, "%s: %s", model->dialog.choice ? "It goes to" : "Next in the queue", to);
        candidate_text(node, out);
        buf_puts(out, ".");
    }
    usual_gap(model, out);
    if (model->dialog.why[0])
        buf_printf(out, " Careful: %s.", model->dialog.why);
}

static void accept(struct model *model, struct effect *effect)
{
    struct dialog *d = &model->dialog;
    const char *to = model_dialog_choice(model, d->choice);
    effect->kind = EFFECT_RESIGN;
    effect->vip = d->vip;
    snprintf(effect->to, sizeof(effect->to), "%s", d->choice > 0 && to ? to : "");
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
    } else if (key == KEY_RETURN || key == '\n') {
        dialog_return(model, effect);
    } else if (key == KEY_TABULATOR || key == KEY_BACK_TAB) {
        step_field(model, key == KEY_TABULATOR ? 1 : -1);
    } else if (d->field == DIALOG_TO && (is_up || key == KEY_ARROW_DOWN || key == KEY_ARROW_RIGHT ||
                                         key == ' ' || key == 'j' || key == 'k')) {
        is_up = is_up || key == 'k';
        if (is_up && d->choice > 0)
            d->choice--;
        else if (!is_up && model_dialog_choice(model, d->choice + 1))
            d->choice++;
    } else if (is_text) {
        model_edit(d->field == DIALOG_REASON ? d->reason : d->typed, sizeof(d->reason), key);
    } else if (is_up || key == KEY_ARROW_DOWN || key == KEY_ARROW_RIGHT) {
        step_field(model, is_up ? -1 : 1);
    } else if (key == 'q' || key == 'n') {
        model->overlay = OVERLAY_NONE;
    }
}
