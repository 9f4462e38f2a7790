// SPDX-FileCopyrightText: The afxdpsrc authors
// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Turns the frames of a BPF_PROG_TEST_RUN with live frames into the packets of
 * the plan and redirects them to an interface. Run once for each frame; a frame
 * for which no packet is due yet is dropped, and that is the pacing.
 *
 * The kernel fills each page with the template once and then only recycles it:
 * length and start of a frame are as new at each run (reset_ctx() in
 * net/bpf/test_run.c), its bytes are not. So every byte in front of the
 * constant payload is written each time.
 *
 * One batch of runs at a time: rtpgen-live.c sees to that. It has two entries so
 * that a caller can tell by which one the program runs.
 */
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "rtpgen-flow.h"
#include "rtpgen-plan.h"

char _license[] SEC ("license") = "Dual BSD/GPL";

/* Reads of the clock while no packet is due and none waits to be flushed: some
 * 0.5 µs. It makes one call last longer, as its repetitions are 32 bits. */
#define CLOCK_READS 16

/* Set before loading. */
const volatile __u32 interface_index;
const volatile __u32 batch_size = 1;

/* Set before running. */
struct rtpgen_plan plan;
struct rtpgen_stretch stretches[RTPGEN_STRETCHES];
struct rtpgen_flow flows[RTPGEN_FLOWS];

/* Set by user space to end the run early. */
volatile __u32 stop;

/* Read by user space. */
volatile __u32 finished;
volatile __u32 entered[2]; /* by the even entry, by the odd one */
__u64 runs;                /* of the program, whether it sent or not */
struct rtpgen_schedule schedule;
__u64 turns;
__u64 failed;      /* packets whose frame could not be built */
__u64 last_ns;     /* CLOCK_MONOTONIC: the last turn */
__u64 late_max_ns; /* the longest that a packet was sent after it was due */

/* Where this run is in the kernel's batch, and whether the batch holds packets
 * that leave only at its end. */
__u32 batch_position;
__u32 batch_pending;

static __always_inline void
count_run (void)
{
  runs++;
  if (batch_position == 0)
    batch_pending = 0;
  if (++batch_position >= batch_size)
    batch_position = 0;
}

/* Returns the time if a packet is due, else 0. */
static __always_inline __u64
wait_until_due (void)
{
  __u64 now = bpf_ktime_get_ns ();

  if (!schedule.start_ns)
    rtpgen_schedule_start (&schedule, &plan, now);
  if (rtpgen_schedule_is_over (&schedule, &plan, now)) {
    finished = 1;
    return 0;
  }
  if (rtpgen_schedule_is_due (&schedule, now))
    return now;
  if (batch_pending)
    return 0;
  for (int i = 0; i < CLOCK_READS; i++) {
    now = bpf_ktime_get_ns ();
    if (rtpgen_schedule_is_due (&schedule, now))
      return now;
  }
  return 0;
}

/* Writes head and numbers of a packet whose headers before RTP have the size
 * given: a constant after inlining, as the verifier wants it. */
static __always_inline int
write_head (struct xdp_md *ctx, const struct rtpgen_layout *layout,
    const __u32 headers, __u64 index, __u32 ticks)
{
  void *data = (void *) (long) ctx->data;
  void *end = (void *) (long) ctx->data_end;
  const __u32 words = (headers + sizeof (struct rtpgen_rtp) - 1) / 8;
  struct rtpgen_rtp *rtp = data + headers;
  __u64 *to = data;
  __be16 *check;
  __u32 sum;

  if ((void *) (rtp + 1) > end)
    return 0;
#pragma unroll
  for (__u32 i = 0; i < words; i++)
    to[i] = layout->head[i];
  sum = layout->checksum + rtpgen_rtp_number (rtp, &plan, index, ticks);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  check = (void *) rtp - sizeof *check;
  /* 0 would say that there is no checksum (RFC 768). */
  *check = sum == 0xffff ? 0xffff : bpf_htons (~sum & 0xffff);
  return 1;
}

static __always_inline int
write_packet (struct xdp_md *ctx, const struct rtpgen_layout *layout,
    __u64 index, __u32 ticks)
{
  if (layout->move_head && bpf_xdp_adjust_head (ctx, layout->move_head))
    return 0;
  if (layout->move_tail && bpf_xdp_adjust_tail (ctx, layout->move_tail))
    return 0;
  switch (layout->headers) {
    case RTPGEN_IPV4:
      return write_head (ctx, layout, RTPGEN_IPV4, index, ticks);
    case RTPGEN_IPV4_OPTION:
      return write_head (ctx, layout, RTPGEN_IPV4_OPTION, index, ticks);
    case RTPGEN_IPV6:
      return write_head (ctx, layout, RTPGEN_IPV6, index, ticks);
    default:
      return 0;
  }
}

static __always_inline int
send (struct xdp_md *ctx)
{
  const struct rtpgen_layout *layout;
  struct rtpgen_flow *flow;
  __u64 now, index, lateness;
  __u32 number;
  int marker;

  count_run ();
  if (stop)
    finished = 1;
  if (finished)
    return XDP_DROP;
  now = wait_until_due ();
  if (!now)
    return XDP_DROP;
  lateness = rtpgen_schedule_lateness (&schedule, now);
  if (plan.rate && lateness > late_max_ns)
    late_max_ns = lateness;

  number = rtpgen_schedule_next (&schedule, &plan);
  flow = &flows[number & (RTPGEN_FLOWS - 1)];
  index = rtpgen_cursor_next (&flow->cursor, &plan, stretches);
  if (!number)
    rtpgen_schedule_heed (&schedule, &flow->cursor, stretches);
  last_ns = now;
  if (++turns == plan.turns)
    finished = 1;
  if (flow->cursor.kind == RTPGEN_STRETCH_SILENT) {
    flow->silent++;
    return XDP_DROP;
  }
  marker = rtpgen_plan_is_marker (&plan, index);
  layout = marker ? &flow->marker : &flow->ordinary;
  if (!write_packet (ctx, layout, index, flow->cursor.ticks)) {
    failed++;
    finished = 1;
    return XDP_DROP;
  }
  flow->packets++;
  flow->markers += marker;
  flow->bytes += layout->frame;
  batch_pending = 1;
  return bpf_redirect (interface_index, 0);
}

SEC ("xdp")
int
rtpgen_send_even (struct xdp_md *ctx)
{
  entered[0] = 1;
  return send (ctx);
}

SEC ("xdp")
int
rtpgen_send_odd (struct xdp_md *ctx)
{
  entered[1] = 1;
  return send (ctx);
}
