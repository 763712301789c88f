/* SPDX-License-Identifier: MIT */
#include "core/deadline.h"

#define MARGIN_US (300 * MS_US)
#define MARGIN_DRIFT_DIVISOR 100
#define MARGIN_PLAIN_US (1500 * MS_US)
#define INTERVAL_MAX_US SECOND_US
#define INTERVAL_MIN_US (100 * MS_US) /* even for a TTL that gives no right at all */

uint64_t deadline_margin(uint64_t ttl_us, bool is_fenced)
{
    return MARGIN_US + ttl_us / MARGIN_DRIFT_DIVISOR + (is_fenced ? 0 : MARGIN_PLAIN_US);
}

static uint64_t right_length(uint64_t ttl_us, bool is_fenced)
{
    uint64_t margin = deadline_margin(ttl_us, is_fenced);
    return ttl_us > margin ? ttl_us - margin : 0;
}

uint64_t deadline_of(uint64_t sent_us, uint64_t ttl_us, bool is_fenced)
{
    uint64_t length = right_length(ttl_us, is_fenced);
    return length ? sent_us + length : 0;
}

uint64_t deadline_interval(uint64_t ttl_us, bool is_fenced)
{
    uint64_t third = right_length(ttl_us, is_fenced) / 3;
    if (third < INTERVAL_MIN_US)
        return INTERVAL_MIN_US;
    return third < INTERVAL_MAX_US ? third : INTERVAL_MAX_US;
}

uint32_t deadline_lifetime(uint64_t deadline_us, uint64_t now_us, bool is_fenced)
{
    uint64_t whole = deadline_us > now_us ? (deadline_us - now_us) / SECOND_US : 0;
    if (whole == 0 && is_fenced && deadline_us > now_us)
        whole = 1;
    return (uint32_t)whole;
}
