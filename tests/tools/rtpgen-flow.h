/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A flow, as the BPF program and user space share it: the bytes of its packets
 * that differ from flow to flow, and what was sent of it.
 *
 * The head of a packet is all that is written anew for each one: Ethernet, IP,
 * UDP and RTP header and the first 16 bytes of the RTP payload. What follows is
 * the same in all packets of a run.
 */
#pragma once

#include <linux/types.h>
#include <bpf/bpf_endian.h>

#include "rtpgen-plan.h"

/* Most flows: a power of two. */
#define RTPGEN_FLOWS 1024

/* Bytes of the headers before RTP, for the three kinds of packet. */
#define RTPGEN_IPV4 (14 + 20 + 8)
#define RTPGEN_IPV4_OPTION (14 + 20 + 4 + 8)
#define RTPGEN_IPV6 (14 + 40 + 8)

/* Eight-byte words that hold the longest head. */
#define RTPGEN_HEAD_WORDS 12

/* The RTP header and the payload's first 16 bytes; network order throughout. */
struct rtpgen_rtp
{
  __u8 version;
  __u8 type; /* with the marker bit */
  __be16 sequence;
  __be32 timestamp;
  __be32 ssrc;
  __u8 sign[4]; /* "RTPG", or the header of an MPEG TS null packet */
  __be32 flow;  /* its number, from 0 */
  __be64 index; /* of the packet within its flow */
} __attribute__ ((packed));

/* Takes the place of sign and flow: RFC 4175 4.3, of one part of one line. */
struct rtpgen_video
{
  __be16 extended; /* high half of the sequence number */
  __be16 length;
  __be16 line;
  __be16 offset; /* pixels */
} __attribute__ ((packed));

/* One of the two forms of a flow's packets: ordinary, or marker. */
struct rtpgen_layout
{
  __u64 head[RTPGEN_HEAD_WORDS]; /* numbers and UDP checksum are zero in it */
  __u32 headers;                 /* RTPGEN_IPV4 and so on */
  __u32 frame;                   /* bytes of the whole frame, without FCS */
  __u32 checksum;                /* UDP's sum of all that is not a number */
  __s32 move_head;               /* from the template's start to this one's */
  __s32 move_tail;               /* likewise the ends */
  __u32 zero;
};

struct rtpgen_flow
{
  struct rtpgen_layout ordinary;
  struct rtpgen_layout marker;
  struct rtpgen_cursor cursor;

  /* Handed to the interface so far. */
  __u64 packets;
  __u64 markers;
  __u64 bytes;
  __u64 silent; /* left out at their time, and not in the others */
};

/* Writes which part of its frame a packet is and returns its part of the UDP sum. */
static inline __u32
rtpgen_video_number (
    struct rtpgen_video *video, const struct rtpgen_plan *plan, __u64 index)
{
  __u16 extended = (plan->first_sequence + index) >> 16;
  __u32 place = index % plan->frame_packets;
  __u16 line = place / plan->line_packets;
  __u16 offset = place % plan->line_packets * plan->packet_pixels;

  video->extended = bpf_htons (extended);
  video->length = bpf_htons ((__u16) plan->packet_bytes);
  video->line = bpf_htons (line);
  video->offset = bpf_htons (offset);
  return (__u32) extended + plan->packet_bytes + line + offset;
}

/* Writes a packet's numbers and returns their part of the UDP sum. ticks: what
 * pauses have added to the timestamp. */
static inline __u32
rtpgen_rtp_number (struct rtpgen_rtp *rtp, const struct rtpgen_plan *plan,
    __u64 index, __u32 ticks)
{
  __u16 sequence = rtpgen_plan_sequence (plan, index);
  __u32 timestamp = rtpgen_plan_timestamp (plan, index) + ticks;
  __u32 sum = 0;

  if (plan->line_packets)
    sum = rtpgen_video_number ((struct rtpgen_video *) rtp->sign, plan, index);
  rtp->sequence = bpf_htons (sequence);
  rtp->timestamp = bpf_htonl (timestamp);
  rtp->index = bpf_cpu_to_be64 (index);
  return sum + (__u32) sequence + (timestamp >> 16) + (timestamp & 0xffff) +
      (__u32) (index >> 48) + (__u32) (index >> 32 & 0xffff) +
      (__u32) (index >> 16 & 0xffff) + (__u32) (index & 0xffff);
}
