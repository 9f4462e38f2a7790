/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where missing packets were lost, under a script of packets and of drops, as an
 * element brings them together: the columns sum up to what the sequence statistics
 * call lost, at any time, and none falls below 0.
 */
#include "attribution.h"

#include "script.h"
#include "target.h"

/* A moment of a script may be told of so much later. */
#define MS G_GUINT64_CONSTANT (1000000)

typedef struct
{
  AfxdpRtpStats *stats;
  AfxdpAttribution *attribution;
  guint64 lost[AFXDP_N_COLUMNS];
  guint64 latest; /* arrival */
} Run;

static void
gap_is_final (const AfxdpRtpGap *gap, gpointer data)
{
  Run *run = data;

  afxdp_attribution_add_gap (run->attribution, gap);
}

static void
packet_came (guint32 ssrc, guint64 number, gpointer data)
{
  Run *run = data;

  afxdp_attribution_came (run->attribution, ssrc, number);
}

static void
source_changed (const AfxdpRtpEvent *event, gpointer data)
{
  Run *run = data;

  if (event->state == AFXDP_RTP_SOURCE_RESTARTED)
    afxdp_attribution_add_restart (run->attribution, event);
}

static const AfxdpRtpFuncs funcs = { gap_is_final, packet_came,
  source_changed };

static gboolean
correct (guint32 ssrc, guint64 end, gint64 cycles, gpointer data)
{
  Run *run = data;

  g_assert_cmpint (cycles, !=, 0);
  return afxdp_rtp_stats_correct (run->stats, ssrc, end, cycles);
}

static gboolean
join (guint32 ssrc, guint64 shown, guint64 missing, gpointer data)
{
  Run *run = data;

  return afxdp_rtp_stats_join (run->stats, ssrc, shown, missing);
}

static const AfxdpAttributionFuncs corrections = { correct, join };

static void
take_packet (const AfxdpRtp *rtp, guint64 arrival, gpointer data)
{
  Run *run = data;

  run->latest = arrival;
  afxdp_rtp_stats_packet (run->stats, rtp, arrival);
}

/* Every packet of a gap has a column, and columns of losses only. */
static void
is_judged (const AfxdpVerdict *verdict, gpointer data)
{
  guint64 sum = 0;

  for (guint i = 0; i < AFXDP_N_COLUMNS; i++) {
    g_assert (i >= AFXDP_FIRST_LOSS || !verdict->lost[i]);
    g_assert_cmpuint (verdict->lost[i], <=, verdict->gap.missing);
    sum += verdict->lost[i];
  }
  g_assert_cmpuint (sum, ==, verdict->gap.missing);
}

static guint64
sum (const Run *run)
{
  guint64 n = 0;

  for (guint i = 0; i < AFXDP_N_COLUMNS; i++) {
    g_assert_cmpuint (run->lost[i], <, G_MAXINT64);
    n += run->lost[i];
  }
  return n;
}

static void
check (const Run *run)
{
  guint64 waiting = afxdp_attribution_n_waiting (run->attribution);
  AfxdpRtpCounts counts;

  afxdp_rtp_stats_totals (run->stats, &counts);
  g_assert_cmpuint (waiting, <=, counts.lost);
  g_assert_cmpuint (sum (run) + waiting, ==, counts.lost);
}

static void
judge (Run *run, guint64 known, guint64 now)
{
  afxdp_attribution_judge (run->attribution, known, now, is_judged, run);
}

static void
drop (Run *run, Script *script)
{
  AfxdpColumn column = AFXDP_FIRST_LOSS +
      script_take (script, 1) % (AFXDP_N_COLUMNS - AFXDP_FIRST_LOSS);
  /* Signed, of three bytes: more than a cycle of numbers. */
  gint64 n = (gint32) (script_take (script, 3) << 8) >> 8;
  guint64 until = script->now - script_take (script, 1) * MS;
  guint times = script_take (script, 1) % 64 ? 1 : 2 * AFXDP_DROP_HISTORY_MOST;
  AfxdpDrop drop = { column, n ? n : 1, until - script_take (script, 1) * MS,
    until };

  for (; times; times--)
    afxdp_attribution_add_drop (run->attribution, &drop);
}

int
LLVMFuzzerTestOneInput (const guint8 *bytes, size_t size)
{
  Run run = { .stats = afxdp_rtp_stats_new () };
  Script script;
  guint64 before;

  run.attribution = afxdp_attribution_new (run.lost, &corrections, &run);
  afxdp_rtp_stats_set_funcs (run.stats, &funcs, &run);
  script_init (&script, bytes, size, take_packet, &run);
  while (script_step (&script)) {
    guint what = script_take (&script, 1);

    check (&run);
    if (what & 1)
      afxdp_rtp_stats_advance (run.stats, script.now);
    if (what & 2)
      drop (&run, &script);
    if (what & 4)
      judge (&run, script.now - (what >> 4) * 10 * MS, script.now);
    check (&run);
  }
  afxdp_rtp_stats_advance (run.stats, G_MAXUINT64);
  judge (&run, G_MAXUINT64, G_MAXUINT64);
  g_assert_cmpuint (afxdp_attribution_n_waiting (run.attribution), ==, 0);
  g_assert_cmpuint (afxdp_attribution_wants (run.attribution), ==, 0);
  check (&run);
  before = sum (&run);
  afxdp_attribution_end (run.attribution, run.latest);
  g_assert_cmpuint (sum (&run), >=, before);
  afxdp_attribution_free (run.attribution);
  afxdp_rtp_stats_free (run.stats);
  return 0;
}
