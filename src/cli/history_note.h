/* SPDX-License-Identifier: MIT */
/* `history note`: a sentence for those who read the record later. */
#ifndef TALOSVIP_CLI_HISTORY_NOTE_H
#define TALOSVIP_CLI_HISTORY_NOTE_H

#include "look.h"

/* Writes `text` into the record that `place`, "VIP@TIME", names, by a txn on the record as it was
 * read. Says what went wrong. */
enum exit_code history_note(struct look *look, const struct snapshot *s, const char *place,
                            const char *text);

#endif
