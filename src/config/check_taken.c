/* SPDX-License-Identifier: MIT */
/* Addresses and host names that two nodes have. */
#include "model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One static address or host name of a node, for finding equal ones by sorting. */
struct entry {
    struct model *model;
    const struct spot *at;
    const struct ip *ip;  /* NULL: */
    const char *hostname; /* this one */
    bool is_single;       /* /32 or /128 */
};

static int compare_entries(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (!x->ip != !y->ip)
        return x->ip ? -1 : 1;
    int r = x->ip ? memcmp(x->ip, y->ip, sizeof(*x->ip)) : strcmp(x->hostname, y->hostname);
    return r != 0 ? r : x->model->index < y->model->index ? -1 : x->model->index > y->model->index;
}

static size_t entry_count(const struct model *models, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        count += models[i].hostname != NULL;
        for (const struct model_link *link = models[i].links; link; link = link->next)
            count += link->addresses.n;
    }
    return count;
}

static size_t entries_fill(struct model *models, size_t n, struct entry *entries)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        struct model *m = &models[i];
        if (!model_is_node(m))
            continue;
        if (m->hostname)
            entries[count++] =
                (struct entry){.model = m, .at = &m->hostname_at, .hostname = m->hostname};
        for (const struct model_link *link = m->links; link; link = link->next)
            for (const struct fact *fact = link->addresses.first; fact; fact = fact->next)
                if (!link->is_dummy)
                    entries[count++] =
                        (struct entry){.model = m,
                                       .at = &fact->at,
                                       .ip = &fact->prefix.ip,
                                       .is_single = fact->prefix.bits == ip_bits(&fact->prefix.ip)};
    }
    return count;
}

/* A link-local or loopback address may well be the same everywhere, and so may one that is in no
 * network: that of a service each node has for itself. */
static bool is_local(const struct entry *entry)
{
    const struct ip *ip = entry->ip;
    if (entry->is_single)
        return true;
    return ip->family == IP_V4 ? ip->bytes[0] == 127 || (ip->bytes[0] == 169 && ip->bytes[1] == 254)
                               : ip->bytes[0] == 0xfe && (ip->bytes[1] & 0xc0) == 0x80;
}

static void report_same(const struct entry *first, const struct entry *again)
{
    char text[IP_TEXT_MAX] = "";
    if (first->model == again->model || !model_is_one_cluster(first->model, again->model) ||
        (again->ip && (is_local(again) || model_vip_find(again->model, again->ip))))
        return;
    if (again->ip)
        ip_format(again->ip, text);
    struct finding *f = again->ip ? across_report(again->model, "TV302", again->at,
                                                  "two nodes have the address %s", text)
                                  : across_report(again->model, "TV302", again->at,
                                                  "two nodes have the name %s", again->hostname);
    spot_relate(again->model, f, first->at, "first here");
}

static void check_vip_taken(struct model *models, size_t n, const struct entry *entries,
                            size_t n_entries)
{
    for (size_t i = 0; i < n; i++)
        for (const struct model_vip *vip = models[i].vips; vip; vip = vip->next) {
            size_t low = 0, high = n_entries;
            while (low < high) {
                size_t middle = (low + high) / 2;
                const struct entry *e = &entries[middle];
                bool below = e->ip && memcmp(e->ip, &vip->ip, sizeof(*e->ip)) < 0;
                *(below ? &low : &high) = below ? middle + 1 : middle;
            }
            for (; low < n_entries && entries[low].ip && ip_equal(entries[low].ip, &vip->ip); low++)
                if (entries[low].model != &models[i] &&
                    model_is_one_cluster(entries[low].model, &models[i])) {
                    struct finding *f =
                        across_report(&models[i], "TV303", &vip->at,
                                      "VIP %s is the address of another node", vip->text);
                    spot_relate(&models[i], f, entries[low].at, "an address of that node");
                    break;
                }
        }
}

int check_taken(struct model *models, size_t n)
{
    size_t count = entry_count(models, n);
    struct entry *entries = count ? calloc(count, sizeof(*entries)) : NULL;
    if (count == 0)
        return 0;
    if (!entries)
        return -ENOMEM;
    count = entries_fill(models, n, entries);
    qsort(entries, count, sizeof(*entries), compare_entries);
    for (size_t i = 1, first = 0; i < count; i++) {
        bool same = !entries[i].ip == !entries[first].ip &&
                    (entries[i].ip ? ip_equal(entries[i].ip, entries[first].ip)
                                   : strcmp(entries[i].hostname, entries[first].hostname) == 0);
        if (same)
            report_same(&entries[first], &entries[i]);
        else
            first = i;
    }
    check_vip_taken(models, n, entries, count);
    free(entries);
    return 0;
}
