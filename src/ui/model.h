/* SPDX-License-Identifier: MIT */
/* What the dashboard knows and what its user has chosen. Pure: events come in, effects go out;
 * no terminal, no clock, no files. */
#ifndef TALOSVIP_UI_MODEL_H
#define TALOSVIP_UI_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "cluster/events.h"
#include "cluster/snapshot.h"
#include "glyphs.h"
#include "keys.h"
#include "layout.h"
#include "rows.h"

#define MODEL_INPUT_MAX 64
#define MODEL_TEXT_MAX 256
#define MODEL_BUCKETS 120 /* of 5 s: ten minutes */
#define MODEL_EVENTS_MAX 500
#define MODEL_LEADERS_MAX 32

enum effect_kind {
    EFFECT_NONE,
    EFFECT_QUIT,
    EFFECT_QUIT_NOW, /* Ctrl-C */
    EFFECT_SUSPEND,
    EFFECT_REPAINT, /* and ask everything anew */
    EFFECT_RESIGN,
    EFFECT_COPY,
    EFFECT_WRITE_SNAPSHOT,
    EFFECT_INTERVAL,
    EFFECT_MOUSE,
    EFFECT_REPLAY_STEP,  /* by `steps` samples */
    EFFECT_REPLAY_START, /* rewind */
    EFFECT_REPLAY_TO,    /* `text` is a time */
    EFFECT_REPLAY_SPEED,
};

struct effect {
    enum effect_kind kind;
    int steps;
    struct ip vip;                 /* RESIGN */
    char to[SNAPSHOT_NAME_MAX];    /* RESIGN: "" whoever is next */
    char text[MODEL_TEXT_MAX * 4]; /* COPY, REPLAY_TO; RESIGN: the reason */
};

enum overlay { OVERLAY_NONE, OVERLAY_HELP, OVERLAY_SORT, OVERLAY_DETAILS, OVERLAY_RESIGN };
enum input { INPUT_NONE, INPUT_SEARCH, INPUT_FILTER, INPUT_TIME };

struct panel_state {
    char selected[ROWS_KEY_MAX]; /* by key, so that it survives sorting and new data */
    unsigned at;                 /* its place among the rows that are shown */
    unsigned top;                /* first row on the screen */
    char filter[MODEL_INPUT_MAX];
    char search[MODEL_INPUT_MAX];
    unsigned found, found_at; /* matches of the search; 1 = the first is selected, 0 = none */
    unsigned sort;            /* index into rows_sorts() */
    bool is_reversed;
    unsigned n;
    uint16_t rows[ROWS_MAX]; /* indices into the snapshot */
};

enum dialog_field { DIALOG_TO, DIALOG_REASON, DIALOG_TYPED, DIALOG_NO, DIALOG_YES, DIALOG_FIELDS };

struct dialog {
    struct ip vip;
    bool needs_typing;
    char why[MODEL_TEXT_MAX];   /* it needs typing; "" it does not */
    char to[SNAPSHOT_NAME_MAX]; /* "": whoever is next; by name, for the queue may change */
    enum dialog_field field;
    char reason[MODEL_INPUT_MAX], typed[MODEL_INPUT_MAX];
};

struct latency {
    char node[SNAPSHOT_NAME_MAX];
    int64_t newest; /* number of the last bucket */
    int32_t us[MODEL_BUCKETS];
};

struct replay_state {
    bool is_on, is_paused, is_at_end;
    size_t at, n;
    unsigned speed; /* in thousandths */
};

struct model {
    struct snapshot shown;  /* what the screen shows */
    struct snapshot latest; /* while paused: what came since */
    bool has_snapshot, has_latest;
    uint64_t now_us;    /* CLOCK_BOOTTIME of the last event */
    uint64_t paused_us; /* since; 0 not paused */
    unsigned paused_events;

    unsigned width, height;
    struct layout layout;
    enum panel focus;
    bool is_zoomed, has_events;
    struct panel_state panels[PANEL_COUNT];

    enum overlay overlay;
    unsigned overlay_top, overlay_at; /* scrolled lines; chosen entry */
    enum panel overlay_panel;
    enum input input;
    char typed[MODEL_INPUT_MAX];
    char message[MODEL_TEXT_MAX];
    uint64_t message_until_us;
    struct dialog dialog;

    uint64_t interval_us;
    bool is_read_only, has_mouse, has_color, is_ascii, is_batch;
    enum glyph_set glyph_set; /* is_ascii goes before */
    char read_only_why[MODEL_TEXT_MAX];
    char observer[SNAPSHOT_NAME_MAX];
    int64_t recorded_bytes; /* -1: no recording */
    struct replay_state replay;

    unsigned n_latencies;
    struct latency latencies[SNAPSHOT_NODES_MAX];
    unsigned n_leaders;                     /* of all changes of etcd's leader that were seen; */
    unsigned leader_changes;                /* as the last snapshot counted them */
    uint64_t leaders_us[MODEL_LEADERS_MAX]; /* the last ones by the wall clock, as a ring */
    unsigned n_events;                      /* of all; the last MODEL_EVENTS_MAX are kept */
    struct event events[MODEL_EVENTS_MAX];  /* as a ring */
    struct event found[EVENTS_MAX];         /* between two snapshots */
};

struct model *model_new(unsigned width, unsigned height);
void model_free(struct model *model);

/* Takes over the snapshot's memory. */
void model_snapshot(struct model *model, uint64_t now_us, struct snapshot *snapshot);
void model_resize(struct model *model, unsigned width, unsigned height);
void model_tick(struct model *model, uint64_t now_us);
/* `ret_effect` is always set. */
void model_key(struct model *model, int key, struct effect *ret_effect);
/* A click into a cell: selects what is there. */
void model_click(struct model *model, unsigned row, unsigned col);
/* A line at the bottom for five seconds. */
void model_say(struct model *model, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same, but it stays until the next one: a move is under way. */
void model_say_on(struct model *model, const char *text);
/* Forgets what was learned from snapshots: the replay jumps. */
void model_forget(struct model *model);

/* Sorts, filters and lays out anew; all of the above do it by themselves. */
void model_refresh(struct model *model);

bool model_is_stale(const struct model *model); /* over 5 s */
/* How many VIPs are over their lease, so that their holders are only the last known ones, and the
 * longest of these leases; -1: unknown. */
unsigned model_expired(const struct model *model, int64_t *ret_ttl_us);
bool model_is_expired(const struct model *model); /* one or more */
/* What the node said of itself is too old, by the lease of its own. */
bool model_is_node_expired(const struct model *model, const struct snapshot_node *node);
int64_t model_ttl_us(const struct model *model); /* the longest lease; -1 unknown */
unsigned model_banner_lines(const struct model *model);
/* The VIP that other panels follow, or NULL. */
const struct snapshot_vip *model_current_vip(const struct model *model);
const struct latency *model_latency(const struct model *model, const char *node);
/* The newest event is 0; NULL past the end. */
const struct event *model_event(const struct model *model, unsigned index);
unsigned model_event_count(const struct model *model);
/* The row under the cursor of the panel, as an index into its array; false when it is empty. */
bool model_selected(const struct model *model, enum panel panel, unsigned *ret_index);

/* model_key.c, model_dialog.c: parts of model_key(). */
void model_move(struct model *model, enum panel panel, int by);
/* One line of typed text: true when the key belonged to it. */
bool model_edit(char *text, size_t size, int key);
void model_open_resign(struct model *model);
void model_dialog_key(struct model *model, int key, struct effect *effect);
/* There is room to see what one says yes to. */
bool model_dialog_fits(const struct model *model);
#define MODEL_DIALOG_TOO_SMALL "needs 28x5; Esc" /* the window is smaller than that */
/* Fields of the dialog in the order of Tab; those that are not there are skipped. */
bool model_dialog_has(const struct model *model, enum dialog_field field);
/* What will happen, from what is known now: a few sentences. */
void model_dialog_text(const struct model *model, struct buf *out);
/* Who is to have it: the chosen one, even when he left the queue, or the next one; NULL: nobody. */
const char *model_dialog_to(const struct model *model);

#endif
