/* SPDX-License-Identifier: MIT */
#include "fence_record.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/parse.h"

#define BOOT_ID "/proc/sys/kernel/random/boot_id"
#define BOOT_MAX 64
#define TEXT_MAX 256
#define ID_MAX INT32_MAX /* of the kernel's own counter */

static const char *const names[FENCE_SIDES] = {[FENCE_INGRESS] = "in", [FENCE_EGRESS] = "out"};

/* Goes over "NAME VALUE\n". */
static bool take_line(const char **at, const char *name, char value[BOOT_MAX])
{
    size_t len = strlen(name);
    const char *end = strchr(*at, '\n');
    if (!end || strncmp(*at, name, len) != 0 || (*at)[len] != ' ')
        return false;
    const char *begin = *at + len + 1;
    if (end <= begin || (size_t)(end - begin) >= BOOT_MAX)
        return false;
    memcpy(value, begin, (size_t)(end - begin));
    value[end - begin] = '\0';
    *at = end + 1;
    return true;
}

int fence_record_parse(const char *text, const char *boot, struct fence_record *ret_record)
{
    struct fence_record record;
    char value[BOOT_MAX], wrote[BOOT_MAX];
    uint64_t id;
    if (!take_line(&text, "talosvip-fence", value) || strcmp(value, "1") != 0 ||
        !take_line(&text, "boot", wrote))
        return -EBADMSG;
    for (int i = 0; i < FENCE_SIDES; i++) {
        if (!take_line(&text, names[i], value) || value[0] == '0' || parse_u64(value, &id) < 0 ||
            id > ID_MAX)
            return -EBADMSG;
        record.ids[i] = (uint32_t)id;
    }
    if (*text || record.ids[FENCE_INGRESS] == record.ids[FENCE_EGRESS])
        return -EBADMSG;
    if (strcmp(wrote, boot) != 0)
        return -ESTALE;
    *ret_record = record;
    return 0;
}

int fence_record_read(const char *path, struct fence_record *ret_record)
{
    char boot[BOOT_MAX], text[TEXT_MAX];
    int r = file_read_own(path, text, sizeof(text));
    if (r == 0)
        r = file_read_id(BOOT_ID, boot, sizeof(boot));
    return r < 0 ? r : fence_record_parse(text, boot, ret_record);
}

int fence_record_write(const char *path, const struct fence_record *record)
{
    char boot[BOOT_MAX], text[TEXT_MAX];
    int r = file_read_id(BOOT_ID, boot, sizeof(boot));
    if (r < 0)
        return r;
    int n =
        snprintf(text, sizeof(text), "talosvip-fence 1\nboot %s\n%s %" PRIu32 "\n%s %" PRIu32 "\n",
                 boot, names[FENCE_INGRESS], record->ids[FENCE_INGRESS], names[FENCE_EGRESS],
                 record->ids[FENCE_EGRESS]);
    r = file_make_folder(path);
    return r < 0 ? r : file_replace(path, text, (size_t)n);
}
