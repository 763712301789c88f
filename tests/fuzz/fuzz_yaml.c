/* SPDX-License-Identifier: MIT */
/* The bytes are one config file. Whatever they are, the result must keep its promises. */
#include "config/config.h"
#include "config/validate.h"

#include "base/buf.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
    if (!holds)
        abort();
}

/* Positions are within the file, and every message is there. */
static void check_findings(const struct findings *findings, size_t size)
{
    struct buf text;
    buf_init(&text, 0);
    for (size_t i = 0; i < findings->n; i++) {
        const struct finding *f = &findings->list[i];
        require(check_find(f->id) != NULL && *f->message);
        require(f->at.offset <= size && (f->at.line > 0) == (f->at.column > 0));
        require(f->at.line <= size + 1);
        require(!strpbrk(f->message, "\n\r\x1b"));
        buf_clear(&text);
        finding_format_short(f, &text);
    }
    buf_done(&text);
}

static void check_vip(const struct config_vip *vip, const struct config *config)
{
    struct config_device device = {.driver = "virtio_net", .mac = "52:54:00:aa:01:01"};
    require(vip->ip.family == IP_V4 || vip->ip.family == IP_V6);
    require(vip->link || vip->selector);
    require(vip->where.line > 0 && vip->where.file && vip->where.yaml_path);
    require(vip->vlan_id == 0 || !vip->link);
    if (vip->selector) {
        char text[256];
        config_selector_match(vip->selector, &device);
        config_selector_format(vip->selector, text, sizeof(text));
    }
    size_t same = 0;
    for (size_t i = 0; i < config->n_vips; i++)
        same += ip_equal(&config->vips[i].ip, &vip->ip);
    require(same == 1);
}

static void never(void *arg, const struct config_vip *vip)
{
    (void)arg;
    (void)vip;
    abort();
}

static void check_report(const struct validate_report *report, size_t size)
{
    const struct validate_file *file = &report->files[0];
    size_t errors = 0;
    check_findings(&report->findings, size);
    for (size_t i = 0; i < report->findings.n; i++) {
        const struct finding *f = &report->findings.list[i];
        require(f->n_related <= FINDING_RELATED_MAX && f->at.end_offset <= size + 1);
        for (size_t k = 0; k < f->n_related; k++)
            require(*f->related[k].message && f->related[k].at.offset <= size &&
                    !strpbrk(f->related[k].message, "\n\r\x1b"));
        require(!f->suggestion || !strpbrk(f->suggestion, "\n\r\x1b"));
        errors += !f->is_suppressed && f->severity == SEVERITY_ERROR;
    }
    require(report->n_files == 1 && report->errors >= errors && file->len == size);
    require(report->is_valid == (report->errors == 0));
    for (size_t i = 0; i < file->n_secrets; i++) {
        require(file->secrets[i].start < file->secrets[i].end && file->secrets[i].end <= size);
        require(i == 0 || file->secrets[i - 1].end < file->secrets[i].start);
    }
}

/* Strict or not, valid YAML or not, with facts of a host or without. */
static void validate(const uint8_t *data, size_t size)
{
    static const struct validate_link link = {
        .name = "eth0", .is_up = true, .device = {.mac = "52:54:00:aa:01:01", .physical = true}};
    for (unsigned i = 0; i < 3; i++) {
        struct validate_options options = {.is_strict = i == 1, .vip_only = i == 2};
        struct validate_report report;
        options.links = i == 1 ? &link : NULL;
        options.n_links = i == 1;
        int r = validate_memory("fuzz.yaml", (const char *)data, size, &options, &report);
        require(r == 0 || r == -ENOMEM);
        if (r < 0)
            continue;
        check_report(&report, size);
        validate_report_done(&report);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct findings findings;
    struct config *config = NULL;
    findings_init(&findings);
    int r = config_load_memory("fuzz.yaml", data, size, &config, &findings);
    require(r == 0 || (r == -EINVAL && findings.errors > 0) || r == -ENOMEM);
    require((config != NULL) == (r == 0));
    check_findings(&findings, size);
    if (config) {
        require(findings.errors == 0 && config->n_vips > 0 && config->n_vips <= CONFIG_VIPS_MAX);
        require(config->ttl_us >= CONFIG_TTL_MIN_US && config->ttl_us <= CONFIG_TTL_MAX_US);
        for (size_t i = 0; i < config->n_vips; i++)
            check_vip(&config->vips[i], config);
        for (size_t i = 0; i < config->n_health; i++)
            require(config->health[i].name && config->health[i].rise && config->health[i].fall);
        for (size_t i = 0; i < config->n_hooks; i++)
            require(config->hooks[i].on && config->hooks[i].command[0][0] == '/');
        config_vips_diff(config, config, never, never, NULL);
    }
    config_free(config);
    findings_done(&findings);
    validate(data, size);
    return 0;
}
