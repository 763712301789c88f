/* SPDX-License-Identifier: MIT */
#include "certificate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FILE_MAX 1048576 /* the roots of a whole system are 200 KiB */
#define DAY 86400

enum {
    DER_INTEGER = 0x02,
    DER_UTC_TIME = 0x17,
    DER_TIME = 0x18,
    DER_SEQUENCE = 0x30,
    DER_VERSION = 0xa0
};

struct der {
    const uint8_t *p, *end;
};

/* The next element's tag and contents; definite lengths only, as DER has them. */
static int next(struct der *in, uint8_t *ret_tag, struct der *ret_contents)
{
    if (in->end - in->p < 2)
        return -EINVAL;
    uint8_t tag = *in->p++;
    size_t len = *in->p++;
    if (len & 0x80) {
        size_t n = len & 0x7f;
        if (n == 0 || n > 3 || (size_t)(in->end - in->p) < n)
            return -EINVAL;
        for (len = 0; n > 0; n--)
            len = len << 8 | *in->p++;
    }
    if ((size_t)(in->end - in->p) < len)
        return -EINVAL;
    *ret_contents = (struct der){in->p, in->p + len};
    in->p += len;
    *ret_tag = tag;
    return 0;
}

static int enter(struct der *in, uint8_t want, struct der *ret_contents)
{
    uint8_t tag;
    int r = next(in, &tag, ret_contents);
    return r < 0 ? r : tag == want ? 0 : -EINVAL;
}

static int two_digits(const uint8_t *p)
{
    return (p[0] - '0') * 10 + (p[1] - '0');
}

/* YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ */
static int read_time(uint8_t tag, const struct der *text, int64_t *ret_seconds)
{
    size_t len = (size_t)(text->end - text->p), year_len = tag == DER_UTC_TIME ? 2 : 4;
    const uint8_t *p = text->p;
    if ((tag != DER_UTC_TIME && tag != DER_TIME) || len != year_len + 11 || p[len - 1] != 'Z')
        return -EINVAL;
    for (size_t i = 0; i + 1 < len; i++)
        if (p[i] < '0' || p[i] > '9')
            return -EINVAL;
    int year = two_digits(p);
    year = tag == DER_TIME ? year * 100 + two_digits(p + 2) : year < 50 ? 2000 + year : 1900 + year;
    p += year_len;
    struct tm tm = {.tm_year = year - 1900,
                    .tm_mon = two_digits(p) - 1,
                    .tm_mday = two_digits(p + 2),
                    .tm_hour = two_digits(p + 4),
                    .tm_min = two_digits(p + 6),
                    .tm_sec = two_digits(p + 8)};
    *ret_seconds = (int64_t)timegm(&tm);
    return 0;
}

int certificate_end(const uint8_t *der, size_t len, int64_t *ret_seconds)
{
    struct der in = {der, der + len}, certificate, body, skipped, validity, text;
    uint8_t tag;
    if (enter(&in, DER_SEQUENCE, &certificate) < 0 || enter(&certificate, DER_SEQUENCE, &body) < 0)
        return -EINVAL;
    if (next(&body, &tag, &skipped) < 0)
        return -EINVAL;
    if (tag == DER_VERSION && enter(&body, DER_INTEGER, &skipped) < 0)
        return -EINVAL;
    /* serial number above; signature algorithm and issuer here */
    if (enter(&body, DER_SEQUENCE, &skipped) < 0 || enter(&body, DER_SEQUENCE, &skipped) < 0 ||
        enter(&body, DER_SEQUENCE, &validity) < 0)
        return -EINVAL;
    if (next(&validity, &tag, &text) < 0 || next(&validity, &tag, &text) < 0)
        return -EINVAL;
    return read_time(tag, &text, ret_seconds);
}

static int base64_value(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* In place; bytes written. Ends at the first '='. */
static size_t decode(const char *text, size_t len, uint8_t *out)
{
    uint32_t bits = 0;
    size_t n = 0, have = 0;
    for (size_t i = 0; i < len && text[i] != '='; i++) {
        int value = base64_value(text[i]);
        if (value < 0)
            continue; /* line breaks */
        bits = bits << 6 | (uint32_t)value;
        have += 6;
        if (have >= 8) {
            have -= 8;
            out[n++] = (uint8_t)(bits >> have);
        }
    }
    return n;
}

static ssize_t read_file(const char *path, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    size_t len = 0;
    ssize_t n = fd < 0 ? -errno : 1;
    while (n > 0 && len + 1 < size) {
        n = read(fd, out + len, size - 1 - len);
        if (n < 0)
            n = -errno;
        else
            len += (size_t)n;
    }
    if (fd >= 0)
        close(fd);
    out[len] = '\0';
    return n < 0 ? n : (ssize_t)len;
}

/* The end of the first certificate of the text, and where it stops in there. */
static int read_one(const char **text, uint8_t *der, int64_t *ret_seconds)
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----", end[] = "-----END CERTIFICATE-----";
    const char *from = strstr(*text, begin), *to = from ? strstr(from, end) : NULL;
    if (!to)
        return -ENOENT;
    *text = to;
    from += sizeof(begin) - 1;
    size_t len = decode(from, (size_t)(to - from), der);
    return certificate_end(der, len, ret_seconds);
}

int certificate_days(const char *path, bool is_bundle, int *ret_days)
{
    char *text = malloc(FILE_MAX);
    uint8_t *der = malloc(FILE_MAX * 3 / 4 + 3);
    int64_t latest = INT64_MIN, seconds;
    ssize_t n = text && der ? read_file(path, text, FILE_MAX) : -ENOMEM;
    const char *at = text;
    int r = n < 0 ? (int)n : 0;
    while (r == 0 && (r = read_one(&at, der, &seconds)) != -ENOENT) {
        if (r == 0 && seconds > latest)
            latest = seconds;
        /* One that is not understood says nothing of the others. */
        r = is_bundle ? 0 : -ENOENT;
    }
    free(der);
    free(text);
    if (n < 0)
        return (int)n;
    if (latest == INT64_MIN)
        return -EINVAL;
    int64_t left = latest - (int64_t)time(NULL);
    *ret_days = (int)((left >= 0 ? left : left - DAY + 1) / DAY);
    return 0;
}
