/* SPDX-License-Identifier: MIT */
#include "connection.h"

#include "base/parse.h"
#include "config/contexts.h"
#include "plain.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENDPOINT_DEFAULT "https://127.0.0.1:2379"
#define AGENT_FILE "/etc/talosvip/talosvip.yaml"
#define STATE_MAX 256

static const char *const default_endpoints[] = {ENDPOINT_DEFAULT};

static const char *const names[CONNECTION_SETTINGS] = {
    [CONNECTION_CONTEXT] = "context",
    [CONNECTION_ENDPOINTS] = "endpoints",
    [CONNECTION_CACERT] = "cacert",
    [CONNECTION_CERT] = "cert",
    [CONNECTION_KEY] = "key",
    [CONNECTION_USER] = "user",
    [CONNECTION_PASSWORD_FILE] = "password-file",
    [CONNECTION_INSECURE] = "insecure-skip-tls-verify",
    [CONNECTION_DIAL_TIMEOUT] = "dial-timeout",
    [CONNECTION_COMMAND_TIMEOUT] = "command-timeout",
};

const char *connection_setting_name(enum connection_setting setting)
{
    return names[setting];
}

static const struct argument *value_of(const struct arguments *arguments,
                                       enum connection_setting setting)
{
    const struct option *option = option_by_name(arguments->options, names[setting]);
    return &arguments->values[option - arguments->options];
}

bool connection_is_named(const struct arguments *arguments)
{
    for (int i = 0; i < CONNECTION_SETTINGS; i++)
        if (value_of(arguments, (enum connection_setting)i)->origin == FROM_FLAG)
            return true;
    return false;
}

/* What flags or the environment say; not the defaults of the option table. */
static bool is_given(const struct argument *value)
{
    return value->origin == FROM_FLAG || value->origin == FROM_ENVIRONMENT;
}

static void set_origin(struct connection *c, enum connection_setting setting, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void set_origin(struct connection *c, enum connection_setting setting, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(c->origin[setting], sizeof(c->origin[setting]), fmt, ap);
    va_end(ap);
}

static void note_given(struct connection *c, enum connection_setting setting,
                       const struct argument *value)
{
    if (value->origin == FROM_ENVIRONMENT)
        set_origin(c, setting, "env %s", value->variable);
    else
        set_origin(c, setting, "%s", value->origin == FROM_FLAG ? "flag" : "default");
}

/* ---- paths ---- */

static int home_path(const char *variable, const char *below_home, const char *rest,
                     struct buf *out)
{
    const char *base = getenv(variable), *home = getenv("HOME");
    if (base && base[0] == '/') /* XDG: a relative one is to be ignored */
        return buf_printf(out, "%s/talosvip/%s", base, rest);
    if (!home || home[0] != '/')
        return -ENOENT;
    return buf_printf(out, "%s/%s/talosvip/%s", home, below_home, rest);
}

int connection_contexts_path(struct buf *out)
{
    return home_path("XDG_CONFIG_HOME", ".config", "config.yaml", out);
}

int connection_state_path(const char *name, struct buf *out)
{
    return home_path("XDG_STATE_HOME", ".local/state", name, out);
}

int connection_cache_path(const char *name, struct buf *out)
{
    return home_path("XDG_CACHE_HOME", ".cache", name, out);
}

int connection_make_folders(const char *path)
{
    char folders[4096];
    if (snprintf(folders, sizeof(folders), "%s", path) >= (int)sizeof(folders))
        return -ENAMETOOLONG;
    for (char *p = strchr(folders + 1, '/'); p; p = strchr(p + 1, '/')) {
        *p = '\0';
        if (mkdir(folders, 0700) < 0 && errno != EEXIST)
            return -errno;
        *p = '/';
    }
    return 0;
}

/* ---- the context ---- */

/* What `config use-context` wrote; "" when nothing was chosen. */
static void read_choice(char out[STATE_MAX], struct buf *ret_path)
{
    out[0] = '\0';
    if (connection_state_path("context", ret_path) < 0)
        return;
    int fd = open(buf_str(ret_path), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return;
    ssize_t n = read(fd, out, STATE_MAX - 1);
    close(fd);
    out[n > 0 ? n : 0] = '\0';
    out[strcspn(out, "\r\n")] = '\0';
}

static enum exit_code no_context(const struct connection *c, const char *name, const char *origin,
                                 struct complaint *complaint)
{
    const char *known[CONFIG_CONTEXTS_MAX];
    size_t n = 0;
    for (size_t i = 0; c->contexts && i < c->contexts->n; i++)
        if (c->contexts->list[i].name)
            known[n++] = c->contexts->list[i].name;
    complaint_set(complaint, "there is no context \"%.100s\" (%.200s)", name, origin);
    if (!complaint_suggest(complaint, name, "", known, n) && n > 0)
        complaint_hint(complaint, "talosvip config contexts lists them");
    return EXIT_USAGE;
}

/* The one that applies; NULL, with EXIT_DONE, when there is none. */
static enum exit_code choose_context(struct connection *c, const struct argument *value,
                                     const struct config_context **ret_context,
                                     struct complaint *complaint)
{
    struct buf path;
    char chosen[STATE_MAX];
    const char *name = NULL;
    enum exit_code code = EXIT_DONE;
    buf_init(&path, 0);
    read_choice(chosen, &path);
    if (is_given(value)) {
        name = value->text;
        note_given(c, CONNECTION_CONTEXT, value);
    } else if (chosen[0]) {
        name = chosen;
        set_origin(c, CONNECTION_CONTEXT, "%s", buf_str(&path));
    } else if (c->contexts && c->contexts->current) {
        name = c->contexts->current;
        set_origin(c, CONNECTION_CONTEXT, "%s:%u", c->contexts->current_where.file,
                   c->contexts->current_where.line);
    } else if (c->contexts && c->contexts->n == 1) {
        name = c->contexts->list[0].name;
        set_origin(c, CONNECTION_CONTEXT, "the only one");
    } else {
        set_origin(c, CONNECTION_CONTEXT, "default");
    }
    const struct config_context *context = name ? config_contexts_find(c->contexts, name) : NULL;
    if (name && !context)
        code = no_context(c, name, c->origin[CONNECTION_CONTEXT], complaint);
    else
        *ret_context = context;
    buf_done(&path);
    return code;
}

static enum exit_code load_contexts(struct connection *c, struct complaint *complaint)
{
    struct findings findings;
    struct buf path;
    enum exit_code code = EXIT_DONE;
    buf_init(&path, 0);
    findings_init(&findings);
    int r = connection_contexts_path(&path);
    if (r == 0)
        r = config_contexts_load(buf_str(&path), &c->contexts, &findings);
    if (r == -ENOMEM) {
        complaint_set(complaint, "out of memory");
        code = EXIT_BUG;
    } else if (r == -EINVAL && findings.n > 0) {
        const struct finding *f = &findings.list[0];
        complaint_set(complaint, "%s:%u:%u: %s", f->at.file, f->at.line, f->at.column, f->message);
        if (f->help)
            complaint_hint(complaint, "%s", f->help);
        code = EXIT_UNKNOWN;
    }
    findings_done(&findings);
    buf_done(&path);
    return code;
}

/* This host's agent knows the way to its etcd. Whatever else is wrong with its file is not the
 * business of a command that only wants to look; that its etcd is not asked is told, unless
 * somebody named another one. */
static void load_agent(struct connection *c, bool is_told)
{
    struct findings findings;
    if (access(AGENT_FILE, F_OK) < 0)
        return;
    findings_init(&findings);
    int r = config_load_etcd(AGENT_FILE, &c->agent, &findings);
    for (size_t i = 0; r == -EINVAL && is_told && i < findings.n; i++) {
        const struct finding *f = &findings.list[i];
        if (f->severity != SEVERITY_ERROR)
            continue;
        plain_print(stderr, "talosvip: note: %s:%u: %s: its etcd is not asked\n", f->at.file,
                    f->at.line, f->message);
        break;
    }
    findings_done(&findings);
}

/* ---- the values ---- */

struct sources {
    const struct arguments *arguments;
    const struct config_etcd *file; /* of the context or the agent; NULL: neither */
};

static const char *pick(struct connection *c, const struct sources *s,
                        enum connection_setting setting, const char *from_file)
{
    const struct argument *value = value_of(s->arguments, setting);
    if (is_given(value)) {
        note_given(c, setting, value);
        return value->text;
    }
    if (s->file && from_file)
        set_origin(c, setting, "%s:%u", s->file->where.file, s->file->where.line);
    else
        set_origin(c, setting, "default");
    return s->file ? from_file : NULL;
}

static void pick_endpoints(struct connection *c, const struct sources *s)
{
    const struct argument *value = value_of(s->arguments, CONNECTION_ENDPOINTS);
    struct etcd_client_config *to = &c->etcd;
    if (is_given(value)) {
        note_given(c, CONNECTION_ENDPOINTS, value);
        to->endpoints = (const char *const *)value->list;
        to->n_endpoints = value->n < ETCD_ENDPOINTS_MAX ? value->n : ETCD_ENDPOINTS_MAX;
    } else if (s->file && s->file->n_endpoints > 0) {
        set_origin(c, CONNECTION_ENDPOINTS, "%s:%u", s->file->where.file, s->file->where.line);
        to->endpoints = s->file->endpoints;
        to->n_endpoints = s->file->n_endpoints;
    } else {
        set_origin(c, CONNECTION_ENDPOINTS, "default");
        to->endpoints = default_endpoints;
        to->n_endpoints = 1;
    }
}

/* A certificate and its key come from one place. */
static void pick_certificate(struct connection *c, const struct sources *s)
{
    bool is_pair_given = is_given(value_of(s->arguments, CONNECTION_CERT)) ||
                         is_given(value_of(s->arguments, CONNECTION_KEY));
    const struct config_etcd *file = is_pair_given ? NULL : s->file;
    c->etcd.cert = pick(c, s, CONNECTION_CERT, file ? file->cert_file : NULL);
    c->etcd.key = pick(c, s, CONNECTION_KEY, file ? file->key_file : NULL);
}

enum exit_code connection_user(const struct argument *user, const char **ret_user,
                               const char **ret_password, char **ret_copy,
                               struct complaint *ret_complaint)
{
    const char *password = getenv("ETCDCTL_PASSWORD");
    const char *colon = user->text ? strchr(user->text, ':') : NULL;
    bool is_etcdctl = user->variable && strcmp(user->variable, "ETCDCTL_USER") == 0;
    password = password && *password ? password : NULL;
    if (!colon || (is_etcdctl && password)) {
        *ret_user = user->text;
        *ret_password = password;
        return EXIT_DONE;
    }
    if (!is_etcdctl) {
        complaint_set(ret_complaint, "%s takes only the name, without a password",
                      user->variable ? user->variable : "--user");
        complaint_hint(ret_complaint, "use --password-file FILE, or ETCDCTL_PASSWORD");
        return EXIT_USAGE;
    }
    char *copy = strdup(user->text);
    if (!copy) {
        complaint_set(ret_complaint, "out of memory");
        return EXIT_BUG;
    }
    copy[colon - user->text] = '\0';
    *ret_user = copy;
    *ret_password = copy + (colon - user->text) + 1;
    *ret_copy = copy;
    return EXIT_DONE;
}

static enum exit_code pick_user(struct connection *c, const struct sources *s,
                                struct complaint *complaint)
{
    const struct argument *user = value_of(s->arguments, CONNECTION_USER);
    enum exit_code code = EXIT_DONE;
    if (is_given(user)) {
        note_given(c, CONNECTION_USER, user);
        code = connection_user(user, &c->etcd.user, &c->etcd.password, &c->user_copy, complaint);
    } else {
        const char *password = getenv("ETCDCTL_PASSWORD");
        c->etcd.user = pick(c, s, CONNECTION_USER, s->file ? s->file->username : NULL);
        c->etcd.password = c->etcd.user && password && *password ? password : NULL;
    }
    c->etcd.password_file =
        pick(c, s, CONNECTION_PASSWORD_FILE, s->file ? s->file->password_file : NULL);
    if (is_given(value_of(s->arguments, CONNECTION_PASSWORD_FILE)))
        c->etcd.password = NULL;
    if (code == EXIT_DONE && c->etcd.user && !c->etcd.password && !c->etcd.password_file) {
        complaint_set(complaint, "etcd user \"%.100s\" has no password", c->etcd.user);
        complaint_hint(complaint, "use --password-file FILE, or ETCDCTL_PASSWORD");
        code = EXIT_USAGE;
    }
    return code;
}

static void pick_limits(struct connection *c, const struct arguments *arguments)
{
    const struct argument *dial = value_of(arguments, CONNECTION_DIAL_TIMEOUT),
                          *command = value_of(arguments, CONNECTION_COMMAND_TIMEOUT),
                          *insecure = value_of(arguments, CONNECTION_INSECURE);
    c->etcd.connect_timeout_us = dial->us;
    c->command_timeout_us = command->us;
    c->etcd.is_insecure = is_given(insecure);
    note_given(c, CONNECTION_DIAL_TIMEOUT, dial);
    note_given(c, CONNECTION_COMMAND_TIMEOUT, command);
    note_given(c, CONNECTION_INSECURE, insecure);
}

static enum exit_code fill(struct connection *c, const struct arguments *arguments,
                           struct complaint *complaint)
{
    struct sources s = {.arguments = arguments};
    const struct config_context *context = NULL;
    enum exit_code code = load_contexts(c, complaint);
    if (code == EXIT_DONE)
        code = choose_context(c, value_of(arguments, CONNECTION_CONTEXT), &context, complaint);
    if (code != EXIT_DONE)
        return code;
    if (context) {
        c->context = context->name;
        c->is_read_only = context->is_read_only;
        s.file = &context->etcd;
    } else {
        load_agent(c, !is_given(value_of(arguments, CONNECTION_ENDPOINTS)));
        s.file = c->agent ? &c->agent->etcd : NULL;
    }
    pick_endpoints(c, &s);
    c->etcd.cacert = pick(c, &s, CONNECTION_CACERT, s.file ? s.file->ca_file : NULL);
    pick_certificate(c, &s);
    pick_limits(c, arguments);
    return pick_user(c, &s, complaint);
}

enum exit_code connection_resolve(const struct arguments *arguments, struct connection *ret_c,
                                  struct complaint *ret_complaint)
{
    memset(ret_c, 0, sizeof(*ret_c));
    enum exit_code code = fill(ret_c, arguments, ret_complaint);
    if (code != EXIT_DONE)
        connection_done(ret_c);
    return code;
}

void connection_done(struct connection *c)
{
    if (!c)
        return;
    config_contexts_free(c->contexts);
    config_free(c->agent);
    free(c->user_copy);
    memset(c, 0, sizeof(*c));
}

static void put_duration(struct buf *out, uint64_t us)
{
    char text[DURATION_TEXT_MAX];
    duration_format(us, text);
    buf_puts(out, text);
}

void connection_setting_text(const struct connection *c, enum connection_setting setting,
                             struct buf *out)
{
    const char *text[CONNECTION_SETTINGS] = {
        [CONNECTION_CONTEXT] = c->context,
        [CONNECTION_CACERT] = c->etcd.cacert,
        [CONNECTION_CERT] = c->etcd.cert,
        [CONNECTION_KEY] = c->etcd.key,
        [CONNECTION_USER] = c->etcd.user,
        [CONNECTION_PASSWORD_FILE] = c->etcd.password_file,
        [CONNECTION_INSECURE] = c->etcd.is_insecure ? "true" : "false",
    };
    if (setting == CONNECTION_DIAL_TIMEOUT)
        put_duration(out, c->etcd.connect_timeout_us);
    else if (setting == CONNECTION_COMMAND_TIMEOUT)
        put_duration(out, c->command_timeout_us);
    else if (setting != CONNECTION_ENDPOINTS)
        buf_puts(out, text[setting] ? text[setting] : "");
    for (size_t i = 0; setting == CONNECTION_ENDPOINTS && i < c->etcd.n_endpoints; i++)
        buf_printf(out, "%s%s", i ? "," : "", c->etcd.endpoints[i]);
}
