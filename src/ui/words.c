/* SPDX-License-Identifier: MIT */
#include "words.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define SECOND INT64_C(1000000)

void words_age(int64_t us, char out[WORD_MAX])
{
    long long s = us / SECOND;
    if (us < 0)
        snprintf(out, WORD_MAX, "-");
    else if (s < 60)
        snprintf(out, WORD_MAX, "%llds", s);
    else if (s < 3600)
        snprintf(out, WORD_MAX, "%lldm", s / 60);
    else if (s < 86400)
        snprintf(out, WORD_MAX, "%lldh%02lldm", s / 3600, s / 60 % 60);
    else
        snprintf(out, WORD_MAX, "%lldd%lldh", s / 86400, s / 3600 % 24);
}

void words_renewed(int64_t us, char out[WORD_MAX])
{
    if (us >= 0 && us < 9950000)
        snprintf(out, WORD_MAX, "%.1fs", (double)us / 1e6);
    else
        words_age(us, out);
}

void words_latency(int64_t us, char out[WORD_MAX])
{
    if (us < 0)
        snprintf(out, WORD_MAX, "-");
    else if (us < 1000)
        snprintf(out, WORD_MAX, "0.%dms", (int)(us / 100));
    else if (us < SECOND)
        snprintf(out, WORD_MAX, "%dms", (int)(us / 1000));
    else
        snprintf(out, WORD_MAX, "%.1fs", (double)us / 1e6);
}

void words_offset(int64_t us, char out[WORD_MAX])
{
    int64_t ms = us / 1000;
    if (ms > -10000 && ms < 10000)
        snprintf(out, WORD_MAX, "%s%lldms", ms > 0 ? "+" : "", (long long)ms);
    else
        snprintf(out, WORD_MAX, "%+.0fs", (double)us / 1e6);
}

void words_bytes(int64_t bytes, char out[WORD_MAX])
{
    static const char unit[] = "BKMGTP";
    double n = (double)bytes;
    unsigned i = 0;
    if (bytes < 0) {
        snprintf(out, WORD_MAX, "-");
        return;
    }
    for (; n >= 1000 && unit[i + 1]; i++)
        n /= 1024;
    snprintf(out, WORD_MAX, i > 0 && n < 9.95 ? "%.1f%c" : "%.0f%c", n, unit[i]);
}

void words_number(int64_t n, char out[WORD_MAX])
{
    char digits[24];
    size_t len = (size_t)snprintf(digits, sizeof(digits), "%lld", (long long)n), at = 0;
    if (n < 0) {
        snprintf(out, WORD_MAX, "-");
        return;
    }
    for (size_t i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            out[at++] = ' ';
        out[at++] = digits[i];
    }
    out[at] = '\0';
}

void words_speed(int64_t mbit, char out[WORD_MAX])
{
    if (mbit <= 0)
        *out = '\0';
    else if (mbit < 1000)
        snprintf(out, WORD_MAX, "%lldM", (long long)mbit);
    else if (mbit % 1000 == 0)
        snprintf(out, WORD_MAX, "%lldG", (long long)mbit / 1000);
    else
        snprintf(out, WORD_MAX, "%.1fG", (double)mbit / 1000);
}

void words_mac_tail(const char *mac, unsigned bytes, char out[WORD_MAX])
{
    size_t len = strlen(mac), want = (size_t)bytes * 3 - 1;
    snprintf(out, WORD_MAX, "%s%.40s", len > want ? ".." : "", len > want ? mac + len - want : mac);
}

void words_ip(const struct ip *ip, size_t width, const char *mark, char out[WORD_MAX])
{
    char text[IP_TEXT_MAX];
    ip_format(ip, text);
    size_t len = strlen(text);
    const char *tail = strrchr(text, ':');
    if (len <= width || !tail || width < 8 || strlen(tail) + 2 > width) { /* the cell cuts it */
        snprintf(out, WORD_MAX, "%s", text);
        return;
    }
    /* Whole groups at the end, as many as fit beside a head of some use. */
    size_t head = width - 1 - strlen(tail);
    while (head > 1 && text[head - 1] != ':')
        head--;
    snprintf(out, WORD_MAX, "%.*s%s%s", (int)head, text, mark, tail);
}

static struct tm broken_down(uint64_t wall_us)
{
    time_t t = (time_t)(wall_us / 1000000);
    struct tm tm = {0};
    gmtime_r(&t, &tm);
    return tm;
}

void words_time(uint64_t wall_us, char out[WORD_MAX])
{
    struct tm tm = broken_down(wall_us);
    strftime(out, WORD_MAX, "%H:%M:%S", &tm);
}

void words_date_time(uint64_t wall_us, char out[WORD_MAX])
{
    struct tm tm = broken_down(wall_us);
    strftime(out, WORD_MAX, "%Y-%m-%d %H:%M:%S", &tm);
}

void words_when(uint64_t wall_us, uint64_t now_us, char out[WORD_MAX])
{
    const uint64_t day = UINT64_C(86400) * 1000000;
    struct tm tm = broken_down(wall_us);
    uint64_t then = wall_us / day, today = now_us / day;
    if (then == today)
        strftime(out, WORD_MAX, "today %H:%M:%S", &tm);
    else if (then < today && today - then < 7)
        strftime(out, WORD_MAX, "%a   %H:%M:%S", &tm);
    else
        strftime(out, WORD_MAX, "%m-%d %H:%M:%S", &tm);
}
