/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How long packets took: a histogram whose steps are a sixteenth of a power of
 * two, so that any time is known to 6 %, with its exact extremes. No allocation,
 * O(1) for each packet; 8 KiB. Not thread-safe.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define AFXDP_LATENCY_STEPS 16 /* in each power of two */

typedef struct
{
  guint64 n;
  guint64 sum; /* ns */
  guint64 shortest, longest;
  guint64 steps[64 * AFXDP_LATENCY_STEPS];
} AfxdpLatency;

/* latency is all zeros at first; time is in ns. */
void afxdp_latency_add (AfxdpLatency *latency, guint64 time);
/* The time that so many of a thousand packets did not exceed; 0 without any. */
guint64 afxdp_latency_quantile (const AfxdpLatency *latency, guint permille);
/* How many took no longer than that. Those within a sixteenth below it may be left out:
 * no packet is told to have been faster than it was. */
guint64 afxdp_latency_up_to (const AfxdpLatency *latency, guint64 time);

static inline guint64
afxdp_latency_average (const AfxdpLatency *latency)
{
  return latency->n ? latency->sum / latency->n : 0;
}

G_END_DECLS
