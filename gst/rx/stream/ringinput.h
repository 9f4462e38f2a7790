/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A ring as a source of a stream's packets: the program numbers what it redirects, so
 * that what did not come is noticed, and where it was lost.
 *
 * For the streaming thread alone.
 */
#pragma once

#include "framepacket.h"
#include "input.h"
#include "ring.h"
#include "ringcounters.h"

G_BEGIN_DECLS

/* Ordinals that were skipped, and arrivals of the packets around them. */
typedef struct
{
  guint64 n, from, until;
} AfxdpHole;

/* Holes in one batch whose places are told apart. */
#define AFXDP_INPUT_HOLES 8

typedef struct
{
  AfxdpInput input;

  /* Hot: for each batch. */
  const AfxdpRing *ring;
  const AfxdpDestination *destination;
  gboolean metadata;    /* the program writes it in front of packets */
  guint n_holes;        /* that this read() found; see below */
  guint64 next_ordinal; /* that the program gives on this ring */
  guint64 missing_at;   /* see below; 0: none is missing */
  guint64 overload;     /* by the program on this ring; this much is told, */

  /* Cold: where something was lost, or there is no metadata. */
  guint64 overload_at; /* and what is not told was dropped after this */
  AfxdpRingCounters counters;
  /* packets before this ordinal were not in the ring, at missing_at */
  guint64 missing_end;
  AfxdpHole holes[AFXDP_INPUT_HOLES];
  guint64 told_redirect; /* so many, some of which may come after all */
} AfxdpRingInput;

/* Ring, area, drops and destination are not owned: they must outlive the input. */
void afxdp_ring_input_init (AfxdpRingInput *input, const AfxdpRing *ring,
    AfxdpUmem *umem, const AfxdpDestination *destination, guint batch,
    AfxdpDrops *drops);

/* Tells what the program has dropped since the last time. Returns how many. */
guint64 afxdp_ring_input_follow_overload (AfxdpRingInput *input);

/* The program does not redirect any more and the ring is empty: what it
 * redirected and the ring did not give was lost in between, and gives its
 * credit back here. */
void afxdp_ring_input_forget_lost (AfxdpRingInput *input);

G_END_DECLS
