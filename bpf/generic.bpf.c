// SPDX-FileCopyrightText: The afxdpsrc authors
// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The same program for generic mode, where a packet may be several datagrams: what
 * the sender's kernel left to be segmented (UDP_SEGMENT, over veth, tun or virtio), or
 * what this host's GRO has put together (rx-udp-gro-forwarding, rx-gro-list). Such a
 * one is passed: the stack takes it apart for the socket.
 *
 * Needs Linux 6.2 and CAP_PERFMON, which the program in afxdp.bpf.c does not.
 */
#include "afxdp.bpf.c"

#include <bpf/bpf_core_read.h>

/* Of the kernel; sizes and places are relocated. */
struct skb_shared_info
{
  __u16 gso_size;
} __attribute__ ((preserve_access_index));

struct xdp_buff
{
  void *data_hard_start;
  __u32 frame_sz;
} __attribute__ ((preserve_access_index));

extern void *bpf_cast_to_kern_ctx (void *context) __ksym;

/* The kernel's SMP_CACHE_BYTES; set before loading. */
const volatile __u32 cache_line = 64;

/* In generic mode the buffer is the skb's, up to the end of its shared info (Linux
 * 6.18, bpf_prog_run_generic_xdp()). */
static __always_inline int
is_aggregated (struct xdp_md *ctx)
{
  struct xdp_buff *buffer = bpf_cast_to_kern_ctx (ctx);
  __u64 end = (__u64) buffer->data_hard_start + buffer->frame_sz;
  __u32 size = bpf_core_type_size (struct skb_shared_info);
  struct skb_shared_info *shared;
  __u16 gso_size = 0;

  size = (size + cache_line - 1) / cache_line * cache_line;
  shared = (void *) (end - size);
  bpf_probe_read_kernel (&gso_size, sizeof gso_size, &shared->gso_size);
  return gso_size != 0;
}

SEC ("xdp.frags")
int
afxdp_generic (struct xdp_md *ctx)
{
  return receive (ctx, 1, is_aggregated (ctx));
}
