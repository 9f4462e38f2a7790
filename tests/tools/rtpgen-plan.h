/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The plan of a run: which packet index each flow sends next, when the next
 * packet is due, and what its RTP header says. The one place for all of that:
 * the BPF program and the socket sender both step through it.
 *
 * A packet's index counts the packets of its flow from 0; its RTP sequence
 * number and timestamp follow from the index alone (and from the pauses before
 * it, where timestamps go on in them), so that a duplicate equals its original.
 * A script (gaps, duplicates, reorderings, silences, pauses) is compiled by
 * rtpgen-script.c into stretches of consecutive indices. Sending is then one
 * decrement and, where a stretch ends, one table look-up.
 *
 * A turn is the time at which a packet is due, whether it is sent or, in a
 * silence, is not.
 *
 * Single-threaded: whoever sends owns the cursors and the schedule.
 */
#pragma once

#include <linux/types.h>

/* Most stretches that a script compiles into: a power of two. */
#define RTPGEN_STRETCHES 4096

/* What the first packet of a stretch is. */
enum rtpgen_stretch_kind
{
  RTPGEN_STRETCH_ORDINARY = 0,
  RTPGEN_STRETCH_DUPLICATE, /* sent before */
  RTPGEN_STRETCH_LATE,      /* held back: higher ones were sent before */
  RTPGEN_STRETCH_SILENT,    /* not sent, as all others of the stretch */
};

/* Consecutive packet indices, sent one after the other. */
struct rtpgen_stretch
{
  __u64 index;    /* of the first packet, from the start of the cycle */
  __u64 count;    /* packets */
  __u32 kind;     /* enum rtpgen_stretch_kind */
  __u32 ticks;    /* that timestamps go on by before it */
  __u64 pause_ns; /* all is due so much later from here on */
  __u64 hold_ns;  /* nothing leaves for so long, then all that is due */
};

/* Does not change during a run. */
struct rtpgen_plan
{
  __u64 turns;         /* of all flows together; 0 = until stopped */
  __u64 start_ns;      /* CLOCK_MONOTONIC: packet 0 is due; 0 = at once */
  __u64 limit_ns;      /* give up this long after the start; 0 = never */
  __u64 rate;          /* packets/s of all flows; 0 = as fast as possible */
  __u64 burst_ns;      /* from burst to burst, whole ns ... */
  __u64 burst_rest;    /* ... and the rest, in 1/rate ns */
  __u64 frame_packets; /* indices that have one timestamp */
  __u64 frame_turns;   /* of all flows, from frame to frame; 0 = no frames */
  __u64 frame_ns;      /* from frame to frame, whole ns ... */
  __u64 frame_rest;    /* ... and the rest, in 1/frame_unit ns */
  __u64 frame_unit;
  __u64 timestamp_step; /* RTP ticks from frame to frame, 32.32 fixed point */
  __u64 marker_every;   /* the last of this many is a marker; 0 = none */
  __u64 cycle;          /* indices after which the script starts again; 0: no */
  __u32 burst;          /* packets sent back to back */
  __u32 flows;
  __u32 stretches;
  __u32 first_sequence;
  __u32 first_timestamp;
  __u32 zero;
  __u32 line_packets; /* of one line of uncompressed video; 0 = no video */
  __u32 packet_pixels;
  __u32 packet_bytes; /* of these */
  __u32 zero_too;
};

/* Where a flow is in the plan. All zero at the start. */
struct rtpgen_cursor
{
  __u64 index; /* of the next packet, if it is of this stretch */
  __u64 left;  /* packets of this stretch not yet sent */
  __u64 base;  /* index at which this cycle started */
  __u32 next;  /* stretch to take when this one is used up */
  __u32 kind;  /* of this stretch */
  __u32 ticks; /* that the pauses so far add to timestamps */
  __u32 zero;
};

/* When the next packet is due. All zero at the start. */
struct rtpgen_schedule
{
  __u64 start_ns; /* CLOCK_MONOTONIC, as due_ns; 0 = not started */
  __u64 due_ns;
  __u64 rest; /* in 1/rate ns, below rate */
  __u64 frame_due_ns;
  __u64 frame_rest; /* in 1/frame_unit ns, below that */
  __u64 frame_left; /* turns of this frame */
  __u64 hold_ns;    /* CLOCK_MONOTONIC: nothing leaves before; 0 = no hold */
  __u32 left;       /* packets of this burst not yet sent */
  __u32 flow;       /* whose turn it is */
};

/* Returns the index of the flow's next packet and steps past it. cursor->kind
 * says whether it is sent. */
static inline __u64
rtpgen_cursor_next (struct rtpgen_cursor *cursor,
    const struct rtpgen_plan *plan, const struct rtpgen_stretch *stretches)
{
  if (!cursor->left) {
    const struct rtpgen_stretch *stretch =
        &stretches[cursor->next & (RTPGEN_STRETCHES - 1)];

    cursor->index = cursor->base + stretch->index;
    cursor->left = stretch->count;
    cursor->kind = stretch->kind;
    cursor->ticks += stretch->ticks;
    if (++cursor->next >= plan->stretches) {
      cursor->next = 0;
      cursor->base += plan->cycle;
    }
  }
  cursor->left--;
  return cursor->index++;
}

static inline void
rtpgen_schedule_start (struct rtpgen_schedule *schedule,
    const struct rtpgen_plan *plan, __u64 now_ns)
{
  schedule->start_ns = plan->start_ns ? plan->start_ns : now_ns;
  schedule->due_ns = schedule->start_ns;
  schedule->frame_due_ns = schedule->start_ns;
  schedule->frame_left = plan->frame_turns;
  schedule->left = plan->burst;
}

/* The start may be still to come. */
static inline int
rtpgen_schedule_is_over (const struct rtpgen_schedule *schedule,
    const struct rtpgen_plan *plan, __u64 now_ns)
{
  return plan->limit_ns && now_ns > schedule->start_ns + plan->limit_ns;
}

static inline int
rtpgen_schedule_is_due (const struct rtpgen_schedule *schedule, __u64 now_ns)
{
  return now_ns >= schedule->due_ns && now_ns >= schedule->hold_ns;
}

/* How late a packet is that leaves now: a hold is not lateness. */
static inline __u64
rtpgen_schedule_lateness (const struct rtpgen_schedule *schedule, __u64 now_ns)
{
  __u64 due = schedule->due_ns > schedule->hold_ns ? schedule->due_ns
                                                   : schedule->hold_ns;

  return now_ns - due;
}

/* Returns the flow whose packet it is now, and sets when the next is due. */
static inline __u32
rtpgen_schedule_next (
    struct rtpgen_schedule *schedule, const struct rtpgen_plan *plan)
{
  __u32 flow = schedule->flow;

  if (++schedule->flow >= plan->flows)
    schedule->flow = 0;
  if (plan->frame_turns && --schedule->frame_left == 0) {
    schedule->frame_left = plan->frame_turns;
    schedule->frame_due_ns += plan->frame_ns;
    schedule->frame_rest += plan->frame_rest;
    if (schedule->frame_rest >= plan->frame_unit) {
      schedule->frame_rest -= plan->frame_unit;
      schedule->frame_due_ns++;
    }
    schedule->due_ns = schedule->frame_due_ns;
    schedule->left = plan->burst;
  } else if (--schedule->left == 0) {
    schedule->left = plan->burst;
    schedule->due_ns += plan->burst_ns;
    schedule->rest += plan->burst_rest;
    if (plan->rate && schedule->rest >= plan->rate) {
      schedule->rest -= plan->rate;
      schedule->due_ns++;
    }
  }
  return flow;
}

/* Heeds the pause or hold in front of the next stretch, if flow 0, whose cursor
 * this is, has come to the end of one. */
static inline void
rtpgen_schedule_heed (struct rtpgen_schedule *schedule,
    const struct rtpgen_cursor *cursor, const struct rtpgen_stretch *stretches)
{
  const struct rtpgen_stretch *next;

  if (cursor->left)
    return;
  next = &stretches[cursor->next & (RTPGEN_STRETCHES - 1)];
  schedule->due_ns += next->pause_ns;
  schedule->frame_due_ns += next->pause_ns;
  if (next->hold_ns)
    schedule->hold_ns = schedule->due_ns + next->hold_ns;
}

static inline int
rtpgen_plan_is_marker (const struct rtpgen_plan *plan, __u64 index)
{
  return plan->marker_every && (index + 1) % plan->marker_every == 0;
}

static inline __u16
rtpgen_plan_sequence (const struct rtpgen_plan *plan, __u64 index)
{
  return (__u16) (plan->first_sequence + index);
}

/* The product wraps at 2^64; its upper half is still right modulo 2^32. */
static inline __u32
rtpgen_plan_timestamp (const struct rtpgen_plan *plan, __u64 index)
{
  __u64 frame = plan->frame_turns ? index / plan->frame_packets : index;

  return plan->first_timestamp + (__u32) ((frame * plan->timestamp_step) >> 32);
}
