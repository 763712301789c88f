/* SPDX-License-Identifier: MIT */
#include "ask.h"
#include "ask_local.h"
#include "look.h"
#include "plain.h"
#include "table.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define RECENT_US UINT64_C(60000000)
#define RESET "Connections to the address are reset, and clients connect anew."

enum { TO, REASON, YES, DRY_RUN, WAIT, LOCAL, SOCKET };

static const struct option options[] = {
    [TO] = {.name = "to",
            .kind = OPTION_STRING,
            .metavar = "NODE",
            .help = "who is to have it; those between step behind"},
    [REASON] = {.name = "reason",
                .kind = OPTION_STRING,
                .metavar = "TEXT",
                .help = "why, for the history"},
    [YES] = {.name = "yes", .letter = 'y', .kind = OPTION_FLAG, .help = "do not ask"},
    [DRY_RUN] = {.name = "dry-run", .kind = OPTION_FLAG, .help = "say what it would do"},
    [WAIT] = {.name = "wait",
              .kind = OPTION_DURATION,
              .metavar = "DURATION",
              .min_us = 1000000,
              .max_us = 600000000,
              .fallback = "30s",
              .help = "for it to be done"},
    ASK_LOCAL_OPTIONS,
    CONNECTION_OPTIONS,
    {.name = NULL},
};

static const struct habit habits[] = {
    CONNECTION_HABITS,
    {"--force", "there is no --force; did you mean --yes?", NULL},
    {NULL, NULL, NULL},
};

static const struct example examples[] = {
    {"resign 10.0.0.50 --reason \"kernel update\"", "the next in the queue has it"},
    {"resign 10.0.0.50 --to cp-3 --yes", "cp-3 has it, without a question"},
    {"resign 10.0.0.50 --dry-run", "what would come of it"},
    {"resign 10.0.0.50 --local", "on a node, without access to etcd"},
    {NULL, NULL},
};

/* What would come of it, from live data. */
struct prospect {
    struct ip vip;
    char text[IP_TEXT_MAX];
    const char *to; /* or NULL */
    /* A line each, "" for none: */
    char consequence[512], effect[192];
    char usual[96];  /* what was measured before */
    char doubt[256]; /* why more than a yes is asked for */
};

static void describe_node(const struct request_scene *scene, const char *name, char *out,
                          size_t size)
{
    const struct request_member *m = request_find_node(scene, name);
    char age[48] = "";
    if (!m || !m->has_agent) {
        snprintf(out, size, "%s (no agent: nothing is known of it)", name);
        return;
    }
    if (m->renewed_us >= 0)
        snprintf(age, sizeof(age), "%srenewed %.1fs ago", m->iface[0] ? ", " : "",
                 (double)m->renewed_us / 1e6);
    if (m->iface[0])
        snprintf(out, size, "%s (%s %s%s)", name, m->iface, m->is_link_up ? "up" : "DOWN", age);
    else
        snprintf(out, size, age[0] ? "%s (%s)" : "%s", name, age);
}

static void note_doubt(struct prospect *p, const struct request_scene *scene,
                       const struct request_vip *vip, const char *heir)
{
    const struct request_member *m = request_find_node(scene, heir);
    uint64_t now = clock_wall_us();
    if (!m || !m->has_agent)
        snprintf(p->doubt, sizeof(p->doubt), "%s runs no agent: nothing is known of it.", heir);
    else if (m->iface[0] && !m->is_link_up)
        snprintf(p->doubt, sizeof(p->doubt), "%s has no link: it could not announce it.", heir);
    else if (vip->released_wall_us && vip->released_wall_us <= now &&
             now - vip->released_wall_us < RECENT_US)
        snprintf(p->doubt, sizeof(p->doubt), "It moved only %.0fs ago.",
                 (double)(now - vip->released_wall_us) / 1e6);
}

static int find(const struct request_vip *vip, const char *name)
{
    for (unsigned i = 0; i < vip->n; i++)
        if (strcmp(vip->queue[i].name, name) == 0)
            return (int)i;
    return -1;
}

/* What the agents would refuse is refused before anybody is asked anything. */
static enum exit_code decide(void *arg, const struct request_scene *scene)
{
    struct prospect *p = arg;
    const struct request_vip *vip = request_find_vip(scene, &p->vip);
    char heir[160];
    if (!vip || vip->n == 0)
        return ask_unknown_vip(scene, &p->vip);
    const char *holder = vip->queue[0].name;
    int at = p->to ? find(vip, p->to) : 1;
    if (vip->pause.is_paused)
        return ask_complain(EXIT_NO, "%s is PAUSED by %s; resume it first: talosvip resume %s",
                            p->text, vip->pause.by[0] ? vip->pause.by : "somebody", p->text);
    if (!vip->queue[0].has_agent)
        return ask_complain(EXIT_NO,
                            "cannot move %s: its holder %s runs no talosvip agent (stock Talos)",
                            p->text, holder);
    if (at < 0 && request_find_node(scene, p->to))
        return ask_complain(EXIT_NO, "cannot move %s: %s does not stand in its queue", p->text,
                            p->to);
    if (at < 0)
        return ask_unknown_node(scene, "there is no node", p->to);
    if (at == 0)
        return ask_complain(EXIT_NO, "%s has %s already", p->to, p->text);
    if (vip->n < 2)
        return ask_complain(EXIT_NO, "cannot move %s: nobody but %s stands in its queue", p->text,
                            holder);
    describe_node(scene, vip->queue[at].name, heir, sizeof(heir));
    note_doubt(p, scene, vip, vip->queue[at].name);
    char behind[128] = "";
    if (at > 1)
        snprintf(behind, sizeof(behind), "%s%s step%s behind it.",
                 at == 2 ? vip->queue[1].name : "Those", at == 2 ? "" : " between",
                 at == 2 ? "s" : "");
    snprintf(p->consequence, sizeof(p->consequence), "%s gives %s up. %s: %s.", holder, p->text,
             p->to ? "It goes to" : "Next in the queue", heir);
    snprintf(p->effect, sizeof(p->effect), "%s", at > 1 ? behind : RESET);
    return EXIT_DONE;
}

/* A cluster that may lose no further member deserves a second thought. */
static void note_etcd(struct prospect *p, const struct arguments *arguments)
{
    struct look look;
    struct snapshot s;
    if (p->doubt[0] || look_open(arguments, 1, &look) != EXIT_DONE)
        return;
    if (look_once(&look, &s) == EXIT_DONE) {
        if (s.etcd.state != SNAPSHOT_ETCD_OK)
            snprintf(p->doubt, sizeof(p->doubt), "etcd is %s: %u of %u members answer.",
                     snapshot_etcd_state_name(s.etcd.state), s.etcd.n_healthy, s.etcd.n_members);
        snapshot_done(&s);
    }
    look_close(&look);
}

static void print_prospect(const struct prospect *p, FILE *to)
{
    const char *const lines[] = {p->consequence, p->effect, p->usual, p->doubt};
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        if (*lines[i])
            plain_print(to, "%s\n", lines[i]);
}

/* EXIT_DONE: go on. */
static enum exit_code confirm(struct prospect *p, const struct arguments *arguments)
{
    char question[128];
    if (!ask_can_ask("resign"))
        return EXIT_USAGE;
    if (arguments->values[LOCAL].origin != FROM_FLAG)
        note_etcd(p, arguments);
    print_prospect(p, stderr);
    snprintf(question, sizeof(question), p->doubt[0] ? "Type %s to go on:" : "Resign %s? [y/N]",
             p->text);
    if (ask_confirm(question, p->doubt[0] ? p->text : NULL))
        return EXIT_DONE;
    fputs("Nothing was changed.\n", stderr);
    return EXIT_NO;
}

static void on_progress(void *arg, const struct request_progress *p)
{
    double at = (double)p->at_us / 1e6;
    (void)arg;
    switch (p->phase) {
    case REQUEST_ASKED:
        printf("asked %.1fs", at);
        break;
    case REQUEST_RELEASED:
        printf(", released %.1fs", at);
        break;
    case REQUEST_WON:
        plain_print(stdout, ", %s leads %.1fs", p->node, at);
        break;
    case REQUEST_ANNOUNCED:
        printf(", announced %.1fs", at);
        break;
    case REQUEST_SEEN:
        printf(", %u/%u see it %.1fs", p->seen, p->observers, at);
        break;
    }
    fflush(stdout);
}

static void print_outcome(const struct prospect *p, const struct request_outcome *o)
{
    putchar('\n');
    plain_print(stdout, "%s moved from %s to %s", p->text, o->from, o->to);
    if (o->outage_us >= 0)
        printf(", gap %.3fs +-%.3fs\n", (double)o->outage_us / 1e6, (double)o->error_us / 1e6);
    else
        printf("; nobody measured the gap\n");
    if (p->to && strcmp(p->to, o->to) != 0)
        fflush(stdout);
}

static enum exit_code move(struct ask *a, const struct prospect *p,
                           const struct arguments *arguments)
{
    static const struct request_callbacks callbacks = {.on_progress = on_progress,
                                                       .on_end = ask_on_end};
    char who[REQUEST_NAME_MAX];
    struct request_outcome outcome = {.result = REQUEST_FAILED};
    struct request *request;
    ask_who(who);
    const struct request_resign resign = {.vip = p->vip,
                                          .to = p->to,
                                          .by = who,
                                          .reason = arguments->values[REASON].text,
                                          .wait_us = arguments->values[WAIT].us};
    int r = request_resign(a->client, a->loop, &resign, &callbacks, a, &request);
    enum exit_code code = ask_run(a, r, &outcome);
    if (r < 0 || outcome.result == REQUEST_FAILED)
        return code;
    if (code != EXIT_DONE) {
        printf("\n");
        fflush(stdout);
        return ask_complain(EXIT_NO, "%s: %s", p->text, outcome.text);
    }
    print_outcome(p, &outcome);
    if (p->to && strcmp(p->to, outcome.to) != 0)
        return ask_complain(EXIT_NO, "%s has it, not %s", outcome.to, p->to);
    return EXIT_DONE;
}

/* Says what would be done, or asks whether it shall; EXIT_DONE and *ret_go: do it. */
static enum exit_code settle(struct prospect *p, const struct arguments *arguments, bool *ret_go)
{
    bool is_dry = arguments->values[DRY_RUN].origin == FROM_FLAG;
    enum exit_code code = EXIT_DONE;
    if (is_dry)
        print_prospect(p, stdout);
    else if (arguments->values[YES].origin != FROM_FLAG)
        code = confirm(p, arguments);
    *ret_go = code == EXIT_DONE && !is_dry;
    return code;
}

/* ---- through this host's agent ---- */

static enum exit_code decide_local(struct prospect *p, const struct api_status *status,
                                   char ret_from[API_NAME_MAX])
{
    for (unsigned i = 0; i < status->n_vips; i++) {
        const struct api_vip *vip = &status->vips[i];
        if (!ip_equal(&vip->ip, &p->vip))
            continue;
        const char *heir = p->to ? p->to : vip->queued ? vip->queue[0] : "nobody";
        if (!vip->holder[0])
            return ask_complain(EXIT_NO, "nobody holds %s", p->text);
        snprintf(ret_from, API_NAME_MAX, "%s", vip->holder);
        snprintf(p->consequence, sizeof(p->consequence), "%s gives %s up. %s: %s.", vip->holder,
                 p->text, p->to ? "It goes to" : "Next in the queue", heir);
        snprintf(p->effect, sizeof(p->effect), "%s", RESET);
        return EXIT_DONE;
    }
    return ask_complain(EXIT_NO, "this node's agent has no VIP %s", p->text);
}

static enum exit_code move_local(const struct prospect *p, const struct arguments *arguments,
                                 const char *from)
{
    struct api_request request = {.kind = API_RESIGN, .has_vip = true, .vip = p->vip};
    const char *socket = arguments->values[SOCKET].text, *reason = arguments->values[REASON].text;
    char to[API_NAME_MAX];
    snprintf(request.to, sizeof(request.to), "%s", p->to ? p->to : "");
    snprintf(request.reason, sizeof(request.reason), "%s", reason ? reason : "");
    ask_who(request.by);
    enum exit_code code = ask_local_post(socket, &request);
    if (code == EXIT_DONE)
        code = ask_local_follow(socket, &p->vip, from, arguments->values[WAIT].us, to);
    if (code == EXIT_DONE)
        plain_print(stdout, "%s moved from %s to %s\n", p->text, from, to);
    return code;
}

static enum exit_code run_local(struct prospect *p, const struct arguments *arguments)
{
    struct api_status status;
    char from[API_NAME_MAX];
    bool is_go = false;
    enum exit_code code = ask_local_status(arguments->values[SOCKET].text, &status);
    if (code != EXIT_DONE)
        return code;
    code = decide_local(p, &status, from);
    api_status_done(&status);
    if (code == EXIT_DONE)
        code = settle(p, arguments, &is_go);
    return is_go ? move_local(p, arguments, from) : code;
}

static void note_usual(struct ask *a, struct prospect *p)
{
    int64_t us = 0;
    unsigned n = ask_usual_gap(a, &p->vip, &us);
    if (n > 0)
        snprintf(p->usual, sizeof(p->usual), "Usual gap for a planned move: %.3fs (last %u).",
                 (double)us / 1e6, n);
}

static enum exit_code run(const struct arguments *arguments)
{
    struct prospect p = {.to = arguments->values[TO].text};
    bool is_go = false;
    struct ask a;
    enum exit_code code = ask_vip(arguments, &p.vip);
    if (code == EXIT_DONE)
        code = ask_reason(arguments->values[REASON].text);
    if (code == EXIT_DONE && p.to && strlen(p.to) >= REQUEST_NAME_MAX)
        code = ask_complain(EXIT_USAGE, "--to: longer than %d bytes", REQUEST_NAME_MAX - 1);
    if (code != EXIT_DONE)
        return code;
    ip_format(&p.vip, p.text);
    if (arguments->values[LOCAL].origin == FROM_FLAG)
        return run_local(&p, arguments);
    code = ask_open(&a, "resign", arguments);
    if (code != EXIT_DONE)
        return code;
    code = ask_look(&a, decide, &p);
    if (code == EXIT_DONE) {
        note_usual(&a, &p);
        code = settle(&p, arguments, &is_go);
    }
    if (is_go)
        code = move(&a, &p, arguments);
    ask_close(&a);
    return code;
}

const struct command cmd_resign = {
    .name = "resign",
    .group = "Change",
    .summary = "move an address away from its holder",
    .usage = "VIP [--to NODE] [--reason TEXT] [--yes] [--dry-run] [--wait DURATION] [--local]",
    .examples = examples,
    .options = options,
    .habits = habits,
    .words_max = 1,
    .word = "VIP",
    .run = run,
};
