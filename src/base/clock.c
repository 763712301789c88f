/* SPDX-License-Identifier: MIT */
#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static uint64_t read_us(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

uint64_t clock_now_us(void)
{
    return read_us(CLOCK_BOOTTIME);
}

uint64_t clock_wall_us(void)
{
    return read_us(CLOCK_REALTIME);
}

void clock_format_utc(uint64_t wall_us, char out[CLOCK_TEXT_MAX])
{
    time_t seconds = (time_t)(wall_us / 1000000);
    struct tm tm;
    char date[24];
    gmtime_r(&seconds, &tm);
    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out, CLOCK_TEXT_MAX, "%s.%03uZ", date, (unsigned)(wall_us / 1000 % 1000));
}

/* The microseconds of ".118", and what follows; NULL for a bare dot. */
static const char *parse_fraction(const char *text, uint64_t *ret_us)
{
    uint64_t us = 0, unit = 100000;
    if (*text != '.')
        return text;
    if (*++text < '0' || *text > '9')
        return NULL;
    for (; *text >= '0' && *text <= '9'; text++, unit /= 10)
        us += unit * (uint64_t)(*text - '0');
    *ret_us = us;
    return text;
}

int clock_parse_utc(const char *text, uint64_t *ret_wall_us)
{
    struct tm tm = {.tm_sec = 0}, given;
    uint64_t us = 0;
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    rest = rest ? parse_fraction(rest, &us) : NULL;
    if (!rest || strcmp(rest, "Z") != 0 || tm.tm_year < 70 || tm.tm_year > 8099)
        return -EINVAL;
    given = tm;
    time_t seconds = timegm(&tm);
    if (seconds < 0 || tm.tm_mday != given.tm_mday) /* there is no 31st of June */
        return -EINVAL;
    *ret_wall_us = (uint64_t)seconds * 1000000 + us;
    return 0;
}
