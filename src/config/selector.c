/* SPDX-License-Identifier: MIT */
#include "selector.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const field_names[CONFIG_FIELDS] = {
    [CONFIG_FIELD_MAC] = "hardwareAddr", [CONFIG_FIELD_PERMANENT_MAC] = "permanentAddr",
    [CONFIG_FIELD_PCI_ID] = "pciID",     [CONFIG_FIELD_DRIVER] = "driver",
    [CONFIG_FIELD_BUS_PATH] = "busPath",
};

int selector_add(struct config_selector *selector, enum config_field field, const char *glob,
                 bool exact)
{
    if (selector->n_terms == CONFIG_TERMS_MAX)
        return -ENOSPC;
    selector->terms[selector->n_terms].field = field;
    selector->terms[selector->n_terms].glob = glob;
    selector->terms[selector->n_terms].exact = exact;
    selector->n_terms++;
    return 0;
}

bool selector_equal(const struct config_selector *a, const struct config_selector *b)
{
    if (!a || !b)
        return a == b;
    if (a->n_terms != b->n_terms || a->has_physical != b->has_physical ||
        a->physical != b->physical)
        return false;
    for (size_t i = 0; i < a->n_terms; i++)
        if (a->terms[i].field != b->terms[i].field || a->terms[i].exact != b->terms[i].exact ||
            strcmp(a->terms[i].glob, b->terms[i].glob) != 0)
            return false;
    return true;
}

bool selector_glob(const char *pattern, const char *text)
{
    const char *star = NULL, *retry = NULL;
    while (*text) {
        if (*pattern == '*') {
            star = ++pattern;
            retry = text;
        } else if (*pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            /* Let the last star take one more byte; earlier ones need no second try. */
            pattern = star;
            text = ++retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}

static const char *device_field(const struct config_device *device, enum config_field field)
{
    switch (field) {
    case CONFIG_FIELD_MAC:
        return device->mac;
    case CONFIG_FIELD_PERMANENT_MAC:
        return device->permanent_mac;
    case CONFIG_FIELD_PCI_ID:
        return device->pci_id;
    case CONFIG_FIELD_DRIVER:
        return device->driver;
    case CONFIG_FIELD_BUS_PATH:
        return device->bus_path;
    case CONFIG_FIELDS:
        break;
    }
    return NULL;
}

bool config_selector_match(const struct config_selector *selector,
                           const struct config_device *device)
{
    if (selector->has_physical && selector->physical != device->physical)
        return false;
    for (size_t i = 0; i < selector->n_terms; i++) {
        const char *glob = selector->terms[i].glob;
        const char *text = device_field(device, selector->terms[i].field);
        if (!text ||
            !(selector->terms[i].exact ? strcmp(glob, text) == 0 : selector_glob(glob, text)))
            return false;
    }
    return true;
}

void config_selector_format(const struct config_selector *selector, char *out, size_t size)
{
    size_t at = 0;
    int n = 0;
    if (size)
        out[0] = '\0';
    for (size_t i = 0; i < selector->n_terms && at < size; i++, at += (size_t)n)
        n = snprintf(out + at, size - at, "%s%s=%s", i ? ", " : "",
                     field_names[selector->terms[i].field], selector->terms[i].glob);
    if (selector->has_physical && at < size)
        snprintf(out + at, size - at, "%sphysical=%s", selector->n_terms ? ", " : "",
                 selector->physical ? "true" : "false");
}
