/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What this host dropped and no gap shows yet, for no packet came since, or the streaming
 * thread waits for downstream: so that who reads the statistics meanwhile need not wait.
 * It is no packet's verdict, and nothing of it stays: the next ones are counted anew.
 *
 * The report's own, whose lock protects it.
 */
#pragma once

#include "attribution.h"
#include "gstafxdpstats.h"

G_BEGIN_DECLS

/* All zeros is one with one leg, before the first packet. */
typedef struct
{
  guint32 socket_dropped, dropped_in_pause; /* as AfxdpStreamCounts has them */
  guint64 last_arrival;                     /* of the packets counted */
  gboolean of_two_legs; /* what one did not bring the other may have */
} GstAfxdpUntold;

/* Adds it to the totals of a report. */
void gst_afxdp_untold_add (const GstAfxdpUntold *untold,
    const AfxdpAttribution *attribution, GstAfxdpTotals *totals);
/* No packet comes any more: what no gap will show is lost all the same. */
void gst_afxdp_untold_end (const GstAfxdpUntold *untold,
    AfxdpAttribution *attribution, const AfxdpRtpCounts *rtp);

G_END_DECLS
