/* SPDX-License-Identifier: MIT */
#include "base/parse.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int parse_u64(const char *text, uint64_t *ret_value)
{
    uint64_t n = 0;
    if (!*text)
        return -EINVAL;
    for (; *text; text++) {
        if (!isdigit((unsigned char)*text))
            return -EINVAL;
        unsigned digit = (unsigned)(*text - '0');
        if (n > (UINT64_MAX - digit) / 10)
            return -ERANGE;
        n = n * 10 + digit;
    }
    *ret_value = n;
    return 0;
}

int parse_i64(const char *text, int64_t *ret_value)
{
    uint64_t n;
    int negative = *text == '-';
    int r = parse_u64(text + negative, &n);
    if (r < 0)
        return r;
    if (n > (uint64_t)INT64_MAX + (unsigned)negative)
        return -ERANGE;
    *ret_value = negative ? (int64_t)(0 - n) : (int64_t)n;
    return 0;
}

int parse_hex(const char *text, uint64_t *ret_value)
{
    static const char digits[] = "0123456789abcdef";
    uint64_t n = 0;
    if (!*text || text[strspn(text, digits)] || (*text == '0' && text[1]))
        return -EINVAL;
    if (strlen(text) > 16)
        return -ERANGE;
    for (; *text; text++)
        n = n << 4 | (uint64_t)(strchr(digits, *text) - digits);
    *ret_value = n;
    return 0;
}

struct unit {
    const char *name;
    uint64_t us;
};

/* Longest names first where one begins another; micro by either of its two characters. */
static const struct unit units[] = {{"\xce\xbcs", 1}, {"ms", 1000},   {"us", 1},
                                    {"\xc2\xb5s", 1}, {"s", 1000000}, {"m", 60000000},
                                    {"h", 3600000000}};

static const struct unit *unit_at(const char *s)
{
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strncmp(s, units[i].name, strlen(units[i].name)) == 0)
            return &units[i];
    return NULL;
}

#define DURATION_MAX_US (UINT64_C(1000) * 3600 * 1000000)

int parse_duration(const char *text, uint64_t *ret_us)
{
    uint64_t total = 0;
    if (strcmp(text, "0") == 0) {
        *ret_us = 0;
        return 0;
    }
    if (!*text)
        return -EINVAL;
    while (*text) {
        double n = 0, scale = 1;
        int digits = 0;
        for (; isdigit((unsigned char)*text); text++, digits++)
            n = n * 10 + (*text - '0');
        if (*text == '.')
            for (text++; isdigit((unsigned char)*text); text++, digits++)
                n += (*text - '0') * (scale /= 10);
        const struct unit *unit = unit_at(text);
        if (digits == 0 || digits > 15 || !unit)
            return -EINVAL;
        text += strlen(unit->name);
        double us = n * (double)unit->us;
        if (us > (double)(DURATION_MAX_US - total))
            return -ERANGE;
        total += (uint64_t)(us + 0.5);
    }
    *ret_us = total;
    return 0;
}

void duration_format(uint64_t us, char out[DURATION_TEXT_MAX])
{
    if (us % 1000000 == 0)
        snprintf(out, DURATION_TEXT_MAX, "%" PRIu64 "s", us / 1000000);
    else if (us % 1000 == 0 && us < 1000000)
        snprintf(out, DURATION_TEXT_MAX, "%" PRIu64 "ms", us / 1000);
    else if (us < 1000000)
        snprintf(out, DURATION_TEXT_MAX, "%" PRIu64 "us", us);
    else {
        int n =
            snprintf(out, DURATION_TEXT_MAX, "%" PRIu64 ".%06" PRIu64, us / 1000000, us % 1000000);
        while (out[n - 1] == '0')
            n--;
        snprintf(out + n, (size_t)(DURATION_TEXT_MAX - n), "s");
    }
}

#define DISTANCE_MAX 64

size_t parse_distance(const char *a, const char *b)
{
    size_t rows[3][DISTANCE_MAX + 1], la = strlen(a), lb = strlen(b);
    if (la > DISTANCE_MAX || lb > DISTANCE_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= lb; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= la; i++) {
        size_t *row = rows[i % 3], *up = rows[(i + 2) % 3], *up2 = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            size_t best = up[j - 1] + (a[i - 1] != b[j - 1]);
            if (up[j] + 1 < best)
                best = up[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                up2[j - 2] + 1 < best)
                best = up2[j - 2] + 1;
            row[j] = best;
        }
    }
    return rows[la % 3][lb];
}
