/* SPDX-License-Identifier: MIT */
#include "complete_values.h"

#include "complete.h"
#include "complete_snapshot.h"
#include "connection.h"
#include "look.h"

#include "api/client.h"
#include "api/server.h"
#include "api/status.h"
#include "base/file.h"
#include "cluster/snapshot_json.h"
#include "config/contexts.h"
#include "etcd/record.h"

#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_US UINT64_C(300000)
#define REPLY_MAX (4u << 20)
#define REMEMBERED_S 30

static bool ask_agent(struct api_status *ret_status)
{
    struct buf body;
    const char *socket = getenv("TALOSVIP_SOCKET");
    buf_init(&body, REPLY_MAX);
    bool is_known = api_client_get(socket && *socket ? socket : API_SOCKET_DEFAULT, "/v1/status",
                                   PATIENCE_US, &body) == 200 &&
                    api_status_parse(buf_str(&body), body.len, ret_status) == 0;
    buf_done(&body);
    return is_known;
}

static void add_vips(const struct api_status *status, const char *prefix, struct buf *out)
{
    for (unsigned i = 0; i < status->n_vips; i++) {
        const struct api_vip *vip = &status->vips[i];
        char ip[IP_TEXT_MAX], text[API_NAME_MAX + 16];
        ip_format(&vip->ip, ip);
        snprintf(text, sizeof(text), vip->holder[0] ? "held by %s" : "%s",
                 vip->holder[0] ? vip->holder : vip->state);
        complete_add(out, prefix, ip, text);
    }
}

/* Each name once, however many queues it stands in. */
static void add_node(struct buf *seen, const char *name, const char *text, const char *prefix,
                     struct buf *out)
{
    char word[API_NAME_MAX + 2];
    snprintf(word, sizeof(word), "\n%s\n", name);
    if (!*name || strstr(buf_str(seen), word))
        return;
    buf_printf(seen, "%s", word);
    complete_add_node(out, prefix, name, text);
}

static void add_nodes(const struct api_status *status, const char *prefix, struct buf *out)
{
    struct buf seen;
    buf_init(&seen, 0);
    for (unsigned i = 0; i < status->n_vips; i++) {
        const struct api_vip *vip = &status->vips[i];
        char ip[IP_TEXT_MAX], text[IP_TEXT_MAX + 32];
        ip_format(&vip->ip, ip);
        snprintf(text, sizeof(text), "holds %s", ip);
        add_node(&seen, vip->holder, text, prefix, out);
        for (unsigned k = 0; k < vip->queued; k++) {
            snprintf(text, sizeof(text), "next %u for %s", k + 1, ip);
            add_node(&seen, vip->queue[k], text, prefix, out);
        }
    }
    buf_done(&seen);
}

static bool add_from_agent(const char *what, const char *prefix, struct buf *out)
{
    struct api_status status;
    if (!ask_agent(&status))
        return false;
    if (strcmp(what, "VIP") == 0)
        add_vips(&status, prefix, out);
    else
        add_nodes(&status, prefix, out);
    api_status_done(&status);
    return true;
}

/* ---- the cluster, as it was remembered or as it is ---- */

/* Which cluster a remembered snapshot is of: its first line. */
static void write_key(const struct connection *c, struct buf *out)
{
    for (size_t i = 0; i < c->etcd.n_endpoints; i++)
        buf_printf(out, "%s%s", i ? "," : "", c->etcd.endpoints[i]);
}

static bool read_remembered(const char *path, const char *key, struct snapshot *ret_snapshot)
{
    struct buf text;
    struct stat st;
    bool is_read = false;
    size_t len = strlen(key);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return false;
    buf_init(&text, REPLY_MAX);
    bool is_fresh = fstat(fd, &st) == 0 && st.st_size < (off_t)REPLY_MAX &&
                    time(NULL) - st.st_mtime <= REMEMBERED_S;
    char chunk[16384];
    for (ssize_t n; is_fresh && (n = read(fd, chunk, sizeof(chunk))) > 0;)
        buf_add(&text, chunk, (size_t)n);
    close(fd);
    const char *line = buf_str(&text);
    if (is_fresh && !text.error && strncmp(line, key, len) == 0 && line[len] == '\n')
        is_read = snapshot_parse(line + len + 1, text.len - len - 1, ret_snapshot) == 0;
    buf_done(&text);
    return is_read;
}

/* In one piece, for several shells may be at it. */
static void remember(const char *path, const char *key, const struct snapshot *s)
{
    struct buf text;
    buf_init(&text, REPLY_MAX);
    buf_printf(&text, "%s\n", key);
    if (snapshot_write(s, &text) == 0 && connection_make_folders(path) == 0)
        file_replace(path, buf_str(&text), text.len);
    buf_done(&text);
}

static bool ask_etcd(struct look *look, struct snapshot *ret_snapshot)
{
    look->connection.command_timeout_us = PATIENCE_US;
    if (look_once(look, ret_snapshot) != EXIT_DONE)
        return false;
    if (ret_snapshot->age_us >= 0)
        return true;
    snapshot_done(ret_snapshot);
    return false;
}

static void add_from_cluster(const char *what, const char *prefix, struct buf *out)
{
    static const struct option options[] = {CONNECTION_OPTIONS, {.name = NULL}};
    struct arguments arguments;
    struct complaint complaint;
    struct buf key, path;
    struct look look;
    struct snapshot s;
    if (arguments_parse(options, NULL, 0, 0, NULL, &arguments, &complaint) < 0)
        return;
    buf_init(&key, 0);
    buf_init(&path, 0);
    if (connection_cache_path("completion", &path) == 0 &&
        look_open(&arguments, 1, &look) == EXIT_DONE) {
        write_key(&look.connection, &key);
        bool is_known = read_remembered(buf_str(&path), buf_str(&key), &s);
        if (!is_known && (is_known = ask_etcd(&look, &s)))
            remember(buf_str(&path), buf_str(&key), &s);
        if (is_known) {
            complete_snapshot(&s, what, prefix, out);
            snapshot_done(&s);
        }
        look_close(&look);
    }
    buf_done(&path);
    buf_done(&key);
    arguments_done(&arguments);
}

static void add_causes(const char *prefix, struct buf *out)
{
    for (size_t i = 0; record_causes[i]; i++)
        complete_add(out, prefix, record_causes[i], "");
}

static void add_contexts(const char *prefix, struct buf *out)
{
    struct config_contexts *contexts = NULL;
    struct findings findings;
    struct buf path;
    buf_init(&path, 0);
    findings_init(&findings);
    if (connection_contexts_path(&path) == 0 &&
        config_contexts_load(buf_str(&path), &contexts, &findings) == 0)
        for (size_t i = 0; i < contexts->n; i++)
            complete_add(out, prefix, contexts->list[i].name,
                         contexts->list[i].is_read_only ? "read-only" : "");
    config_contexts_free(contexts);
    findings_done(&findings);
    buf_done(&path);
}

static void add_interfaces(const char *prefix, struct buf *out)
{
    struct if_nameindex *list = if_nameindex();
    for (struct if_nameindex *i = list; i && i->if_name; i++)
        complete_add(out, prefix, i->if_name, "");
    if (list)
        if_freenameindex(list);
}

void complete_values(void *arg, const char *what, const char *prefix, struct buf *out)
{
    (void)arg;
    if ((strcmp(what, "VIP") == 0 || strcmp(what, "NODE") == 0) &&
        !add_from_agent(what, prefix, out))
        add_from_cluster(what, prefix, out);
    else if (strcmp(what, "CAUSE") == 0)
        add_causes(prefix, out);
    else if (strcmp(what, "CONTEXT") == 0)
        add_contexts(prefix, out);
    else if (strcmp(what, "IF") == 0)
        add_interfaces(prefix, out);
}
