/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Packets and bits per second. */
#include "gstafxdprates.h"

typedef struct
{
  guint64 life;   /* AfxdpRtpSource's */
  guint64 octets; /* at the last tick */
  guint64 bitrate;
} SourceRate;

void
gst_afxdp_rates_init (GstAfxdpRates *rates)
{
  rates->sources = g_hash_table_new_full (NULL, NULL, NULL, g_free);
}

void
gst_afxdp_rates_clear (GstAfxdpRates *rates)
{
  g_hash_table_unref (rates->sources);
}

void
gst_afxdp_rates_reset (GstAfxdpRates *rates, guint64 now)
{
  rates->ticked_at = now;
  rates->ticked_packets = rates->ticked_bytes = 0;
  rates->packets_per_second = rates->bitrate = 0;
  g_hash_table_remove_all (rates->sources);
}

/* SSRCs that are not known any more must not pile up. */
static void
tick_sources (GstAfxdpRates *rates, AfxdpRtpStats *rtp, gdouble seconds)
{
  g_autoptr (GHashTable) old = g_steal_pointer (&rates->sources);

  rates->sources = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  for (guint i = 0; i < afxdp_rtp_stats_n_sources (rtp); i++) {
    AfxdpRtpSource source;
    SourceRate *rate = g_new (SourceRate, 1);
    SourceRate *before;

    afxdp_rtp_stats_source (rtp, i, &source);
    before = g_hash_table_lookup (old, GUINT_TO_POINTER (source.ssrc));
    rate->life = source.life;
    rate->octets = source.counts.octets;
    /* One that was evicted and has come again begins at 0. */
    if (before && before->life != source.life)
      before = NULL;
    rate->bitrate =
        (rate->octets - (before ? before->octets : 0)) * 8 / seconds;
    g_hash_table_insert (rates->sources, GUINT_TO_POINTER (source.ssrc), rate);
  }
}

void
gst_afxdp_rates_tick (GstAfxdpRates *rates, guint64 packets, guint64 bytes,
    AfxdpRtpStats *rtp, guint64 now)
{
  gdouble seconds = (now - rates->ticked_at) / 1e9;

  if (seconds <= 0)
    return;
  rates->packets_per_second = (packets - rates->ticked_packets) / seconds;
  rates->bitrate = (bytes - rates->ticked_bytes) * 8 / seconds;
  rates->ticked_packets = packets;
  rates->ticked_bytes = bytes;
  rates->ticked_at = now;
  tick_sources (rates, rtp, seconds);
}

guint64
gst_afxdp_rates_of_source (const GstAfxdpRates *rates, guint32 ssrc)
{
  const SourceRate *rate =
      g_hash_table_lookup (rates->sources, GUINT_TO_POINTER (ssrc));

  return rate ? rate->bitrate : 0;
}
