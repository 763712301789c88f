/* SPDX-License-Identifier: MIT */
#include "expand.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool is_same(const char *a, const char *b)
{
    struct stat x, y;
    if (strcmp(a, b) == 0)
        return true;
    const char *name_a = strrchr(a, '/'), *name_b = strrchr(b, '/');
    if (strcmp(name_a ? name_a + 1 : a, name_b ? name_b + 1 : b) != 0)
        return false; /* spares a thousand files a million questions to the kernel */
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static int grow(struct expand *e)
{
    size_t cap = e->cap ? e->cap * 2 : 16;
    char **paths = realloc(e->paths, cap * sizeof(*paths));
    if (paths)
        e->paths = paths;
    bool *is_found = realloc(e->is_found, cap * sizeof(*is_found));
    if (is_found)
        e->is_found = is_found;
    if (!paths || !is_found)
        return -ENOMEM;
    e->cap = cap;
    return 0;
}

static int add_file(struct expand *e, const char *path, bool is_found)
{
    for (size_t i = 0; i < e->n; i++)
        if (is_same(e->paths[i], path))
            return 0;
    if (e->n == EXPAND_FILES_MAX) {
        e->is_full = true;
        return 0;
    }
    if (e->n == e->cap && grow(e) < 0)
        return -ENOMEM;
    char *copy = strdup(path);
    if (!copy)
        return -ENOMEM;
    e->is_found[e->n] = is_found;
    e->paths[e->n++] = copy;
    return 0;
}

static int is_wanted(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return entry->d_name[0] != '.' && dot &&
           (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

/* By bytes: the same order in every locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int add_entry(struct expand *e, const char *folder, const char *name, size_t *files)
{
    char *path = NULL;
    struct stat st;
    size_t len = strlen(folder);
    if (asprintf(&path, "%s%s%s", folder, len && folder[len - 1] == '/' ? "" : "/", name) < 0)
        return -ENOMEM;
    int r = 0;
    if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode)) {
        r = add_file(e, path, true);
        ++*files;
    }
    free(path);
    return r;
}

int expand_add(struct expand *expand, const char *path)
{
    struct dirent **names = NULL;
    struct stat st;
    size_t files = 0;
    int r = 0;
    if (strcmp(path, "-") == 0 || stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
        return add_file(expand, path, false);
    int n = scandir(path, &names, is_wanted, by_name);
    if (n < 0)
        return errno == ENOMEM ? -ENOMEM : add_file(expand, path, false);
    for (int i = 0; i < n; i++) {
        if (r == 0)
            r = add_entry(expand, path, names[i]->d_name, &files);
        free(names[i]);
    }
    free(names);
    return r == 0 && files == 0 ? -ENOENT : r;
}

void expand_done(struct expand *expand)
{
    if (!expand)
        return;
    for (size_t i = 0; i < expand->n; i++)
        free(expand->paths[i]);
    free(expand->paths);
    free(expand->is_found);
    *expand = (struct expand){.n = 0};
}
