/* SPDX-License-Identifier: MIT */
#include "when.h"

#include "base/clock.h"
#include "base/parse.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define DAY_US UINT64_C(86400000000)

static int parse_ago(const char *text, uint64_t *ret_us)
{
    size_t len = strlen(text);
    char number[24];
    uint64_t n, unit = len && text[len - 1] == 'w' ? 7 * DAY_US : DAY_US;
    if (parse_duration(text, ret_us) == 0)
        return 0;
    if (len < 2 || len > sizeof(number) || (text[len - 1] != 'd' && text[len - 1] != 'w'))
        return -EINVAL;
    memcpy(number, text, len - 1);
    number[len - 1] = '\0';
    if (parse_u64(number, &n) < 0 || n > 100000)
        return -EINVAL;
    *ret_us = n * unit;
    return 0;
}

/* Fills up what is missing of 2026-01-01T00:00:00Z. */
static int parse_moment(const char *text, uint64_t *ret_wall_us)
{
    char full[CLOCK_TEXT_MAX];
    size_t len = strlen(text);
    if (len != 10 && len != 16 && len != 19)
        return clock_parse_utc(text, ret_wall_us);
    snprintf(full, sizeof(full), "%s%s", text, len == 10 ? "T00:00:00Z" : len == 16 ? ":00Z" : "Z");
    full[10] = full[10] == ' ' ? 'T' : full[10];
    return clock_parse_utc(full, ret_wall_us);
}

int when_parse(const char *text, uint64_t now_wall_us, uint64_t *ret_wall_us)
{
    uint64_t ago;
    if (parse_ago(text, &ago) == 0) {
        *ret_wall_us = ago < now_wall_us ? now_wall_us - ago : 0;
        return 0;
    }
    return parse_moment(text, ret_wall_us);
}
