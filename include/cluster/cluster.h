/* SPDX-License-Identifier: MIT */
/* Follows one cluster through etcd: elections, node records, history and requests by one watch,
 * members by a status call each second. Never blocks; what does not answer is shown with its age.
 */
#ifndef TALOSVIP_CLUSTER_CLUSTER_H
#define TALOSVIP_CLUSTER_CLUSTER_H

#include "base/loop.h"
#include "cluster/snapshot.h"
#include "etcd/client.h"

struct cluster;

struct cluster_config {
    struct loop *loop;
    /* `loop` and the notices are set by the cluster; what it points to must outlive it. */
    struct etcd_client_config etcd;
    const char *name;            /* context name, or NULL: what etcd's cluster id says */
    uint64_t interval_us;        /* of the members' status; 0: 1 s */
    unsigned history;            /* newest moves to keep for each VIP; 0: 20 */
    struct ip history_vip;       /* of this VIP alone; IP_NONE: of all, which share the room */
    uint64_t command_timeout_us; /* of one call; 0: 5 s */
    /* Something changed; told from the loop, at most once a turn. May be NULL. */
    void (*on_change)(void *arg);
    void *arg;
};

/* Starts at once. 0, -EINVAL (then *ret_bad as etcd_client_new()), -ENOMEM, -EMFILE. */
int cluster_new(const struct cluster_config *config, struct cluster **ret_cluster,
                const char **ret_bad);
/* No callback comes after it. Takes NULL. */
void cluster_free(struct cluster *cluster);

/* What is known now, alerts included. 0, -ENOMEM. The caller gives it to snapshot_done(). */
int cluster_snapshot(struct cluster *cluster, struct snapshot *ret_snapshot);
/* Everything was heard once: the first list, and an answer or an error from every member, lease
 * times included. One-shot commands wait for it, or for their time limit. */
bool cluster_is_complete(const struct cluster *cluster);
/* False for a moment after the watch was opened anew, while half of a change may be known: then a
 * snapshot may show two owners where one follows the other. `on_change` waits for it. */
bool cluster_is_settled(const struct cluster *cluster);
/* Everybody was asked, and nobody who could give the first list is there: waiting may help, but
 * there is something to tell by now. */
bool cluster_is_hopeless(const struct cluster *cluster);
/* The last failure of what needs all of etcd; ETCD_OK since something has worked again. */
enum etcd_status cluster_failure(const struct cluster *cluster);
/* Asks everything anew (Ctrl-L). */
void cluster_refresh(struct cluster *cluster);
/* How often the members are asked from now on; 0: 1 s. */
void cluster_set_interval(struct cluster *cluster, uint64_t interval_us);
/* What this host itself sees of a VIP (its neighbour table, its probe), as node "(here)" or by
 * its name. Copied. 0, -ENOMEM, -ENOSPC. */
int cluster_note_view(struct cluster *cluster, const char *node, const struct snapshot_view *view);
/* The client it uses, for a command's own calls (resign, pause). Lives as long as the cluster. */
struct etcd_client *cluster_etcd(struct cluster *cluster);

#endif
