/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The SSRCs of a stream: which are known, who makes room, and the sums. */
#include "rtpstats.h"

#include <string.h>

#include "log.h"
#include "rtpsource.h"

G_STATIC_ASSERT (sizeof (AfxdpRtpCounts) % sizeof (guint64) == 0);

void
afxdp_rtp_tell (const AfxdpRtpStats *stats, const AfxdpRtpEvent *event)
{
  static const gchar *const states[] = {
    [AFXDP_RTP_SOURCE_NEW] = "is new, or has come again",
    [AFXDP_RTP_SOURCE_RESTARTED] = "has begun anew",
    [AFXDP_RTP_SOURCE_GONE] = "is gone",
    [AFXDP_RTP_SOURCE_UNVALIDATED] = "has numbers that are no sequence",
  };

  AFXDP_DEBUG (AFXDP_LOG_STATS, NULL,
      "SSRC %08x of payload type %u %s, at number %u", event->ssrc,
      event->payload_type, states[event->state], event->first);
  if (stats->funcs && stats->funcs->source)
    stats->funcs->source (event, stats->user_data);
}

static void
add_counts (AfxdpRtpCounts *sum, const AfxdpRtpCounts *counts)
{
  guint64 *to = (guint64 *) sum;
  const guint64 *from = (const guint64 *) counts;

  for (guint i = 0; i < sizeof *sum / sizeof *to; i++)
    to[i] += from[i];
}

/* Returns an empty source: a new one, or that of the one evicted. */
static AfxdpRtpRun *
make_room (AfxdpRtpStats *stats)
{
  GList *oldest;
  AfxdpRtpRun *source;

  if (g_hash_table_size (stats->sources) < AFXDP_RTP_SOURCES)
    return g_new0 (AfxdpRtpRun, 1);
  oldest = stats->suspects.head ? stats->suspects.head : stats->recent.head;
  source = oldest->data;
  AFXDP_DEBUG (AFXDP_LOG_STATS, NULL,
      "SSRC %08x, silent for longest, makes room for another", source->ssrc);
  afxdp_rtp_settle_gaps (stats, source, G_MAXUINT64);
  add_counts (&stats->evicted, &source->counts);
  if (source->believed) {
    stats->n_evicted++;
    g_queue_unlink (&stats->recent, &source->recent);
    g_queue_unlink (&stats->listed, &source->listed);
  } else {
    g_queue_unlink (&stats->suspects, &source->recent);
  }
  g_hash_table_steal (stats->sources, GUINT_TO_POINTER (source->ssrc));
  /* All but the large arrays: n_gaps is 0, and start clears the others. */
  memset (source, 0, G_STRUCT_OFFSET (AfxdpRtpRun, early));
  return source;
}

/* Returns the source of ssrc, and makes it the latest. */
static AfxdpRtpRun *
find_source (AfxdpRtpStats *stats, guint32 ssrc)
{
  AfxdpRtpRun *source =
      g_hash_table_lookup (stats->sources, GUINT_TO_POINTER (ssrc));
  GQueue *queue;

  if (!source) {
    source = make_room (stats);
    source->ssrc = ssrc;
    source->life = ++stats->n_lives;
    source->recent.data = source;
    source->listed.data = source;
    g_hash_table_insert (stats->sources, GUINT_TO_POINTER (ssrc), source);
    g_queue_push_tail_link (&stats->suspects, &source->recent);
  } else {
    queue = source->believed ? &stats->recent : &stats->suspects;
    g_queue_unlink (queue, &source->recent);
    g_queue_push_tail_link (queue, &source->recent);
  }
  stats->latest = source;
  return source;
}

/* Whether the number of a packet follows that of another SSRC's, in front of it. */
static gboolean
shares_counter (const AfxdpRtpRun *before, const AfxdpRtp *rtp)
{
  guint16 seqnum;

  if (!before || before->ssrc == rtp->ssrc)
    return FALSE;
  if (before->believed)
    seqnum = before->highest;
  else
    seqnum = before->suspects[(before->n_suspects - 1) % AFXDP_RTP_SUSPECTS]
                 .rtp.seqnum;
  return rtp->seqnum == (guint16) (seqnum + 1);
}

void
afxdp_rtp_stats_packet (
    AfxdpRtpStats *stats, const AfxdpRtp *rtp, guint64 arrival)
{
  AfxdpRtpRun *run = stats->latest;
  gboolean shares = FALSE;

  if (G_UNLIKELY (!run || run->ssrc != rtp->ssrc)) {
    shares = shares_counter (run, rtp);
    run = find_source (stats, rtp->ssrc);
  }
  run->last_arrival = arrival;
  run->counts.packets++;
  run->counts.octets += rtp->payload_size;
  if (G_LIKELY (run->believed && rtp->seqnum == (guint16) (run->highest + 1) &&
          arrival <= run->last_advance + AFXDP_RTP_SHORTEST_OUTAGE))
    afxdp_rtp_run_go_on (stats, run, rtp, arrival);
  else
    afxdp_rtp_run_take (stats, run, rtp, arrival, shares);
}

void
afxdp_rtp_stats_late (
    AfxdpRtpStats *stats, const AfxdpRtp *rtp, guint64 behind, guint64 arrival)
{
  AfxdpRtpRun *run = find_source (stats, rtp->ssrc);
  gint64 exactly = behind +
      (gint16) ((guint16) (run->highest - rtp->seqnum) - (guint16) behind);

  /* Those behind the gap may not be counted yet. */
  if (!run->believed || exactly <= 0) {
    afxdp_rtp_stats_packet (stats, rtp, arrival);
    return;
  }
  run->counts.packets++;
  run->counts.octets += rtp->payload_size;
  afxdp_rtp_run_late (stats, run, rtp, exactly, arrival);
}

guint64
afxdp_rtp_stats_advance (AfxdpRtpStats *stats, guint64 now)
{
  guint64 next = G_MAXUINT64;

  if (!stats->n_gaps)
    return 0;
  for (GList *link = stats->listed.head; link; link = link->next) {
    AfxdpRtpRun *source = link->data;

    afxdp_rtp_settle_gaps (stats, source, now);
    if (source->n_gaps)
      next = MIN (next, afxdp_rtp_gaps_due (source));
  }
  return stats->n_gaps ? next : 0;
}

void
afxdp_rtp_stats_look_for_gone (AfxdpRtpStats *stats, guint64 now)
{
  for (GList *link = stats->recent.head; link; link = link->next) {
    AfxdpRtpRun *run = link->data;

    if (now < run->last_arrival + AFXDP_RTP_GONE)
      return;
    if (run->gone)
      continue;
    run->gone = TRUE;
    afxdp_rtp_tell (stats,
        &(AfxdpRtpEvent){
            .state = AFXDP_RTP_SOURCE_GONE,
            .ssrc = run->ssrc,
            .payload_type = run->payload_type,
            .first = run->highest,
            .shown = run->last_advance,
        });
  }
}

void
afxdp_rtp_stats_totals (const AfxdpRtpStats *stats, AfxdpRtpCounts *totals)
{
  *totals = stats->evicted;
  for (GList *link = stats->recent.head; link; link = link->next)
    add_counts (totals, &((AfxdpRtpRun *) link->data)->counts);
  for (GList *link = stats->suspects.head; link; link = link->next)
    add_counts (totals, &((AfxdpRtpRun *) link->data)->counts);
}

guint
afxdp_rtp_stats_n_sources (const AfxdpRtpStats *stats)
{
  return stats->listed.length;
}

guint64
afxdp_rtp_stats_n_evicted (const AfxdpRtpStats *stats)
{
  return stats->n_evicted;
}

static guint
copy_latest_gaps (const AfxdpRtpRun *source, AfxdpRtpGap *gaps)
{
  guint n = MIN (source->n_final, AFXDP_RTP_LATEST_GAPS);

  for (guint i = 0; i < n; i++)
    gaps[i] =
        source->latest_gaps[(source->n_final - n + i) % AFXDP_RTP_LATEST_GAPS];
  return n;
}

void
afxdp_rtp_stats_source (
    const AfxdpRtpStats *stats, guint number, AfxdpRtpSource *source)
{
  const AfxdpRtpRun *from =
      g_queue_peek_nth ((GQueue *) &stats->listed, number);

  *source = (AfxdpRtpSource){
    .counts = from->counts,
    .ssrc = from->ssrc,
    .life = from->life,
    .payload_type = from->payload_type,
    .clock_rate = from->clock_rate,
    .seqnum_base = from->base,
    .extended_highest_seq = from->highest - AFXDP_RTP_FIRST_CYCLE,
    .max_gap = from->max_gap,
    .max_reorder = from->max_reorder,
    .jitter = from->jitter >> 4,
    .last_arrival = from->last_arrival,
  };
  source->n_latest_gaps = copy_latest_gaps (from, source->latest_gaps);
}

void
afxdp_rtp_stats_set_clock_rate (
    AfxdpRtpStats *stats, guint8 payload_type, guint clock_rate)
{
  g_return_if_fail (payload_type < G_N_ELEMENTS (stats->clock_rates));
  stats->clock_rates[payload_type] = clock_rate;
}

void
afxdp_rtp_stats_set_funcs (
    AfxdpRtpStats *stats, const AfxdpRtpFuncs *funcs, gpointer user_data)
{
  stats->funcs = funcs;
  stats->user_data = user_data;
}

AfxdpRtpStats *
afxdp_rtp_stats_new (void)
{
  AfxdpRtpStats *stats = g_new0 (AfxdpRtpStats, 1);

  stats->sources = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  return stats;
}

void
afxdp_rtp_stats_free (AfxdpRtpStats *stats)
{
  if (!stats)
    return;
  g_hash_table_unref (stats->sources);
  g_free (stats);
}
