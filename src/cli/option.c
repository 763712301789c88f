/* SPDX-License-Identifier: MIT */
#include "option.h"

#include <stddef.h>
#include <string.h>

const struct option *option_by_name(const struct option *options, const char *name)
{
    for (; options->name; options++)
        if (strcmp(options->name, name) == 0)
            return options;
    return NULL;
}

const struct option *option_by_letter(const struct option *options, char letter)
{
    for (; options->name; options++)
        if (options->letter && options->letter == letter)
            return options;
    return NULL;
}
