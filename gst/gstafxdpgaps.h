/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What becomes of gaps: when they are final, the stream is asked what it knows of
 * drops, and the verdict is posted as GstAfxdpSrcGap. Nothing is done, or asked,
 * while there is no gap.
 *
 * For the streaming thread; end() for the thread that changes state, afterwards.
 */
#pragma once

#include "gstafxdpoutbox.h"
#include "gstafxdpreport.h"
#include "places.h"

G_BEGIN_DECLS

typedef struct _GstAfxdpGaps GstAfxdpGaps;

struct _GstAfxdpGaps
{
  GstElement *element;    /* which owns us, */
  GstAfxdpReport *report; /* and that; NULL element: nothing is posted */
  GstAfxdpReport *sum;    /* only counts the same drops; NULL: none */
  /* Where legs come by one stream, which tells its drops once. The first one's: the
   * report of the second; the second one's: the first, who tells all. NULL: each has a
   * stream of its own. */
  GstAfxdpReport *sharer;
  GstAfxdpGaps *owner;
  GArray *verdicts; /* AfxdpVerdict, to be posted */

  /* With two legs. The element's: what the first leg alone reports, which is told of
   * the same drops; NULL: there is one leg. */
  GstAfxdpReport *also;
  /* Where that has lost packets, or a leg of which nothing is posted. */
  AfxdpPlaces *places;
  const AfxdpPlaces *legs[GST_AFXDP_LEGS];
  GArray *waiting; /* verdicts, to be posted when both legs have judged, too */

  guint64 judge_at;   /* not before, in ns of CLOCK_MONOTONIC */
  guint64 known;      /* until when drops were known at the last judgement */
  guint64 posted_at;  /* the last gap, 0: none */
  guint64 suppressed; /* gaps, since the last message */
  GstAfxdpOutbox outbox;
};

void gst_afxdp_gaps_init (
    GstAfxdpGaps *gaps, GstElement *element, GstAfxdpReport *report);
void gst_afxdp_gaps_clear (GstAfxdpGaps *gaps);
/* Starts anew, and lets go of the messages that were posted. */
void gst_afxdp_gaps_reset (GstAfxdpGaps *gaps);

/* Does what is due at now. interval: least time between the messages of two gaps,
 * in ns. Returns when something will be due, or 0. */
guint64 gst_afxdp_gaps_follow (GstAfxdpGaps *gaps, AfxdpStream *stream,
    const GstAfxdpTiming *timing, guint64 interval, guint64 now);
/* No packet comes any more: all gaps are final. May wait for the interface's
 * counters to be read. */
void gst_afxdp_gaps_end (GstAfxdpGaps *gaps, AfxdpStream *stream,
    const GstAfxdpTiming *timing, guint64 interval);
/* The stream is closed, and drops is what it saw last. */
void gst_afxdp_gaps_close (
    GstAfxdpGaps *gaps, AfxdpDrops *drops, const GstAfxdpTiming *timing);

G_END_DECLS
