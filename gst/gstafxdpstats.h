/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The structures of the property stats and of the message GstAfxdpSrcStats: what their
 * fields are called. docs/statistics.md says what they mean, and a test compares it
 * with them.
 *
 * What they are told from is the caller's, who locks it.
 */
#pragma once

#include <gst/gst.h>

#include "gstafxdprates.h"
#include "latency.h"
#include "ledger.h"
#include "rtpstats.h"

G_BEGIN_DECLS

/* What rises: each is guint64, and a field or, of the ledger, several. */
typedef struct
{
  guint64 packets;
  guint64 bytes;
  guint64 copied;
  guint64 not_rtp;
  guint64 lost, pending;
  guint64 waiting, cut_short;
  guint64 sources_evicted;
  AfxdpLedger ledger;
  AfxdpRtpCounts rtp;
} GstAfxdpTotals;

void gst_afxdp_stats_add_totals (
    GstStructure *structure, const GstAfxdpTotals *totals);
/* A field lost-... for each place. */
void gst_afxdp_stats_add_losses (
    GstStructure *structure, const AfxdpLedger *ledger);
/* By what each counter rose; signed, since a late packet takes its loss back. */
GstStructure *gst_afxdp_stats_delta (
    const GstAfxdpTotals *now, const GstAfxdpTotals *then);

void gst_afxdp_stats_add_latency (
    GstStructure *structure, const AfxdpLatency *latency);
/* offset: of running time to an arrival; NULL when that is not known. */
void gst_afxdp_stats_add_sources (GstStructure *structure, AfxdpRtpStats *rtp,
    const GstAfxdpRates *rates, const gint64 *offset);
/* queues: AfxdpQueueCounts, or NULL. */
void gst_afxdp_stats_add_queues (GstStructure *structure, const GArray *queues);

G_END_DECLS
