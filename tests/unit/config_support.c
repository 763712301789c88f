/* SPDX-License-Identifier: MIT */
#include "config_support.h"

#include "base/buf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

void loaded_bytes(struct loaded *loaded, const char *bytes, size_t len)
{
    memset(loaded, 0, sizeof(*loaded));
    findings_init(&loaded->findings);
    loaded->result = config_load_memory("t.yaml", bytes, len, &loaded->config, &loaded->findings);
}

void loaded_text(struct loaded *loaded, const char *text)
{
    loaded_bytes(loaded, text, strlen(text));
}

void loaded_files(struct loaded *loaded, size_t n, const char *const *paths)
{
    memset(loaded, 0, sizeof(*loaded));
    findings_init(&loaded->findings);
    loaded->result = config_load(paths, n, &loaded->config, &loaded->findings);
}

void loaded_done(struct loaded *loaded)
{
    config_free(loaded->config);
    findings_done(&loaded->findings);
}

void loaded_print(const struct loaded *loaded)
{
    struct buf text;
    buf_init(&text, 0);
    for (size_t i = 0; i < loaded->findings.n; i++) {
        finding_format_short(&loaded->findings.list[i], &text);
        buf_putc(&text, '\n');
    }
    print_message("result %d, %zu findings\n%s", loaded->result, loaded->findings.n,
                  buf_str(&text));
    buf_done(&text);
}

static bool matches(const struct finding_case *c, const struct loaded *loaded)
{
    const struct finding *f = &loaded->findings.list[0];
    if (loaded->findings.n != 1)
        return false;
    bool help =
        c->help ? f->help && (!strcmp(c->help, "*") || !strcmp(c->help, f->help)) : !f->help;
    return !strcmp(f->id, c->id) && f->severity == c->severity && f->at.line == c->line &&
           f->at.column == c->column && !strcmp(f->message, c->message) && help &&
           loaded->result == (c->severity == SEVERITY_ERROR ? -EINVAL : 0) &&
           (loaded->config != NULL) == (loaded->result == 0);
}

void finding_case_check(const struct finding_case *c)
{
    struct loaded loaded;
    loaded_text(&loaded, c->text);
    if (!matches(c, &loaded)) {
        print_message("for:\n%s\nwanted %u:%u: %s: %s [%s]\n  hint: %s\ngot ", c->text, c->line,
                      c->column, severity_name(c->severity), c->message, c->id,
                      c->help ? c->help : "(none)");
        loaded_print(&loaded);
        fail();
    }
    loaded_done(&loaded);
}

bool loaded_has(const struct loaded *loaded, const char *id, unsigned line, unsigned column)
{
    for (size_t i = 0; i < loaded->findings.n; i++) {
        const struct finding *f = &loaded->findings.list[i];
        if (!strcmp(f->id, id) && f->at.line == line && f->at.column == column)
            return true;
    }
    return false;
}

const struct config_vip *loaded_vip(const struct loaded *loaded, const char *ip)
{
    struct ip wanted;
    assert_int_equal(ip_parse(ip, &wanted), 0);
    if (!loaded->config)
        loaded_print(loaded);
    assert_non_null(loaded->config);
    for (size_t i = 0; i < loaded->config->n_vips; i++)
        if (ip_equal(&loaded->config->vips[i].ip, &wanted))
            return &loaded->config->vips[i];
    fail_msg("no VIP %s", ip);
    return NULL;
}
