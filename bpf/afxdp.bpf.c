// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The XDP program: finds the stream that a packet belongs to and redirects it
 * to the stream's AF_XDP socket of the queue it arrived on. Whatever it is not
 * sure about goes to the kernel's stack with XDP_PASS, and so to the stream's
 * UDP socket: this program never drops.
 *
 * It must not read ctx->ingress_ifindex: on veth the receive queue has no
 * device while a program is being detached (drivers/net/veth.c, Linux 6.18).
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "afxdp.h"

char _license[] SEC ("license") = "Dual BSD/GPL";

/* Set before loading. */
const volatile __u32 queues = 1;
const volatile __u32 longest_packet = 2048 - AFXDP_HEADROOM;

/* The interface's own address; user space follows its changes. */
__u8 interface_mac[ETH_ALEN];

/* Packets on a queue that did not exist when the maps were made. */
__u64 unknown_queue;

struct
{
  __uint (type, BPF_MAP_TYPE_HASH);
  __uint (max_entries, AFXDP_FLOWS);
  __type (key, struct afxdp_flow_key);
  __type (value, struct afxdp_flow);
} flows SEC (".maps");

struct
{
  __uint (type, BPF_MAP_TYPE_HASH);
  __uint (max_entries, AFXDP_SOURCES);
  __type (key, struct afxdp_source_key);
  __type (value, __u8);
} sources SEC (".maps");

struct
{
  __uint (type, BPF_MAP_TYPE_ARRAY);
  __uint (map_flags, BPF_F_MMAPABLE);
  __uint (max_entries, AFXDP_SLOTS);
  __type (key, __u32);
  __type (value, struct afxdp_slot);
} slots SEC (".maps");

struct
{
  __uint (type, BPF_MAP_TYPE_ARRAY);
  __uint (map_flags, BPF_F_MMAPABLE);
  __uint (max_entries, 1); /* set before loading: one for each queue */
  __type (key, __u32);
  __type (value, struct afxdp_queue);
} rx_queues SEC (".maps");

struct
{
  __uint (type, BPF_MAP_TYPE_XSKMAP);
  __uint (max_entries, AFXDP_SLOTS);
  __type (key, __u32);
  __type (value, __u32);
} sockets SEC (".maps");

struct vlan_header
{
  __be16 tci;
  __be16 protocol;
};

#define VLAN_ID_MASK 0x0fff
#define IPV4_FRAGMENT 0x3fff /* more-fragments bit, or an offset */

/* Atomic, since generic mode runs on several CPUs for one queue. */
#define count(word) __sync_fetch_and_add (&(word), 1)

static __always_inline int
is_for_us (const struct ethhdr *ethernet)
{
  if (ethernet->h_dest[0] & 1)
    return 1;
  for (int i = 0; i < ETH_ALEN; i++)
    if (ethernet->h_dest[i] != interface_mac[i])
      return 0;
  return 1;
}

/* Returns the UDP header and leaves in rest the bytes of IP payload, or NULL:
 * options, a fragment, another protocol or lengths that do not add up. */
static __always_inline struct udphdr *
parse_ipv4 (void *header, void *end, __u32 length, struct afxdp_flow_key *key,
    struct afxdp_source_key *source, __u32 *rest)
{
  struct iphdr *ip = header;
  __u32 total;

  if ((void *) (ip + 1) > end || ip->version != 4 || ip->ihl != 5)
    return NULL;
  if (ip->frag_off & bpf_htons (IPV4_FRAGMENT) || ip->protocol != IPPROTO_UDP)
    return NULL;
  total = bpf_ntohs (ip->tot_len);
  if (total < sizeof *ip || total > length)
    return NULL;
  key->version = source->version = 4;
  __builtin_memcpy (key->address, &ip->daddr, sizeof ip->daddr);
  __builtin_memcpy (source->address, &ip->saddr, sizeof ip->saddr);
  *rest = total - sizeof *ip;
  return (void *) (ip + 1);
}

static __always_inline struct udphdr *
parse_ipv6 (void *header, void *end, __u32 length, struct afxdp_flow_key *key,
    struct afxdp_source_key *source, __u32 *rest)
{
  struct ipv6hdr *ip = header;
  __u32 payload;

  if ((void *) (ip + 1) > end || ip->version != 6 || ip->nexthdr != IPPROTO_UDP)
    return NULL;
  payload = bpf_ntohs (ip->payload_len);
  if (payload + sizeof *ip > length)
    return NULL;
  key->version = source->version = 6;
  __builtin_memcpy (key->address, &ip->daddr, sizeof ip->daddr);
  __builtin_memcpy (source->address, &ip->saddr, sizeof ip->saddr);
  *rest = payload;
  return (void *) (ip + 1);
}

/* Fills in the keys of a UDP packet for this host, but for the source's slot.
 * Returns 0 for all else. */
static __always_inline int
parse (struct xdp_md *ctx, __u32 length, struct afxdp_flow_key *key,
    struct afxdp_source_key *source)
{
  void *data = (void *) (long) ctx->data;
  void *end = (void *) (long) ctx->data_end;
  struct ethhdr *ethernet = data;
  struct udphdr *udp;
  void *network = ethernet + 1;
  __u32 link_length = sizeof *ethernet; /* counted: subtracting pointers takes
                                           CAP_PERFMON */
  __be16 protocol;
  __u32 rest, udp_length;

  if (network > end || !is_for_us (ethernet))
    return 0;
  protocol = ethernet->h_proto;
  if (protocol == bpf_htons (ETH_P_8021Q)) {
    struct vlan_header *vlan = network;

    /* VLAN 0 is a priority on an untagged frame (IEEE 802.1Q 9.6). */
    network = vlan + 1;
    if (network > end || vlan->tci & bpf_htons (VLAN_ID_MASK))
      return 0;
    protocol = vlan->protocol;
    link_length += sizeof *vlan;
  }

  length -= link_length;
  if (protocol == bpf_htons (ETH_P_IP))
    udp = parse_ipv4 (network, end, length, key, source, &rest);
  else if (protocol == bpf_htons (ETH_P_IPV6))
    udp = parse_ipv6 (network, end, length, key, source, &rest);
  else
    return 0;

  if (!udp || (void *) (udp + 1) > end)
    return 0;
  udp_length = bpf_ntohs (udp->len);
  if (udp_length < sizeof *udp || udp_length > rest)
    return 0;
  if (key->version == 6 && !udp->check)
    return 0; /* the stack counts and drops it: RFC 8200 section 8.1 */
  key->port = udp->dest;
  return 1;
}

/* Whether the stream is received from the packet's source. */
static __always_inline int
is_wanted (const struct afxdp_flow *flow, struct afxdp_source_key *source)
{
  int included = flow->filter == AFXDP_FILTER_INCLUDE;

  if (flow->filter == AFXDP_FILTER_NONE)
    return 1;
  source->slot = flow->slot;
  return !!bpf_map_lookup_elem (&sources, source) == included;
}

/* Numbers a packet that is about to be redirected. */
static __always_inline int
number (struct xdp_md *ctx, struct afxdp_slot *slot, int with_metadata)
{
  struct afxdp_metadata *metadata;

  if (!with_metadata) {
    count (slot->redirected);
    return 1;
  }
  if (bpf_xdp_adjust_meta (ctx, -(int) sizeof *metadata)) {
    count (slot->no_metadata);
    return 0;
  }
  metadata = (void *) (long) ctx->data_meta;
  if ((void *) (metadata + 1) > (void *) (long) ctx->data)
    return 0; /* never: for the verifier */
  metadata->time = bpf_ktime_get_ns ();
  metadata->ordinal = count (slot->redirected);
  return 1;
}

/* Whether the door lets one more packet through; it closes when not. */
static __always_inline int
may_pass_door (struct afxdp_slot *slot, struct afxdp_queue *queue)
{
  volatile struct afxdp_slot *words = slot;
  volatile struct afxdp_queue *frames = queue;

  if (words->door != AFXDP_DOOR_OPEN)
    return 0;
  if (words->redirected - words->released >= words->credit) {
    words->door = AFXDP_DOOR_EXHAUSTED;
    return 0;
  }
  if (frames->redirected >= frames->frames) {
    words->door = AFXDP_DOOR_EXHAUSTED;
    count (slot->no_frame);
    return 0;
  }
  return 1;
}

static __always_inline int
redirect (struct xdp_md *ctx, __u32 length, struct afxdp_slot *slot,
    struct afxdp_queue *queue, __u32 index, int with_metadata)
{
  if (length > longest_packet) {
    count (slot->too_long);
    return XDP_PASS;
  }
  if (!may_pass_door (slot, queue))
    return XDP_PASS;
  if (bpf_redirect_map (&sockets, index, XDP_PASS) != XDP_REDIRECT) {
    count (slot->no_socket);
    return XDP_PASS;
  }
  if (!number (ctx, slot, with_metadata))
    return XDP_PASS;
  count (queue->redirected);
  return XDP_REDIRECT;
}

static __always_inline int
receive (struct xdp_md *ctx, int with_metadata)
{
  struct afxdp_flow_key key = {};
  struct afxdp_source_key source = {};
  __u32 length = bpf_xdp_get_buff_len (ctx);
  __u32 rx_queue = ctx->rx_queue_index;
  struct afxdp_queue *queue;
  struct afxdp_slot *slot;
  struct afxdp_flow *flow;
  __u32 index;
  int verdict;

  if (!parse (ctx, length, &key, &source))
    return XDP_PASS;
  flow = bpf_map_lookup_elem (&flows, &key);
  if (!flow)
    return XDP_PASS;
  if (rx_queue >= queues) {
    count (unknown_queue);
    return XDP_PASS;
  }
  index = flow->slot * queues + rx_queue;
  slot = bpf_map_lookup_elem (&slots, &index);
  queue = bpf_map_lookup_elem (&rx_queues, &rx_queue);
  if (!slot || !queue)
    return XDP_PASS;
  if (!is_wanted (flow, &source)) {
    count (slot->filtered); /* the stack drops it: the socket did not join it */
    return XDP_PASS;
  }
  verdict = redirect (ctx, length, slot, queue, index, with_metadata);
  if (verdict == XDP_PASS)
    count (slot->passed);
  return verdict;
}

SEC ("xdp.frags")
int
afxdp_metadata (struct xdp_md *ctx)
{
  return receive (ctx, 1);
}

/* For drivers without room for metadata: ena, gve, hv_netvsc and others. */
SEC ("xdp.frags")
int
afxdp_plain (struct xdp_md *ctx)
{
  return receive (ctx, 0);
}
