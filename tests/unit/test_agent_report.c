/* SPDX-License-Identifier: MIT */
/* What the log says of a renewal that is late. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../src/agent/state.h"

#define LINE_SIZE 1024

/* What it logs, in one line. */
static void told(struct agent *a, char ret_line[LINE_SIZE])
{
    FILE *file = tmpfile();
    int own = dup(STDERR_FILENO);
    assert_non_null(file);
    assert_true(own >= 0 && dup2(fileno(file), STDERR_FILENO) >= 0);
    log_setup(LOG_LOGFMT, LOG_INFO);
    a->late_told_us = 0;
    report_late_renewal(a);
    assert_true(dup2(own, STDERR_FILENO) >= 0);
    close(own);
    rewind(file);
    size_t n = fread(ret_line, 1, LINE_SIZE - 1, file);
    ret_line[n] = '\0';
    fclose(file);
}

static void what_is_left_is_never_less_than_nothing(void **state)
{
    struct agent *a = calloc(1, sizeof(*a));
    struct session *ss = &a->election.session;
    char line[LINE_SIZE];
    (void)state;
    assert_non_null(a);
    a->election.is_fenced = true;
    *ss = (struct session){.state = SESSION_LIVE, .ttl_us = 5 * SECOND_US, .failures = 1};
    ss->renewed_us = clock_now_us() - 3 * SECOND_US;
    ss->deadline_us = clock_now_us() + 60 * SECOND_US;
    told(a, line);
    assert_non_null(strstr(line, "event=renewal_late"));
    assert_non_null(strstr(line, " left_ms=59"));
    ss->deadline_us = clock_now_us() - MS_US; /* while that was answered */
    told(a, line);
    assert_non_null(strstr(line, " left_ms=0 "));
    assert_non_null(strstr(line, ", 0.0 s until self-fencing"));
    free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_left_is_never_less_than_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
