/* SPDX-License-Identifier: MIT */
#include "selector.h"

#include "arena.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define NESTING_MAX 16

enum property {
    PROPERTY_NONE,
    PROPERTY_MAC,
    PROPERTY_PERMANENT_MAC,
    PROPERTY_PCI_ID,
    PROPERTY_DRIVER,
    PROPERTY_BUS_PATH,
    PROPERTY_KIND,
    PROPERTY_TYPE
};

struct cel {
    const char *start, *at;
    struct arena *arena;
    struct config_selector selector;
    struct cel_error error;
    unsigned nesting;
};

static int refuse(struct cel *cel, const char *at, const char *why)
{
    if (!cel->error.why)
        cel->error = (struct cel_error){(size_t)(at - cel->start), why};
    return -EINVAL;
}

static void skip_space(struct cel *cel)
{
    cel->at += strspn(cel->at, " \t\r\n");
}

static bool take(struct cel *cel, const char *token)
{
    skip_space(cel);
    size_t len = strlen(token);
    if (strncmp(cel->at, token, len) != 0)
        return false;
    cel->at += len;
    return true;
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '.';
}

static bool take_word(struct cel *cel, const char *word)
{
    skip_space(cel);
    size_t len = strlen(word);
    if (strncmp(cel->at, word, len) != 0 || is_word(cel->at[len]))
        return false;
    cel->at += len;
    return true;
}

static bool at_text(struct cel *cel)
{
    skip_space(cel);
    return *cel->at == '"' || *cel->at == '\'';
}

static int take_text(struct cel *cel, const char **ret_text)
{
    skip_space(cel);
    const char *begin = cel->at;
    if (!at_text(cel))
        return refuse(cel, begin, "a text in quotes was expected here");
    size_t len = strcspn(begin + 1, *begin == '"' ? "\"\\\n" : "'\\\n");
    if (begin[1 + len] != *begin)
        return refuse(cel, begin, "this text does not end, or has an escape");
    if (len >= SELECTOR_GLOB_MAX)
        return refuse(cel, begin, "this text is too long");
    *ret_text = arena_strndup(cel->arena, begin + 1, len);
    cel->at = begin + len + 2;
    return *ret_text ? 0 : -ENOMEM;
}

static enum property take_link_property(struct cel *cel)
{
    static const struct {
        const char *word;
        enum property property;
    } words[] = {
        {"link.driver", PROPERTY_DRIVER}, {"link.bus_path", PROPERTY_BUS_PATH},
        {"link.pciid", PROPERTY_PCI_ID},  {"link.kind", PROPERTY_KIND},
        {"link.type", PROPERTY_TYPE},
    };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (take_word(cel, words[i].word))
            return words[i].property;
    return PROPERTY_NONE;
}

static int take_property(struct cel *cel, enum property *ret_property)
{
    skip_space(cel);
    const char *begin = cel->at;
    if (take_word(cel, "mac")) {
        if (!take(cel, "("))
            return refuse(cel, cel->at, "a '(' was expected here");
        if (take_word(cel, "link.permanent_addr"))
            *ret_property = PROPERTY_PERMANENT_MAC;
        else if (take_word(cel, "link.hardware_addr"))
            *ret_property = PROPERTY_MAC;
        else
            return refuse(cel, cel->at, "mac() takes link.permanent_addr or link.hardware_addr");
        return take(cel, ")") ? 0 : refuse(cel, cel->at, "a ')' was expected here");
    }
    *ret_property = take_link_property(cel);
    return *ret_property ? 0 : refuse(cel, begin, "this is not understood");
}

static int add_term(struct cel *cel, const char *at, enum property property, const char *text,
                    bool exact)
{
    static const enum config_field fields[] = {
        [PROPERTY_MAC] = CONFIG_FIELD_MAC,
        [PROPERTY_PERMANENT_MAC] = CONFIG_FIELD_PERMANENT_MAC,
        [PROPERTY_PCI_ID] = CONFIG_FIELD_PCI_ID,
        [PROPERTY_DRIVER] = CONFIG_FIELD_DRIVER,
        [PROPERTY_BUS_PATH] = CONFIG_FIELD_BUS_PATH,
    };
    /* Aliases stand for physical links only, and those have no kind and are of type ether. */
    if (property == PROPERTY_KIND)
        return *text ? refuse(cel, at, "an alias stands only for physical links, without kind") : 0;
    if (property == PROPERTY_TYPE)
        return strcmp(text, "ether") == 0
                   ? 0
                   : refuse(cel, at, "an alias stands only for physical links, of type ether");
    if (selector_add(&cel->selector, fields[property], text, exact) < 0)
        return refuse(cel, at, "too many conditions");
    return 0;
}

static int take_glob(struct cel *cel)
{
    const char *text, *begin = cel->at;
    enum property property;
    if (!take(cel, "("))
        return refuse(cel, cel->at, "a '(' was expected here");
    int r = take_text(cel, &text);
    if (r < 0)
        return r;
    if (!take(cel, ","))
        return refuse(cel, cel->at, "a ',' was expected here");
    r = take_property(cel, &property);
    if (r < 0)
        return r;
    if (!take(cel, ")"))
        return refuse(cel, cel->at, "a ')' was expected here");
    return add_term(cel, begin, property, text, false);
}

static int take_comparison(struct cel *cel)
{
    const char *text, *begin = cel->at;
    enum property property;
    bool swapped = at_text(cel);
    int r = swapped ? take_text(cel, &text) : take_property(cel, &property);
    if (r < 0)
        return r;
    if (!take(cel, "=="))
        return refuse(cel, cel->at, "a '==' was expected here");
    if (!swapped && property == PROPERTY_TYPE && take_word(cel, "1"))
        return 0; /* the number of ether */
    r = swapped ? take_property(cel, &property) : take_text(cel, &text);
    return r < 0 ? r : add_term(cel, begin, property, text, true);
}

static int take_conditions(struct cel *cel);

static int take_condition(struct cel *cel)
{
    if (take(cel, "(")) {
        if (++cel->nesting > NESTING_MAX)
            return refuse(cel, cel->at, "nested too deeply");
        int r = take_conditions(cel);
        if (r < 0)
            return r;
        cel->nesting--;
        return take(cel, ")") ? 0 : refuse(cel, cel->at, "a ')' was expected here");
    }
    if (take_word(cel, "true"))
        return 0;
    return take_word(cel, "glob") ? take_glob(cel) : take_comparison(cel);
}

static int take_conditions(struct cel *cel)
{
    int r;
    do
        r = take_condition(cel);
    while (r == 0 && take(cel, "&&"));
    return r;
}

int cel_parse(const char *expression, struct arena *arena, struct config_selector *ret_selector,
              struct cel_error *ret_error)
{
    struct cel cel = {.start = expression, .at = expression, .arena = arena};
    cel.selector.has_physical = cel.selector.physical = true;
    int r = take_conditions(&cel);
    skip_space(&cel);
    if (r == 0 && *cel.at)
        r = refuse(&cel, cel.at, "only conditions joined by && are understood");
    if (r == 0)
        *ret_selector = cel.selector;
    else if (r == -EINVAL)
        *ret_error = cel.error;
    return r;
}
