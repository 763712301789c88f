/* SPDX-License-Identifier: MIT */
#include "state.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

#define FILE_MAX 4096

static const char *const panels[PANEL_COUNT] = {
    [PANEL_VIPS] = "vips",     [PANEL_NODES] = "nodes",   [PANEL_MOVES] = "failovers",
    [PANEL_ALERTS] = "alerts", [PANEL_EVENTS] = "events", [PANEL_MEMBERS] = "etcd"};

static bool panel_by_name(const char *name, enum panel *ret_panel)
{
    for (unsigned i = 0; i < PANEL_COUNT; i++)
        if (strcmp(panels[i], name) == 0) {
            *ret_panel = (enum panel)i;
            return true;
        }
    return false;
}

static void set_sort(struct panel_state *p, enum panel panel, const char *name)
{
    bool is_reversed = *name == '-';
    for (unsigned i = 0; rows_sorts(panel)[i]; i++)
        if (strcmp(rows_sorts(panel)[i], name + is_reversed) == 0) {
            p->sort = i;
            p->is_reversed = is_reversed;
        }
}

/* "focus nodes", "sort nodes -LAT", "filter vips 10.0" */
static void apply(struct model *model, char *line)
{
    char *value = strchr(line, ' ');
    enum panel panel;
    if (!value || !text_is_utf8(line, strlen(line)))
        return;
    *value++ = '\0';
    if (strcmp(line, "focus") == 0 && panel_by_name(value, &panel)) {
        model->focus = panel;
    } else if (strcmp(line, "show") == 0) {
        model->is_zoomed |= strcmp(value, "zoom") == 0;
        model->has_events |= strcmp(value, "events") == 0;
        model->has_mouse |= strcmp(value, "mouse") == 0;
    } else if (strcmp(line, "sort") == 0 || strcmp(line, "filter") == 0) {
        char *rest = strchr(value, ' ');
        if (!rest)
            return;
        *rest++ = '\0';
        if (!panel_by_name(value, &panel))
            return;
        struct panel_state *p = &model->panels[panel];
        if (line[0] == 's')
            set_sort(p, panel, rest);
        else
            snprintf(p->filter, sizeof(p->filter), "%s", rest);
    }
}

void state_load(struct model *model, const char *path)
{
    char text[FILE_MAX + 1], *rest = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return;
    ssize_t n = read(fd, text, FILE_MAX);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        apply(model, line);
    model_refresh(model);
}

static void make_folder(const char *path)
{
    char folder[FILE_MAX];
    snprintf(folder, sizeof(folder), "%s", path);
    for (char *at = folder + 1; (at = strchr(at, '/')); at++) {
        *at = '\0';
        mkdir(folder, 0700);
        *at = '/';
    }
}

void state_save(const struct model *model, const char *path)
{
    struct buf text;
    buf_init(&text, FILE_MAX);
    buf_printf(&text, "focus %s\n", panels[model->focus]);
    if (model->is_zoomed)
        buf_puts(&text, "show zoom\n");
    if (model->has_events)
        buf_puts(&text, "show events\n");
    if (model->has_mouse)
        buf_puts(&text, "show mouse\n");
    for (unsigned i = 0; i < PANEL_COUNT; i++) {
        const struct panel_state *p = &model->panels[i];
        if (p->sort > 0 || p->is_reversed)
            buf_printf(&text, "sort %s %s%s\n", panels[i], p->is_reversed ? "-" : "",
                       rows_sorts((enum panel)i)[p->sort]);
        if (p->filter[0])
            buf_printf(&text, "filter %s %s\n", panels[i], p->filter);
    }
    make_folder(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0600);
    if (fd >= 0) {
        ssize_t n = write(fd, buf_str(&text), text.len);
        (void)n; /* nothing depends on it */
        close(fd);
    }
    buf_done(&text);
}
