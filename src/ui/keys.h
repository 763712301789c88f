/* SPDX-License-Identifier: MIT */
#ifndef TALOSVIP_UI_KEYS_H
#define TALOSVIP_UI_KEYS_H

/* Keys that are no character; characters are their code point, Ctrl-X is 1..26. */
enum key {
    KEY_ESCAPE = 27,
    KEY_RETURN = 13,
    KEY_TABULATOR = 9,
    KEY_ERASE = 127,
    KEY_FIRST_SPECIAL = 0x200000,
    KEY_ARROW_UP,
    KEY_ARROW_DOWN,
    KEY_ARROW_LEFT,
    KEY_ARROW_RIGHT,
    KEY_PAGE_UP,
    KEY_PAGE_DOWN,
    KEY_TO_START,
    KEY_TO_END,
    KEY_BACK_TAB,
    KEY_HELP_F1,
};
#define KEY_CTRL(c) ((c)&0x1f)

#endif
