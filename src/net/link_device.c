/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/parse.h"
#include "net/link.h"

/* Reads a small text file; false when there is none. */
static bool read_file(const char *path, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, out, size - 1);
    close(fd);
    if (n <= 0)
        return false;
    out[n] = '\0';
    return true;
}

/* /sys belongs to the network namespace it was mounted in, which need not be ours: a link of the
 * same name there is somebody else's. */
static bool is_own_sysfs(const struct link *link)
{
    char path[64], text[32];
    uint64_t index;
    snprintf(path, sizeof(path), "/sys/class/net/%s/ifindex", link->name);
    if (!read_file(path, text, sizeof(text)))
        return false;
    text[strcspn(text, "\n")] = '\0';
    if (parse_u64(text, &index) < 0 || index != (uint64_t)link->ifindex)
        return false;
    snprintf(path, sizeof(path), "/sys/class/net/%s/address", link->name);
    struct mac mac;
    if (!link->has_mac || !read_file(path, text, sizeof(text)))
        return !link->has_mac;
    text[strcspn(text, "\n")] = '\0';
    return mac_parse(text, &mac) == 0 && mac_equal(&mac, &link->mac);
}

static void copy_value(const char *line, size_t len, const char *key, char *out, size_t size)
{
    size_t skip = strlen(key);
    if (len <= skip || strncmp(line, key, skip) != 0 || len - skip >= size)
        return;
    memcpy(out, line + skip, len - skip);
    out[len - skip] = '\0';
}

static void read_uevent(struct link *link)
{
    char path[64], text[4096];
    snprintf(path, sizeof(path), "/sys/class/net/%s/device/uevent", link->name);
    if (!is_own_sysfs(link) || !read_file(path, text, sizeof(text)))
        return;
    for (const char *line = text; *line;) {
        size_t len = strcspn(line, "\n");
        copy_value(line, len, "DRIVER=", link->driver, sizeof(link->driver));
        copy_value(line, len, "PCI_ID=", link->pci_id, sizeof(link->pci_id));
        copy_value(line, len, "PCI_SLOT_NAME=", link->bus_path, sizeof(link->bus_path));
        line += len;
        line += *line == '\n';
    }
}

/* 0 or -errno. */
static int ask_ethtool(const char *name, void *question)
{
    struct ifreq req = {.ifr_data = question};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", name);
    int r = ioctl(fd, SIOCETHTOOL, &req) < 0 ? -errno : 0;
    close(fd);
    return r;
}

int link_speed(const char *name, int64_t *ret_mbit)
{
    struct ethtool_cmd answer = {.cmd = ETHTOOL_GSET};
    int r = ask_ethtool(name, &answer);
    uint32_t mbit = (uint32_t)answer.speed_hi << 16 | answer.speed;
    if (r < 0)
        return r;
    if (mbit == 0 || mbit == UINT16_MAX || mbit >= INT32_MAX)
        return -ENODATA;
    *ret_mbit = mbit;
    return 0;
}

static void ask_driver(struct link *link)
{
    struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
    if (ask_ethtool(link->name, &info) == 0) {
        if (!link->driver[0])
            snprintf(link->driver, sizeof(link->driver), "%.*s", (int)sizeof(info.driver) - 1,
                     info.driver);
        if (!link->bus_path[0])
            snprintf(link->bus_path, sizeof(link->bus_path), "%.*s", (int)sizeof(info.bus_info) - 1,
                     info.bus_info);
    }
}

void link_read_device(struct link *link)
{
    link->driver[0] = link->pci_id[0] = link->bus_path[0] = '\0';
    if (strchr(link->name, '/') || link->is_loopback)
        return;
    read_uevent(link);
    if (!link->driver[0] || !link->bus_path[0])
        ask_driver(link);
}
