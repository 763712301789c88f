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
    assert_int_equal(certificate_days(path, &days), -EINVAL);
    assert_int_equal(write(fd, "-----BEGIN CERTIFICATE-----\n!!\n", 31), 31);
    assert_int_equal(certificate_days(path, &days), -EINVAL);
    close(fd);
    unlink(path);
    assert_int_equal(certificate_days(path, &days), -ENOENT);
    assert_int_equal(days, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_end_is_read),
        cmocka_unit_test(half_a_certificate_is_refused_without_reading_on),
        cmocka_unit_test(files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
