/* SPDX-License-Identifier: MIT */
#include "config/config.h"

#include "sha256.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* As Talos names them: room for a dot and four digits, or a hashed parent. */
int config_vlan_name(const char *parent, unsigned vlan_id, char out[CONFIG_LINK_NAME_MAX + 1])
{
    uint8_t hash[SHA256_SIZE];
    size_t len = strlen(parent);
    if (len == 0 || vlan_id < 1 || vlan_id > 4094)
        return -EINVAL;
    if (len + 5 <= CONFIG_LINK_NAME_MAX) {
        snprintf(out, CONFIG_LINK_NAME_MAX + 1, "%s.%u", parent, vlan_id);
        return 0;
    }
    sha256(parent, len, hash);
    snprintf(out, CONFIG_LINK_NAME_MAX + 1, "%.4s%02x%02x%02x.%u", parent, hash[0], hash[1],
             hash[2], vlan_id);
    return 0;
}
