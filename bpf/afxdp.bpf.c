// SPDX-FileCopyrightText: The afxdpsrc authors
// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The XDP program: finds the stream that a packet belongs to and redirects it
 * to the stream's AF_XDP socket of the queue it arrived on. Whatever it is not
 * sure about goes to the kernel's stack with XDP_PASS, and so to the stream's
 * UDP socket. It drops in one case: user space says that this socket has no room,
 * and that nobody else could get the packet, and said so only just now.
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

struct slots
{
  __uint (type, BPF_MAP_TYPE_ARRAY);
  __uint (map_flags, BPF_F_MMAPABLE);
  __uint (max_entries, AFXDP_SLOTS_OF_PART); /* times queues, before loading */
  __type (key, __u32);
  __type (value, struct afxdp_slot);
};

/* The first part. It is a map of its own, and not one of those behind it, since most
 * have few streams: a packet costs one look less, and there is no grace period to wait
 * for. */
struct slots slots SEC (".maps");

/* The others, by their number; 0 is not used. */
struct
{
  __uint (type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
  __uint (max_entries, AFXDP_PARTS);
  __type (key, __u32);
  __array (values, struct slots);
} more_slots SEC (".maps");

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
  __uint (max_entries, AFXDP_SLOTS); /* times queues, before loading */
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

/* Atomic, since generic mode runs on several CPUs for one queue. The comment behind
 * is an instruction that differs from word to word: otherwise the compiler makes one
 * addition of two in different branches, at an offset that depends on the branch, and
 * to add that to a pointer takes CAP_PERFMON. */
#define count(word)                                    \
  ({                                                   \
    __u64 before_ = __sync_fetch_and_add (&(word), 1); \
    asm volatile("# " #word ::: "memory");             \
    before_;                                           \
  })

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

enum parsed
{
  NOT_OURS,
  WHOLE,
  CUT, /* its end is missing */
};

/* Returns the UDP header and leaves in rest the bytes of IP payload, whether they
 * are there or not, or NULL: options, a fragment, another protocol or lengths that
 * do not add up. */
static __always_inline struct udphdr *
parse_ipv4 (void *header, void *end, __u32 length, struct afxdp_flow_key *key,
    struct afxdp_source_key *source, __u32 *rest, enum parsed *parsed)
{
  struct iphdr *ip = header;
  __u32 total;

  if ((void *) (ip + 1) > end || ip->version != 4 || ip->ihl != 5)
    return NULL;
  if (ip->frag_off & bpf_htons (IPV4_FRAGMENT) || ip->protocol != IPPROTO_UDP)
    return NULL;
  total = bpf_ntohs (ip->tot_len);
  if (total < sizeof *ip)
    return NULL;
  if (total > length)
    *parsed = CUT;
  key->version = source->version = 4;
  __builtin_memcpy (key->address, &ip->daddr, sizeof ip->daddr);
  __builtin_memcpy (source->address, &ip->saddr, sizeof ip->saddr);
  *rest = total - sizeof *ip;
  return (void *) (ip + 1);
}

static __always_inline struct udphdr *
parse_ipv6 (void *header, void *end, __u32 length, struct afxdp_flow_key *key,
    struct afxdp_source_key *source, __u32 *rest, enum parsed *parsed)
{
  struct ipv6hdr *ip = header;
  __u32 payload;

  if ((void *) (ip + 1) > end || ip->version != 6 || ip->nexthdr != IPPROTO_UDP)
    return NULL;
  payload = bpf_ntohs (ip->payload_len);
  if (payload + sizeof *ip > length)
    *parsed = CUT;
  key->version = source->version = 6;
  __builtin_memcpy (key->address, &ip->daddr, sizeof ip->daddr);
  __builtin_memcpy (source->address, &ip->saddr, sizeof ip->saddr);
  *rest = payload;
  return (void *) (ip + 1);
}

/* Fills in the keys of a UDP packet for this host, but for the source's slot. */
static __always_inline enum parsed
parse (struct xdp_md *ctx, __u32 length, struct afxdp_flow_key *key,
    struct afxdp_source_key *source)
{
  void *data = (void *) (long) ctx->data;
  void *end = (void *) (long) ctx->data_end;
  struct ethhdr *ethernet = data;
  struct udphdr *udp;
  void *network = ethernet + 1;
  /* counted: subtracting pointers takes CAP_PERFMON */
  __u32 link_length = sizeof *ethernet;
  __be16 protocol;
  __u32 rest, udp_length;
  enum parsed parsed = WHOLE;

  if (network > end || !is_for_us (ethernet))
    return NOT_OURS;
  protocol = ethernet->h_proto;
  if (protocol == bpf_htons (ETH_P_8021Q)) {
    struct vlan_header *vlan = network;

    /* VLAN 0 is a priority on an untagged frame (IEEE 802.1Q 9.6). */
    network = vlan + 1;
    if (network > end || vlan->tci & bpf_htons (VLAN_ID_MASK))
      return NOT_OURS;
    protocol = vlan->protocol;
    link_length += sizeof *vlan;
  }

  length -= link_length;
  if (protocol == bpf_htons (ETH_P_IP))
    udp = parse_ipv4 (network, end, length, key, source, &rest, &parsed);
  else if (protocol == bpf_htons (ETH_P_IPV6))
    udp = parse_ipv6 (network, end, length, key, source, &rest, &parsed);
  else
    return NOT_OURS;

  if (!udp || (void *) (udp + 1) > end)
    return NOT_OURS;
  udp_length = bpf_ntohs (udp->len);
  if (udp_length < sizeof *udp || udp_length > rest)
    return NOT_OURS;
  if (key->version == 6 && !udp->check)
    return NOT_OURS; /* the stack counts and drops it: RFC 8200 section 8.1 */
  key->port = udp->dest;
  return parsed;
}

/* Whether the stream, which is not received from any, is received from the packet's
 * source. A call: its variables would take registers from the other streams, and what
 * the compiler then does with the stack takes CAP_PERFMON. */
static __noinline int
is_of_a_source (const struct afxdp_flow *flow, struct afxdp_source_key *source)
{
  int included = flow->filter == AFXDP_FILTER_INCLUDE;

  source->slot = flow->slot;
  return !!bpf_map_lookup_elem (&sources, source) == included;
}

/* A look into an array. The comment is an instruction that differs from map to map:
 * otherwise the compiler makes one look of two in different branches, and one that is
 * for several maps is a call of a function, 15 ns, where others are some instructions. */
#define look(map, index, name)                           \
  ({                                                     \
    void *value_ = bpf_map_lookup_elem ((map), (index)); \
    asm volatile("# " name ::: "memory");                \
    value_;                                              \
  })

/* The words of a slot on a queue. */
static __always_inline struct afxdp_slot *
find_slot (__u32 slot, __u32 rx_queue)
{
  __u32 part = slot / AFXDP_SLOTS_OF_PART;
  __u32 index = slot % AFXDP_SLOTS_OF_PART * queues + rx_queue;
  void *more;

  if (!part)
    return look (&slots, &index, "slots");
  more = bpf_map_lookup_elem (&more_slots, &part);
  return more ? look (more, &index, "more_slots") : NULL;
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

/* Whether one more packet may be redirected; if not, redirecting is over. */
static __always_inline int
may_redirect (struct afxdp_slot *slot, struct afxdp_queue *queue)
{
  volatile struct afxdp_slot *words = slot;
  volatile struct afxdp_queue *frames = queue;

  if (words->redirect != AFXDP_REDIRECT_ON)
    return 0;
  if (words->redirected - words->released >= words->credit) {
    words->redirect = AFXDP_REDIRECT_EXHAUSTED;
    return 0;
  }
  if (frames->redirected >= frames->frames) {
    words->redirect = AFXDP_REDIRECT_EXHAUSTED;
    count (slot->no_frame);
    return 0;
  }
  return 1;
}

/* What is passed now would be dropped by the socket, later and dearer. */
static __always_inline int
is_overloaded (const struct afxdp_slot *slot)
{
  const volatile struct afxdp_slot *words = slot;

  return words->redirect == AFXDP_REDIRECT_OVERLOADED &&
      bpf_ktime_get_ns () < words->drop_until;
}

static __always_inline int
redirect (struct xdp_md *ctx, __u32 length, struct afxdp_slot *slot,
    struct afxdp_queue *queue, __u32 index, int with_metadata)
{
  if (length > longest_packet) {
    count (slot->too_long);
    return XDP_PASS;
  }
  if (!may_redirect (slot, queue))
    return is_overloaded (slot) ? XDP_DROP : XDP_PASS;
  if (bpf_redirect_map (&sockets, index, XDP_PASS) != XDP_REDIRECT) {
    count (slot->no_socket);
    return XDP_PASS;
  }
  if (!number (ctx, slot, with_metadata))
    return XDP_PASS;
  count (queue->redirected);
  return XDP_REDIRECT;
}

/* aggregated: it is several datagrams. */
static __always_inline int
receive (struct xdp_md *ctx, int with_metadata, int aggregated)
{
  struct afxdp_flow_key key = {};
  struct afxdp_source_key source = {};
  __u32 length = bpf_xdp_get_buff_len (ctx);
  __u32 rx_queue = ctx->rx_queue_index;
  struct afxdp_queue *queue;
  struct afxdp_slot *slot;
  struct afxdp_flow *flow;
  enum parsed parsed;
  __u32 index;
  int verdict;

  queue = bpf_map_lookup_elem (&rx_queues, &rx_queue);
  if (queue)
    queue->seen++; /* not atomic: one CPU, but in generic mode */
  parsed = parse (ctx, length, &key, &source);
  if (parsed == NOT_OURS)
    return XDP_PASS;
  flow = bpf_map_lookup_elem (&flows, &key);
  if (!flow)
    return XDP_PASS;
  if (rx_queue >= queues || !queue) {
    count (unknown_queue);
    return XDP_PASS;
  }
  slot = find_slot (flow->slot, rx_queue);
  if (!slot)
    return XDP_PASS;
  index = flow->slot * queues + rx_queue;
  /* First: what others than its sources send tells nothing of the stream. */
  if (flow->filter != AFXDP_FILTER_NONE && !is_of_a_source (flow, &source)) {
    count (slot->filtered); /* the stack drops it: the socket did not join it */
    return XDP_PASS;
  }
  if (parsed == CUT) {
    count (slot->cut); /* the stack drops it */
    return XDP_PASS;
  }
  verdict = aggregated
      ? XDP_PASS
      : redirect (ctx, length, slot, queue, index, with_metadata);
  if (verdict == XDP_PASS)
    count (slot->passed);
  else if (verdict == XDP_DROP)
    count (slot->dropped);
  return verdict;
}

SEC ("xdp.frags")
int
afxdp_metadata (struct xdp_md *ctx)
{
  return receive (ctx, 1, 0);
}

/* For drivers without room for metadata: ena, gve, hv_netvsc and others. */
SEC ("xdp.frags")
int
afxdp_plain (struct xdp_md *ctx)
{
  return receive (ctx, 0, 0);
}
