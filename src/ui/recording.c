/* SPDX-License-Identifier: MIT */
#include "ui/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "cluster/snapshot_json.h"

#define CHUNK 65536

struct place {
    int64_t at;
    uint32_t len;
};

struct recording {
    int fd;
    size_t n, cap;
    struct place *places;
};

/* A pipe is copied, so that one can go back in it. */
static int copy_pipe(int from)
{
    char chunk[CHUNK];
    int64_t total = 0;
    int fd = memfd_create("recording", MFD_CLOEXEC);
    if (fd < 0)
        return -errno;
    for (;;) {
        ssize_t n = read(from, chunk, sizeof(chunk));
        int error = n < 0 ? errno : 0;
        if (error == EINTR)
            continue;
        total += n;
        if (n == 0)
            return fd;
        if (n < 0 || total > RECORDING_PIPE_MAX || write(fd, chunk, (size_t)n) != n) {
            close(fd);
            return error ? -error : -EFBIG;
        }
    }
}

static int add_place(struct recording *r, int64_t at, int64_t len)
{
    if (len == 0 || len > RECORDING_LINE_MAX)
        return 0;
    if (r->n == RECORDING_SAMPLES_MAX)
        return -EFBIG;
    if (r->n == r->cap) {
        size_t cap = r->cap ? r->cap * 2 : 256;
        struct place *places = realloc(r->places, cap * sizeof(*places));
        if (!places)
            return -ENOMEM;
        r->places = places;
        r->cap = cap;
    }
    r->places[r->n++] = (struct place){at, (uint32_t)len};
    return 0;
}

static int find_lines(struct recording *r)
{
    char chunk[CHUNK];
    int64_t at = 0, start = 0;
    for (ssize_t n; (n = pread(r->fd, chunk, sizeof(chunk), at)) != 0; at += n) {
        if (n < 0)
            return -errno;
        for (const char *c = chunk; (c = memchr(c, '\n', (size_t)(chunk + n - c))); c++) {
            int64_t end = at + (c - chunk);
            int error = add_place(r, start, end - start);
            if (error < 0)
                return error;
            start = end + 1;
        }
    }
    /* A last line without its end was being written when the writer was stopped. */
    return r->n > 0 ? 0 : add_place(r, start, at - start);
}

int recording_open(const char *path, struct recording **ret_recording)
{
    struct recording *r = calloc(1, sizeof(*r));
    struct stat st;
    if (!r)
        return -ENOMEM;
    bool is_stdin = strcmp(path, "-") == 0;
    r->fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    int error = r->fd < 0 || fstat(r->fd, &st) < 0 ? -errno : 0;
    if (error == 0 && S_ISDIR(st.st_mode))
        error = -EISDIR;
    if (error == 0 && (is_stdin || !S_ISREG(st.st_mode))) {
        int copy = copy_pipe(r->fd);
        if (!is_stdin)
            close(r->fd);
        r->fd = copy;
        error = copy < 0 ? copy : 0;
    }
    if (error == 0)
        error = find_lines(r);
    if (error == 0 && r->n == 0)
        error = -ENODATA;
    if (error < 0) {
        recording_close(r);
        return error;
    }
    *ret_recording = r;
    return 0;
}

void recording_close(struct recording *r)
{
    if (!r)
        return;
    if (r->fd >= 0)
        close(r->fd);
    free(r->places);
    free(r);
}

size_t recording_count(const struct recording *r)
{
    return r->n;
}

int recording_read(const struct recording *r, size_t index, struct snapshot *ret_snapshot)
{
    const struct place *place = &r->places[index];
    char *text = malloc((size_t)place->len + 1);
    if (!text)
        return -ENOMEM;
    ssize_t n = pread(r->fd, text, place->len, place->at);
    int error = n < 0 ? -errno : n < (ssize_t)place->len ? -EBADMSG : 0;
    text[n > 0 ? n : 0] = '\0';
    if (error == 0)
        error = snapshot_parse(text, place->len, ret_snapshot);
    free(text);
    return error;
}

static bool time_of(const struct recording *r, size_t index, uint64_t *ret_time)
{
    struct snapshot s;
    if (recording_read(r, index, &s) < 0)
        return false;
    *ret_time = s.wall_us;
    snapshot_done(&s);
    return true;
}

/* A line that is no sample counts as the one before it. Between `low`, whose time is known, and
 * the middle each is looked at once, for a file may be full of them. */
size_t recording_find(const struct recording *r, uint64_t wall_us)
{
    size_t low = 0, high = r->n;
    uint64_t time = 0;
    if (time_of(r, 0, &time) && time > wall_us)
        return 0;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2, at = middle;
        while (at > low && !time_of(r, at, &time))
            at--;
        if (at == low || time <= wall_us)
            low = middle;
        else
            high = at;
    }
    return low;
}

static bool parse_form(const char *text, const char *form, struct tm *tm)
{
    const char *end = strptime(text, form, tm);
    return end && *end == '\0';
}

int recording_parse_time(const char *text, uint64_t near_us, uint64_t *ret_wall_us)
{
    static const char *const forms[] = {
        "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d",
        "%H:%M:%S",          "%H:%M"};
    time_t near = (time_t)(near_us / 1000000);
    if (clock_parse_utc(text, ret_wall_us) == 0)
        return 0;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct tm tm = {0}, day;
        if (i >= 5 && gmtime_r(&near, &day)) {
            tm.tm_year = day.tm_year;
            tm.tm_mon = day.tm_mon;
            tm.tm_mday = day.tm_mday;
        }
        if (!parse_form(text, forms[i], &tm))
            continue;
        time_t time = timegm(&tm);
        if (time < 0)
            return -EINVAL;
        *ret_wall_us = (uint64_t)time * 1000000;
        return 0;
    }
    return -EINVAL;
}
