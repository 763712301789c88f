/* SPDX-License-Identifier: MIT */
#include "manual.h"

#include <stdio.h>
#include <string.h>

/* All pages, one after the other: a form feed, the name, a line feed, the text. */
__asm__(".section .rodata\n"
        "manual_pages:\n.incbin \"build/manual.txt\"\n.byte 0\n.previous\n");
extern const char manual_pages[] __attribute__((visibility("hidden")));

/* The name of the page behind `text`, or NULL. */
static const char *next(const char *text)
{
    const char *page = strchr(text, '\f');
    return page ? page + 1 : NULL;
}

const char *manual_find(const char *name, size_t *ret_len)
{
    size_t len = strlen(name);
    for (const char *page = next(manual_pages); page; page = next(page))
        if (strcspn(page, "\n") == len && memcmp(page, name, len) == 0) {
            *ret_len = strcspn(page + len + 1, "\f");
            return page + len + 1;
        }
    return NULL;
}

const char *manual_name(size_t i, char ret_name[MANUAL_NAME_MAX])
{
    const char *page = next(manual_pages);
    while (page && i-- > 0)
        page = next(page);
    if (!page)
        return NULL;
    snprintf(ret_name, MANUAL_NAME_MAX, "%.*s", (int)strcspn(page, "\n"), page);
    return ret_name;
}
