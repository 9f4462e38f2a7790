/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the element counts, and when it tells. */
#include "gstafxdpreport.h"

#include <net/if.h>

#include "gstafxdpenums.h"
#include "gstafxdpoutbox.h"
#include "gstafxdprates.h"
#include "gstafxdpssrcs.h"
#include "gstafxdpstats.h"
#include "gstafxdpuntold.h"
#include "latency.h"
#include "rtpstats.h"

struct _GstAfxdpReport
{
  GstElement *element; /* which owns us */
  void (*add_more) (GstStructure *structure, gpointer user_data);
  gpointer user_data;

  GMutex lock; /* innermost; protects all down to look_at */
  AfxdpRtpStats *rtp;
  AfxdpAttribution *attribution;
  /* All but what is asked for when needed, see sum_up(). */
  GstAfxdpTotals totals;
  GstAfxdpTotals posted; /* at the last message */
  AfxdpLatency latency;
  GstAfxdpUntold untold;
  gint64 offset;       /* of running time to an arrival, */
  gboolean has_offset; /* if that is known */
  guint n_frames, n_frames_free;
  GArray *queues; /* AfxdpQueueCounts, or NULL */
  AfxdpPath path;
  AfxdpXdpMode xdp_mode;
  gboolean zero_copy;
  gchar interface[IF_NAMESIZE]; /* empty: not known */
  GstAfxdpRates rates;
  GstAfxdpSsrcs ssrcs;
  const AfxdpSender *sender; /* of the packet that is counted, or NULL */
  guint64 look_at;           /* when it is looked for SSRCs that are gone */

  /* The streaming thread's own. */
  GstAfxdpOutbox outbox;
};

void
gst_afxdp_report_forget_messages (GstAfxdpReport *report)
{
  gst_afxdp_outbox_empty (&report->outbox);
  g_mutex_lock (&report->lock);
  gst_afxdp_ssrcs_clear (&report->ssrcs);
  g_mutex_unlock (&report->lock);
}

/* Called in the sequence statistics, and so with the lock. */

static void
note_gap (const AfxdpRtpGap *gap, gpointer user_data)
{
  GstAfxdpReport *report = user_data;

  afxdp_attribution_add_gap (report->attribution, gap);
}

static void
note_return (guint32 ssrc, guint64 number, gpointer user_data)
{
  GstAfxdpReport *report = user_data;

  afxdp_attribution_came (report->attribution, ssrc, number);
}

/* Called by attribution when it judges, and so with the lock, too. */

static gboolean
correct_gap (guint32 ssrc, guint64 end, gint64 cycles, gpointer user_data)
{
  GstAfxdpReport *report = user_data;

  return afxdp_rtp_stats_correct (report->rtp, ssrc, end, cycles);
}

static gboolean
join_runs (guint32 ssrc, guint64 shown, guint64 missing, gpointer user_data)
{
  GstAfxdpReport *report = user_data;

  return afxdp_rtp_stats_join (report->rtp, ssrc, shown, missing);
}

static void
note_source (const AfxdpRtpEvent *event, gpointer user_data)
{
  GstAfxdpReport *report = user_data;

  if (event->state == AFXDP_RTP_SOURCE_RESTARTED)
    afxdp_attribution_add_restart (report->attribution, event);
  gst_afxdp_ssrcs_note (&report->ssrcs, event, report->sender);
}

static void
start_counting (GstAfxdpReport *report)
{
  static const AfxdpRtpFuncs funcs = { note_gap, note_return, note_source };
  static const AfxdpAttributionFuncs corrections = { correct_gap, join_runs };

  report->rtp = afxdp_rtp_stats_new ();
  report->attribution =
      afxdp_attribution_new (report->totals.ledger.lost, &corrections, report);
  afxdp_rtp_stats_set_funcs (report->rtp, &funcs, report);
}

GstAfxdpReport *
gst_afxdp_report_new (GstElement *element)
{
  GstAfxdpReport *report = g_new0 (GstAfxdpReport, 1);

  report->element = element;
  g_mutex_init (&report->lock);
  start_counting (report);
  gst_afxdp_rates_init (&report->rates);
  return report;
}

void
gst_afxdp_report_set_more (GstAfxdpReport *report,
    void (*add) (GstStructure *structure, gpointer user_data),
    gpointer user_data)
{
  report->add_more = add;
  report->user_data = user_data;
}

void
gst_afxdp_report_free (GstAfxdpReport *report)
{
  gst_afxdp_report_forget_messages (report);
  gst_afxdp_rates_clear (&report->rates);
  g_clear_pointer (&report->queues, g_array_unref);
  afxdp_attribution_free (report->attribution);
  afxdp_rtp_stats_free (report->rtp);
  g_mutex_clear (&report->lock);
  g_free (report);
}

void
gst_afxdp_report_reset (GstAfxdpReport *report, guint64 now)
{
  static const GstAfxdpTotals none;

  gst_afxdp_report_forget_messages (report);
  g_mutex_lock (&report->lock);
  afxdp_attribution_free (report->attribution);
  afxdp_rtp_stats_free (report->rtp);
  start_counting (report);
  report->totals = report->posted = none;
  memset (&report->latency, 0, sizeof report->latency);
  report->untold = (GstAfxdpUntold){ 0 };
  report->look_at = 0;
  report->has_offset = FALSE;
  report->n_frames = report->n_frames_free = 0;
  g_clear_pointer (&report->queues, g_array_unref);
  report->path = AFXDP_PATH_NONE;
  *report->interface = 0;
  gst_afxdp_rates_reset (&report->rates, now);
  g_mutex_unlock (&report->lock);
}

void
gst_afxdp_report_set_of_two_legs (GstAfxdpReport *report, gboolean of_two_legs)
{
  g_mutex_lock (&report->lock);
  report->untold.of_two_legs = of_two_legs;
  g_mutex_unlock (&report->lock);
}

void
gst_afxdp_report_set_clock_rate (
    GstAfxdpReport *report, guint8 payload_type, guint clock_rate)
{
  g_mutex_lock (&report->lock);
  afxdp_rtp_stats_set_clock_rate (report->rtp, payload_type, clock_rate);
  g_mutex_unlock (&report->lock);
}

guint
gst_afxdp_report_count (GstAfxdpReport *report, const AfxdpBatch *batch)
{
  guint not_rtp = 0;

  g_mutex_lock (&report->lock);
  for (guint i = 0; i < batch->n; i++) {
    const AfxdpPacket *packet = &batch->packets[i];

    report->sender = &packet->sender;
    if (G_LIKELY (afxdp_rtp_is_numbered (&packet->rtp)))
      afxdp_rtp_stats_packet (report->rtp, &packet->rtp, packet->arrival);
    if (G_UNLIKELY (!afxdp_rtp_is_sound (&packet->rtp)))
      not_rtp++;
  }
  report->sender = NULL;
  report->totals.not_rtp += not_rtp;
  report->untold.last_arrival =
      MAX (report->untold.last_arrival, batch->packets[batch->n - 1].arrival);
  g_mutex_unlock (&report->lock);
  return not_rtp;
}

void
gst_afxdp_report_count_ordered (
    GstAfxdpReport *report, const AfxdpReorderEntry *entries, guint n)
{
  g_mutex_lock (&report->lock);
  for (guint i = 0; i < n; i++) {
    GstMapInfo map;
    AfxdpRtp rtp;

    if (!gst_buffer_map (entries[i].item, &map, GST_MAP_READ))
      continue;
    afxdp_rtp_parse (map.data, map.size, &rtp);
    gst_buffer_unmap (entries[i].item, &map);
    if (afxdp_rtp_is_numbered (&rtp))
      afxdp_rtp_stats_packet (report->rtp, &rtp, entries[i].arrival);
    report->totals.not_rtp += !afxdp_rtp_is_sound (&rtp);
    report->untold.last_arrival =
        MAX (report->untold.last_arrival, entries[i].arrival);
  }
  g_mutex_unlock (&report->lock);
}

void
gst_afxdp_report_count_late (GstAfxdpReport *report, GArray *late)
{
  g_mutex_lock (&report->lock);
  for (guint i = 0; i < late->len; i++) {
    const GstAfxdpLatePacket *packet =
        &g_array_index (late, GstAfxdpLatePacket, i);

    afxdp_rtp_stats_late (
        report->rtp, &packet->rtp, packet->behind, packet->arrival);
  }
  g_mutex_unlock (&report->lock);
  g_array_set_size (late, 0);
}

void
gst_afxdp_report_kept_back (GstAfxdpReport *report, const AfxdpBatch *batch)
{
  guint64 *packets = report->totals.ledger.packets;

  g_mutex_lock (&report->lock);
  for (guint i = 0; i < batch->n; i++) {
    const AfxdpRtp *rtp = &batch->packets[i].rtp;

    if (!afxdp_rtp_is_sound (rtp))
      packets[afxdp_rtp_is_numbered (rtp) ? AFXDP_COLUMN_KEPT_BACK_MALFORMED
                                          : AFXDP_COLUMN_KEPT_BACK]++;
  }
  g_mutex_unlock (&report->lock);
}

void
gst_afxdp_report_handing_over (
    GstAfxdpReport *report, const AfxdpBatch *batch, guint64 now)
{
  g_mutex_lock (&report->lock);
  for (guint i = 0; i < batch->n; i++) {
    guint64 arrival = batch->packets[i].arrival;

    afxdp_latency_add (&report->latency, now - MIN (now, arrival));
  }
  g_mutex_unlock (&report->lock);
}

void
gst_afxdp_report_handing_over_ordered (GstAfxdpReport *report,
    const AfxdpReorderEntry *entries, guint n, guint64 now)
{
  g_mutex_lock (&report->lock);
  for (guint i = 0; i < n; i++)
    afxdp_latency_add (&report->latency, now - MIN (now, entries[i].arrival));
  g_mutex_unlock (&report->lock);
}

void
gst_afxdp_report_ordered (
    GstAfxdpReport *report, const GstAfxdpOrderedCounts *counts, guint n_held)
{
  guint64 *packets = report->totals.ledger.packets;

  g_mutex_lock (&report->lock);
  packets[AFXDP_COLUMN_LATE] += counts->n_late;
  packets[AFXDP_COLUMN_REPEATED] += counts->n_repeated;
  packets[AFXDP_COLUMN_UNMATCHED] += counts->n_unmatched;
  report->totals.cut_short += counts->cut_short;
  report->totals.waiting = n_held;
  g_mutex_unlock (&report->lock);
}

void
gst_afxdp_report_delivered (GstAfxdpReport *report, const GstAfxdpYield *yield)
{
  guint64 *packets = report->totals.ledger.packets;

  g_mutex_lock (&report->lock);
  packets[AFXDP_COLUMN_DELIVERED_XDP] += yield->n - yield->by_socket;
  packets[AFXDP_COLUMN_DELIVERED_SOCKET] += yield->by_socket;
  report->totals.packets += yield->n;
  report->totals.bytes += yield->bytes;
  report->totals.copied += yield->copied;
  g_mutex_unlock (&report->lock);
}

void
gst_afxdp_report_dropped (GstAfxdpReport *report, AfxdpColumn column, guint n)
{
  g_mutex_lock (&report->lock);
  report->totals.ledger.packets[column] += n;
  g_mutex_unlock (&report->lock);
}

void
gst_afxdp_report_set_path (GstAfxdpReport *report,
    const AfxdpPathChange *change, const gchar *interface)
{
  g_mutex_lock (&report->lock);
  report->path = change->path;
  report->xdp_mode = change->xdp_mode;
  report->zero_copy = change->zero_copy;
  g_strlcpy (report->interface, interface, sizeof report->interface);
  g_mutex_unlock (&report->lock);
}

void
gst_afxdp_report_set_stream_counts (
    GstAfxdpReport *report, AfxdpStreamCounts *counts)
{
  AfxdpLedger *ledger = &report->totals.ledger;

  g_mutex_lock (&report->lock);
  g_clear_pointer (&report->queues, g_array_unref);
  report->queues = g_steal_pointer (&counts->queues);
  ledger->packets[AFXDP_COLUMN_MALFORMED] = counts->malformed;
  report->n_frames = counts->n_frames;
  report->n_frames_free = counts->n_frames_free;
  report->untold.socket_dropped = counts->socket_dropped;
  report->untold.dropped_in_pause = counts->dropped_in_pause;
  g_mutex_unlock (&report->lock);
}

/* Drops and gaps. */

void
gst_afxdp_report_count_drops (GstAfxdpReport *report, const AfxdpDrops *drops)
{
  g_mutex_lock (&report->lock);
  for (guint i = 0; i < drops->n; i++)
    report->totals.ledger.packets[drops->drops[i].column] += drops->drops[i].n;
  g_mutex_unlock (&report->lock);
}

void
gst_afxdp_report_take_drops (GstAfxdpReport *report, AfxdpDrops *drops)
{
  if (G_LIKELY (!drops->n))
    return;
  g_mutex_lock (&report->lock);
  for (guint i = 0; i < drops->n; i++) {
    const AfxdpDrop *drop = &drops->drops[i];

    report->totals.ledger.packets[drop->column] += drop->n;
    afxdp_attribution_add_drop (report->attribution, drop);
  }
  g_mutex_unlock (&report->lock);
  drops->n = 0;
}

guint64
gst_afxdp_report_advance (GstAfxdpReport *report, guint64 now, guint64 *wanted)
{
  guint64 due;

  g_mutex_lock (&report->lock);
  due = afxdp_rtp_stats_advance (report->rtp, now);
  *wanted = afxdp_attribution_wants (report->attribution);
  g_mutex_unlock (&report->lock);
  return due;
}

static void
note_verdict (const AfxdpVerdict *verdict, gpointer user_data)
{
  g_array_append_val ((GArray *) user_data, *verdict);
}

gboolean
gst_afxdp_report_judge (GstAfxdpReport *report, guint64 known, guint64 now,
    const GstAfxdpTiming *timing, GArray *verdicts)
{
  gboolean waiting;

  g_mutex_lock (&report->lock);
  report->has_offset = timing->enabled;
  report->offset = timing->offset;
  afxdp_attribution_judge (
      report->attribution, known, now, note_verdict, verdicts);
  waiting = afxdp_attribution_wants (report->attribution) > 0;
  g_mutex_unlock (&report->lock);
  return waiting;
}

void
gst_afxdp_report_end (GstAfxdpReport *report)
{
  AfxdpRtpCounts rtp;

  g_mutex_lock (&report->lock);
  afxdp_rtp_stats_totals (report->rtp, &rtp);
  gst_afxdp_untold_end (&report->untold, report->attribution, &rtp);
  g_mutex_unlock (&report->lock);
}

void
gst_afxdp_report_tick (GstAfxdpReport *report, guint64 now)
{
  g_mutex_lock (&report->lock);
  gst_afxdp_rates_tick (&report->rates, report->totals.packets,
      report->totals.bytes, report->rtp, now);
  g_mutex_unlock (&report->lock);
}

/* Called with the lock. */
static void
sum_up (const GstAfxdpReport *report, GstAfxdpTotals *totals)
{
  *totals = report->totals;
  afxdp_rtp_stats_totals (report->rtp, &totals->rtp);
  totals->pending =
      totals->rtp.pending + afxdp_attribution_n_waiting (report->attribution);
  totals->sources_evicted = afxdp_rtp_stats_n_evicted (report->rtp);
  gst_afxdp_untold_add (&report->untold, report->attribution, totals);
  totals->lost = afxdp_lost_sum (totals->ledger.lost);
}

/* Called with the lock. */
static GstStructure *
snapshot (
    GstAfxdpReport *report, const GstAfxdpTotals *totals, const gchar *name)
{
  GstStructure *structure = gst_structure_new (name, "mode", G_TYPE_STRING,
      gst_afxdp_enum_nick (GST_TYPE_AFXDP_CURRENT_MODE, report->path),
      "interface", G_TYPE_STRING, report->interface, "xdp-mode", G_TYPE_STRING,
      gst_afxdp_xdp_mode_name (report->path, report->xdp_mode), "zero-copy",
      G_TYPE_BOOLEAN, report->zero_copy, "packets-per-second", G_TYPE_DOUBLE,
      report->rates.packets_per_second, "bitrate", G_TYPE_DOUBLE,
      report->rates.bitrate, "frames", G_TYPE_UINT64,
      (guint64) report->n_frames, "frames-free", G_TYPE_UINT64,
      (guint64) report->n_frames_free, NULL);

  gst_afxdp_stats_add_totals (structure, totals);
  gst_afxdp_stats_add_latency (structure, &report->latency);
  gst_afxdp_stats_add_sources (structure, report->rtp, &report->rates,
      report->has_offset ? &report->offset : NULL);
  gst_afxdp_stats_add_queues (structure, report->queues);
  return structure;
}

AfxdpPath
gst_afxdp_report_path (GstAfxdpReport *report)
{
  AfxdpPath path;

  g_mutex_lock (&report->lock);
  path = report->path;
  g_mutex_unlock (&report->lock);
  return path;
}

void
gst_afxdp_report_totals (GstAfxdpReport *report, GstAfxdpTotals *totals)
{
  g_mutex_lock (&report->lock);
  sum_up (report, totals);
  g_mutex_unlock (&report->lock);
}

void
gst_afxdp_report_latency (GstAfxdpReport *report, AfxdpLatency *latency)
{
  g_mutex_lock (&report->lock);
  *latency = report->latency;
  g_mutex_unlock (&report->lock);
}

GstStructure *
gst_afxdp_report_stats (GstAfxdpReport *report)
{
  GstStructure *structure;
  GstAfxdpTotals totals;

  g_mutex_lock (&report->lock);
  sum_up (report, &totals);
  structure = snapshot (report, &totals, "application/x-afxdp-stats");
  g_mutex_unlock (&report->lock);
  report->add_more (structure, report->user_data);
  return structure;
}

void
gst_afxdp_report_post_stats (GstAfxdpReport *report)
{
  GstStructure *structure, *delta;
  GstAfxdpTotals totals;

  if (!gst_afxdp_outbox_has_room (&report->outbox))
    return;
  g_mutex_lock (&report->lock);
  sum_up (report, &totals);
  structure = snapshot (report, &totals, "GstAfxdpSrcStats");
  delta = gst_afxdp_stats_delta (&totals, &report->posted);
  report->posted = totals;
  g_mutex_unlock (&report->lock);
  report->add_more (structure, report->user_data);
  gst_structure_set (structure, "delta", GST_TYPE_STRUCTURE, delta, NULL);
  gst_structure_free (delta);
  gst_afxdp_outbox_post (&report->outbox, report->element, structure);
}

void
gst_afxdp_report_post_sources (GstAfxdpReport *report, guint64 now)
{
  GstStructure *structure;

  /* Only the thread that calls us adds to it. */
  if (G_LIKELY (now < report->look_at && !report->ssrcs.noted.length))
    return;
  do {
    g_mutex_lock (&report->lock);
    if (now >= report->look_at) {
      afxdp_rtp_stats_look_for_gone (report->rtp, now);
      report->look_at = now + GST_SECOND;
    }
    structure = gst_afxdp_ssrcs_next (&report->ssrcs);
    g_mutex_unlock (&report->lock);
    if (structure)
      gst_afxdp_ssrcs_post (&report->ssrcs, report->element, structure);
  } while (structure);
}
