/* SPDX-License-Identifier: MIT */
#include "cluster_support.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/snapshot_json.h"

#define FOLDER "tests/unit/cluster/"

void support_read(const char *name, struct buf *out)
{
    char path[256], block[4096];
    size_t n;
    snprintf(path, sizeof(path), FOLDER "%s", name);
    FILE *f = fopen(path, "re");
    if (!f)
        fail_msg("cannot read %s", path);
    buf_init(out, 8u << 20);
    while ((n = fread(block, 1, sizeof(block), f)) > 0)
        buf_add(out, block, n);
    fclose(f);
    assert_int_equal(out->error, 0);
}

void support_snapshot(const char *name, struct snapshot *ret_snapshot)
{
    struct buf text;
    support_read(name, &text);
    assert_int_equal(snapshot_parse(buf_str(&text), text.len, ret_snapshot), 0);
    buf_done(&text);
}

void support_golden(const char *name, const struct buf *text)
{
    struct buf want;
    const char *generate = getenv("GENERATE");
    if (generate && strcmp(generate, "1") == 0) {
        char path[256];
        snprintf(path, sizeof(path), FOLDER "%s", name);
        FILE *f = fopen(path, "we");
        assert_non_null(f);
        fwrite(buf_str(text), 1, text->len, f);
        fclose(f);
    }
    support_read(name, &want);
    assert_string_equal(buf_str(text), buf_str(&want));
    buf_done(&want);
}
