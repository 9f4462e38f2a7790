/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A stream's buffers in the order of their numbers, and each once: those that wait for
 * a missing packet, and those that may go. Which they are the stage decides
 * (reorder.h).
 *
 * A packet becomes a buffer before it waits: its frame is lent, out of the stream's
 * share, as long as that has some, and otherwise the packet is copied. So whatever
 * waits, ring and driver have their frames.
 *
 * For the streaming thread. All zeros is one that is off.
 */
#pragma once

#include <gst/gst.h>

#include "gstafxdpbacklog.h"
#include "latency.h"
#include "reorder.h"

G_BEGIN_DECLS

/* The networks that a stream may come by. */
#define GST_AFXDP_LEGS AFXDP_LEGS

/* What one of two legs is to the other. */
typedef struct
{
  guint64 n_first;     /* packets that came by it first, and were in time */
  guint64 n_both;      /* of these: came by the other leg, too */
  guint64 n_late;      /* came when their turn was over */
  guint64 n_unmatched; /* are not the stream's */
  AfxdpLatency behind; /* how much later than by the other leg */
} GstAfxdpSkew;

/* What happened since it was told last. */
typedef struct
{
  guint n_late;      /* packets that came when their turn was over */
  guint n_repeated;  /* whose number had come */
  guint n_unmatched; /* of the second leg, and not of the stream */
  guint64 cut_short; /* gaps that were not waited for as long as the window */
} GstAfxdpOrderedCounts;

/* A packet that was waited for, and came too late. */
typedef struct
{
  AfxdpRtp rtp;
  guint64 arrival;
  guint64 behind; /* numbers */
} GstAfxdpLatePacket;

typedef struct
{
  AfxdpReorder *stage; /* NULL: off, packets go as they come */
  GArray *ready; /* AfxdpReorderEntry, the item is a GstBuffer: those that */
  guint first;   /* may go, from here on */
  GArray *late;  /* GstAfxdpLatePacket, of two legs: not told yet */
  guint n_held;  /* buffers that wait, or may go */
  guint64 cut_short; /* that is told */
  GstAfxdpOrderedCounts counts;

  GMutex lock; /* protects what follows */
  GstAfxdpSkew skews[GST_AFXDP_LEGS];
} GstAfxdpOrdered;

void gst_afxdp_ordered_init (GstAfxdpOrdered *ordered);
void gst_afxdp_ordered_clear (GstAfxdpOrdered *ordered);
/* Forgets the skews. */
void gst_afxdp_ordered_reset (GstAfxdpOrdered *ordered);

/* window in ns; with one leg 0: it is off. max_bytes may wait. */
void gst_afxdp_ordered_begin (
    GstAfxdpOrdered *ordered, guint n_legs, guint64 window, guint64 max_bytes);
/* Another second leg, or none: n_legs. What the former one was to the first is
 * forgotten, and numbers that have come stay known. */
void gst_afxdp_ordered_set_legs (
    GstAfxdpOrdered *ordered, guint n_legs, guint64 now);
/* Off again, and what it had is dropped. Returns how many buffers. */
guint gst_afxdp_ordered_end (GstAfxdpOrdered *ordered);
/* Drops what it has; what has left does not leave again. Returns how many buffers. */
guint gst_afxdp_ordered_drop (GstAfxdpOrdered *ordered);

static inline gboolean
gst_afxdp_ordered_is_on (const GstAfxdpOrdered *ordered)
{
  return G_UNLIKELY (ordered->stage != NULL);
}

/* Makes buffers of those packets of batch, of that leg, that are wanted. now: an arrival
 * behind that is of another clock. */
void gst_afxdp_ordered_put (GstAfxdpOrdered *ordered, guint leg,
    AfxdpStream *stream, AfxdpBatch *batch, const GstAfxdpMake *make,
    guint64 now);
/* When some may go although nothing comes; G_MAXUINT64: none waits. */
guint64 gst_afxdp_ordered_due (const GstAfxdpOrdered *ordered);
/* All that arrived by leg until now has been put. */
void gst_afxdp_ordered_advance (
    GstAfxdpOrdered *ordered, guint leg, guint64 now);
/* Nobody waits any more: all may go. */
void gst_afxdp_ordered_release (GstAfxdpOrdered *ordered);

/* Those that may go: the first of them, and how many. */
static inline guint
gst_afxdp_ordered_n_ready (const GstAfxdpOrdered *ordered)
{
  return ordered->stage ? ordered->ready->len - ordered->first : 0;
}
const AfxdpReorderEntry *gst_afxdp_ordered_ready (
    const GstAfxdpOrdered *ordered);
/* Makes a parcel of the first n. */
void gst_afxdp_ordered_take (GstAfxdpOrdered *ordered, guint n,
    GstAfxdpTiming *timing, GstAfxdpParcel *parcel);

/* What happened since the last time. */
GstAfxdpOrderedCounts gst_afxdp_ordered_tell (GstAfxdpOrdered *ordered);

G_END_DECLS
