/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sequence statistics: packets whose numbers are not to be believed at once. One
 * packet moves no counter by more than one; a sender that begins anew has lost
 * nothing; an SSRC whose numbers are no sequence is not listed.
 */
#include "rtpstats.h"

#include "rtpstats-fixture.h"
#include "suite.h"

#define SECOND (1000 * MS)

static guint n_events[4];
static AfxdpRtpEvent event;

static void
note_gap (const AfxdpRtpGap *gap, gpointer user_data)
{
}

static void
note_came (guint32 ssrc, guint64 number, gpointer user_data)
{
}

static void
note_event (const AfxdpRtpEvent *now, gpointer user_data)
{
  event = *now;
  n_events[event.state]++;
}

static const AfxdpRtpFuncs funcs = { note_gap, note_came, note_event };

static void
set_up (void)
{
  rtp_set_up ();
  memset (n_events, 0, sizeof n_events);
  afxdp_rtp_stats_set_funcs (stats, &funcs, NULL);
}

/* An audio stream of 48 kHz: number n of so many a second. */
static void
audio (guint n, guint rate)
{
  packet_full (RTP_SSRC, 96, n, n * (48000.0 / rate), n * SECOND / rate);
}

LOOP_TEST (test_one_packet, 2)
{
  for (guint n = 0; n < 200; n++)
    audio (n, 50);
  packet_full (RTP_SSRC, 96, 199 + 10000, 199 * 960 + (1 << 30),
      199 * 20 * MS + (__i__ ? 10 * MS : 0));
  for (guint n = 200; n < 400; n++)
    audio (n, 50);
  finally (.packets = 401, .strays = 1);
  fail_unless_equals_int (nth_source (0).extended_highest_seq, 399);
}

/* Two packets in a row are a restart, and not a loss either. */
TEST (test_two_packets)
{
  for (guint n = 0; n < 200; n++)
    audio (n, 50);
  for (guint i = 0; i < 2; i++)
    packet_full (RTP_SSRC, 96, 199 + 10000 + i, 199 * 960 + (1 << 30) + i * 960,
        199 * 20 * MS + i);
  assert_totals (.packets = 202, .restarts = 1);
  fail_unless_equals_int (n_events[AFXDP_RTP_SOURCE_RESTARTED], 1);
  fail_unless_equals_int (event.last, 199);
  fail_unless_equals_int (event.first, 10199);
}

/* The number is 15,496 ahead, where 50 packets were possible. */
TEST (test_new_numbers_with_old_timestamps)
{
  for (guint n = 0; n < 200; n++)
    audio (n, 50);
  for (guint n = 250; n < 300; n++)
    packet_full (RTP_SSRC, 96, n + 15446, n * 960, n * 20 * MS);
  assert_totals (.packets = 250, .restarts = 1);
}

/* A restart is one, whatever number and timestamp the sender begins with. */
LOOP_TEST (test_random_restarts, 3)
{
  static const guint rates[] = { 50, 1000, 300000 };
  static const guint before[] = { 100, 500, 20000 };
  g_autoptr (GRand) random = g_rand_new_with_seed (7 + __i__);
  guint n_wrong = 0;

  for (guint i = 0; i < 1000; i++) {
    guint rate = rates[__i__];
    guint64 silence = g_rand_double_range (random, 0.1, 10) * SECOND;
    guint64 start = before[__i__] * SECOND / rate + silence;
    guint first = g_rand_int (random), stamp = g_rand_int (random);
    AfxdpRtpCounts totals;

    rtp_tear_down ();
    rtp_set_up ();
    for (guint n = 0; n < before[__i__]; n++)
      audio (n, rate);
    for (guint n = 0; n < 200; n++)
      packet_full (RTP_SSRC, 96, first + n, stamp + n * 48000 / rate,
          start + n * SECOND / rate);
    afxdp_rtp_stats_advance (stats, END);
    afxdp_rtp_stats_totals (stats, &totals);
    n_wrong += totals.restarts != 1 || totals.lost || totals.strays ||
        totals.duplicates || totals.reordered;
  }
  fail_unless (n_wrong <= 2, "%u of 1000", n_wrong);
}

/* A sender begins from 0 again and again, with the same timestamps or others. */
LOOP_TEST (test_restart_from_zero, 2)
{
  for (guint run = 0; run < 5; run++)
    for (guint n = 0; n < 450; n++)
      packet_full (RTP_SSRC, 96, n, n * 960 + (__i__ ? run << 29 : 0),
          run * 30 * SECOND + n * 20 * MS);
  assert_totals (.packets = 5 * 450, .restarts = 4);
  fail_unless_equals_int (n_events[AFXDP_RTP_SOURCE_RESTARTED], 4);
}

/* One packet comes a second time, long after: that is no restart. */
TEST (test_late_duplicate)
{
  for (guint n = 0; n < 200; n++)
    audio (n, 50);
  packet_full (RTP_SSRC, 96, 150, 150 * 960, 205 * 20 * MS);
  for (guint n = 210; n < 300; n++)
    packet_full (RTP_SSRC, 96, n - 10, n * 960, n * 20 * MS);
  assert_totals (.packets = 291, .duplicates = 1);
}

/* Sequences that never have two numbers in a row. */

/* Half of the packets are lost from the start: every second, or at random. */
LOOP_TEST (test_half, 2)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (3);
  guint n_came = 0, begin = 0, last = 0;
  AfxdpRtpCounts totals;

  for (guint n = 0; n < 4000; n++) {
    if (__i__ ? g_rand_boolean (random) : n % 2)
      continue;
    if (!n_came++)
      begin = n;
    last = n;
    audio (n, 1000);
  }
  afxdp_rtp_stats_advance (stats, END);
  afxdp_rtp_stats_totals (stats, &totals);
  fail_unless_equals_int (afxdp_rtp_stats_n_sources (stats), 1);
  fail_unless (totals.unvalidated <= 8);
  fail_unless (totals.lost <= last - begin + 1 - n_came);
  fail_unless (totals.lost + 16 >= last - begin + 1 - n_came);
  fail_unless_equals_int (
      totals.strays + totals.restarts + totals.duplicates, 0);
}

/* And likewise after a restart. */
TEST (test_half_after_restart)
{
  AfxdpRtpCounts totals;

  for (guint n = 0; n < 1000; n++)
    audio (n, 1000);
  for (guint n = 0; n < 2000; n += 2)
    packet_full (RTP_SSRC, 96, 40000 + n, (1u << 31) + n * 48, (1500 + n) * MS);
  afxdp_rtp_stats_advance (stats, END);
  afxdp_rtp_stats_totals (stats, &totals);
  fail_unless_equals_uint64 (totals.restarts, 1);
  fail_unless_equals_uint64 (totals.lost, 999);
  fail_unless_equals_uint64 (totals.strays, 0);
}

TEST (test_exchanged_pairs)
{
  for (guint n = 0; n < 2000; n++)
    packet_full (RTP_SSRC, 96, n ^ 1, n * 48, n * MS);
  finally (.packets = 2000, .reordered = 1000);
}

/* Numbers that cannot be a sequence: that is told once, and nothing is lost. */
static void
assert_not_believed (guint n, guint n_sources)
{
  fail_unless_equals_int (afxdp_rtp_stats_n_sources (stats), 0);
  assert_totals (.packets = n, .unvalidated = n);
  fail_unless_equals_int (n_events[AFXDP_RTP_SOURCE_UNVALIDATED], n_sources);
  fail_unless_equals_int (n_events[AFXDP_RTP_SOURCE_NEW], 0);
}

LOOP_TEST (test_shared_counter, 3)
{
  static const guint sharing[] = { 2, 3, 5 };

  for (guint n = 0; n < 3000; n++)
    packet_full (n % sharing[__i__], 96, n, n * 48, n * MS);
  assert_not_believed (3000, sharing[__i__]);
}

TEST (test_steps)
{
  for (guint n = 0; n < 3000; n++)
    packet_full (RTP_SSRC, 96, n * 8, n * 48, n * MS);
  assert_not_believed (3000, 1);
}

TEST (test_constant_number)
{
  for (guint n = 0; n < 3000; n++)
    packet_full (RTP_SSRC, 96, 4711, n * 48, n * MS);
  assert_not_believed (3000, 1);
}

TEST (test_two_senders)
{
  for (guint n = 0; n < 3000; n++)
    packet_full (RTP_SSRC, 96, n % 2 ? 30000 + n / 2 : n / 2, n * 48, n * MS);
  assert_not_believed (3000, 1);
}

/* A second sender of the same SSRC begins later, and sends some packets in a row:
 * that is one restart, and not one for each time. */
TEST (test_second_sender)
{
  guint one = 0, other = 30000;
  AfxdpRtpCounts totals;

  for (guint n = 0; n < 4000; n++)
    if (n < 1000 || n % 10 < 5)
      packet_full (RTP_SSRC, 96, one++, n * 48, n * MS);
    else
      packet_full (RTP_SSRC, 96, other++, (1u << 31) + n * 48, n * MS);
  afxdp_rtp_stats_advance (stats, END);
  afxdp_rtp_stats_totals (stats, &totals);
  fail_unless (totals.restarts <= 1);
  fail_unless_equals_uint64 (totals.lost, 0);
  fail_unless (totals.strays > 1400);
}

/* A number that has strayed is not where the sequence begins that reaches it later. */
TEST (test_strayed_before)
{
  const guint n_suspects = 16, first = 1387,
              last = first + 2 * (n_suspects - 2);

  for (guint n = 0; n < 100; n++)
    packet_full (RTP_SSRC, 96, n, n * 90, n * MS);
  packet_full (RTP_SSRC, 96, last, 100 * 90 + (1 << 30), 100 * MS);
  for (guint n = 0; n < 2 * n_suspects; n++)
    packet_full (
        RTP_SSRC, 96, first + 2 * n, (1 << 24) + n * 90, 2 * SECOND + n * MS);
  /* Looked at with every fourth; three had left the ring by then. */
  finally (.packets = 100 + 1 + 2 * n_suspects, .restarts = 1, .strays = 1 + 3,
      .gaps = 2 * n_suspects - 4, .lost = 2 * n_suspects - 4);
}

/* What is told of sources. */
TEST (test_gone)
{
  for (guint n = 0; n < 200; n++)
    audio (n, 50);
  fail_unless_equals_int (n_events[AFXDP_RTP_SOURCE_NEW], 1);
  afxdp_rtp_stats_look_for_gone (stats, 199 * 20 * MS + AFXDP_RTP_GONE - 1);
  fail_unless_equals_int (n_events[AFXDP_RTP_SOURCE_GONE], 0);
  for (guint i = 0; i < 3; i++)
    afxdp_rtp_stats_look_for_gone (stats, 199 * 20 * MS + AFXDP_RTP_GONE);
  fail_unless_equals_int (n_events[AFXDP_RTP_SOURCE_GONE], 1);
  fail_unless_equals_int (event.first, 199);
  packet_full (RTP_SSRC, 96, 200, 200 * 960, 60 * SECOND);
  fail_unless_equals_int (n_events[AFXDP_RTP_SOURCE_NEW], 2);
  fail_unless_equals_int (event.first, 200);
  assert_totals (.packets = 201);
}

SUITE ("rtpstats_suspects", 0, set_up, rtp_tear_down)
