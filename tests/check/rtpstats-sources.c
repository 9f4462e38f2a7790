/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sequence statistics: which SSRCs are believed, listed and evicted, and the
 * jitter of each.
 */
#include "rtpstats.h"

#include <math.h>

#include "rtpstats-fixture.h"
#include "suite.h"

/* RFC 3550 A.1, MIN_SEQUENTIAL. */
TEST (test_validation)
{
  after ("7", .packets = 1, .unvalidated = 1);
  fail_unless_equals_int (afxdp_rtp_stats_n_sources (stats), 0);
  after ("9 9 8", .packets = 4, .unvalidated = 4);
  fail_unless_equals_int (afxdp_rtp_stats_n_sources (stats), 0);
  after ("9", .packets = 5, .unvalidated = 3);
  fail_unless_equals_int (afxdp_rtp_stats_n_sources (stats), 1);
  fail_unless_equals_int (nth_source (0).seqnum_base, 8);
  fail_unless_equals_int (nth_source (0).extended_highest_seq, 9);
  after ("11", .packets = 6, .unvalidated = 3, .pending = 1);
}

TEST (test_validation_across_wrap)
{
  after ("65535-65536", .packets = 2);
  fail_unless_equals_int (nth_source (0).extended_highest_seq, 65536);
}

TEST (test_two_sources)
{
  AfxdpRtpSource source;

  for (guint i = 0; i < 1000; i++) {
    packet_full (1, 96, 65000 + i, i, i);
    if (i != 500)
      packet_full (2, 97, i, i, i);
  }
  assert_totals (.packets = 1999, .lost = 1, .gaps = 1);
  fail_unless_equals_int (afxdp_rtp_stats_n_sources (stats), 2);
  source = nth_source (0);
  fail_unless_equals_int (source.ssrc, 1);
  assert_source (0, .packets = 1000);
  source = nth_source (1);
  fail_unless_equals_int (source.ssrc, 2);
  fail_unless_equals_int (source.payload_type, 97);
  assert_source (1, .packets = 999, .lost = 1, .gaps = 1);
}

/* advance() names the earliest time of all sources. */
TEST (test_advance_of_sources)
{
  static const guint shown[] = { 2, 1, 3 };
  guint64 due = AFXDP_RTP_FINAL_TIME + 1 * MS;

  for (guint i = 0; i < G_N_ELEMENTS (shown); i++) {
    packet_full (i, 96, 0, 0, 0);
    packet_full (i, 96, 1, 0, 0);
    packet_full (i, 96, 3, 0, shown[i] * MS);
  }
  fail_unless_equals_uint64 (afxdp_rtp_stats_advance (stats, 0), due);
  fail_unless_equals_uint64 (afxdp_rtp_stats_advance (stats, due), due + MS);
  assert_totals (.packets = 9, .lost = 1, .gaps = 1, .pending = 2);
}

TEST (test_many_sources)
{
  for (guint ssrc = 0; ssrc < 300; ssrc++) {
    packet_full (ssrc, 96, 0, 0, ssrc);
    packet_full (ssrc, 96, 1, 0, ssrc);
    packet_full (ssrc, 96, 3, 0, ssrc);
  }
  /* The first 44 were evicted, with their gaps. */
  fail_unless_equals_int (afxdp_rtp_stats_n_sources (stats), AFXDP_RTP_SOURCES);
  fail_unless_equals_uint64 (afxdp_rtp_stats_n_evicted (stats), 44);
  fail_unless_equals_int (nth_source (0).ssrc, 44);
  fail_unless_equals_int (nth_source (AFXDP_RTP_SOURCES - 1).ssrc, 299);
  assert_totals (.packets = 900, .lost = 44, .gaps = 44,
      .pending = AFXDP_RTP_SOURCES);

  /* Heard of again, 44 is no longer the one silent for longest. */
  packet_full (44, 96, 4, 0, 300);
  packet_full (1000, 96, 0, 0, 300);
  packet_full (1000, 96, 1, 0, 300);
  fail_unless_equals_int (nth_source (0).ssrc, 44);
  fail_unless_equals_int (nth_source (1).ssrc, 46);
  assert_totals (.packets = 903, .lost = 45, .gaps = 45,
      .pending = AFXDP_RTP_SOURCES - 1);

  finally (.packets = 903, .lost = 300, .gaps = 300);
}

/* Random SSRCs drive out one another, not those that were believed. */
TEST (test_garbage)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (3);
  guint n_garbage = 50000;

  for (guint i = 0; i < n_garbage; i++) {
    packet (i);
    packet_full (
        g_rand_int (random), 96, g_rand_int (random), g_rand_int (random), i);
  }
  fail_unless_equals_int (afxdp_rtp_stats_n_sources (stats), 1);
  assert_totals (.packets = 2 * n_garbage, .unvalidated = n_garbage);
}

TEST (test_random_numbers)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (4);
  AfxdpRtpCounts totals;

  for (guint i = 0; i < 1000000; i++)
    packet_full (g_rand_int_range (random, 0, 3), g_rand_int (random) & 127,
        g_rand_int (random), g_rand_int (random), i * 1000);
  afxdp_rtp_stats_totals (stats, &totals);
  fail_unless_equals_uint64 (totals.packets, 1000000);
  fail_unless (totals.lost < G_MAXINT64);
  fail_unless (totals.strays <= totals.packets);
  fail_unless (totals.pending < G_MAXINT64);
}

/* The formula of RFC 3550 A.8 with real numbers. */
TEST (test_jitter)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (5);
  gdouble jitter = 0, last = 0;

  afxdp_rtp_stats_set_clock_rate (stats, 96, 90000);
  for (guint i = 0; i < 1000; i++) {
    guint64 arrival = i * MS + g_rand_int_range (random, 0, 5 * MS);
    gdouble transit = arrival * 90000.0 / 1e9 - i * 90.0;

    packet_full (RTP_SSRC, 96, i, i * 90, arrival);
    if (i > 1)
      jitter += (fabs (transit - last) - jitter) / 16;
    last = transit;
  }
  fail_unless (jitter > 50);
  fail_unless (fabs (nth_source (0).jitter - jitter) < 2);
  fail_unless_equals_int (nth_source (0).clock_rate, 90000);
}

/* Late in the life of a clock, and with the largest rate, nothing overflows;
 * the packets of a frame share a timestamp. */
TEST (test_no_jitter)
{
  guint64 start = G_MAXINT64;

  afxdp_rtp_stats_set_clock_rate (stats, 96, 90000);
  afxdp_rtp_stats_set_clock_rate (stats, 97, G_MAXUINT32);
  for (guint i = 0; i < 100000; i++) {
    packet_full (1, 96, i, i / 4 * 90, start + i / 4 * MS);
    packet_full (2, 97, i, (guint64) i * G_MAXUINT32 / 1000, start + i * MS);
    if (i > 1) {
      fail_unless_equals_int (nth_source (0).jitter, 0);
      fail_unless (nth_source (1).jitter <= 1);
    }
  }
}

TEST (test_jitter_anew)
{
  afxdp_rtp_stats_set_clock_rate (stats, 96, 90000);
  afxdp_rtp_stats_set_clock_rate (stats, 97, 48000);
  afxdp_rtp_stats_set_clock_rate (stats, 98, 48000);
  for (guint i = 0; i < 100; i++)
    packet_full (RTP_SSRC, 96, i, 0, i * MS);
  fail_unless (nth_source (0).jitter > 80);

  /* Another rate, then the same one under another payload type. */
  packet_full (RTP_SSRC, 97, 100, 12345678, 100 * MS);
  fail_unless_equals_int (nth_source (0).jitter, 0);
  for (guint i = 101; i < 200; i++)
    packet_full (RTP_SSRC, 97, i, 12345678, i * MS);
  fail_unless_equals_int (nth_source (0).jitter, 47);
  packet_full (RTP_SSRC, 98, 200, 12345678, 200 * MS);
  fail_unless_equals_int (nth_source (0).jitter, 47);

  /* A restart, with other timestamps. */
  packet_full (RTP_SSRC, 98, 40000, 0x90000000, 201 * MS);
  packet_full (RTP_SSRC, 98, 40001, 0x90000000, 201 * MS);
  packet_full (RTP_SSRC, 98, 40002, 0x90000000, 201 * MS);
  assert_totals (.packets = 204, .restarts = 1);
  fail_unless_equals_int (nth_source (0).jitter, 0);

  /* A rate that nobody knows. */
  packet_full (RTP_SSRC, 99, 40003, 0, 205 * MS);
  fail_unless_equals_int (nth_source (0).clock_rate, 0);
  fail_unless_equals_int (nth_source (0).jitter, 0);
}

SUITE ("rtpstats_sources", 0, rtp_set_up, rtp_tear_down)
