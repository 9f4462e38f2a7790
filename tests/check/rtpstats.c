/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The numbers of one SSRC: each counter provoked alone, with all others 0.
 */
#include "rtpstats.h"

#include "rtpstats-fixture.h"
#include "suite.h"

TEST (test_nothing)
{
  assert_totals (0);
  fail_unless_equals_int (afxdp_rtp_stats_n_sources (stats), 0);
  fail_unless_equals_uint64 (afxdp_rtp_stats_advance (stats, END), 0);
}

TEST (test_in_order)
{
  AfxdpRtpSource source;

  packets (1000, 1999);
  packet_at (2000, 7);
  assert_totals (.packets = 1001);
  fail_unless_equals_int (afxdp_rtp_stats_n_sources (stats), 1);
  source = nth_source (0);
  assert_source (0, .packets = 1001);
  fail_unless_equals_int64 (source.ssrc, RTP_SSRC);
  fail_unless_equals_int (source.payload_type, 96);
  fail_unless_equals_int (source.clock_rate, 0);
  fail_unless_equals_int (source.seqnum_base, 1000);
  fail_unless_equals_int (source.extended_highest_seq, 2000);
  fail_unless_equals_uint64 (source.max_gap, 0);
  fail_unless_equals_uint64 (source.max_reorder, 0);
  fail_unless_equals_int (source.jitter, 0);
  fail_unless_equals_uint64 (source.last_arrival, 7);
}

TEST (test_wrap)
{
  packets (65530, 65536 + 10);
  fail_unless_equals_int (nth_source (0).seqnum_base, 65530);
  fail_unless_equals_int (nth_source (0).extended_highest_seq, 65536 + 10);
  packets (65536 + 11, 3 * 65536);
  fail_unless_equals_int (nth_source (0).extended_highest_seq, 3 * 65536);
  assert_totals (.packets = 3 * 65536 - 65530 + 1);
}

TEST (test_wrap_in_gap)
{
  packets (65000, 65533);
  packets (65536 + 2, 65536 + 3);
  assert_totals (.packets = 536, .pending = 4);
  after ("65535 65536", .packets = 538, .pending = 2, .reordered = 2);
  finally (.packets = 538, .lost = 2, .gaps = 1, .reordered = 2);
  fail_unless_equals_int (nth_source (0).extended_highest_seq, 65536 + 3);
}

TEST (test_final_by_count)
{
  packets (0, 9);
  packets (15, 15 + AFXDP_RTP_FINAL_PACKETS - 2);
  assert_totals (.packets = 10 + 99, .pending = 5);
  packet (15 + AFXDP_RTP_FINAL_PACKETS - 1);
  assert_totals (.packets = 10 + 100, .lost = 5, .gaps = 1);
  fail_unless_equals_uint64 (nth_source (0).max_gap, 5);
  fail_unless_equals_uint64 (afxdp_rtp_stats_advance (stats, 1), 0);
}

/* Later packets are those that came, not the numbers that went by. */
TEST (test_large_gap_stays_pending)
{
  after ("0-9 12 1012", .packets = 12, .pending = 2 + 999);
  packets (1013, 1013 + 97);
  assert_totals (.packets = 110, .lost = 2, .gaps = 1, .pending = 999);
  after ("1111", .packets = 111, .lost = 1001, .gaps = 2);
  fail_unless_equals_uint64 (nth_source (0).max_gap, 999);
}

TEST (test_final_by_time)
{
  guint64 due = 5 * MS + AFXDP_RTP_FINAL_TIME;

  packets (0, 9);
  packet_at (11, 5 * MS);
  packet_at (14, 6 * MS);
  fail_unless_equals_uint64 (afxdp_rtp_stats_advance (stats, due - 1), due);
  assert_totals (.packets = 12, .pending = 3);
  fail_unless_equals_uint64 (afxdp_rtp_stats_advance (stats, due), due + MS);
  assert_totals (.packets = 12, .pending = 2, .lost = 1, .gaps = 1);
  fail_unless_equals_uint64 (afxdp_rtp_stats_advance (stats, due + MS), 0);
  assert_totals (.packets = 12, .lost = 3, .gaps = 2);
}

TEST (test_final_by_time_of_a_packet)
{
  packets (0, 9);
  packet_at (11, 5 * MS);
  packet_at (12, 5 * MS + AFXDP_RTP_FINAL_TIME - 1);
  assert_totals (.packets = 12, .pending = 1);
  packet_at (13, 5 * MS + AFXDP_RTP_FINAL_TIME);
  assert_totals (.packets = 13, .lost = 1, .gaps = 1);
}

/* The late packet itself may be what shows that the time is over. */
TEST (test_late_after_time)
{
  packets (0, 9);
  packet_at (11, 0);
  packet_at (10, AFXDP_RTP_FINAL_TIME);
  assert_totals (.packets = 12, .gaps = 1, .reordered = 1);
}

TEST (test_late_before_final)
{
  after ("0-9 12-50 11", .packets = 50, .pending = 1, .reordered = 1);
  after ("10", .packets = 51, .reordered = 2);
  fail_unless_equals_uint64 (nth_source (0).max_reorder, 40);
  after ("51-300", .packets = 301, .reordered = 2);
  fail_unless_equals_uint64 (nth_source (0).max_gap, 0);
}

TEST (test_late_after_final)
{
  after ("0-9 12-16000", .packets = 15999, .lost = 2, .gaps = 1);
  after ("10", .packets = 16000, .lost = 1, .gaps = 1, .reordered = 1);
  after ("11", .packets = 16001, .gaps = 1, .reordered = 2);
  fail_unless_equals_uint64 (nth_source (0).max_reorder, 15990);
}

/* However far it is behind, one that nobody waited for any more is no sign of a restart,
 * and its loss is taken back; by 16 bits and about how far it is behind. */
TEST (test_late_for_all)
{
  AfxdpRtp late = {
    .kind = AFXDP_RTP_DATA,
    .ssrc = RTP_SSRC,
    .payload_type = 96,
    .payload_size = 100,
  };

  packets (0, 9);
  packets (13, 200000);
  assert_totals (.packets = 10 + 199988, .lost = 3, .gaps = 1);
  for (guint i = 10; i < 12; i++) {
    late.seqnum = i;
    afxdp_rtp_stats_late (stats, &late, 200000 - i + (i == 10 ? 500 : 0), 0);
  }
  assert_totals (.packets = 10 + 199988 + 2, .lost = 1, .gaps = 1,
      .reordered = 2);
  /* One of a gap that is not final. */
  packets (200004, 200010);
  late.seqnum = (guint16) 200002;
  afxdp_rtp_stats_late (stats, &late, 8, 0);
  assert_totals (.packets = 10 + 199988 + 2 + 7 + 1, .lost = 1, .gaps = 1,
      .pending = 2, .reordered = 3);
}

/* The rest of a gap that came in part counts as one gap, and as missing what
 * is. */
TEST (test_gap_filled_in_part)
{
  after ("0-9 20 12-14 10", .packets = 15, .pending = 6, .reordered = 4);
  finally (.packets = 15, .lost = 6, .gaps = 1, .reordered = 4);
  fail_unless_equals_uint64 (nth_source (0).max_gap, 6);
}

/* A filled gap between two others does not hold them up. */
TEST (test_gaps_in_a_row)
{
  after ("0-9 11 13 15 12", .packets = 14, .pending = 2, .reordered = 1);
  after ("10", .packets = 15, .pending = 1, .reordered = 2);
  after ("14", .packets = 16, .reordered = 3);
  fail_unless_equals_uint64 (afxdp_rtp_stats_advance (stats, 1), 0);
}

TEST (test_most_gaps)
{
  packets (0, 9);
  for (guint number = 11; number < 2000; number += 2)
    packet (number);
  assert_totals (.packets = 1005, .lost = 995 - 99, .gaps = 995 - 99,
      .pending = 99);
  for (guint number = 10; number < 2000; number += 2)
    packet (number);
  assert_totals (.packets = 2000, .gaps = 995 - 99, .reordered = 995);
}

TEST (test_duplicates)
{
  after ("0-9 9 0", .packets = 12, .duplicates = 2);
  after ("12-13 12", .packets = 15, .duplicates = 3, .pending = 2);
  after ("10 10", .packets = 17, .duplicates = 4, .pending = 1, .reordered = 1);
  afxdp_rtp_stats_advance (stats, END);
  after ("10 12", .packets = 19, .duplicates = 6, .lost = 1, .gaps = 1,
      .reordered = 1);
  after ("11 11", .packets = 21, .duplicates = 7, .gaps = 1, .reordered = 2);
}

/* Numbers from before the first one are not missed. */
TEST (test_before_the_first)
{
  after ("5-9 3", .packets = 6, .reordered = 1);
  after ("3 65535", .packets = 8, .reordered = 2, .duplicates = 1);
  fail_unless_equals_int (nth_source (0).seqnum_base, 5);
}

TEST (test_reorder_distances)
{
  guint64 number = 0, n_final = 0;

  packets (0, 9);
  number = 10;
  for (guint distance = 1; distance <= 3 * AFXDP_RTP_FINAL_PACKETS;
       distance++) {
    packets (number + 1, number + distance);
    packet (number);
    number += distance + 1;
    n_final += distance >= AFXDP_RTP_FINAL_PACKETS;
    assert_totals (.packets = number, .reordered = distance, .gaps = n_final);
    fail_unless_equals_uint64 (nth_source (0).max_reorder, distance);
  }
}

/* A sender's timestamps may jump while its numbers go on. */
TEST (test_reordering_across_timestamps)
{
  packets (0, 9);
  packet_full (RTP_SSRC, 96, 11, 0x80000000, 0);
  packet (10);
  packet_full (RTP_SSRC, 96, 12, 0x80000000, 0);
  assert_totals (.packets = 13, .reordered = 1);
}

TEST (test_pure_reordering)
{
  guint64 n_reordered = 0;

  packets (0, 99);
  for (guint64 block = 100; block < 100000; block += 50)
    for (guint i = 0; i < 50; i++) {
      packet (block + 49 - i);
      n_reordered += i > 0;
    }
  assert_totals (.packets = 100000, .reordered = n_reordered);
}

TEST (test_outage)
{
  static const guint jumps[] = { 2999, 3000, 3001, 10000, 16384, 20000, 32767 };
  guint64 number = 9, n_packets = 10, n_lost = 0;

  packets (0, 9);
  for (guint i = 0; i < G_N_ELEMENTS (jumps); i++) {
    gboolean believed = jumps[i] < 3000;

    number += jumps[i];
    packet (number);
    n_packets++;
    assert_totals (.packets = n_packets, .lost = n_lost, .gaps = i,
        .strays = !believed, .pending = believed ? jumps[i] - 1 : 0,
        .duplicates = i, .reordered = i);
    packet (++number);
    n_packets++;
    assert_totals (.packets = n_packets, .lost = n_lost, .gaps = i,
        .pending = jumps[i] - 1, .duplicates = i, .reordered = i);
    packet (number - 1);
    packet (number - 3);
    n_packets += 2;
    assert_totals (.packets = n_packets, .lost = n_lost, .gaps = i,
        .pending = jumps[i] - 2, .duplicates = i + 1, .reordered = i + 1);
    packets (number + 1, number + 98);
    n_packets += 98;
    number += 98;
    n_lost += jumps[i] - 2;
    assert_totals (.packets = n_packets, .lost = n_lost, .gaps = i + 1,
        .duplicates = i + 1, .reordered = i + 1);
    fail_unless_equals_uint64 (nth_source (0).max_gap, jumps[i] - 2);
  }
  fail_unless_equals_int (nth_source (0).extended_highest_seq, number);
}

/* Its time runs from the first packet behind it. */
TEST (test_outage_final_by_time)
{
  packets (0, 9);
  packet_at (5000, 5 * MS);
  packet_at (5001, 50 * MS);
  fail_unless_equals_uint64 (
      afxdp_rtp_stats_advance (stats, 0), 5 * MS + AFXDP_RTP_FINAL_TIME);
}

/* Early packets of another path are no loss when the others catch up. */
TEST (test_early)
{
  after ("0-9 5000 10 8000 11 8000", .packets = 15, .strays = 3);
  after ("12-4999", .packets = 5003, .strays = 3);
  after ("5001-7999", .packets = 8002, .strays = 2, .reordered = 1);
  after ("8001-9000", .packets = 9002, .reordered = 2, .duplicates = 1);

  /* That was once: the same number of the next cycle is missing. */
  packets (9001, 65536 + 4999);
  packet (65536 + 5001);
  assert_totals (.packets = 65536 + 5002, .pending = 1, .reordered = 2,
      .duplicates = 1);
}

TEST (test_early_forgotten)
{
  numbers ("0-9 5000 10-4999");
  packet_at (5001, AFXDP_RTP_FINAL_TIME);
  assert_totals (.packets = 5002, .strays = 1, .pending = 1);
}

/* Reordering at the far end of an outage. */
TEST (test_early_in_outage)
{
  after ("0-9 5001 5000 5003", .packets = 13, .strays = 3);
  after ("5004", .packets = 14, .pending = 4990 + 1, .reordered = 2);
  after ("5003 5000", .packets = 16, .pending = 4990 + 1, .reordered = 2,
      .duplicates = 2);
}

/* Beyond the window nobody knows any more which packets came. */
TEST (test_early_in_a_longer_outage)
{
  after (
      "0-9 4000 10 30000-30001", .packets = 14, .strays = 1, .pending = 29989);
  packet (4000 + 16384);
  assert_totals (.packets = 15, .strays = 1, .pending = 29988, .reordered = 1);
}

TEST (test_early_before_restart)
{
  numbers ("0-9 5000 10");
  for (guint number = 4990; number < 5000; number++)
    packet_full (RTP_SSRC, 96, number, 0x80000000, 0);
  assert_totals (.packets = 22, .strays = 1, .restarts = 1);
  packet_full (RTP_SSRC, 96, 20000, 0x80000000, 0);
  packet_full (RTP_SSRC, 96, 5001, 0x80000000, 0);
  assert_totals (.packets = 24, .strays = 2, .restarts = 1, .pending = 1);
}

TEST (test_strays)
{
  packets (0, 9);
  packet_full (RTP_SSRC, 96, 30000, 0x80000000, 0);
  assert_totals (.packets = 11, .strays = 1);
  packet_full (RTP_SSRC, 96, 30000, 0x80000000, 0);
  assert_totals (.packets = 12, .strays = 1, .duplicates = 1);
  packet_full (RTP_SSRC, 96, 40000, 0x90000000, 0);
  assert_totals (.packets = 13, .strays = 2, .duplicates = 1);
  packets (10, 11);
  /* The run went on in between: no longer a candidate. */
  packet_full (RTP_SSRC, 96, 40001, 0x90000000, 0);
  assert_totals (.packets = 16, .strays = 3, .duplicates = 1);
  after ("12-50000", .packets = 50005, .strays = 3, .duplicates = 1);
  fail_unless_equals_int (nth_source (0).extended_highest_seq, 50000);
}

/* Late packets and duplicates do not save a run that is over. */
TEST (test_restart)
{
  after ("60000-60009 60012-60013", .packets = 12, .pending = 2);
  packet_full (RTP_SSRC, 97, 10850, 0xf0000000, 1 * MS);
  packet (60010);
  packet_full (RTP_SSRC, 97, 10851, 0xf0000000, 1 * MS);
  assert_totals (.packets = 15, .restarts = 1, .lost = 1, .gaps = 1,
      .reordered = 1);
  fail_unless_equals_int (nth_source (0).seqnum_base, 10850);
  fail_unless_equals_int (nth_source (0).extended_highest_seq, 10851);
  fail_unless_equals_int (nth_source (0).payload_type, 97);
  fail_unless_equals_int (afxdp_rtp_stats_n_sources (stats), 1);
  packet_full (RTP_SSRC, 97, 10853, 0xf0000000, 1 * MS);
  packet_full (RTP_SSRC, 97, 10851, 0xf0000000, 1 * MS);
  assert_totals (.packets = 17, .restarts = 1, .lost = 1, .gaps = 1,
      .reordered = 1, .pending = 1, .duplicates = 1);

  /* The numbers of the former run, 3 windows further, are forgotten. */
  packet_full (RTP_SSRC, 97, 60003 - 3 * 16384, 0xf0000000, 1 * MS);
  packet_full (RTP_SSRC, 97, 60001 - 3 * 16384, 0xf0000000, 1 * MS);
  assert_totals (.packets = 19, .restarts = 1, .lost = 1, .gaps = 1,
      .reordered = 2, .pending = 1, .duplicates = 2);
}

/* A far number ahead, but with another timestamp, and one behind, within the
 * window: neither is an outage or a flood of duplicates. */
TEST (test_restart_by_timestamp)
{
  packets (20000, 29999);
  packet_full (RTP_SSRC, 96, 40000, 0x70000000, 0);
  packet_full (RTP_SSRC, 96, 40001, 0x70000000, 0);
  assert_totals (.packets = 10002, .restarts = 1);
  packet_full (RTP_SSRC, 96, 39000, 0, 0);
  packet_full (RTP_SSRC, 96, 39001, 0, 0);
  assert_totals (.packets = 10004, .restarts = 2);
  fail_unless_equals_int (nth_source (0).seqnum_base, 39000);
  packet_full (RTP_SSRC, 96, 38000, 0x10000000, 0);
  packet_full (RTP_SSRC, 96, 38001, 0x10000000, 0);
  assert_totals (.packets = 10006, .restarts = 3);
  fail_unless_equals_int (nth_source (0).seqnum_base, 38000);
}

/* A sender that begins each time with number and timestamp 0. */
TEST (test_restart_from_zero)
{
  packets (0, 19999);
  packet_at (0, AFXDP_RTP_FINAL_TIME);
  assert_totals (.packets = 20001, .strays = 1);
  packet_at (1, AFXDP_RTP_FINAL_TIME);
  assert_totals (.packets = 20002, .restarts = 1);
  fail_unless_equals_int (nth_source (0).seqnum_base, 0);
}

/* Two runs in turn, one later than the window is long: the other goes on. */
TEST (test_later_than_the_window)
{
  packets (0, 20000);
  for (guint i = 0; i < 1000; i++) {
    guint64 late = 1000 + i / 10 * 10, number = late + 19001;

    for (guint j = 0; i % 10 == 0 && j < 10; j++)
      packet_at (late + j, i * MS);
    packet_at (number + i % 10, i * MS);
  }
  assert_totals (.packets = 22001, .strays = 1000);
}

TEST (test_window_end)
{
  packets (0, 9);
  packets (11, 10 + 16383);
  after ("10", .packets = 16394, .gaps = 1, .reordered = 1);
  after ("9", .packets = 16395, .gaps = 1, .reordered = 1, .strays = 1);
}

/* A clock that steps back makes nothing final and nothing wrong. */
TEST (test_arrival_steps_back)
{
  packet_at (0, AFXDP_RTP_FINAL_TIME + 1);
  packet_at (1, AFXDP_RTP_FINAL_TIME + 1);
  packet_at (3, AFXDP_RTP_FINAL_TIME + 1);
  packet_at (4, 0);
  assert_totals (.packets = 4, .pending = 1);
  packet_at (2, 0);
  assert_totals (.packets = 5, .reordered = 1);
}

SUITE ("rtpstats", 0, rtp_set_up, rtp_tear_down)
