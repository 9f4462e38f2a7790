/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sequence statistics: outages in which 16 bits of number wrap, and what is told of
 * gaps.
 */
#include "rtpstats.h"

#include <gst/check/gstcheck.h>

#include "rtpstats-fixture.h"

/* A sender of 100,000 packets/s: number n comes at n * 10 µs. */

static void
packet_in_time (guint64 number)
{
  packet_at (number, number * 10000);
}

/* Not 65,536 and its multiples: the very next number is a pause of the sender. */
static const guint outages[] = { 3000, 20000, 32768, 40000, 65535, 65537, 67000,
  131071, 131073, 200000 };

/* However often 16 bits of number wrap while nothing comes. */
GST_START_TEST (test_outage)
{
  guint64 next = 5000 + outages[__i__];

  for (guint64 number = 0; number < 5000; number++)
    packet_in_time (number);
  packet_in_time (next);
  assert_totals (.packets = 5001, .pending = outages[__i__]);
  for (guint64 number = next + 1; number < next + 100; number++)
    packet_in_time (number);
  assert_totals (.packets = 5100, .gaps = 1, .lost = outages[__i__]);
  fail_unless_equals_uint64 (nth_source (0).max_gap, outages[__i__]);
  fail_unless_equals_int (nth_source (0).extended_highest_seq, next + 99);
  /* And again, now that the rate is known of what came after. */
  for (guint64 number = next + 100; number < next + 8000; number++)
    packet_in_time (number);
  packet_in_time (next + 8000 + 70000);
  assert_totals (.packets = 13001, .gaps = 1, .lost = outages[__i__],
      .pending = 70000);
}

GST_END_TEST;

/* Nothing was lost: the sender paused, for as long as 65,536 packets take, or began
 * anew elsewhere. */
GST_START_TEST (test_no_outage)
{
  guint64 back = 5000 + 65536;

  for (guint64 number = 0; number < 5000; number++)
    packet_in_time (number);
  packet_at (5000, back * 10000);
  assert_totals (.packets = 5001);
  packet_full (RTP_SSRC, 96, 60000, 0x90000000, (back + 9464) * 10000);
  assert_totals (.packets = 5002, .strays = 1);
  packet_full (RTP_SSRC, 96, 60001, 0x90000000, (back + 9465) * 10000);
  assert_totals (.packets = 5003, .restarts = 1);
}

GST_END_TEST;

/* The timestamps went on with the clock, and the numbers did not. */
GST_START_TEST (test_silence)
{
  for (guint64 number = 0; number < 5000; number++)
    packet_in_time (number);
  packet_full (RTP_SSRC, 96, 5000, (5000 + 65536) * RTP_STEP,
      (5000 + G_GUINT64_CONSTANT (65536)) * 10000);
  assert_totals (.packets = 5001);
}

GST_END_TEST;

/* The sender was slower meanwhile, or faster. */
GST_START_TEST (test_another_pace)
{
  static const guint percents[] = { 70, 130 };
  guint64 time = G_GUINT64_CONSTANT (40000) * 100 / percents[__i__];

  for (guint64 number = 0; number < 5000; number++)
    packet_in_time (number);
  packet_full (
      RTP_SSRC, 96, 45000, (5000 + time) * RTP_STEP, (5000 + time) * 10000);
  assert_totals (.packets = 5001, .pending = 40000);
}

GST_END_TEST;

/* The sender was held up, and has sent at once what was due. */
GST_START_TEST (test_burst_after_outage)
{
  static const guint missing[] = { 48695, 57158, 64161, 100000 };
  guint64 next = 5000 + missing[__i__];

  for (guint64 number = 0; number < 5000; number++)
    packet_in_time (number);
  packet_at (
      next, (5000 + missing[__i__] * G_GUINT64_CONSTANT (3) / 10) * 10000);
  assert_totals (.packets = 5001, .pending = missing[__i__]);
}

GST_END_TEST;

/* A jump that two packets in a row made believed, without a silence, is no part of
 * the pace. */
GST_START_TEST (test_pace_after_jump)
{
  guint64 jump = 5000 + 20000, next;

  for (guint64 number = 0; number < 5000; number++)
    packet_in_time (number);
  /* From here on the sender is 20,000 ahead of its time. */
  for (guint64 number = jump; number < jump + 5000; number++)
    packet_at (number, (number - 20000) * 10000);
  assert_totals (.packets = 10000, .gaps = 1, .lost = 20000);
  next = jump + 5000 + 48695;
  packet_at (next, (jump + 5000 - 20000 + 48695 * 3 / 10) * 10000);
  assert_totals (.packets = 10001, .gaps = 1, .lost = 20000, .pending = 48695);
}

GST_END_TEST;

/* Old ones, after a silence that is too short for as many as the numbers would
 * say. */
GST_START_TEST (test_late_after_silence)
{
  for (guint64 number = 0; number < 5000; number++)
    if (number != 3625)
      packet_in_time (number);
  packet_at (3625, 10000 * 10000);
  assert_totals (.packets = 5000, .gaps = 1, .reordered = 1);
}

GST_END_TEST;

/* The timestamps went on, but not for as long as it takes to wrap. */
GST_START_TEST (test_pause_with_timestamps)
{
  for (guint64 number = 0; number < 5000; number++)
    packet_in_time (number);
  packet_full (RTP_SSRC, 96, 5000, 105000 * RTP_STEP,
      G_GUINT64_CONSTANT (105000) * 10000);
  assert_totals (.packets = 5001);
}

GST_END_TEST;

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

GST_START_TEST (test_gap_is_told)
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

GST_END_TEST;

/* The latest ones, the oldest of them first. */
GST_START_TEST (test_latest_gaps)
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

GST_END_TEST;

static Suite *
rtpstats_outages_suite (void)
{
  Suite *suite = suite_create ("rtpstats_outages");
  TCase *tests = tcase_create ("rtpstats_outages");

  suite_add_tcase (suite, tests);
  tcase_add_checked_fixture (tests, rtp_set_up, rtp_tear_down);
  tcase_add_loop_test (tests, test_outage, 0, G_N_ELEMENTS (outages));
  tcase_add_test (tests, test_no_outage);
  tcase_add_test (tests, test_silence);
  tcase_add_loop_test (tests, test_another_pace, 0, 2);
  tcase_add_test (tests, test_pause_with_timestamps);
  tcase_add_loop_test (tests, test_burst_after_outage, 0, 4);
  tcase_add_test (tests, test_pace_after_jump);
  tcase_add_test (tests, test_late_after_silence);
  tcase_add_test (tests, test_gap_is_told);
  tcase_add_test (tests, test_latest_gaps);
  return suite;
}

GST_CHECK_MAIN (rtpstats_outages);
