/* SPDX-License-Identifier: MIT */
/* When an X.509 certificate ends (RFC 5280 section 4.1.2.5); nothing else of it is looked at. */
#ifndef TALOSVIP_CLI_CERTIFICATE_H
#define TALOSVIP_CLI_CERTIFICATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Days left of the first certificate of a PEM file, or in a bundle of the one that ends last;
 * negative when it has ended. 0; -EINVAL when there is none, or it is not understood; or another
 * -errno when the file cannot be read. */
int certificate_days(const char *path, bool is_bundle, int *ret_days);
/* Seconds since 1970 of the end, out of DER. 0 or -EINVAL. */
int certificate_end(const uint8_t *der, size_t len, int64_t *ret_seconds);

#endif
