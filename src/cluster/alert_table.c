/* SPDX-License-Identifier: MIT */
#include "cluster/alert.h"

static const struct alert_kind table[] = {
    {"TVA01", SNAPSHOT_CRIT, "no node has the address",
     "There is no candidate in the election of this address: nobody holds it, and nobody waits "
     "for it.",
     "Whoever uses the address reaches nobody. It stays so until a node joins.",
     "Start an agent on a control-plane node, or see with `talosvip status --local` there why it "
     "does not join: no link, a failing health check, a pause, no etcd."},
    {"TVA02", SNAPSHOT_CRIT, "two stations answer for the address",
     "Two MAC addresses answered for it within a few seconds, or two kernels have it at once.",
     "Clients reach one node or the other, by chance; connections break.",
     "The alert names the nodes. On the one that does not hold it: `ip addr show`, and find out "
     "who set it (a person, a network manager, a second program for the same address)."},
    {"TVA03", SNAPSHOT_CRIT, "held, but nobody answers for it",
     "A node holds the address in etcd, and no other node gets an answer to ARP or neighbour "
     "discovery for it.",
     "To clients the address is gone, though all records say that it is held.",
     "Look at the holder's link, its switch port and its VLAN; check whether the address is set "
     "there, and whether the packet fence is open (`talosvip status --local`)."},
    {"TVA04", SNAPSHOT_CRIT, "a node still sends to the old MAC",
     "This node's neighbour table has another MAC for the address than the holder's.",
     "What this node sends to the address goes to a node that does not have it. Clients beside it "
     "may do the same.",
     "The holder repeats its announcement by itself. If the entry stays: `ip neigh flush to "
     "ADDRESS` on that node, and look for a switch or a firewall that drops gratuitous ARP."},
    {"TVA05", SNAPSHOT_CRIT, "an outage is under way",
     "The address is between two owners: the old one is gone, the new one has not set it yet or "
     "has not been seen by anybody.",
     "Clients are cut off while it lasts. A planned move takes milliseconds, a dead machine what "
     "the lease allows.",
     "Wait as long as the lease lasts. If it stays, look at the agent of the next node in the "
     "queue."},
    {"TVA06", SNAPSHOT_WARN, "the renewal of a lease is late",
     "More than a third of the lease, and a second, have passed since the node renewed it last.",
     "If no renewal succeeds, the node gives the address up before the lease ends.",
     "Look at etcd's health and latency, and at the node's load."},
    {"TVA07", SNAPSHOT_WARN, "a clock is off",
     "The wall clock of a node differs from that of the others by more than 500 ms.",
     "Times in its records are wrong by that much. Leases are not affected: they run on clocks "
     "that nobody sets.",
     "`chronyc tracking` or `timedatectl` on that node."},
    {"TVA08", SNAPSHOT_WARN, "the address moves to and fro",
     "It changed its owner three times or more within ten minutes.",
     "Each move cuts connections. Something fails again and again.",
     "`talosvip history --vip ADDRESS` shows the causes; the one that repeats is the fault."},
    {"TVA09", SNAPSHOT_WARN, "a candidate in the queue is dead",
     "A key waits in the election whose lease is not renewed any more.",
     "When the holder goes, everybody behind this key waits until its lease has run out.",
     "It goes by itself when the lease ends. If its node lives, look at its agent."},
    {"TVA10", SNAPSHOT_CRIT, "etcd cannot be reached, or has no quorum",
     "No answer that needs the majority of etcd's members came lately.",
     "Owners give their addresses up when their leases end, and nobody can take over. What is "
     "shown is the last that was known.",
     "Look at the members one by one: `talosvip status -e URL`. On a node, `talosvip status "
     "--local` works without etcd."},
    {"TVA11", SNAPSHOT_WARN, "an etcd member is down, and no further one may fail",
     "As many members are up as are needed for a majority, and not one more.",
     "The next failure stops etcd, and with it every election.",
     "Bring the member back, or replace it."},
    {"TVA12", SNAPSHOT_INFO, "etcd has an even number of members",
     "An even number needs the same majority as one more member, and bears no more failures than "
     "one less.",
     "One more machine that can fail, without more tolerance.", "Use three or five members."},
    {"TVA13", SNAPSHOT_WARN, "nobody waits for the address",
     "A node holds it, and there is no other candidate.", "If the holder goes, nobody takes over.",
     "Start an agent on another control-plane node, or see there why it does not join."},
    {"TVA14", SNAPSHOT_INFO, "the agents' versions differ",
     "Not all agents are of the same version.",
     "They understand each other, but may not have the same features and faults.",
     "Finish the upgrade."},
    {"TVA15", SNAPSHOT_CRIT, "etcd's database is full, nearly full, or corrupt",
     "A member has raised the alarm NOSPACE or CORRUPT, or its database has used more than 80 % "
     "of its quota.",
     "With NOSPACE etcd grants no leases and takes no keys: nobody new can join an election. "
     "Renewals go on.",
     "Compact and defragment etcd, then disarm the alarm: `etcdctl alarm disarm`."},
    {"TVA16", SNAPSHOT_CRIT, "the address is set on a node that does not hold it",
     "This node's kernel has the address, though another one leads, or nobody.",
     "It answers for it as soon as somebody asks.",
     "`ip addr del ADDRESS dev LINK` there, once it is clear who set it."},
    {"TVA17", SNAPSHOT_CRIT, "a foreign station answers for the address",
     "The MAC that answers belongs to no node that is known here.",
     "A machine outside the cluster uses the address; clients may reach it instead.",
     "Look the MAC up in the switch's table, and take the address away from that machine."},
};

const struct alert_kind *alert_table(size_t *ret_n)
{
    *ret_n = sizeof(table) / sizeof(table[0]);
    return table;
}
