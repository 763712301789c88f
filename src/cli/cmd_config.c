/* SPDX-License-Identifier: MIT */
/* The way to a cluster: what applies, where each value came from, and which contexts there are. */
#include "connection.h"
#include "plain.h"
#include "table.h"

#include "base/fields.h"
#include "config/contexts.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const formats[] = {"human", "json", NULL};

enum { ORIGIN, OUTPUT, CONNECTION };

static const struct option options[] = {
    [ORIGIN] = {.name = "origin", .kind = OPTION_FLAG, .help = "show: where each value came from"},
    [OUTPUT] = OPTION_OUTPUT(formats, "human", "show: how to write it"),
    [CONNECTION] = CONNECTION_OPTIONS,
    {.name = NULL},
};

static const struct habit habits[] = {CONNECTION_HABITS, {NULL, NULL, NULL}};

static const struct example examples[] = {
    {"config show --origin", "what applies, and where it comes from"},
    {"config contexts", "the clusters in ~/.config/talosvip/config.yaml"},
    {"config use-context prod-eu1", "look at that one from now on"},
    {NULL, NULL},
};

static enum exit_code fail(enum exit_code code, const struct complaint *complaint)
{
    complaint_print(complaint);
    return code;
}

static void show_human(const struct connection *c, bool with_origin)
{
    for (int i = 0; i < CONNECTION_SETTINGS; i++) {
        struct buf text;
        buf_init(&text, 0);
        connection_setting_text(c, (enum connection_setting)i, &text);
        const char *value = text.len ? buf_str(&text) : "-";
        if (with_origin)
            plain_print(stdout, "%-24s  %-34s  %s\n",
                        connection_setting_name((enum connection_setting)i), value, c->origin[i]);
        else
            plain_print(stdout, "%-24s  %s\n", connection_setting_name((enum connection_setting)i),
                        value);
        buf_done(&text);
    }
}

static bool add_text(struct json_object *o, const char *name, const char *text)
{
    struct json_object *value = json_object_new_string(text);
    if (value && json_object_object_add(o, name, value) == 0)
        return true;
    json_object_put(value);
    return false;
}

static bool add_setting(struct json_object *all, const struct connection *c, int i,
                        bool with_origin)
{
    struct json_object *o = json_object_new_object();
    struct buf text;
    buf_init(&text, 0);
    connection_setting_text(c, (enum connection_setting)i, &text);
    bool is_done = o && !text.error && add_text(o, "value", buf_str(&text)) &&
                   (!with_origin || add_text(o, "origin", c->origin[i]));
    buf_done(&text);
    if (is_done &&
        json_object_object_add(all, connection_setting_name((enum connection_setting)i), o) == 0)
        return true;
    json_object_put(o);
    return false;
}

static enum exit_code show_json(const struct connection *c, bool with_origin)
{
    struct json_object *all = json_object_new_object();
    bool is_done = all != NULL;
    for (int i = 0; is_done && i < CONNECTION_SETTINGS; i++)
        is_done = add_setting(all, c, i, with_origin);
    struct buf out;
    buf_init(&out, 0);
    if (is_done && fields_json(all, &out) == 0)
        puts(buf_str(&out));
    else
        fputs("talosvip: out of memory\n", stderr);
    is_done = is_done && !out.error;
    buf_done(&out);
    json_object_put(all);
    return is_done ? EXIT_DONE : EXIT_BUG;
}

static enum exit_code show(const struct arguments *arguments, const char *name)
{
    struct complaint complaint = {.what = ""};
    struct connection c;
    bool with_origin = arguments->values[ORIGIN].origin == FROM_FLAG;
    (void)name;
    enum exit_code code = connection_resolve(arguments, &c, &complaint);
    if (code != EXIT_DONE)
        return fail(code, &complaint);
    if (arguments->values[OUTPUT].choice == 1)
        code = show_json(&c, with_origin);
    else
        show_human(&c, with_origin);
    connection_done(&c);
    return code;
}

static enum exit_code list(const struct arguments *arguments, const char *name)
{
    struct complaint complaint = {.what = ""};
    struct connection c;
    (void)name;
    enum exit_code code = connection_resolve(arguments, &c, &complaint);
    if (code != EXIT_DONE)
        return fail(code, &complaint);
    for (size_t i = 0; c.contexts && i < c.contexts->n; i++) {
        const struct config_context *context = &c.contexts->list[i];
        bool is_current = c.context && context->name && strcmp(c.context, context->name) == 0;
        plain_print(stdout, "%s %s%s\n", is_current ? "*" : " ",
                    context->name ? context->name : "?",
                    context->is_read_only ? "  (read-only)" : "");
    }
    if (!c.contexts || c.contexts->n == 0)
        fputs("talosvip: no contexts are configured\n", stderr);
    connection_done(&c);
    return EXIT_DONE;
}

static int write_choice(const char *path, const char *name)
{
    int r = connection_make_folders(path);
    if (r < 0)
        return r;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    r = dprintf(fd, "%s\n", name) < 0 ? -errno : 0;
    if (close(fd) < 0 && r == 0)
        r = -errno;
    return r;
}

static enum exit_code choose(const struct arguments *arguments, const char *name)
{
    struct complaint complaint = {.what = ""};
    struct connection c;
    struct buf path;
    if (!name) {
        complaint_set(&complaint, "config use-context needs a name");
        complaint_hint(&complaint, "talosvip config contexts lists them");
        return fail(EXIT_USAGE, &complaint);
    }
    /* Chosen as --context would: an unknown name is told with its likeness. */
    struct arguments as_flag = *arguments;
    size_t i = (size_t)(option_by_name(options, "context") - options);
    as_flag.values[i] = (struct argument){.origin = FROM_FLAG, .text = name};
    enum exit_code code = connection_resolve(&as_flag, &c, &complaint);
    if (code != EXIT_DONE)
        return fail(code, &complaint);
    buf_init(&path, 0);
    int r = connection_state_path("context", &path);
    if (r == 0)
        r = write_choice(buf_str(&path), name);
    if (r < 0) {
        complaint_set(&complaint, "cannot remember the context in %.300s: %s", buf_str(&path),
                      strerror(-r));
        code = fail(EXIT_UNKNOWN, &complaint);
    } else {
        plain_print(stderr, "talosvip: context \"%s\" from now on\n", name);
    }
    buf_done(&path);
    connection_done(&c);
    return code;
}

static const struct {
    const char *name;
    enum exit_code (*run)(const struct arguments *arguments, const char *name);
    size_t words;
} actions[] = {{"show", show, 1}, {"contexts", list, 1}, {"use-context", choose, 2}};
#define ACTIONS (sizeof(actions) / sizeof(actions[0]))

static const char *const verbs[] = {"show", "contexts", "use-context", NULL};

static enum exit_code run(const struct arguments *arguments)
{
    struct complaint complaint = {.what = ""};
    const char *known[ACTIONS];
    const char *word = arguments->n_words ? arguments->words[0] : "show";
    for (size_t i = 0; i < ACTIONS; i++) {
        known[i] = actions[i].name;
        if (strcmp(word, actions[i].name) != 0)
            continue;
        if (arguments->n_words <= actions[i].words)
            return actions[i].run(arguments, arguments->n_words > 1 ? arguments->words[1] : NULL);
        complaint_set(&complaint, "unexpected argument \"%.100s\"",
                      arguments->words[actions[i].words]);
        return fail(EXIT_USAGE, &complaint);
    }
    complaint_set(&complaint, "config has no \"%.100s\"", word);
    if (!complaint_suggest(&complaint, word, "", known, ACTIONS))
        complaint_hint(&complaint, "it has show, contexts and use-context NAME");
    return fail(EXIT_USAGE, &complaint);
}

const struct command cmd_config = {
    .name = "config",
    .group = "Other",
    .summary = "contexts, and where a value came from",
    .usage = "[show [--origin] | contexts | use-context NAME] [connection flags]",
    .examples = examples,
    .options = options,
    .habits = habits,
    .words_max = 3,
    .word = "CONTEXT",
    .verbs = verbs,
    .run = run,
};
