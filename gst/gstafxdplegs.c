/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The legs of a stream that is sent over two networks. */
#include "gstafxdplegs.h"

#include <string.h>

#include "gstafxdpenums.h"
#include "gstafxdplegstate.h"

void
gst_afxdp_leg_begin (
    GstAfxdpLeg *leg, const gchar *uri, const gchar *interface, guint64 now)
{
  if (!leg->report) {
    leg->report = gst_afxdp_report_new (NULL);
    gst_afxdp_gaps_init (&leg->gaps, NULL, leg->report);
    gst_afxdp_current_mode_init (
        &leg->mode, GST_ELEMENT (leg->src), leg->report);
    leg->mode.leg = leg->number;
    leg->places = leg->gaps.places = g_new (AfxdpPlaces, 1);
  }
  memset (leg->places, 0, sizeof *leg->places);
  leg->state = leg->told = AFXDP_LEG_ACTIVE;
  gst_afxdp_report_reset (leg->report, now);
  gst_afxdp_gaps_reset (&leg->gaps);
  g_free (leg->uri);
  leg->uri = g_strdup (uri);
  g_free (leg->interface);
  leg->interface = g_strdup (interface ? interface : "");
}

void
gst_afxdp_leg_clear (GstAfxdpLeg *leg)
{
  if (!leg->report)
    return;
  gst_afxdp_gaps_clear (&leg->gaps);
  g_clear_pointer (&leg->places, g_free);
  g_clear_pointer (&leg->report, gst_afxdp_report_free);
  g_clear_pointer (&leg->uri, g_free);
  g_clear_pointer (&leg->interface, g_free);
}

void
gst_afxdp_legs_have_told (
    GstAfxdpLeg *legs, GstAfxdpGaps *gaps, GstAfxdpReport *report)
{
  gboolean are_two = legs[1].report != NULL;

  gaps->also = legs[0].report;
  gaps->places = legs[0].places;
  for (guint i = 0; i < GST_AFXDP_LEGS; i++)
    gaps->legs[i] = are_two ? legs[i].places : NULL;
  legs[1].gaps.sum = report;
  gst_afxdp_report_set_of_two_legs (report, are_two);
}

void
gst_afxdp_legs_add_counts (AfxdpStreamCounts *counts, AfxdpStreamCounts *other)
{
  counts->malformed += other->malformed;
  counts->discarded += other->discarded;
  counts->n_frames += other->n_frames;
  counts->n_frames_free += other->n_frames_free;
  counts->socket_dropped += other->socket_dropped;
  counts->dropped_in_pause += other->dropped_in_pause;
  afxdp_stream_counts_clear (other);
}

void
gst_afxdp_legs_count (const GstAfxdpLeg *legs, AfxdpStreamCounts *counts)
{
  afxdp_stream_counts (legs[0].stream, counts);
  for (guint i = 1; i < GST_AFXDP_LEGS; i++) {
    AfxdpStreamCounts other;

    if (!legs[i].stream)
      continue;
    afxdp_stream_counts (legs[i].stream, &other);
    gst_afxdp_legs_add_counts (counts, &other);
  }
}

static GstStructure *
describe (const GstAfxdpLeg *leg, AfxdpPath path, const GstAfxdpTotals *totals,
    const GstAfxdpSkew *skew)
{
  const AfxdpLatency *behind = &skew->behind;
  GstStructure *structure = gst_structure_new ("application/x-afxdp-leg-stats",
      "uri", G_TYPE_STRING, leg->uri, "interface", G_TYPE_STRING,
      leg->interface, "mode", G_TYPE_STRING,
      gst_afxdp_enum_nick (GST_TYPE_AFXDP_CURRENT_MODE, path), "state",
      G_TYPE_STRING, gst_afxdp_leg_state_name (leg->state), "packets",
      G_TYPE_UINT64, totals->rtp.packets, "lost", G_TYPE_UINT64, totals->lost,
      "pending", G_TYPE_UINT64, totals->pending, "late", G_TYPE_UINT64,
      skew->n_late, "unmatched", G_TYPE_UINT64, skew->n_unmatched, "recovered",
      G_TYPE_UINT64, skew->n_first - MIN (skew->n_first, skew->n_both),
      "skew-min", G_TYPE_UINT64, behind->n ? behind->shortest : 0, "skew-avg",
      G_TYPE_UINT64, afxdp_latency_average (behind), "skew-p99", G_TYPE_UINT64,
      afxdp_latency_quantile (behind, 990), "skew-max", G_TYPE_UINT64,
      behind->longest, NULL);

  gst_afxdp_stats_add_losses (structure, &totals->ledger);
  return structure;
}

void
gst_afxdp_legs_add_stats (GstStructure *structure, GstAfxdpLeg *legs,
    const GstAfxdpSkew *skews, GstAfxdpReport *report)
{
  GValue array = G_VALUE_INIT;

  g_value_init (&array, GST_TYPE_ARRAY);
  for (guint i = 0; i < GST_AFXDP_LEGS && legs[i].report; i++) {
    GValue value = G_VALUE_INIT;
    AfxdpPath path =
        gst_afxdp_report_path (i && !legs[i].shares ? legs[i].report : report);
    GstAfxdpTotals totals;

    gst_afxdp_report_totals (legs[i].report, &totals);
    g_value_init (&value, GST_TYPE_STRUCTURE);
    g_value_take_boxed (&value, describe (&legs[i], path, &totals, &skews[i]));
    gst_value_array_append_and_take_value (&array, &value);
  }
  gst_structure_take_value (structure, "legs", &array);
}
