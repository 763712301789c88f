/* SPDX-License-Identifier: MIT */
/* The key under which agents hear each other. */
#include "connection.h"
#include "table.h"

#include "base/loop.h"
#include "etcd/keys.h"
#include "etcd/peers.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/random.h>

static const struct option options[] = {CONNECTION_OPTIONS, {.name = NULL}};

static const struct habit habits[] = {CONNECTION_HABITS, {NULL, NULL, NULL}};

static const struct example examples[] = {
    {"peers rotate-key", "a new key; no address moves"},
    {NULL, NULL},
};

struct rotation {
    struct connection connection;
    struct loop *loop;
    struct etcd_client *client;
    struct peers_key next;
    struct complaint complaint;
    enum exit_code code;
};

static void end(struct rotation *r, enum exit_code code)
{
    r->code = code;
    loop_stop(r->loop);
}

static void fail(struct rotation *r, const struct etcd_reply *reply)
{
    bool is_refused = reply->status == ETCD_FORBIDDEN;
    complaint_set(&r->complaint, "etcd: %.500s", reply->message);
    end(r, is_refused ? EXIT_PERMISSION : EXIT_UNKNOWN);
}

/* A txn that was carried out twice fails the second time, and finds what it wrote itself. */
static bool is_written(const struct rotation *r, const struct etcd_reply *reply)
{
    const struct etcd_response *last =
        reply->n_responses ? &reply->responses[reply->n_responses - 1] : NULL;
    struct peers_key found;
    if (reply->succeeded)
        return true;
    if (!last || last->n_kvs != 1 ||
        peers_key_parse(last->kvs[0].value, last->kvs[0].value_len, &found) < 0)
        return false;
    bool is_ours = memcmp(found.current, r->next.current, sizeof(found.current)) == 0;
    explicit_bzero(&found, sizeof(found));
    return is_ours;
}

static void on_rotated(void *arg, const struct etcd_reply *reply)
{
    struct rotation *r = arg;
    if (reply->status != ETCD_OK) {
        fail(r, reply);
        return;
    }
    if (!is_written(r, reply)) {
        complaint_set(&r->complaint, "somebody else has just written the key");
        complaint_hint(&r->complaint, "wait 20 s, for agents to have changed over, and try again");
        end(r, EXIT_NO);
        return;
    }
    end(r, EXIT_DONE);
}

static int rotate(struct rotation *r, const struct etcd_kv *kv)
{
    uint8_t fresh[PEERS_KEY_SIZE];
    struct peers_key old;
    if (getrandom(fresh, sizeof(fresh), 0) != (ssize_t)sizeof(fresh))
        return -errno;
    /* What cannot be read cannot be changed over from; a new key mends it. */
    bool has_old = kv && peers_key_parse(kv->value, kv->value_len, &old) == 0;
    peers_key_next(has_old ? &old : NULL, fresh, &r->next);
    uint64_t limit = r->connection.command_timeout_us;
    int e = kv ? peers_call_rotate_key(r->client, &r->next, kv->mod_revision, limit, on_rotated, r,
                                       NULL)
               : peers_call_create_key(r->client, &r->next, limit, on_rotated, r, NULL);
    explicit_bzero(fresh, sizeof(fresh));
    explicit_bzero(&old, sizeof(old));
    return e;
}

static void on_read(void *arg, const struct etcd_reply *reply)
{
    struct rotation *r = arg;
    if (reply->status != ETCD_OK || reply->n_responses != 1) {
        fail(r, reply);
        return;
    }
    const struct etcd_response *found = &reply->responses[0];
    int e = rotate(r, found->n_kvs ? &found->kvs[0] : NULL);
    if (e < 0) {
        complaint_set(&r->complaint, "cannot make a key: %s", strerror(-e));
        end(r, EXIT_BUG);
    }
}

static enum exit_code ask(struct rotation *r)
{
    const struct etcd_range range = {.key = KEYS_PEERKEY};
    const char *bad = NULL;
    int e = -ENOMEM;
    r->loop = loop_new();
    if (r->loop) {
        r->connection.etcd.loop = r->loop;
        e = etcd_client_new(&r->connection.etcd, &r->client, &bad);
    }
    if (e == 0)
        e = etcd_call_range(r->client, &range, r->connection.command_timeout_us, on_read, r, NULL);
    if (e == 0 && loop_run(r->loop) == 0)
        return r->code;
    if (bad)
        complaint_set(&r->complaint, "\"%.200s\" is not an etcd endpoint", bad);
    else
        complaint_set(&r->complaint, "cannot use etcd: %s", strerror(-e));
    return bad ? EXIT_USAGE : EXIT_UNKNOWN;
}

static enum exit_code rotate_key(const struct arguments *arguments)
{
    struct rotation r = {.code = EXIT_BUG};
    enum exit_code code = connection_resolve(arguments, &r.connection, &r.complaint);
    if (code == EXIT_DONE && r.connection.is_read_only) {
        complaint_set(&r.complaint, "context \"%.100s\" is read-only: no peers rotate-key",
                      r.connection.context);
        code = EXIT_PERMISSION;
    } else if (code == EXIT_DONE) {
        code = ask(&r);
    }
    if (code == EXIT_DONE)
        printf("key %" PRIu64 " written; agents take it at once, send under it after 10 s, and "
               "refuse the old one after 20 s\n",
               r.next.generation);
    else
        complaint_print(&r.complaint);
    etcd_client_free(r.client);
    loop_free(r.loop);
    connection_done(&r.connection);
    explicit_bzero(&r.next, sizeof(r.next));
    return code;
}

static const char *const verbs[] = {"rotate-key", NULL};

static enum exit_code run(const struct arguments *arguments)
{
    struct complaint complaint = {.what = ""};
    const char *word = arguments->n_words ? arguments->words[0] : NULL;
    if (word && strcmp(word, verbs[0]) == 0)
        return rotate_key(arguments);
    if (!word)
        complaint_set(&complaint, "peers needs to know what to do");
    else
        complaint_set(&complaint, "peers has no \"%.100s\"", word);
    if (!word || !complaint_suggest(&complaint, word, "", verbs, 1))
        complaint_hint(&complaint, "talosvip peers rotate-key gives the agents a new key");
    complaint_print(&complaint);
    return EXIT_USAGE;
}

const struct command cmd_peers = {
    .name = "peers",
    .group = "Change",
    .summary = "give the agents' peer lease a new key",
    .usage = "rotate-key [connection flags]",
    .examples = examples,
    .options = options,
    .habits = habits,
    .words_max = 1,
    .verbs = verbs,
    .run = run,
};
