/* SPDX-License-Identifier: MIT */
#include "style.h"

#include <ctype.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COLOR_AUTO, COLOR_ALWAYS };

const char *const style_colors[] = {"auto", "always", "never", NULL};

static bool is_set(const char *variable)
{
    const char *text = getenv(variable);
    return text && *text;
}

struct style style_of(const struct argument *color)
{
    struct style style = {.has_cursor = isatty(STDOUT_FILENO) == 1 && is_set("TERM") &&
                                        strcmp(getenv("TERM"), "dumb") != 0};
    bool is_wanted = style.has_cursor && !is_set("NO_COLOR") && !is_set("TALOSVIP_NO_COLOR");
    style.has_color = color->choice == COLOR_ALWAYS || (color->choice == COLOR_AUTO && is_wanted);
    setlocale(LC_CTYPE, "");
    style.is_utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    return style;
}

void style_add(const struct style *style, enum style_tone tone, const char *word, struct buf *out)
{
    static const char *const codes[] = {[STYLE_GOOD] = "\033[32m",
                                        [STYLE_WARN] = "\033[1;33m",
                                        [STYLE_CRIT] = "\033[1;7;31m",
                                        [STYLE_DIM] = "\033[2m"};
    if (style->has_color)
        buf_printf(out, "%s%s\033[0m", codes[tone], word);
    else
        buf_puts(out, word);
}

static void convert(const char *word, int (*to)(int), char out[STYLE_WORD_MAX])
{
    size_t n = 0;
    for (; n < STYLE_WORD_MAX - 1 && word[n]; n++)
        out[n] = (char)to((unsigned char)word[n]);
    out[n] = '\0';
}

void style_upper(const char *word, char out[STYLE_WORD_MAX])
{
    convert(word, toupper, out);
}

void style_lower(const char *word, char out[STYLE_WORD_MAX])
{
    convert(word, tolower, out);
}

const char *style_arrow(const struct style *style)
{
    return style->is_utf8 ? "\xe2\x86\x92" : "->";
}

const char *style_plus_minus(const struct style *style)
{
    return style->is_utf8 ? "\xc2\xb1" : "+-";
}
