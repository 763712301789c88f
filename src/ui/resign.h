/* SPDX-License-Identifier: MIT */
/* The one thing that the dashboard can do to a cluster: ask for a planned move, and tell how it
 * goes. */
#ifndef TALOSVIP_UI_RESIGN_H
#define TALOSVIP_UI_RESIGN_H

#include "dashboard.h"

#include "cluster/request.h"

struct resign {
    struct dashboard *d;
    struct request *request; /* NULL: none is under way */
    char text[MODEL_TEXT_MAX];
    enum request_phase phase; /* the last that `text` tells */
    size_t phase_at;          /* and where it begins */
};

/* What the dialog asked for; a refusal is said like everything else. */
void resign_start(struct resign *resign, struct cluster *cluster, const struct effect *effect);
/* Withdraws what is under way. */
void resign_done(struct resign *resign);

#endif
