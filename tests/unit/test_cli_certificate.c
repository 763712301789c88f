/* SPDX-License-Identifier: MIT */
#include "../../src/cli/certificate.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* What is read of a certificate: version, serial, algorithm, issuer, validity. */
static const uint8_t sample[] = {
    0x30, 0x31, 0x30, 0x2f, 0xa0, 0x03, 0x02, 0x01, 0x02, 0x02, 0x01, 0x05, 0x30,
    0x00, 0x30, 0x00, 0x30, 0x21, 0x17, 0x0d, '2',  '6',  '0',  '1',  '0',  '1',
    '0',  '0',  '0',  '0',  '0',  '0',  'Z',  0x18, 0x0f, '2',  '1',  '0',  '0',
    '0',  '3',  '0',  '1',  '1',  '2',  '0',  '0',  '0',  '0',  'Z',  0x00,
};

static void the_end_is_read(void **state)
{
    int64_t end;
    (void)state;
    assert_int_equal(certificate_end(sample, sizeof(sample), &end), 0);
    assert_true(end == INT64_C(4107585600)); /* 2100-03-01 12:00 UTC */
}

static void half_a_certificate_is_refused_without_reading_on(void **state)
{
    int64_t end = 7;
    (void)state;
    for (size_t len = 0; len < sizeof(sample) - 1; len++) {
        uint8_t *copy = malloc(len ? len : 1);
        memcpy(copy, sample, len);
        assert_int_equal(certificate_end(copy, len, &end), -EINVAL);
        free(copy);
    }
    assert_true(end == 7);
}

static void files(void **state)
{
    char path[] = "/tmp/talosvip-test-XXXXXX";
    int days = 7, fd = mkstemp(path);
    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(certificate_days(path, true, &days), -EINVAL);
    assert_int_equal(write(fd, "-----BEGIN CERTIFICATE-----\n!!\n", 31), 31);
    assert_int_equal(certificate_days(path, true, &days), -EINVAL);
    close(fd);
    unlink(path);
    assert_int_equal(certificate_days(path, true, &days), -ENOENT);
    assert_int_equal(days, 7);
}

/* PEM of a certificate that ends at a time, 13 digits and letters of UTCTime. */
static void write_pem(FILE *f, const char *end)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t der[51];
    memcpy(der, sample, sizeof(der));
    der[1] = 0x2f;
    der[3] = 0x2d;
    der[17] = 0x1e;
    der[33] = 0x17;
    der[34] = 13;
    memcpy(der + 35, end, 13);
    memset(der + 48, 0, 3);
    fputs("-----BEGIN CERTIFICATE-----\n", f);
    for (size_t i = 0; i < sizeof(der); i += 3) {
        unsigned bits = (unsigned)der[i] << 16 | (unsigned)der[i + 1] << 8 | der[i + 2];
        for (int shift = 18; shift >= 0; shift -= 6)
            fputc(digits[bits >> shift & 63], f);
    }
    fputs("\n-----END CERTIFICATE-----\n", f);
}

static void of_a_bundle_the_last_to_end_counts(void **state)
{
    char path[] = "/tmp/talosvip-test-XXXXXX";
    int days = 0;
    FILE *f = fdopen(mkstemp(path), "w");
    (void)state;
    assert_non_null(f);
    write_pem(f, "200101000000Z");
    fputs("-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n", f);
    write_pem(f, "480101000000Z");
    write_pem(f, "210101000000Z");
    fclose(f);
    assert_int_equal(certificate_days(path, true, &days), 0);
    assert_true(days > 0);
    assert_int_equal(certificate_days(path, false, &days), 0);
    assert_true(days < 0);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_end_is_read),
        cmocka_unit_test(half_a_certificate_is_refused_without_reading_on),
        cmocka_unit_test(files),
        cmocka_unit_test(of_a_bundle_the_last_to_end_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
