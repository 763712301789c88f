/* SPDX-License-Identifier: MIT */
/* Who answers for the VIPs, and who claims them. */
#include <inttypes.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "net/frame.h"
#include "observer.h"

static int packet_fd, ifindex;

/* A further link of a node in the lab differs from its first one in the fifth byte: a node with two
 * links into the network of the VIPs, which answers by both, is one owner. */
static struct mac node_mac(struct mac mac)
{
    static const uint8_t lab[] = {0x02, 0x77, 0, 0};

    if (memcmp(mac.bytes, lab, sizeof(lab)) == 0)
        mac.bytes[4] = 0;
    return mac;
}

static struct mac slot_mac(unsigned slot)
{
    return (struct mac){{0x02, 0x76, 0x70, 0, 0, (uint8_t)slot}};
}

/* An address of the VIP's own /64, so that the owner can answer, which no kernel here has. */
static struct ip slot_source(const struct vip *v, unsigned slot)
{
    struct ip ip = v->ip;

    memset(ip.bytes + 8, 0, 8);
    ip.bytes[12] = 0x76;
    ip.bytes[13] = 0x76;
    ip.bytes[15] = (uint8_t)slot;
    return ip;
}

void wire_probe(struct vip *v, unsigned turn, uint64_t now)
{
    struct slot *s = &v->slots[turn];
    struct mac mac = slot_mac(turn);
    struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = ifindex, .sll_halen = 6};
    uint8_t data[FRAME_MAX];
    size_t len;

    if (s->sent_us != 0 && !s->is_answered)
        v->steady_us = now;
    *s = (struct slot){.sent_us = now};
    if (v->ip.family == IP_V4) {
        len = frame_arp_probe(&mac, &v->ip, data);
    } else {
        struct ip source = slot_source(v, turn);

        len = frame_ns_request(&mac, &source, &v->ip, NULL, data);
    }
    v->rec.probes++;
    (void)!sendto(packet_fd, data, len, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to));
}

static void owner_note(struct vip *v, const struct mac *mac)
{
    struct record *r = &v->rec;

    for (unsigned i = 0; i < r->owner_count; i++) {
        if (mac_equal(&r->owners[i], mac))
            return;
    }
    if (r->owner_count < OWNERS_MAX)
        r->owners[r->owner_count++] = *mac;
}

static void owner_set(struct vip *v, const struct mac *mac, uint64_t at)
{
    char text[MAC_TEXT_MAX], former[MAC_TEXT_MAX] = "";

    mac_format(mac, text);
    if (v->has_owner)
        mac_format(&v->owner, former);
    report_event(at, "owner", v, ",\"mac\":\"%s\",\"from\":\"%s\",\"silentMs\":%.3f", text, former,
                 v->has_owner ? millis(at - v->answered_us) : 0.0);
    if (v->has_owner && mac_equal(&v->former, mac) && at - v->owner_since_us < FLAP_US) {
        v->rec.flaps++;
        report_event(at, "flap", v, ",\"mac\":\"%s\",\"other\":\"%s\"", text, former);
    }
    v->former = v->owner;
    v->owner = *mac;
    v->owner_since_us = at;
    v->steady_us = at;
    v->has_owner = true;
}

static void answer_take(struct vip *v, struct slot *s, const struct mac *mac, uint64_t at)
{
    if (s->sent_us == 0 || at < s->sent_us || at - s->sent_us > (SLOTS - 1) * PROBE_US) {
        v->rec.strays++;
        return;
    }
    owner_note(v, mac);
    if (s->is_answered && !mac_equal(&s->mac, mac)) {
        char one[MAC_TEXT_MAX], two[MAC_TEXT_MAX];

        mac_format(&s->mac, one);
        mac_format(mac, two);
        report_event(at, "dup", v, ",\"macs\":[\"%s\",\"%s\"],\"apartUs\":%" PRId64, one, two,
                     (int64_t)(at - s->answer_us));
        v->rec.dups += !s->is_dup;
        s->is_dup = true;
        return;
    }
    if (!s->is_answered) {
        v->rec.answers++;
        s->is_answered = true;
        s->mac = *mac;
        s->answer_us = at;
    }
    if (!v->has_owner || !mac_equal(&v->owner, mac))
        owner_set(v, mac, at);
    v->answered_us = at;
}

/* A claim (an announcement, or ARP/NS with the VIP as sender) of somebody who does not own it. */
static void claim_take(struct vip *v, const struct mac *mac, uint64_t at)
{
    bool is_owned = v->has_owner && at < v->answered_us + (uint64_t)2 * PROBE_US;

    if (is_owned && !mac_equal(&v->owner, mac) && v->claim_until_us == 0) {
        v->claimant = *mac;
        v->claim_until_us = at + CLAIM_US;
    }
}

void wire_judge(struct vip *v, uint64_t now)
{
    char text[MAC_TEXT_MAX];

    if (v->claim_until_us == 0 || now < v->claim_until_us)
        return;
    if (!mac_equal(&v->owner, &v->claimant)) {
        mac_format(&v->claimant, text);
        v->rec.claims++;
        report_event(now, "claim", v, ",\"mac\":\"%s\"", text);
    }
    v->claim_until_us = 0;
}

static void frame_take(const struct frame *f, uint64_t at)
{
    const uint8_t *to = f->ether_target.bytes;
    struct mac first = slot_mac(0), mac;
    bool is_answer = memcmp(to, first.bytes, 5) == 0 && to[5] < SLOTS;

    for (unsigned i = 0; i < vip_count; i++) {
        if (!frame_claims(f, &vips[i].ip, &mac))
            continue;
        mac = node_mac(mac);
        if (is_answer)
            answer_take(&vips[i], &vips[i].slots[to[5]], &mac, at);
        else
            claim_take(&vips[i], &mac, at);
    }
}

void wire_read(void)
{
    uint8_t data[256];
    struct frame f;
    uint64_t at;
    ssize_t len;

    while ((len = message_read(packet_fd, data, sizeof(data), &at)) >= 0) {
        if (frame_parse(data, (size_t)len, &f) == 0)
            frame_take(&f, at);
    }
}

int wire_open(const char *link)
{
    struct sockaddr_ll ll = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
    int on = 1;

    ifindex = (int)if_nametoindex(link);
    if (ifindex == 0)
        die(link);
    ll.sll_ifindex = ifindex;
    packet_fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (packet_fd < 0 || setsockopt(packet_fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) < 0 ||
        setsockopt(packet_fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) < 0 ||
        bind(packet_fd, (struct sockaddr *)&ll, sizeof(ll)) < 0)
        die("packet socket");
    return packet_fd;
}
