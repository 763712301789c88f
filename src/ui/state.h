/* SPDX-License-Identifier: MIT */
/* What the user chose last time: panel, zoom, sorting, filters, mouse. A small text file that only
 * this program reads. */
#ifndef TALOSVIP_UI_STATE_H
#define TALOSVIP_UI_STATE_H

#include "model.h"

/* A file that is not there, or says something strange, changes nothing. */
void state_load(struct model *model, const char *path);
/* Best effort; the folder is made if its parent is there. */
void state_save(const struct model *model, const char *path);

#endif
