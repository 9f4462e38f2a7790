/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where missing RTP packets are said to have been lost. */
#include "attribution.h"

#include <gst/check/gstcheck.h>
#include <string.h>

#define MS G_GUINT64_CONSTANT (1000000)
#define SSRC 7

static guint64 lost[AFXDP_N_COLUMNS];
static AfxdpAttribution *attribution;
static GArray *verdicts;

static void
set_up (void)
{
  memset (lost, 0, sizeof lost);
  attribution = afxdp_attribution_new (lost);
  verdicts = g_array_new (FALSE, FALSE, sizeof (AfxdpVerdict));
}

static void
tear_down (void)
{
  afxdp_attribution_free (attribution);
  g_array_unref (verdicts);
}

/* Times in ms. */

static void
gap (
    guint32 ssrc, guint64 first, guint64 missing, guint64 before, guint64 shown)
{
  AfxdpRtpGap gap = {
    .ssrc = ssrc,
    .first = first,
    .end = first + missing,
    .missing = missing,
    .before = before * MS,
    .shown = shown * MS,
  };

  afxdp_attribution_add_gap (attribution, &gap);
}

static void
drop (AfxdpColumn column, gint64 n, guint64 from, guint64 until)
{
  AfxdpDrop drop = { column, n, from * MS, until * MS };

  afxdp_attribution_add_drop (attribution, &drop);
}

static void
note (const AfxdpVerdict *verdict, gpointer data)
{
  g_array_append_val (verdicts, *verdict);
}

static void
judge (guint64 known, guint64 now)
{
  afxdp_attribution_judge (attribution, known * MS, now * MS, note, NULL);
}

#define assert_lost(column, n) \
  fail_unless_equals_uint64 (lost[AFXDP_COLUMN_##column], n)

static void
assert_sum (guint64 n)
{
  guint64 sum = 0;

  for (guint i = 0; i < AFXDP_N_COLUMNS; i++)
    sum += lost[i];
  fail_unless_equals_uint64 (sum, n);
}

/* What nothing on this host explains. */
GST_START_TEST (test_network)
{
  gap (SSRC, 10, 3, 100, 110);
  fail_unless_equals_uint64 (afxdp_attribution_n_waiting (attribution), 3);
  fail_unless_equals_uint64 (afxdp_attribution_wants (attribution), 110 * MS);
  judge (110, 111);
  fail_unless_equals_uint64 (afxdp_attribution_n_waiting (attribution), 0);
  fail_unless_equals_uint64 (afxdp_attribution_wants (attribution), 0);
  assert_lost (NETWORK, 3);
  assert_sum (3);
  fail_unless_equals_int (verdicts->len, 1);
}
GST_END_TEST

/* A drop that the same packet showed is the gap's, whichever is judged first. */
GST_START_TEST (test_the_same_packet)
{
  drop (AFXDP_COLUMN_RX_RING, 5, 100, 120);
  gap (SSRC, 10, 3, 99, 119);
  gap (SSRC, 20, 5, 110, 120);
  judge (200, 200);
  assert_lost (RX_RING, 5);
  assert_lost (NETWORK, 3);
  fail_unless_equals_uint64 (
      g_array_index (verdicts, AfxdpVerdict, 0).lost[AFXDP_COLUMN_NETWORK], 3);
  fail_unless_equals_uint64 (
      g_array_index (verdicts, AfxdpVerdict, 1).lost[AFXDP_COLUMN_RX_RING], 5);
}
GST_END_TEST

/* Two sources share what was dropped of their flow: each packet explains one. */
GST_START_TEST (test_two_sources)
{
  drop (AFXDP_COLUMN_FILL_RING, 5, 100, 120);
  gap (1, 10, 2, 99, 120);
  gap (2, 10, 4, 90, 125);
  judge (200, 200);
  assert_lost (FILL_RING, 5);
  assert_lost (NETWORK, 1);
}
GST_END_TEST

GST_START_TEST (test_another_time)
{
  drop (AFXDP_COLUMN_SOCKET_BUFFER, 5, 100, 120);
  gap (SSRC, 10, 2, 130, 140);
  judge (200, 200);
  assert_lost (NETWORK, 2);
  assert_sum (2);
}
GST_END_TEST

GST_START_TEST (test_several_causes)
{
  drop (AFXDP_COLUMN_RX_RING, 2, 100, 110);
  drop (AFXDP_COLUMN_PAUSED, 3, 105, 119);
  drop (AFXDP_COLUMN_NIC, 100, 0, 130);
  gap (SSRC, 10, 9, 100, 120);
  judge (200, 200);
  assert_lost (RX_RING, 2);
  assert_lost (PAUSED, 3);
  assert_lost (NIC, 4);
  assert_sum (9);
  fail_unless_equals_int (verdicts->len, 1);
}
GST_END_TEST

/* Not judged before the interface was asked, but for what needs no answer; and not
 * held up for ever. */
GST_START_TEST (test_waiting)
{
  drop (AFXDP_COLUMN_REDIRECT, 1, 100, 110);
  gap (SSRC, 10, 1, 100, 110);
  gap (SSRC, 20, 1, 110, 120);
  judge (105, 130);
  assert_lost (REDIRECT, 1);
  assert_sum (1);
  fail_unless_equals_uint64 (afxdp_attribution_n_waiting (attribution), 1);
  judge (105, 130 + 1999);
  assert_sum (1);
  judge (105, 130 + 2001);
  assert_lost (UNKNOWN, 1);
  fail_unless_equals_uint64 (afxdp_attribution_n_waiting (attribution), 0);
}
GST_END_TEST

/* At the end nothing waits, not even what was never tried before. */
GST_START_TEST (test_last_judgement)
{
  gap (SSRC, 10, 2, 100, 110);
  afxdp_attribution_judge (attribution, 105 * MS, G_MAXUINT64, note, NULL);
  assert_lost (UNKNOWN, 2);
  fail_unless_equals_uint64 (afxdp_attribution_n_waiting (attribution), 0);
  fail_unless_equals_int (verdicts->len, 1);
}
GST_END_TEST

/* Late packets give their loss back where it was charged. */
GST_START_TEST (test_came)
{
  drop (AFXDP_COLUMN_RX_RING, 2, 100, 110);
  gap (SSRC, 10, 2, 100, 110);
  gap (SSRC, 20, 2, 110, 120);
  judge (200, 200);
  afxdp_attribution_came (attribution, SSRC, 21);
  assert_lost (NETWORK, 1);
  assert_lost (RX_RING, 2);
  afxdp_attribution_came (attribution, SSRC, 10);
  assert_lost (RX_RING, 1);
  /* Nobody knows these: the sum holds. */
  afxdp_attribution_came (attribution, SSRC, 999);
  assert_sum (1);
  afxdp_attribution_came (attribution, SSRC + 1, 11);
  assert_sum (0);
}
GST_END_TEST

GST_START_TEST (test_came_while_waiting)
{
  gap (SSRC, 10, 2, 100, 110);
  judge (0, 110);
  afxdp_attribution_came (attribution, SSRC, 11);
  fail_unless_equals_uint64 (afxdp_attribution_n_waiting (attribution), 1);
  judge (200, 200);
  assert_lost (NETWORK, 1);
  assert_sum (1);
}
GST_END_TEST

/* In generic mode packets overtake each other: not lost after all. */
GST_START_TEST (test_taken_back)
{
  drop (AFXDP_COLUMN_REDIRECT, 2, 100, 110);
  drop (AFXDP_COLUMN_REDIRECT, -1, 110, 110);
  gap (SSRC, 10, 2, 100, 110);
  judge (200, 200);
  assert_lost (REDIRECT, 1);
  assert_lost (NETWORK, 1);
}
GST_END_TEST

/* What was dropped behind the last packet is lost, though no number shows it. */
GST_START_TEST (test_end)
{
  drop (AFXDP_COLUMN_RX_RING, 2, 50, 90);
  drop (AFXDP_COLUMN_REDIRECT, 4, 100, 110);
  drop (AFXDP_COLUMN_NIC, 8, 100, 110);
  drop (AFXDP_COLUMN_PAUSED, 16, 100, 110);
  afxdp_attribution_end (attribution, 100 * MS);
  assert_lost (REDIRECT, 4);
  assert_sum (4);
}
GST_END_TEST

/* Who was forgotten cannot be found: that is said. */
GST_START_TEST (test_forgotten)
{
  for (guint i = 0; i < AFXDP_ATTRIBUTION_DROPS + 2; i++)
    drop (AFXDP_COLUMN_RX_RING, 1, 100 + 10 * i, 105 + 10 * i);
  gap (SSRC, 10, 1, 108, 112);
  judge (6000, 6000);
  assert_lost (UNKNOWN, 1);
  gap (SSRC, 20, 1, 5000, 5006);
  judge (6000, 6000);
  assert_lost (RX_RING, 1);
  /* By time, too: at the end of this judgement. */
  judge (20000, 20000);
  gap (SSRC, 30, 1, 5020, 5026);
  judge (20000, 20000);
  assert_lost (UNKNOWN, 2);
  assert_lost (RX_RING, 1);
}
GST_END_TEST

/* Nobody answers, and gaps come: the oldest are given up. */
GST_START_TEST (test_too_many_wait)
{
  for (guint i = 0; i < AFXDP_ATTRIBUTION_WAITING + 3; i++) {
    gap (SSRC, 10 * i, 2, i, i + 1);
    judge (0, 100);
  }
  assert_lost (UNKNOWN, 6);
  fail_unless_equals_uint64 (
      afxdp_attribution_n_waiting (attribution), 2 * AFXDP_ATTRIBUTION_WAITING);
  judge (AFXDP_ATTRIBUTION_WAITING + 10, AFXDP_ATTRIBUTION_WAITING + 10);
  assert_lost (UNKNOWN, 6);
  assert_sum (2 * AFXDP_ATTRIBUTION_WAITING + 6);
  fail_unless_equals_uint64 (afxdp_attribution_n_waiting (attribution), 0);
}
GST_END_TEST

/* A packet of before those that are remembered takes another column's loss back,
 * whose packets may come as well: no column falls below 0. */
GST_START_TEST (test_came_of_long_ago)
{
  drop (AFXDP_COLUMN_RX_RING, 1, 1, 2);
  for (guint i = 0; i <= AFXDP_ATTRIBUTION_GAPS; i++) {
    gap (SSRC, 10 * i, 1, 10 * i + 1, 10 * i + 2);
    judge (10 * i + 2, 10 * i + 2);
  }
  assert_lost (RX_RING, 1);
  assert_lost (NETWORK, AFXDP_ATTRIBUTION_GAPS);
  for (guint i = 0; i <= AFXDP_ATTRIBUTION_GAPS; i++) {
    afxdp_attribution_came (attribution, SSRC, 10 * i);
    assert_sum (AFXDP_ATTRIBUTION_GAPS - i);
  }
  assert_lost (RX_RING, 0);
  assert_lost (NETWORK, 0);
}
GST_END_TEST

/* As many as there are room for, and the sum holds. */
GST_START_TEST (test_many)
{
  guint64 n = 0;

  for (guint i = 0; i < 3 * AFXDP_ATTRIBUTION_GAPS; i++) {
    gap (SSRC, 10 * i, 2, 10 * i, 10 * i + 1);
    if (i % 3)
      drop (AFXDP_COLUMN_SOCKET_BUFFER, 1, 10 * i, 10 * i + 1);
    n += 2;
    judge (10 * i + 1, 10 * i + 1);
    if (i % 5 == 0) {
      afxdp_attribution_came (attribution, SSRC, 10 * (i / 2) + 1);
      n--;
    }
    assert_sum (n);
  }
}
GST_END_TEST

static Suite *
attribution_suite (void)
{
  Suite *suite = suite_create ("attribution");
  TCase *tcase = tcase_create ("attribution");

  suite_add_tcase (suite, tcase);
  tcase_add_checked_fixture (tcase, set_up, tear_down);
  tcase_add_test (tcase, test_network);
  tcase_add_test (tcase, test_the_same_packet);
  tcase_add_test (tcase, test_two_sources);
  tcase_add_test (tcase, test_another_time);
  tcase_add_test (tcase, test_several_causes);
  tcase_add_test (tcase, test_waiting);
  tcase_add_test (tcase, test_last_judgement);
  tcase_add_test (tcase, test_came);
  tcase_add_test (tcase, test_came_while_waiting);
  tcase_add_test (tcase, test_taken_back);
  tcase_add_test (tcase, test_end);
  tcase_add_test (tcase, test_forgotten);
  tcase_add_test (tcase, test_too_many_wait);
  tcase_add_test (tcase, test_came_of_long_ago);
  tcase_add_test (tcase, test_many);
  return suite;
}

GST_CHECK_MAIN (attribution);
