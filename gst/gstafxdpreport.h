/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the element counts, and how it tells: the stats property and the bus
 * messages.
 *
 * count() and delivered() are for the streaming thread, once for each batch;
 * stats() is for any thread; all take the report's own lock, so that every
 * snapshot is consistent. post_stats() is for the streaming thread, and posts
 * without any lock held.
 *
 * An application may never read its bus: of each message type only some are
 * outstanding (gstafxdpoutbox.h). What could not be posted is in the next one.
 */
#pragma once

#include <gst/gst.h>

#include "attribution.h"
#include "gstafxdpordered.h"
#include "gstafxdpstats.h"
#include "ledger.h"
#include "stream.h"

G_BEGIN_DECLS

typedef struct _GstAfxdpReport GstAfxdpReport;

GstAfxdpReport *gst_afxdp_report_new (GstElement *element);
void gst_afxdp_report_free (GstAfxdpReport *report);
/* What is told beside its own: add is called without the report's lock, by whoever asks.
 * Once. */
void gst_afxdp_report_set_more (GstAfxdpReport *report,
    void (*add) (GstStructure *structure, gpointer user_data),
    gpointer user_data);
/* Starts anew. now is in ns of CLOCK_MONOTONIC, here and below. */
void gst_afxdp_report_reset (GstAfxdpReport *report, guint64 now);
/* Lets go of the messages that were posted. While no streaming thread runs. */
void gst_afxdp_report_forget_messages (GstAfxdpReport *report);

/* Only a gap shows what is lost, then: drops alone are no loss. FALSE after a reset. */
void gst_afxdp_report_set_of_two_legs (
    GstAfxdpReport *report, gboolean of_two_legs);

/* Units per second of the RTP timestamps of payload_type. */
void gst_afxdp_report_set_clock_rate (
    GstAfxdpReport *report, guint8 payload_type, guint clock_rate);
/* A batch has arrived. Returns how many of its packets are neither RTP nor RTCP, or
 * are malformed. */
guint gst_afxdp_report_count (GstAfxdpReport *report, const AfxdpBatch *batch);
/* These do not go downstream. */
void gst_afxdp_report_kept_back (
    GstAfxdpReport *report, const AfxdpBatch *batch);
/* It is on its way to the pad. */
void gst_afxdp_report_handing_over (
    GstAfxdpReport *report, const AfxdpBatch *batch, guint64 now);
void gst_afxdp_report_handing_over_ordered (GstAfxdpReport *report,
    const AfxdpReorderEntry *entries, guint n, guint64 now);
/* What packets were put in order lately; n_held of them have not gone yet. */
void gst_afxdp_report_ordered (
    GstAfxdpReport *report, const GstAfxdpOrderedCounts *counts, guint n_held);
/* What was made of packets goes downstream. */
void gst_afxdp_report_delivered (
    GstAfxdpReport *report, const GstAfxdpYield *yield);
/* n packets ended in column instead. */
void gst_afxdp_report_dropped (
    GstAfxdpReport *report, AfxdpColumn column, guint n);
/* interface: where the stream is received; empty: not known. */
void gst_afxdp_report_set_path (GstAfxdpReport *report,
    const AfxdpPathChange *change, const gchar *interface);
/* What the stream counted; the last ones stay when it is closed. Clears
 * counts. */
void gst_afxdp_report_set_stream_counts (
    GstAfxdpReport *report, AfxdpStreamCounts *counts);

/* Counts drops that explain none of its gaps. */
void gst_afxdp_report_count_drops (
    GstAfxdpReport *report, const AfxdpDrops *drops);
/* Empties drops. */
void gst_afxdp_report_take_drops (GstAfxdpReport *report, AfxdpDrops *drops);
/* Makes old gaps final. Returns when the next one is due, or 0. wanted: until
 * when drops must be known to judge all that are final, 0 when none waits. */
guint64 gst_afxdp_report_advance (
    GstAfxdpReport *report, guint64 now, guint64 *wanted);
/* Says of final gaps where their packets were lost, as afxdp_attribution_judge()
 * does, and appends that to verdicts (AfxdpVerdict). Returns whether some gaps
 * still wait. */
gboolean gst_afxdp_report_judge (GstAfxdpReport *report, guint64 known,
    guint64 now, const GstAfxdpTiming *timing, GArray *verdicts);
/* No packet comes any more, and all drops have been taken. */
void gst_afxdp_report_end (GstAfxdpReport *report);
/* Measures the rates since the last tick. */
void gst_afxdp_report_tick (GstAfxdpReport *report, guint64 now);

/* Posts what became of SSRCs. Costs nothing where nothing did. */
void gst_afxdp_report_post_sources (GstAfxdpReport *report, guint64 now);

/* With two legs: these leave, of whichever, and are all that is counted of RTP. */
void gst_afxdp_report_count_ordered (
    GstAfxdpReport *report, const AfxdpReorderEntry *entries, guint n);
/* Likewise, of those that came too late to leave. Empties late. */
void gst_afxdp_report_count_late (GstAfxdpReport *report, GArray *late);
AfxdpPath gst_afxdp_report_path (GstAfxdpReport *report);
void gst_afxdp_report_totals (GstAfxdpReport *report, GstAfxdpTotals *totals);
/* Of the stats only sums are told. */
void gst_afxdp_report_latency (GstAfxdpReport *report, AfxdpLatency *latency);

/* application/x-afxdp-stats. */
GstStructure *gst_afxdp_report_stats (GstAfxdpReport *report);
void gst_afxdp_report_post_stats (GstAfxdpReport *report);

G_END_DECLS
