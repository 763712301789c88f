/* SPDX-License-Identifier: MIT */
/* Where a file holds what must not be shown. In a file that was read the tree tells; behind a
 * mistake in the syntax only the lines do, and then rather too much is hidden. */
#include "model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct ranges {
    struct validate_range *list;
    size_t n, cap;
    int error;
};

/* Parts of the names of keys; compared without regard to case. */
static const char *const secret_words[] = {
    "token",       "secret",       "password",   "passphrase", "passwd", "privatekey",
    "private_key", "presharedkey", "credential", "apikey",     "api_key"};
/* Whole names. */
static const char *const secret_keys[] = {"key",      "auth",     "content",
                                          "contents", "userData", "identity"};
/* Keys of files and of fields that only sound like it. */
static const char *const plain_keys[] = {
    "keyFile",    "passwordFile", "publicKey", "keySize",
    "secretName", "tokenFile",    "secrets",   "credentialProviderConfig"};
/* A private key in PEM, and the same in base64; parameters of URLs, and variables. */
static const char *const secret_texts[] = {
    "PRIVATE KEY", "LS0tLS1CRUdJTi", "token=", "authkey=", "password=", "secret="};

static bool is_secret_key(const char *key, size_t len)
{
    char name[64];
    if (len == 0 || len >= sizeof(name))
        return false;
    memcpy(name, key, len);
    name[len] = '\0';
    for (size_t i = 0; i < sizeof(plain_keys) / sizeof(plain_keys[0]); i++)
        if (strcasecmp(name, plain_keys[i]) == 0)
            return false;
    for (size_t i = 0; i < sizeof(secret_keys) / sizeof(secret_keys[0]); i++)
        if (strcasecmp(name, secret_keys[i]) == 0)
            return true;
    for (size_t i = 0; i < sizeof(secret_words) / sizeof(secret_words[0]); i++)
        if (strcasestr(name, secret_words[i]))
            return true;
    return false;
}

static void range_add(struct ranges *ranges, size_t start, size_t end)
{
    if (start >= end)
        return;
    if (ranges->n == ranges->cap) {
        size_t cap = ranges->cap ? 2 * ranges->cap : 64;
        struct validate_range *list = realloc(ranges->list, cap * sizeof(*list));
        if (!list) {
            ranges->error = -ENOMEM;
            return;
        }
        ranges->list = list;
        ranges->cap = cap;
    }
    ranges->list[ranges->n++] = (struct validate_range){start, end};
}

/* "https://user:password@host" */
static bool has_userinfo(const char *text)
{
    const char *host = strstr(text, "://"), *at = host ? strchr(host, '@') : NULL;
    return at && at < host + 3 + strcspn(host + 3, "/?#");
}

static bool is_secret_text(const char *text)
{
    for (size_t i = 0; i < sizeof(secret_texts) / sizeof(secret_texts[0]); i++)
        if (strcasestr(text, secret_texts[i]))
            return true;
    return has_userinfo(text);
}

/* All scalars below a secret key are secret: `token: {value: x}`. */
static void tree(struct ranges *ranges, const struct yaml_node *node, bool is_secret)
{
    if (node->kind == YAML_SCALAR) {
        if ((is_secret && !yaml_is_null(node)) || is_secret_text(node->text))
            range_add(ranges, node->start.offset, node->end.offset);
        return;
    }
    for (const struct yaml_entry *e = node->entries; e; e = e->next) {
        bool secret = e->key && is_secret_key(e->key->text, e->key->len);
        tree(ranges, e->value, secret || is_secret);
    }
}

/* The key in front of a ':' at `colon`. */
static size_t key_before(const char *text, size_t line, size_t colon, size_t *ret_len)
{
    size_t end = colon;
    while (end > line && (text[end - 1] == ' ' || text[end - 1] == '"' || text[end - 1] == '\''))
        end--;
    size_t start = end;
    while (start > line && !strchr(" \t\"'{,-", text[start - 1]))
        start--;
    *ret_len = end - start;
    return start;
}

static bool find(const char *text, size_t len, const char *what)
{
    size_t n = strlen(what);
    for (size_t i = 0; i + n <= len; i++)
        if (strncasecmp(text + i, what, n) == 0)
            return true;
    return false;
}

/* One line; true when the lines below, as far as they are further in, are secret, too. */
static bool scan_line(struct ranges *ranges, const char *text, size_t start, size_t end)
{
    for (size_t i = start; i < end; i++) {
        size_t len;
        if (text[i] != ':' || (i + 1 < end && text[i + 1] != ' ' && text[i + 1] != '\t'))
            continue;
        size_t key = key_before(text, start, i, &len);
        if (!is_secret_key(text + key, len))
            continue;
        size_t value = i + 1;
        while (value < end && (text[value] == ' ' || text[value] == '\t'))
            value++;
        range_add(ranges, value, end);
        return value == end || text[value] == '|' || text[value] == '>';
    }
    for (size_t i = 0; i < sizeof(secret_texts) / sizeof(secret_texts[0]); i++)
        if (find(text + start, end - start, secret_texts[i]))
            range_add(ranges, start, end);
    const char *at = memchr(text + start, '@', end - start);
    if (at && memmem(text + start, end - start, "://", 3))
        range_add(ranges, start, end);
    return false;
}

static void lines(struct ranges *ranges, const char *text, size_t len)
{
    size_t below = SIZE_MAX; /* lines further in than this are secret */
    for (size_t start = 0; start < len;) {
        const char *nl = memchr(text + start, '\n', len - start);
        size_t end = nl ? (size_t)(nl - text) : len, indent = start;
        while (indent < end && text[indent] == ' ')
            indent++;
        /* A list may stand as far out as its key. */
        size_t depth = indent - start + (indent < end && text[indent] == '-');
        if (indent < end && below != SIZE_MAX && depth > below) {
            range_add(ranges, indent, end);
        } else if (indent < end) {
            below = scan_line(ranges, text, start, end) ? indent - start : SIZE_MAX;
        }
        start = end + 1;
    }
}

static int compare(const void *a, const void *b)
{
    const struct validate_range *x = a, *y = b;
    return x->start < y->start ? -1 : x->start > y->start;
}

int secrets_find(const struct model *model, struct arena *arena,
                 const struct validate_range **ret_ranges, size_t *ret_n)
{
    struct ranges ranges = {.n = 0};
    for (const struct yaml_document *d = model->documents; d; d = d->next)
        tree(&ranges, d->root, false);
    if (model->is_broken)
        lines(&ranges, model->text, model->len);
    struct validate_range *out =
        ranges.error ? NULL : arena_array(arena, ranges.n + 1, sizeof(*out));
    size_t n = 0;
    if (out) {
        if (ranges.n)
            qsort(ranges.list, ranges.n, sizeof(*ranges.list), compare);
        for (size_t i = 0; i < ranges.n; i++) {
            if (n > 0 && ranges.list[i].start <= out[n - 1].end)
                out[n - 1].end =
                    ranges.list[i].end > out[n - 1].end ? ranges.list[i].end : out[n - 1].end;
            else
                out[n++] = ranges.list[i];
        }
        *ret_ranges = out;
        *ret_n = n;
    }
    free(ranges.list);
    return out ? 0 : -ENOMEM;
}
