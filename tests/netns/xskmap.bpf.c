// SPDX-FileCopyrightText: The afxdpsrc authors
// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Somebody else's program, as xskmap.c has it: redirects the UDP packets to two ports
 * to an XSKMAP and passes the rest, and what the map has no socket for. Counts exactly
 * on one RX queue in native mode.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

char _license[] SEC ("license") = "Dual BSD/GPL";

/* The stream's, and somebody else's. */
#define FIRST_PORT 5000
#define LAST_PORT 5001

struct
{
  __uint (type, BPF_MAP_TYPE_XSKMAP);
  __uint (max_entries, 2);
  __type (key, __u32);
  __type (value, __u32);
} sockets SEC (".maps");

/* Which of them is not an XSKMAP is seen by its type. */
struct
{
  __uint (type, BPF_MAP_TYPE_ARRAY);
  __uint (max_entries, 2);
  __type (key, __u32);
  __type (value, __u32);
} numbers SEC (".maps");

__u64 redirected, passed;

static __always_inline int
is_for_map (struct xdp_md *context)
{
  struct ethhdr *ethernet = (void *) (long) context->data;
  void *end = (void *) (long) context->data_end;
  struct iphdr *ip = (void *) (ethernet + 1);
  struct udphdr *udp = (void *) (ip + 1);

  if ((void *) (udp + 1) > end || ethernet->h_proto != bpf_htons (ETH_P_IP) ||
      ip->ihl != 5 || ip->protocol != IPPROTO_UDP)
    return 0;
  return bpf_ntohs (udp->dest) >= FIRST_PORT &&
      bpf_ntohs (udp->dest) <= LAST_PORT;
}

SEC ("xdp.frags")
int
firewall (struct xdp_md *context)
{
  int action;

  if (!is_for_map (context))
    return XDP_PASS;
  action = bpf_redirect_map (&sockets, context->rx_queue_index, XDP_PASS);
  if (action == XDP_REDIRECT)
    __sync_fetch_and_add (&redirected, 1);
  else
    __sync_fetch_and_add (&passed, 1);
  return action;
}
