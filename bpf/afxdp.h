/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The layout that the XDP program and user space share: map keys and values,
 * the words of a slot, and the metadata in front of a redirected packet.
 *
 * Both sides run on one host, so numbers are in host byte order unless said.
 */
#pragma once

#include <linux/types.h>

/* Streams that one interface can serve. A slot is a stream's number. */
#define AFXDP_SLOTS 1024

/* Their words are allocated so many slots at a time: for all RX queues, also those that
 * no stream arrives on. The first part is there from the start, the others come with
 * the streams that need them. */
#define AFXDP_SLOTS_OF_PART 128
#define AFXDP_PARTS (AFXDP_SLOTS / AFXDP_SLOTS_OF_PART)

/* Flows of all streams: a stream on 0.0.0.0 has one for each address. */
#define AFXDP_FLOWS 4096

/* Sources of all flows together, included or excluded. */
#define AFXDP_SOURCES 2048

/* The kernel keeps XDP_PACKET_HEADROOM bytes of a frame for itself; the
 * metadata lies at the end of them, directly in front of the packet. */
#define AFXDP_HEADROOM 256

/* A flow is a destination address and port. */
struct afxdp_flow_key
{
  __u8 address[16]; /* network order; IPv4 in the first 4, the rest 0 */
  __be16 port;
  __u8 version; /* 4 or 6 */
  __u8 zero;
};

enum afxdp_filter
{
  AFXDP_FILTER_NONE = 0,
  AFXDP_FILTER_INCLUDE = 1, /* only packets from the slot's sources */
  AFXDP_FILTER_EXCLUDE = 2, /* all but those */
};

struct afxdp_flow
{
  __u32 slot;
  __u32 filter; /* enum afxdp_filter */
};

/* A source of a slot: there is nothing to say of it but that it is there. */
struct afxdp_source_key
{
  __u8 address[16]; /* network order; IPv4 in the first 4, the rest 0 */
  __u32 slot;
  __u8 version; /* 4 or 6 */
  __u8 zero[3];
};

enum afxdp_redirect
{
  AFXDP_REDIRECT_OFF = 0, /* by user space */
  AFXDP_REDIRECT_ON = 1,
  AFXDP_REDIRECT_EXHAUSTED =
      2, /* by the program: credit or frames are used up */
  /* By user space: closed, and the socket has no room either. Until drop_until the
   * program drops what it would pass. */
  AFXDP_REDIRECT_OVERLOADED = 3,
};

/*
 * One for each (slot, RX queue), in the slot's part (slot / AFXDP_SLOTS_OF_PART) at
 * index slot % AFXDP_SLOTS_OF_PART * queues + queue. Counters only
 * rise. A packet that the flow map matched, on a queue that there is, is in
 * exactly one of redirected, passed, filtered, cut and dropped; too_long, no_frame,
 * no_socket and no_metadata are parts of passed.
 */
struct afxdp_slot
{
  /* Written by the program. */
  __u64 redirected;  /* the ordinal of a packet is this, before it counts */
  __u64 passed;      /* given to the kernel's socket instead */
  __u64 too_long;    /* longer than the space in a frame */
  __u64 no_frame;    /* the queue's frames are all in use */
  __u64 no_socket;   /* no AF_XDP socket in the map */
  __u64 no_metadata; /* the driver has no room for metadata */
  /* from a source that the stream is not received from, cut or not */
  __u64 filtered;
  __u64 cut; /* ends before its IP header says; the stack drops it */

  /* Written by user space; the program stores EXHAUSTED in redirect. */
  __u32 redirect;   /* enum afxdp_redirect */
  __u32 credit;     /* most packets between the program and the reader */
  __u64 released;   /* redirected packets that the reader is done with */
  __u64 drop_until; /* ns of CLOCK_MONOTONIC: a lease, soon over by itself */
  __u64 reserved1[4];
  /* written by the program: while redirect was OVERLOADED, when nothing else
   * here moves but released */
  __u64 dropped;
} __attribute__ ((aligned (64)));

/*
 * One for each RX queue. Each redirected packet takes a frame out of the queue's
 * fill ring, so frames - redirected is what is left in it: a packet for which
 * there is none would be dropped by the kernel, and is passed instead.
 */
struct afxdp_queue
{
  /* Written by the program. */
  __u64 redirected; /* sum of all slots */
  /* packets that it ran for, of whatever kind. Not to be relied on to the
   * packet: in generic mode several CPUs add to it */
  __u64 seen;
  __u64 reserved0[6];

  /* Written by user space. */
  /* ever put into the fill ring, and those that a redirected packet did not
   * take after all, since it was lost */
  __u64 frames;
  __u64 reserved1[7];
} __attribute__ ((aligned (64)));

/* In front of each redirected packet, when the driver has room for it. */
struct afxdp_metadata
{
  __u64 time;    /* CLOCK_MONOTONIC, ns: when the program saw the packet */
  __u64 ordinal; /* the packet's number on this (slot, queue) */
};
