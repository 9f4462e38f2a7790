/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The structures of the property stats. */
#include "gstafxdpstats.h"

#include "stream.h"

/**
 * GstAfxdpSrc:stats:
 *
 * Totals since READY, kept after stop: a #GstStructure `application/x-afxdp-stats`.
 * It tells of what was delivered (`packets`, `bytes`), of missing RTP packets (`lost`,
 * the sum of a field `lost-...` for each place where a packet can be lost), of what
 * counters of this host say was dropped (`dropped-...`), of the time from arrival to
 * the next element (`latency-...`), and of what of the stream was not RTP, or not its
 * own. `sources` has a structure for each SSRC, `queues` one for each RX queue.
 *
 * docs/statistics.md has all fields, with their types: where each is read, and what it
 * proves.
 */

static const struct
{
  const gchar *name;
  gsize offset;
} counters[] = {
  { "packets", G_STRUCT_OFFSET (GstAfxdpTotals, packets) },
  { "bytes", G_STRUCT_OFFSET (GstAfxdpTotals, bytes) },
  { "gaps", G_STRUCT_OFFSET (GstAfxdpTotals, rtp.gaps) },
  { "lost", G_STRUCT_OFFSET (GstAfxdpTotals, lost) },
  { "pending", G_STRUCT_OFFSET (GstAfxdpTotals, pending) },
  { "waiting", G_STRUCT_OFFSET (GstAfxdpTotals, waiting) },
  { "waits-cut-short", G_STRUCT_OFFSET (GstAfxdpTotals, cut_short) },
  { "reordered", G_STRUCT_OFFSET (GstAfxdpTotals, rtp.reordered) },
  { "duplicates", G_STRUCT_OFFSET (GstAfxdpTotals, rtp.duplicates) },
  { "restarts", G_STRUCT_OFFSET (GstAfxdpTotals, rtp.restarts) },
  { "strays", G_STRUCT_OFFSET (GstAfxdpTotals, rtp.strays) },
  { "unvalidated", G_STRUCT_OFFSET (GstAfxdpTotals, rtp.unvalidated) },
  { "sources-evicted", G_STRUCT_OFFSET (GstAfxdpTotals, sources_evicted) },
  { "copied", G_STRUCT_OFFSET (GstAfxdpTotals, copied) },
  { "not-rtp", G_STRUCT_OFFSET (GstAfxdpTotals, not_rtp) },
};

static guint64
counter (const GstAfxdpTotals *totals, guint i)
{
  return G_STRUCT_MEMBER (guint64, totals, counters[i].offset);
}

/* What was lost at each place, by the names that it has in the statistics. */
static void
set_losses (GstStructure *structure, GType type, const AfxdpLedger *now,
    const AfxdpLedger *then)
{
  for (guint i = AFXDP_FIRST_LOSS; i < AFXDP_N_COLUMNS; i++)
    gst_structure_set (structure, afxdp_column_lost_name (i), type,
        now->lost[i] - then->lost[i], NULL);
}

/* The same of all columns. */
static void
set_columns (GstStructure *structure, GType type, const AfxdpLedger *now,
    const AfxdpLedger *then)
{
  for (guint i = 0; i < AFXDP_N_COLUMNS; i++)
    if (afxdp_column_name (i))
      gst_structure_set (structure, afxdp_column_name (i), type,
          now->packets[i] - then->packets[i], NULL);
  set_losses (structure, type, now, then);
}

void
gst_afxdp_stats_add_losses (GstStructure *structure, const AfxdpLedger *ledger)
{
  static const AfxdpLedger none;

  set_losses (structure, G_TYPE_UINT64, ledger, &none);
}

void
gst_afxdp_stats_add_totals (
    GstStructure *structure, const GstAfxdpTotals *totals)
{
  static const AfxdpLedger none;

  for (guint i = 0; i < G_N_ELEMENTS (counters); i++)
    gst_structure_set (
        structure, counters[i].name, G_TYPE_UINT64, counter (totals, i), NULL);
  set_columns (structure, G_TYPE_UINT64, &totals->ledger, &none);
}

GstStructure *
gst_afxdp_stats_delta (const GstAfxdpTotals *now, const GstAfxdpTotals *then)
{
  GstStructure *delta = gst_structure_new_empty ("delta");

  for (guint i = 0; i < G_N_ELEMENTS (counters); i++)
    gst_structure_set (delta, counters[i].name, G_TYPE_INT64,
        (gint64) (counter (now, i) - counter (then, i)), NULL);
  set_columns (delta, G_TYPE_INT64, &now->ledger, &then->ledger);
  return delta;
}

void
gst_afxdp_stats_add_latency (
    GstStructure *structure, const AfxdpLatency *latency)
{
  gst_structure_set (structure, "latency-min", G_TYPE_UINT64, latency->shortest,
      "latency-avg", G_TYPE_UINT64, afxdp_latency_average (latency),
      "latency-p50", G_TYPE_UINT64, afxdp_latency_quantile (latency, 500),
      "latency-p99", G_TYPE_UINT64, afxdp_latency_quantile (latency, 990),
      "latency-max", G_TYPE_UINT64, latency->longest, NULL);
}

/* RTCP's field is 24 bits of a signed number; rtpsession has gint. */
static gint
packets_lost (const AfxdpRtpCounts *counts)
{
  gint64 lost = (gint64) counts->lost - (gint64) counts->duplicates;

  return CLAMP (lost, G_MININT, G_MAXINT);
}

/* The jitter in ns. */
static guint64
jitter_time (const AfxdpRtpSource *source)
{
  return source->clock_rate
      ? gst_util_uint64_scale (source->jitter, GST_SECOND, source->clock_rate)
      : 0;
}

static void
append_structure (GValue *array, GstStructure *structure)
{
  GValue value = G_VALUE_INIT;

  g_value_init (&value, GST_TYPE_STRUCTURE);
  g_value_take_boxed (&value, structure);
  gst_value_array_append_and_take_value (array, &value);
}

static void
add_latest_gaps (
    GstStructure *structure, const AfxdpRtpSource *source, const gint64 *offset)
{
  GValue gaps = G_VALUE_INIT;

  g_value_init (&gaps, GST_TYPE_ARRAY);
  for (guint i = 0; i < source->n_latest_gaps; i++) {
    const AfxdpRtpGap *gap = &source->latest_gaps[i];
    gint64 time = (gint64) gap->shown + (offset ? *offset : 0);

    append_structure (&gaps,
        gst_structure_new ("application/x-afxdp-gap", "first-missing",
            G_TYPE_UINT, (guint) gap->first, "missing", G_TYPE_UINT64,
            gap->missing, "running-time", G_TYPE_UINT64,
            offset ? (guint64) MAX (time, 0) : GST_CLOCK_TIME_NONE, NULL));
  }
  gst_structure_take_value (structure, "latest-gaps", &gaps);
}

static GstStructure *
source_stats (AfxdpRtpStats *rtp, guint i, const GstAfxdpRates *rates,
    const gint64 *offset)
{
  AfxdpRtpSource source;
  GstStructure *structure;

  afxdp_rtp_stats_source (rtp, i, &source);
  structure = gst_structure_new ("application/x-rtp-source-stats", "ssrc",
      G_TYPE_UINT, source.ssrc, "payload-type", G_TYPE_UINT,
      source.payload_type, "clock-rate", G_TYPE_INT,
      source.clock_rate ? (gint) source.clock_rate : -1, "packets-received",
      G_TYPE_UINT64, source.counts.packets, "octets-received", G_TYPE_UINT64,
      source.counts.octets, "bitrate", G_TYPE_UINT64,
      gst_afxdp_rates_of_source (rates, source.ssrc), "packets-lost",
      G_TYPE_INT, packets_lost (&source.counts), "lost", G_TYPE_UINT64,
      source.counts.lost, "pending", G_TYPE_UINT64, source.counts.pending,
      "jitter", G_TYPE_UINT, source.jitter, "jitter-time", G_TYPE_UINT64,
      jitter_time (&source), "seqnum-base", G_TYPE_INT,
      (gint) source.seqnum_base, "extended-highest-seq", G_TYPE_UINT,
      source.extended_highest_seq, "gaps", G_TYPE_UINT64, source.counts.gaps,
      "max-gap", G_TYPE_UINT64, source.max_gap, "reordered", G_TYPE_UINT64,
      source.counts.reordered, "max-reorder", G_TYPE_UINT64, source.max_reorder,
      "duplicates", G_TYPE_UINT64, source.counts.duplicates, "restarts",
      G_TYPE_UINT64, source.counts.restarts, "strays", G_TYPE_UINT64,
      source.counts.strays, NULL);
  add_latest_gaps (structure, &source, offset);
  return structure;
}

void
gst_afxdp_stats_add_sources (GstStructure *structure, AfxdpRtpStats *rtp,
    const GstAfxdpRates *rates, const gint64 *offset)
{
  GValue sources = G_VALUE_INIT;

  g_value_init (&sources, GST_TYPE_ARRAY);
  for (guint i = 0; i < afxdp_rtp_stats_n_sources (rtp); i++)
    append_structure (&sources, source_stats (rtp, i, rates, offset));
  gst_structure_take_value (structure, "sources", &sources);
}

void
gst_afxdp_stats_add_queues (GstStructure *structure, const GArray *queues)
{
  GValue array = G_VALUE_INIT;

  g_value_init (&array, GST_TYPE_ARRAY);
  for (guint i = 0; queues && i < queues->len; i++) {
    const AfxdpQueueCounts *counts =
        &g_array_index (queues, AfxdpQueueCounts, i);

    append_structure (&array,
        gst_structure_new ("application/x-afxdp-queue-stats", "queue",
            G_TYPE_UINT, counts->queue, "bound", G_TYPE_BOOLEAN, counts->bound,
            "napi-id", G_TYPE_UINT, counts->napi_id, "redirected",
            G_TYPE_UINT64, counts->redirected, "passed", G_TYPE_UINT64,
            counts->passed, "too-long", G_TYPE_UINT64, counts->too_long,
            "no-frame", G_TYPE_UINT64, counts->no_frame, "no-socket",
            G_TYPE_UINT64, counts->no_socket, "dropped", G_TYPE_UINT64,
            counts->dropped, "filtered", G_TYPE_UINT64, counts->filtered, "cut",
            G_TYPE_UINT64, counts->cut, NULL));
  }
  gst_structure_take_value (structure, "queues", &array);
}
