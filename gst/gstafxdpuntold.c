/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was dropped and no gap shows yet. */
#include "gstafxdpuntold.h"

/* What the socket says by now that it dropped, and the streaming thread, which may
 * wait for downstream, has not told yet. */
static guint32
untold_by_socket (const GstAfxdpUntold *untold, const GstAfxdpTotals *totals)
{
  const guint64 *packets = totals->ledger.packets;
  guint32 told =
      packets[AFXDP_COLUMN_SOCKET_BUFFER] + packets[AFXDP_COLUMN_PAUSED];
  guint32 n = untold->socket_dropped - told;

  return n <= G_MAXINT32 ? n : 0;
}

/* Of the packets that are pending, those whose drops are not told: they may be among
 * what the socket has not told. */
static guint64
pending_of_untold (const GstAfxdpUntold *untold,
    const AfxdpAttribution *attribution, const GstAfxdpTotals *totals)
{
  guint64 last = untold->last_arrival;
  guint64 known = afxdp_attribution_n_known (
      attribution, last - MIN (last, AFXDP_RTP_FINAL_TIME), last);

  return totals->pending - MIN (totals->pending, known);
}

/* With two legs drops alone are no loss: the other leg may have brought the packets. */
static gboolean
is_loss (const GstAfxdpUntold *untold, const AfxdpRtpCounts *rtp)
{
  return rtp->packets && !untold->of_two_legs;
}

void
gst_afxdp_untold_add (const GstAfxdpUntold *untold,
    const AfxdpAttribution *attribution, GstAfxdpTotals *totals)
{
  guint64 lost[AFXDP_N_COLUMNS] = { 0 };
  guint64 n = 0;
  guint32 by_socket = untold_by_socket (untold, totals);
  guint32 in_pause = MIN (by_socket, untold->dropped_in_pause);

  totals->ledger.packets[AFXDP_COLUMN_PAUSED] += in_pause;
  totals->ledger.packets[AFXDP_COLUMN_SOCKET_BUFFER] += by_socket - in_pause;
  lost[AFXDP_COLUMN_SOCKET_BUFFER] = by_socket - in_pause;
  if (!is_loss (untold, &totals->rtp))
    return;
  afxdp_attribution_add_after (attribution, untold->last_arrival, lost);
  for (guint i = AFXDP_FIRST_LOSS; i < AFXDP_N_COLUMNS; i++) {
    totals->ledger.lost[i] += lost[i];
    n += lost[i];
  }
  /* What is pending may be the same packets, and is told but once. */
  totals->pending -= MIN (pending_of_untold (untold, attribution, totals), n);
}

void
gst_afxdp_untold_end (const GstAfxdpUntold *untold,
    AfxdpAttribution *attribution, const AfxdpRtpCounts *rtp)
{
  if (is_loss (untold, rtp))
    afxdp_attribution_end (attribution, untold->last_arrival);
}
