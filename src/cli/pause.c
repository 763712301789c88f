/* SPDX-License-Identifier: MIT */
#include "pause.h"

#include "ask.h"
#include "ask_local.h"
#include "plain.h"

#include <stdio.h>
#include <string.h>

struct wish {
    const struct arguments *arguments;
    bool is_resume;
    const char *node, *reason;
    char who[REQUEST_NAME_MAX];
    unsigned n;
    struct ip vips[200]; /* what it is about */
    unsigned n_nodes;
    char nodes[64][REQUEST_NAME_MAX];
    bool is_lone; /* the node holds something that nobody else could take */
};

static bool holds_alone(const struct request_scene *scene, const char *node)
{
    for (unsigned i = 0; i < scene->n_vips; i++)
        if (scene->vips[i].n == 1 && strcmp(scene->vips[i].queue[0].name, node) == 0)
            return true;
    return false;
}

/* Each once. */
static void add_vip(struct wish *w, const struct ip *vip)
{
    for (unsigned i = 0; i < w->n; i++)
        if (ip_equal(&w->vips[i], vip))
            return;
    if (w->n < sizeof(w->vips) / sizeof(w->vips[0]))
        w->vips[w->n++] = *vip;
}

static void add_node(struct wish *w, const char *node)
{
    if (w->n_nodes < sizeof(w->nodes) / sizeof(w->nodes[0]))
        snprintf(w->nodes[w->n_nodes++], REQUEST_NAME_MAX, "%s", node);
}

/* Without a word: all that is not paused, or all that is. */
static enum exit_code decide_all(struct wish *w, const struct request_scene *scene)
{
    for (unsigned i = 0; i < scene->n_vips; i++)
        if (scene->vips[i].pause.is_paused == w->is_resume)
            add_vip(w, &scene->vips[i].ip);
    for (unsigned i = 0; w->is_resume && i < scene->n_nodes; i++)
        if (scene->nodes[i].pause.is_paused)
            add_node(w, scene->nodes[i].name);
    if (w->n + w->n_nodes > 0)
        return EXIT_DONE;
    return ask_complain(EXIT_NO, "%s",
                        w->is_resume         ? "nothing is paused"
                        : scene->n_vips == 0 ? "nobody stands in any election"
                                             : "everything is paused already");
}

static enum exit_code decide(void *arg, const struct request_scene *scene)
{
    struct wish *w = arg;
    if (w->node) {
        if (!request_find_node(scene, w->node))
            return ask_unknown_node(scene, "there is no agent on", w->node);
        w->is_lone = holds_alone(scene, w->node);
        add_node(w, w->node);
        return EXIT_DONE;
    }
    if (w->arguments->n_words == 0)
        return decide_all(w, scene);
    for (unsigned i = 0; i < w->n; i++)
        if (!request_find_vip(scene, &w->vips[i]))
            return ask_unknown_vip(scene, &w->vips[i]);
    return EXIT_DONE;
}

/* All words are looked at before anything is done for the first. */
static enum exit_code read_words(struct wish *w)
{
    struct ip vip;
    for (size_t i = 0; i < w->arguments->n_words; i++) {
        const char *word = w->arguments->words[i];
        if (ip_parse(word, &vip) < 0)
            return ask_complain(EXIT_USAGE, "\"%.100s\" is not an IP address", word);
        add_vip(w, &vip);
    }
    return ask_reason(w->reason);
}

static int start(struct ask *a, const struct wish *w, const struct ip *vip, const char *node)
{
    static const struct request_callbacks callbacks = {.on_end = ask_on_end};
    struct request *request;
    if (vip && w->is_resume)
        return request_resume_vip(a->client, vip, &callbacks, a, &request);
    if (vip)
        return request_pause_vip(a->client, vip, w->who, w->reason, &callbacks, a, &request);
    if (w->is_resume)
        return request_resume_node(a->client, node, &callbacks, a, &request);
    return request_pause_node(a->client, node, w->who, w->reason, &callbacks, a, &request);
}

static void print_done(const struct wish *w, const char *what, bool is_vip)
{
    if (w->is_resume)
        plain_print(stdout, "%s goes on\n", what);
    else
        plain_print(stdout, "%s is PAUSED by %s: it %s until resume\n", what, w->who,
                    is_vip ? "stays where it is" : "takes no part");
}

static enum exit_code set_one(struct ask *a, const struct wish *w, const struct ip *vip,
                              const char *node)
{
    struct request_outcome outcome = {.result = REQUEST_FAILED};
    char text[IP_TEXT_MAX];
    if (vip)
        ip_format(vip, text);
    const char *what = vip ? text : node;
    enum exit_code code = ask_run(a, start(a, w, vip, node), &outcome);
    if (code == EXIT_NO)
        return ask_complain(EXIT_NO, "%s: %s", what, outcome.text);
    if (code != EXIT_DONE)
        return code;
    print_done(w, what, vip != NULL);
    return EXIT_DONE;
}

static enum exit_code set_all(struct ask *a, const struct wish *w)
{
    enum exit_code worst = EXIT_DONE;
    if (w->is_lone && !w->is_resume)
        plain_print(stderr, "talosvip: warning: nobody else stands in the queue of what %s holds\n",
                    w->node);
    for (unsigned i = 0; i < w->n + w->n_nodes; i++) {
        enum exit_code code =
            i < w->n ? set_one(a, w, &w->vips[i], NULL) : set_one(a, w, NULL, w->nodes[i - w->n]);
        if (code > EXIT_NO)
            return code;
        if (code > worst)
            worst = code;
    }
    return worst;
}

/* Through this host's agent: the VIPs named, or this node itself. */
static enum exit_code run_local(const struct wish *w)
{
    const char *socket = w->arguments->values[PAUSE_SOCKET].text;
    struct api_request request = {.has_vip = w->n > 0,
                                  .kind = w->is_resume ? API_RESUME : API_PAUSE};
    char text[IP_TEXT_MAX];
    unsigned i = 0;
    if (w->node)
        return ask_complain(EXIT_USAGE, "--local is about this node: leave out --node");
    memcpy(request.by, w->who, sizeof(request.by));
    snprintf(request.reason, sizeof(request.reason), "%s", w->reason ? w->reason : "");
    do {
        if (request.has_vip) {
            request.vip = w->vips[i];
            ip_format(&request.vip, text);
        }
        enum exit_code code = ask_local_post(socket, &request);
        if (code != EXIT_DONE)
            return code;
        print_done(w, request.has_vip ? text : "this node", request.has_vip);
    } while (++i < w->n);
    return EXIT_DONE;
}

enum exit_code pause_run(const struct arguments *arguments, bool is_resume)
{
    struct wish w = {.arguments = arguments,
                     .is_resume = is_resume,
                     .node = arguments->values[PAUSE_NODE].text,
                     .reason = is_resume ? NULL : arguments->values[PAUSE_REASON].text};
    const char *command = is_resume ? "resume" : "pause";
    struct ask a;
    if (w.node && arguments->n_words > 0)
        return ask_complain(EXIT_USAGE, "%s a VIP or a node, not both at once", command);
    enum exit_code code = read_words(&w);
    if (code != EXIT_DONE)
        return code;
    ask_who(w.who);
    if (arguments->values[PAUSE_LOCAL].origin == FROM_FLAG)
        return run_local(&w);
    code = ask_open(&a, command, arguments);
    if (code != EXIT_DONE)
        return code;
    code = ask_look(&a, decide, &w);
    if (code == EXIT_DONE)
        code = set_all(&a, &w);
    ask_close(&a);
    return code;
}
