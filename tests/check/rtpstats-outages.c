/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sequence statistics: outages in which 16 bits of number wrap, and what is told of
 * gaps.
 */
#include "rtpstats.h"

#include "rtpstats-fixture.h"
#include "suite.h"

/* A sender of 100,000 packets/s: number n comes at n * 10 µs. */

static void
packet_in_time (guint64 number)
{
  packet_at (number, number * 10000);
}

/* From first to one before end. */
static void
packets_in_time (guint64 first, guint64 end)
{
  for (guint64 number = first; number < end; number++)
    packet_in_time (number);
}

/* Not 65,536 and its multiples: the very next number is a pause of the sender. */
static const guint outages[] = { 3000, 20000, 32768, 40000, 65535, 65537, 67000,
  131071, 131073, 200000 };

/* However often 16 bits of number wrap while nothing comes. */
TABLE_TEST (test_outage, outages)
{
  guint64 next = 5000 + outages[__i__];

  packets_in_time (0, 5000);
  packet_in_time (next);
  assert_totals (.packets = 5001, .pending = outages[__i__]);
  packets_in_time (next + 1, next + 100);
  assert_totals (.packets = 5100, .gaps = 1, .lost = outages[__i__]);
  fail_unless_equals_uint64 (nth_source (0).max_gap, outages[__i__]);
  fail_unless_equals_int (nth_source (0).extended_highest_seq, next + 99);
  /* And again, now that the rate is known of what came after. */
  packets_in_time (next + 100, next + 8000);
  packet_in_time (next + 8000 + 70000);
  assert_totals (.packets = 13001, .gaps = 1, .lost = outages[__i__],
      .pending = 70000);
}

/* Nothing was lost: the sender paused, for as long as 65,536 packets take, or began
 * anew elsewhere. */
TEST (test_no_outage)
{
  guint64 back = 5000 + 65536;

  packets_in_time (0, 5000);
  packet_at (5000, back * 10000);
  assert_totals (.packets = 5001);
  packet_full (RTP_SSRC, 96, 60000, 0x90000000, (back + 9464) * 10000);
  assert_totals (.packets = 5002, .strays = 1);
  packet_full (RTP_SSRC, 96, 60001, 0x90000000, (back + 9465) * 10000);
  assert_totals (.packets = 5003, .restarts = 1);
}

/* The timestamps went on with the clock, and the numbers did not. */
TEST (test_silence)
{
  packets_in_time (0, 5000);
  packet_full (RTP_SSRC, 96, 5000, (5000 + 65536) * RTP_STEP,
      (5000 + G_GUINT64_CONSTANT (65536)) * 10000);
  assert_totals (.packets = 5001);
}

/* The sender was slower meanwhile, or faster. */
LOOP_TEST (test_another_pace, 2)
{
  static const guint percents[] = { 70, 120 };
  guint64 time = G_GUINT64_CONSTANT (40000) * 100 / percents[__i__];

  packets_in_time (0, 5000);
  packet_full (
      RTP_SSRC, 96, 45000, (5000 + time) * RTP_STEP, (5000 + time) * 10000);
  assert_totals (.packets = 5001, .pending = 40000);
}

/* The sender is held up, then sends at once what was due, most of which is lost: from
 * the last packet that came the gap is longer than the time, but not from when the
 * stream was in time. */
LOOP_TEST (test_burst_after_outage, 4)
{
  static const guint missing[] = { 48695, 57158, 64161, 100000 };
  guint64 next = 5100 + missing[__i__];

  packets_in_time (0, 5000);
  for (guint64 number = 5000; number < 5100; number++)
    packet_at (number, (next - missing[__i__] * 3 / 10) * 10000 + number);
  packet_in_time (next);
  assert_totals (.packets = 5101, .pending = missing[__i__]);
}

/* Recorded: all that is known of a sender is the beginning of a burst. How fast that came
 * says little of the silence behind it, and its timestamps more. */
static const struct
{
  guint missing;
  guint64 time; /* of the silence, ms */
} after_bursts[] = {
  { 1921, 4000 },
  { 70000, 4200 },
};

TABLE_TEST (test_first_burst, after_bursts)
{
  guint missing = after_bursts[__i__].missing;

  for (guint number = 0; number < 79; number++)
    packet_at (number, number * 60000);
  packet_at (79 + missing, after_bursts[__i__].time * MS);
  assert_totals (.packets = 80, .pending = missing);
}

/* Numbers and timestamps that run ahead of time are no gap: another run. */
TEST (test_jump)
{
  guint64 jump = 5000 + 20000;

  packets_in_time (0, 5000);
  for (guint64 number = jump; number < jump + 5000; number++)
    packet_at (number, (number - 20000) * 10000);
  assert_totals (.packets = 10000, .restarts = 1);
  packet_at (jump + 5000 + 48695, (jump + 5000 - 20000 + 48695) * 10000);
  assert_totals (.packets = 10001, .restarts = 1, .pending = 48695);
}

/* Old ones, after a silence that is too short for as many as the numbers would
 * say. */
TEST (test_late_after_silence)
{
  for (guint64 number = 0; number < 5000; number++)
    if (number != 3625)
      packet_in_time (number);
  packet_at (3625, 10000 * 10000);
  assert_totals (.packets = 5000, .gaps = 1, .reordered = 1);
}

/* The timestamps went on, but not for as long as it takes to wrap. */
TEST (test_pause_with_timestamps)
{
  packets_in_time (0, 5000);
  packet_full (RTP_SSRC, 96, 5000, 105000 * RTP_STEP,
      G_GUINT64_CONSTANT (105000) * 10000);
  assert_totals (.packets = 5001);
}

/* What is told of gaps. */

static AfxdpRtpGap told;
static guint n_told;
static guint64 came;

static void
note_gap (const AfxdpRtpGap *gap, gpointer user_data)
{
  told = *gap;
  n_told++;
}

static void
note_came (guint32 ssrc, guint64 number, gpointer user_data)
{
  came = number;
}

static const AfxdpRtpFuncs funcs = { note_gap, note_came };

/* A packet with a size of its own, and perhaps a marker. */
static void
packet_of (guint64 number, guint64 arrival, guint size, gboolean marker)
{
  AfxdpRtp rtp = {
    .kind = AFXDP_RTP_DATA,
    .ssrc = RTP_SSRC,
    .timestamp = number * RTP_STEP,
    .seqnum = number,
    .payload_type = 96,
    .marker = marker,
    .size = size,
    .payload_size = RTP_OCTETS,
  };

  afxdp_rtp_stats_packet (stats, &rtp, arrival);
}

TEST (test_gap_is_told)
{
  afxdp_rtp_stats_set_funcs (stats, &funcs, NULL);
  packet_of (65530, 1 * MS, 500, FALSE);
  packet_of (65531, 2 * MS, 312, TRUE);
  packet_of (65540, 4 * MS, 700, FALSE);
  packet_of (65532, 5 * MS, 1, FALSE);
  packet_of (65535, 5 * MS, 1, FALSE);
  fail_unless_equals_int (n_told, 0);
  afxdp_rtp_stats_advance (stats, 104 * MS);
  fail_unless_equals_int (n_told, 1);
  fail_unless (told.ssrc == RTP_SSRC);
  fail_unless_equals_int (told.payload_type, 96);
  fail_unless_equals_uint64 (told.first, 65533);
  fail_unless_equals_uint64 (told.end, 65540);
  fail_unless_equals_uint64 (told.missing, 6);
  fail_unless_equals_uint64 (told.before, 2 * MS);
  fail_unless_equals_uint64 (told.shown, 4 * MS);
  fail_unless_equals_int (told.previous_size, 312);
  fail_unless_equals_int (told.next_size, 700);
  fail_unless (told.previous_marker);
  packet_of (65534, 105 * MS, 1, FALSE);
  fail_unless_equals_uint64 (came, 65534);
  assert_totals (.packets = 6, .gaps = 1, .lost = 5, .reordered = 3);
}

/* The latest ones, the oldest of them first. */
TEST (test_latest_gaps)
{
  AfxdpRtpSource source;

  packet (0);
  for (guint i = 1; i <= 15; i++)
    packets (1000 * i, 1000 * i + 200);
  source = nth_source (0);
  fail_unless_equals_int (source.n_latest_gaps, AFXDP_RTP_LATEST_GAPS);
  for (guint i = 0; i < AFXDP_RTP_LATEST_GAPS; i++) {
    fail_unless_equals_uint64 (
        source.latest_gaps[i].first, 1000 * (i + 5) + 201);
    fail_unless_equals_uint64 (source.latest_gaps[i].missing, 799);
  }
}

/* What is found out later. */

static AfxdpRtpEvent event;

static void
note_event (const AfxdpRtpEvent *now, gpointer user_data)
{
  event = *now;
}

static const AfxdpRtpFuncs funcs_of_events = { note_gap, note_came,
  note_event };

/* 20,000 packets in 2,000 ms of 100,000/s: 16 bits have wrapped, and how often is
 * known to the host alone. */
TEST (test_correct)
{
  guint64 next = 5000 + 20000 + 2 * 65536;

  afxdp_rtp_stats_set_funcs (stats, &funcs_of_events, NULL);
  packets_in_time (0, 5000);
  fail_unless_equals_int (event.state, AFXDP_RTP_SOURCE_NEW);
  n_told = 0;
  packets_in_time (next, next + 200);
  fail_unless_equals_int (n_told, 1);
  fail_unless (told.uncertain);
  fail_unless (told.possible >= 20000 + 2 * 65536);
  assert_totals (.packets = 5200, .gaps = 1, .lost = 20000 + 2 * 65536);
  fail_unless (afxdp_rtp_stats_correct (stats, RTP_SSRC, told.end, 1));
  assert_totals (.packets = 5200, .gaps = 1, .lost = 20000 + 3 * 65536);
  fail_unless_equals_int (
      nth_source (0).extended_highest_seq, next + 199 + 65536);
  fail_unless_equals_uint64 (
      nth_source (0).latest_gaps[0].missing, 20000 + 3 * 65536);
  /* By the number that it has now; and no further than there are cycles. */
  fail_if (afxdp_rtp_stats_correct (stats, RTP_SSRC, told.end, -1));
  told.end += 65536;
  fail_if (afxdp_rtp_stats_correct (stats, RTP_SSRC, told.end, -4));
  fail_if (afxdp_rtp_stats_correct (stats, RTP_SSRC + 1, told.end, -1));
  fail_unless (afxdp_rtp_stats_correct (stats, RTP_SSRC, told.end, -3));
  assert_totals (.packets = 5200, .gaps = 1, .lost = 20000);
  fail_unless_equals_int (nth_source (0).extended_highest_seq, 25199);
  /* Late ones, and those behind, are known by their new numbers. */
  packet_at (24990, (next + 200) * 10000);
  fail_unless_equals_uint64 (came, 24990);
  packet_at (25200, (next + 200) * 10000);
  packet_at (25199, (next + 200) * 10000);
  assert_totals (.packets = 5203, .gaps = 1, .lost = 19999, .reordered = 1,
      .duplicates = 1);
}

/* Nothing seems to be missing, and a multiple of 65,536 may be. */
TEST (test_correct_pause)
{
  afxdp_rtp_stats_set_funcs (stats, &funcs_of_events, NULL);
  packets_in_time (0, 5000);
  n_told = 0;
  packet_at (5000, (5000 + G_GUINT64_CONSTANT (65536)) * 10000);
  assert_totals (.packets = 5001);
  fail_unless_equals_int (n_told, 1);
  fail_unless (told.uncertain);
  fail_unless_equals_uint64 (told.missing, 0);
  fail_unless_equals_uint64 (told.end, 5000);
  fail_unless (afxdp_rtp_stats_correct (stats, RTP_SSRC, 5000, 1));
  assert_totals (.packets = 5001, .lost = 65536, .gaps = 1);
  fail_unless_equals_int (nth_source (0).extended_highest_seq, 5000 + 65536);
  fail_unless (afxdp_rtp_stats_correct (stats, RTP_SSRC, 5000 + 65536, -1));
  assert_totals (.packets = 5001, .gaps = 1);
}

/* What looked like a restart was dropped by this host. */
TEST (test_join)
{
  afxdp_rtp_stats_set_funcs (stats, &funcs_of_events, NULL);
  packets_in_time (0, 5000);
  n_told = 0;
  for (guint i = 0; i < 200; i++)
    packet_full (RTP_SSRC, 96, 60000 + i, 0x90000000, 60 * MS + i);
  assert_totals (.packets = 5200, .restarts = 1);
  fail_unless_equals_int (event.state, AFXDP_RTP_SOURCE_RESTARTED);
  fail_unless_equals_int (event.last, 4999);
  fail_unless_equals_int (event.first, 60000);
  fail_unless_equals_uint64 (event.before, 4999 * 10000);
  fail_unless_equals_uint64 (event.shown, 60 * MS);
  fail_if (afxdp_rtp_stats_join (stats, RTP_SSRC, 60 * MS, 20000));
  fail_if (afxdp_rtp_stats_join (stats, RTP_SSRC, 61 * MS, 55000));
  fail_unless (afxdp_rtp_stats_join (stats, RTP_SSRC, 60 * MS, 55000 + 65536));
  fail_unless_equals_int (n_told, 1);
  fail_unless_equals_uint64 (told.missing, 55000 + 65536);
  fail_unless_equals_uint64 (told.first, 5000);
  fail_unless_equals_uint64 (told.end, 60000 + 65536);
  assert_totals (.packets = 5200, .gaps = 1, .lost = 55000 + 65536);
  fail_unless_equals_int (nth_source (0).seqnum_base, 0);
  fail_unless_equals_int (nth_source (0).extended_highest_seq, 60199 + 65536);
  fail_if (afxdp_rtp_stats_join (stats, RTP_SSRC, 60 * MS, 55000 + 65536));
}

SUITE ("rtpstats_outages", 0, rtp_set_up, rtp_tear_down)
