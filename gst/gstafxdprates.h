/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Packets and bits per second, of a stream and of each of its SSRCs: during the time
 * between the last two ticks.
 *
 * Not thread-safe: the report has its lock.
 */
#pragma once

#include <glib.h>

#include "rtpstats.h"

G_BEGIN_DECLS

typedef struct
{
  gdouble packets_per_second, bitrate; /* of the stream */

  /* The rest is private. */
  guint64 ticked_at;
  guint64 ticked_packets, ticked_bytes;
  GHashTable *sources; /* SSRC to SourceRate */
} GstAfxdpRates;

void gst_afxdp_rates_init (GstAfxdpRates *rates);
void gst_afxdp_rates_clear (GstAfxdpRates *rates);
/* Starts anew, from now on. */
void gst_afxdp_rates_reset (GstAfxdpRates *rates, guint64 now);

/* The totals are packets and bytes by now, those of SSRCs are in rtp. */
void gst_afxdp_rates_tick (GstAfxdpRates *rates, guint64 packets, guint64 bytes,
    AfxdpRtpStats *rtp, guint64 now);

/* Bits per second. */
guint64 gst_afxdp_rates_of_source (const GstAfxdpRates *rates, guint32 ssrc);

G_END_DECLS
