/* SPDX-License-Identifier: MIT */
/* Events as they happen, and the record since the last reset, as JSON. */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "observer.h"

static FILE *events;
static unsigned late_count;
static uint64_t late_max_us;

static double seconds(uint64_t us)
{
    return (double)us / 1e6;
}

double millis(uint64_t us)
{
    return (double)us / 1e3;
}

void report_to(FILE *file)
{
    events = file;
}

void report_event(uint64_t at_us, const char *name, const struct vip *v, const char *fmt, ...)
{
    va_list ap;

    fprintf(events, "{\"t\":%.6f,\"event\":\"%s\",\"vip\":\"%s\"", seconds(at_us), name, v->text);
    va_start(ap, fmt);
    vfprintf(events, fmt, ap);
    va_end(ap);
    fputs("}\n", events);
    fflush(events);
}

void report_late(uint64_t us)
{
    late_count++;
    if (us > late_max_us)
        late_max_us = us;
}

void report_reset(uint64_t now)
{
    late_count = 0;
    late_max_us = 0;
    for (unsigned i = 0; i < vip_count; i++) {
        memset(&vips[i].rec, 0, sizeof(vips[i].rec));
        vips[i].rec.since_us = now;
    }
}

void report_state(uint64_t now)
{
    printf("{\"event\":\"state\",\"t\":%.6f,\"vips\":[", seconds(now));
    for (unsigned i = 0; i < vip_count; i++) {
        const struct vip *v = &vips[i];
        bool is_answered = v->has_owner && now - v->answered_us < 4 * PROBE_US;
        char mac[MAC_TEXT_MAX] = "";

        if (is_answered)
            mac_format(&v->owner, mac);
        printf("%s{\"vip\":\"%s\",\"mac\":\"%s\",\"steadyMs\":%" PRIu64 ",\"waitingMs\":%" PRIu64
               "}",
               i > 0 ? "," : "", v->text, mac, is_answered ? (now - v->steady_us) / 1000 : 0,
               v->waiting_us != 0 ? (now - v->waiting_us) / 1000 : 0);
    }
    puts("]}");
}

static void record_print(const struct vip *v, uint64_t now)
{
    const struct record *r = &v->rec;
    char mac[MAC_TEXT_MAX];
    const char *comma = "";

    printf("{\"vip\":\"%s\",\"seconds\":%.3f,\"probes\":%u,\"answers\":%u,\"strays\":%u,"
           "\"dups\":%u,\"flaps\":%u,\"claims\":%u,\"echoes\":%u,\"echoAnswers\":%u,"
           "\"outageMs\":%.3f,\"lateMs\":%.3f,\"waitingMs\":%.3f,\"owners\":[",
           v->text, seconds(now - r->since_us), r->probes, r->answers, r->strays, r->dups, r->flaps,
           r->claims, r->echoes, r->echo_answers, millis(r->worst.length_us - r->worst.late_us),
           millis(r->worst.late_us), v->waiting_us != 0 ? millis(now - v->waiting_us) : 0.0);
    for (unsigned i = 0; i < r->owner_count; i++, comma = ",") {
        mac_format(&r->owners[i], mac);
        printf("%s\"%s\"", comma, mac);
    }
    printf("],\"gapsSeen\":%u,\"gaps\":[", r->gaps_seen);
    comma = "";
    for (unsigned i = 0; i < r->gaps_seen && i < GAPS_MAX; i++, comma = ",")
        printf("%s{\"t\":%.6f,\"ms\":%.3f,\"lateMs\":%.3f}", comma, seconds(r->gaps[i].start_us),
               millis(r->gaps[i].length_us), millis(r->gaps[i].late_us));
    fputs("]}", stdout);
}

void report_summary(uint64_t now)
{
    printf("{\"event\":\"summary\",\"t\":%.6f,\"late\":%u,\"lateMaxMs\":%.3f,\"vips\":[",
           seconds(now), late_count, millis(late_max_us));
    for (unsigned i = 0; i < vip_count; i++) {
        fputs(i > 0 ? "," : "", stdout);
        record_print(&vips[i], now);
    }
    puts("]}");
}
