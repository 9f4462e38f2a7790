/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The sequence statistics under a script, held to what their header promises: no
 * counter below 0 or beyond what came, lost is what gaps said, and received, lost
 * and pending together are the numbers that there were.
 */
#include "rtpstats.h"

#include "script.h"
#include "target.h"

/* Packets that together show a run without two that follow each other. */
#define MOST_BEGIN_A_RUN 16

/* The past of one sender's SSRC, since it is listed. */
typedef struct
{
  guint position; /* in the list, as far as is known */
  guint64 restarts;
  guint32 span;   /* numbers of the run */
  guint32 closed; /* of the runs before it, of 32 bits as the former */
} Past;

typedef struct
{
  AfxdpRtpStats *stats;
  AfxdpRtpCounts former;
  Past pasts[SCRIPT_SENDERS];
  guint64 packets, octets, gaps, missing, came;
} Run;

static void
gap_is_final (const AfxdpRtpGap *gap, gpointer data)
{
  Run *run = data;

  if (!gap->missing) {
    g_assert_true (gap->uncertain);
    return;
  }
  g_assert_cmpuint (gap->first, <, gap->end);
  g_assert_cmpuint (gap->missing, <=, gap->end - gap->first);
  run->gaps++;
  run->missing += gap->missing;
}

static void
packet_came (guint32 ssrc, guint64 number, gpointer data)
{
  Run *run = data;

  run->came++;
}

static const AfxdpRtpFuncs funcs = { gap_is_final, packet_came };

static void
check_counts (const AfxdpRtpCounts *counts)
{
  const guint64 packets = counts->packets;

  g_assert_cmpuint (
      counts->duplicates + counts->strays + counts->unvalidated, <=, packets);
  g_assert_cmpuint (counts->reordered, <=, packets);
  g_assert_cmpuint (counts->restarts, <=, packets);
  g_assert_cmpuint (counts->gaps, <=, packets);
  /* As far below 0 as can be told from a number of 64 bits. */
  g_assert_cmpuint (counts->lost, <, G_MAXINT64);
  g_assert_cmpuint (counts->pending, <, G_MAXINT64);
}

static void
check_totals (Run *run)
{
  AfxdpRtpCounts now;

  afxdp_rtp_stats_totals (run->stats, &now);
  check_counts (&now);
  g_assert_cmpuint (now.packets, ==, run->packets);
  g_assert_cmpuint (now.octets, ==, run->octets);
  g_assert_cmpuint (now.gaps, ==, run->gaps);
  g_assert_cmpuint (run->came, <=, run->missing);
  g_assert_cmpuint (now.lost, ==, run->missing - run->came);
  g_assert_cmpuint (now.reordered, >=, run->former.reordered);
  /* What looked like duplicates were the first packets of another run. */
  g_assert_cmpuint (now.duplicates + MOST_BEGIN_A_RUN * now.restarts, >=,
      run->former.duplicates + MOST_BEGIN_A_RUN * run->former.restarts);
  g_assert_cmpuint (now.restarts, >=, run->former.restarts);
  g_assert_cmpuint (
      afxdp_rtp_stats_n_sources (run->stats), <=, AFXDP_RTP_SOURCES);
  run->former = now;
}

/* Those that came, are lost or pending, are those of the runs, and early ones,
 * which are counted as reordered. */
static void
check_span (Past *past, const AfxdpRtpSource *source)
{
  const AfxdpRtpCounts *counts = &source->counts;
  guint32 known = counts->packets - counts->duplicates - counts->strays -
      counts->unvalidated + counts->lost + counts->pending;

  if (counts->restarts != past->restarts)
    past->closed += past->span;
  past->restarts = counts->restarts;
  past->span = source->extended_highest_seq - source->seqnum_base + 1;
  g_assert_cmpuint (known - past->closed - past->span, <=, counts->reordered);
}

/* Looks for it where it was, and in front of that: sources that leave the list
 * move the others up. New ones are at the end. */
static gboolean
find_source (Run *run, guint32 ssrc, AfxdpRtpSource *source)
{
  guint n = afxdp_rtp_stats_n_sources (run->stats);
  Past *past = &run->pasts[ssrc];

  for (guint i = MIN (past->position + 1, n); i--;) {
    afxdp_rtp_stats_source (run->stats, i, source);
    if (source->ssrc == ssrc) {
      past->position = i;
      return TRUE;
    }
  }
  if (!n)
    return FALSE;
  afxdp_rtp_stats_source (run->stats, n - 1, source);
  past->position = source->ssrc == ssrc ? n - 1 : 0;
  return source->ssrc == ssrc;
}

static void
check_source (Run *run, guint32 ssrc)
{
  AfxdpRtpSource source;

  if (!find_source (run, ssrc, &source)) {
    run->pasts[ssrc] = (Past){ 0 }; /* not yet believed, or evicted */
    return;
  }
  check_counts (&source.counts);
  g_assert_cmpuint (source.max_gap, <=, run->missing);
  g_assert_cmpuint (source.n_latest_gaps, <=, AFXDP_RTP_LATEST_GAPS);
  check_span (&run->pasts[ssrc], &source);
}

static void
take_packet (const AfxdpRtp *rtp, guint64 arrival, gpointer data)
{
  Run *run = data;

  run->packets++;
  run->octets += rtp->payload_size;
  afxdp_rtp_stats_packet (run->stats, rtp, arrival);
  if (rtp->ssrc < SCRIPT_SENDERS)
    check_source (run, rtp->ssrc);
}

/* Nothing is pending exactly when nobody has to be woken. */
static void
check_advance (Run *run, guint64 now)
{
  guint64 next = afxdp_rtp_stats_advance (run->stats, now);

  check_totals (run);
  g_assert_cmpint (next == 0, ==, run->former.pending == 0);
  if (next)
    g_assert_cmpuint (next, >, now);
}

int
LLVMFuzzerTestOneInput (const guint8 *bytes, size_t size)
{
  Run run = { .stats = afxdp_rtp_stats_new () };
  Script script;

  afxdp_rtp_stats_set_funcs (run.stats, &funcs, &run);
  afxdp_rtp_stats_set_clock_rate (run.stats, 96, 90000);
  script_init (&script, bytes, size, take_packet, &run);
  while (script_step (&script)) {
    check_totals (&run);
    if (script_take (&script, 1) & 1)
      check_advance (&run, script.now);
  }
  check_advance (&run, G_MAXUINT64);
  g_assert_cmpuint (run.former.pending, ==, 0);
  afxdp_rtp_stats_free (run.stats);
  return 0;
}
