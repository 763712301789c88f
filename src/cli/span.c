/* SPDX-License-Identifier: MIT */
#include "span.h"

#include <inttypes.h>
#include <time.h>

void span_words(struct buf *out, int64_t ms)
{
    int64_t s = ms / 1000;
    if (ms < 1000)
        buf_printf(out, "%" PRId64 " ms", ms);
    else if (s < 10 && ms % 1000 >= 100)
        buf_printf(out, "%" PRId64 ".%" PRId64 "s", s, ms % 1000 / 100);
    else if (s < 60)
        buf_printf(out, "%" PRId64 "s", s);
    else if (s < 3600)
        buf_printf(out, "%" PRId64 "m %" PRId64 "s", s / 60, s % 60);
    else if (s < 86400)
        buf_printf(out, "%" PRId64 "h %" PRId64 "m", s / 3600, s / 60 % 60);
    else
        buf_printf(out, "%" PRId64 "d %" PRId64 "h", s / 86400, s / 3600 % 24);
}

void span_short(struct buf *out, int64_t ms)
{
    int64_t s = ms / 1000;
    if (ms < 0)
        buf_puts(out, "-");
    else if (ms < 1000)
        buf_printf(out, "%" PRId64 "ms", ms);
    else if (s < 10 && ms % 1000 >= 100)
        buf_printf(out, "%" PRId64 ".%" PRId64 "s", s, ms % 1000 / 100);
    else if (s < 60)
        buf_printf(out, "%" PRId64 "s", s);
    else if (s < 3600)
        buf_printf(out, "%" PRId64 "m", s / 60);
    else if (s < 86400)
        buf_printf(out, "%" PRId64 "h%02" PRId64 "m", s / 3600, s / 60 % 60);
    else
        buf_printf(out, "%" PRId64 "d%" PRId64 "h", s / 86400, s / 3600 % 24);
}

void span_seconds(struct buf *out, int64_t us)
{
    if (us < 100000)
        buf_printf(out, "%" PRId64 "ms", us / 1000);
    else
        buf_printf(out, "%" PRId64 ".%" PRId64 "s", us / 1000000, us / 100000 % 10);
}

static void split(uint64_t wall_us, bool is_local, struct tm *ret_tm)
{
    time_t seconds = (time_t)(wall_us / 1000000);
    if (is_local)
        localtime_r(&seconds, ret_tm);
    else
        gmtime_r(&seconds, ret_tm);
}

static void add_time(struct buf *out, const char *day, const struct tm *tm, bool is_local)
{
    char date[32], text[32];
    strftime(date, sizeof(date), "%Y-%m-%d", tm);
    strftime(text, sizeof(text), "%H:%M:%S", tm);
    buf_printf(out, "%s %s%s", day ? day : date, text, is_local ? "" : "Z");
}

void span_time(struct buf *out, uint64_t wall_us, bool is_local)
{
    struct tm tm;
    split(wall_us, is_local, &tm);
    add_time(out, NULL, &tm, is_local);
}

static bool is_same_day(const struct tm *a, const struct tm *b)
{
    return a->tm_year == b->tm_year && a->tm_yday == b->tm_yday;
}

void span_day(struct buf *out, uint64_t wall_us, uint64_t now_wall_us, bool is_local)
{
    struct tm tm, today, yesterday;
    split(wall_us, is_local, &tm);
    split(now_wall_us, is_local, &today);
    split(now_wall_us - UINT64_C(86400000000), is_local, &yesterday);
    add_time(out,
             is_same_day(&tm, &today)       ? "today"
             : is_same_day(&tm, &yesterday) ? "yesterday"
                                            : NULL,
             &tm, is_local);
}
