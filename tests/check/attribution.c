/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where missing RTP packets are said to have been lost. */
#include "attribution.h"

#include <string.h>

#include "charges.h"
#include "drophistory.h"
#include "suite.h"

#define MS G_GUINT64_CONSTANT (1000000)
#define SSRC 7

static guint64 lost[AFXDP_N_COLUMNS];
static AfxdpAttribution *attribution;
static GArray *verdicts;

static guint n_corrected, n_joined;
static gint64 corrected;   /* cycles of the latest correction */
static AfxdpRtpGap joined; /* what join() tells, if its missing is not 0 */

static gboolean
correct (guint32 ssrc, guint64 end, gint64 cycles, gpointer user_data)
{
  n_corrected++;
  corrected = cycles;
  return TRUE;
}

static gboolean
join (guint32 ssrc, guint64 shown, guint64 missing, gpointer user_data)
{
  n_joined++;
  joined.missing = missing;
  joined.end = joined.first + missing;
  afxdp_attribution_add_gap (attribution, &joined);
  return TRUE;
}

static void
set_up (void)
{
  static const AfxdpAttributionFuncs funcs = { correct, join };

  memset (lost, 0, sizeof lost);
  n_corrected = n_joined = 0;
  attribution = afxdp_attribution_new (lost, &funcs, NULL);
  verdicts = g_array_new (FALSE, FALSE, sizeof (AfxdpVerdict));
}

static void
tear_down (void)
{
  afxdp_attribution_free (attribution);
  g_array_unref (verdicts);
}

/* Times in ms. */

static AfxdpRtpGap
make_gap (
    guint32 ssrc, guint64 first, guint64 missing, guint64 before, guint64 shown)
{
  return (AfxdpRtpGap){
    .ssrc = ssrc,
    .first = first,
    .end = first + missing,
    .missing = missing,
    .before = before * MS,
    .shown = shown * MS,
  };
}

static void
gap (
    guint32 ssrc, guint64 first, guint64 missing, guint64 before, guint64 shown)
{
  AfxdpRtpGap gap = make_gap (ssrc, first, missing, before, shown);

  afxdp_attribution_add_gap (attribution, &gap);
}

/* One of which only the remainder is known. */
static void
uncertain_gap (guint32 ssrc, guint64 first, guint64 missing, guint64 before,
    guint64 shown, guint64 possible)
{
  AfxdpRtpGap gap = make_gap (ssrc, first, missing, before, shown);

  gap.uncertain = TRUE;
  gap.possible = possible;
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

static gchar *
describe_ledger (void)
{
  GString *text = g_string_new ("");

  for (guint i = AFXDP_FIRST_LOSS; i < AFXDP_N_COLUMNS; i++)
    if (lost[i])
      g_string_append_printf (text, "%s%s %" G_GUINT64_FORMAT,
          text->len ? " " : "", afxdp_column_where (i), lost[i]);
  return g_string_free (text, FALSE);
}

/* So many are lost at each place, as "network 1 rx-ring 2", and none elsewhere. */
#define assert_ledger(text)                     \
  do {                                          \
    g_autofree gchar *is_ = describe_ledger (); \
    fail_unless_equals_string (is_, text);      \
  } while (0)

static void
assert_sum (guint64 n)
{
  guint64 sum = 0;

  for (guint i = 0; i < AFXDP_N_COLUMNS; i++)
    sum += lost[i];
  fail_unless_equals_uint64 (sum, n);
}

/* What nothing on this host explains. */
TEST (test_network)
{
  gap (SSRC, 10, 3, 100, 110);
  fail_unless_equals_uint64 (afxdp_attribution_n_waiting (attribution), 3);
  fail_unless_equals_uint64 (afxdp_attribution_wants (attribution), 110 * MS);
  judge (110, 111);
  fail_unless_equals_uint64 (afxdp_attribution_n_waiting (attribution), 0);
  fail_unless_equals_uint64 (afxdp_attribution_wants (attribution), 0);
  assert_ledger ("network 3");
  fail_unless_equals_int (verdicts->len, 1);
}

/* What was dropped where nobody could count it: of what is missing from that time, all
 * that nothing else explains, whatever is known. */
TEST (test_uncounted)
{
  drop (AFXDP_COLUMN_DISTRIBUTOR, 0, 100, 200);
  drop (AFXDP_COLUMN_RX_RING, 2, 120, 130);
  gap (SSRC, 10, 5, 119, 131);
  gap (SSRC, 20, 7, 50, 90);
  gap (SSRC, 30, 11, 210, 290);
  gap (SSRC, 50, 13, 190, 220);
  judge (300, 301);
  assert_ledger ("network 18 rx-ring 2 distributor 16");
  assert_sum (36);
  /* The end is not charged for it: nothing is known to be missing. */
  drop (AFXDP_COLUMN_DISTRIBUTOR, 0, 400, 500);
  afxdp_attribution_end (attribution, 450 * MS);
  assert_sum (36);
}

/* Also where not all drops are known in the end. */
TEST (test_uncounted_when_patience_ends)
{
  drop (AFXDP_COLUMN_DISTRIBUTOR, 0, 100, 200);
  gap (SSRC, 10, 5, 150, 151);
  gap (SSRC, 20, 3, 300, 310);
  judge (0, 311);
  assert_sum (0);
  judge (0, 312 + AFXDP_ATTRIBUTION_PATIENCE / MS);
  assert_sum (8);
  fail_unless_equals_uint64 (lost[AFXDP_COLUMN_DISTRIBUTOR], 5);
  fail_unless_equals_uint64 (lost[AFXDP_COLUMN_UNKNOWN], 3);
}

/* So many times are remembered, the latest, and none is used up. */
TEST (test_many_uncounted)
{
  for (guint i = 0; i <= AFXDP_DROP_HISTORY_UNCOUNTED; i++)
    drop (AFXDP_COLUMN_DISTRIBUTOR, 0, 1000 * i + 100, 1000 * i + 200);
  gap (SSRC, 10, 1, 150, 160);
  gap (SSRC, 20, 2, 1150, 1160);
  gap (SSRC, 30, 4, 1170, 1180);
  gap (SSRC, 40, 8, 1000 * AFXDP_DROP_HISTORY_UNCOUNTED + 150,
      1000 * AFXDP_DROP_HISTORY_UNCOUNTED + 160);
  judge (50000, 50001);
  fail_unless_equals_uint64 (lost[AFXDP_COLUMN_DISTRIBUTOR], 14);
  assert_sum (15);
}

/* A drop that the same packet showed is the gap's, whichever is judged first. */
TEST (test_the_same_packet)
{
  drop (AFXDP_COLUMN_RX_RING, 5, 100, 120);
  gap (SSRC, 10, 3, 99, 119);
  gap (SSRC, 20, 5, 110, 120);
  judge (200, 200);
  assert_ledger ("network 3 rx-ring 5");
  fail_unless_equals_uint64 (
      g_array_index (verdicts, AfxdpVerdict, 0).lost[AFXDP_COLUMN_NETWORK], 3);
  fail_unless_equals_uint64 (
      g_array_index (verdicts, AfxdpVerdict, 1).lost[AFXDP_COLUMN_RX_RING], 5);
}

/* Two sources share what was dropped of their flow: each packet explains one. */
TEST (test_two_sources)
{
  drop (AFXDP_COLUMN_FILL_RING, 5, 100, 120);
  gap (1, 10, 2, 99, 120);
  gap (2, 10, 4, 90, 125);
  judge (200, 200);
  assert_ledger ("network 1 fill-ring 5");
}

TEST (test_another_time)
{
  drop (AFXDP_COLUMN_SOCKET_BUFFER, 5, 100, 120);
  gap (SSRC, 10, 2, 130, 140);
  judge (200, 200);
  assert_ledger ("network 2");
}

TEST (test_several_causes)
{
  drop (AFXDP_COLUMN_RX_RING, 2, 100, 110);
  drop (AFXDP_COLUMN_PAUSED, 3, 105, 119);
  drop (AFXDP_COLUMN_NIC, 100, 0, 130);
  gap (SSRC, 10, 9, 100, 120);
  judge (200, 200);
  assert_ledger ("nic 4 rx-ring 2 paused 3");
  fail_unless_equals_int (verdicts->len, 1);
}

/* Not judged before the interface was asked, but for what needs no answer; and not
 * held up for ever. */
TEST (test_waiting)
{
  drop (AFXDP_COLUMN_REDIRECT, 1, 100, 110);
  gap (SSRC, 10, 1, 100, 110);
  gap (SSRC, 20, 1, 110, 120);
  judge (105, 130);
  assert_ledger ("redirect 1");
  fail_unless_equals_uint64 (afxdp_attribution_n_waiting (attribution), 1);
  judge (105, 130 + 1999);
  assert_sum (1);
  judge (105, 130 + 2001);
  assert_lost (UNKNOWN, 1);
  fail_unless_equals_uint64 (afxdp_attribution_n_waiting (attribution), 0);
}

/* At the end nothing waits, not even what was never tried before. */
TEST (test_last_judgement)
{
  gap (SSRC, 10, 2, 100, 110);
  afxdp_attribution_judge (attribution, 105 * MS, G_MAXUINT64, note, NULL);
  assert_lost (UNKNOWN, 2);
  fail_unless_equals_uint64 (afxdp_attribution_n_waiting (attribution), 0);
  fail_unless_equals_int (verdicts->len, 1);
}

/* Late packets give their loss back where it was charged. */
TEST (test_came)
{
  drop (AFXDP_COLUMN_RX_RING, 2, 100, 110);
  gap (SSRC, 10, 2, 100, 110);
  gap (SSRC, 20, 2, 110, 120);
  judge (200, 200);
  afxdp_attribution_came (attribution, SSRC, 21);
  assert_ledger ("network 1 rx-ring 2");
  afxdp_attribution_came (attribution, SSRC, 10);
  assert_lost (RX_RING, 1);
}

/* What a counter counted stays, as long as something is left that none counted: the
 * same as if the packet had come before the judgement. */
TEST (test_came_of_several_columns)
{
  drop (AFXDP_COLUMN_RX_RING, 2, 100, 110);
  gap (SSRC, 10, 3, 100, 110);
  judge (200, 200);
  afxdp_attribution_came (attribution, SSRC, 10);
  assert_ledger ("rx-ring 2");
  afxdp_attribution_came (attribution, SSRC, 11);
  assert_ledger ("rx-ring 1");
}

/* Five were dropped, and four are missing: which place dropped one of another kind is
 * not known, nor told. */
TEST (test_came_of_several_counters)
{
  drop (AFXDP_COLUMN_RX_RING, 2, 100, 110);
  drop (AFXDP_COLUMN_FILL_RING, 3, 100, 110);
  gap (SSRC, 10, 5, 100, 110);
  judge (200, 200);
  assert_lost (UNKNOWN, 0);
  for (guint i = 0; i < 5; i++) {
    static const guint64 left[][3] = { { 1, 2, 1 }, { 0, 1, 2 }, { 0, 0, 2 },
      { 0, 0, 1 }, { 0, 0, 0 } };

    afxdp_attribution_came (attribution, SSRC, 10 + i);
    assert_lost (RX_RING, left[i][0]);
    assert_lost (FILL_RING, left[i][1]);
    assert_lost (UNKNOWN, left[i][2]);
    assert_sum (4 - i);
  }
}

/* And likewise while the gap waits. */
TEST (test_came_of_several_while_waiting)
{
  drop (AFXDP_COLUMN_RX_RING, 2, 100, 110);
  drop (AFXDP_COLUMN_FILL_RING, 3, 100, 110);
  gap (SSRC, 10, 6, 100, 110);
  judge (0, 110);
  afxdp_attribution_came (attribution, SSRC, 10);
  afxdp_attribution_came (attribution, SSRC, 11);
  judge (200, 200);
  assert_ledger ("rx-ring 1 fill-ring 2 unknown 1");
}

/* A late packet of a gap that is forgotten is one of the unknown; or, where there are
 * none, of each column's, and then no column tells of it. */
TEST (test_came_of_a_forgotten_gap)
{
  drop (AFXDP_COLUMN_RX_RING, 2, 100, 110);
  gap (SSRC, 10, 2, 100, 110);
  gap (SSRC, 20, 9, 110, 120);
  judge (200, 200);
  afxdp_attribution_came (attribution, SSRC, 999);
  assert_ledger ("network 8 rx-ring 1 unknown 1");
  afxdp_attribution_came (attribution, SSRC + 1, 11);
  assert_ledger ("network 8 rx-ring 1");
}

/* Where only one column has lost anything, it is that one's. */
TEST (test_came_of_the_only_column)
{
  gap (SSRC, 20, 9, 110, 120);
  judge (200, 200);
  afxdp_attribution_came (attribution, SSRC, 999);
  assert_ledger ("network 8");
}

TEST (test_came_while_waiting)
{
  gap (SSRC, 10, 2, 100, 110);
  judge (0, 110);
  afxdp_attribution_came (attribution, SSRC, 11);
  fail_unless_equals_uint64 (afxdp_attribution_n_waiting (attribution), 1);
  judge (200, 200);
  assert_ledger ("network 1");
}

/* In generic mode packets overtake each other: not lost after all. */
TEST (test_taken_back)
{
  drop (AFXDP_COLUMN_REDIRECT, 2, 100, 110);
  drop (AFXDP_COLUMN_REDIRECT, -1, 110, 110);
  gap (SSRC, 10, 2, 100, 110);
  judge (200, 200);
  assert_ledger ("network 1 redirect 1");
}

/* What was dropped behind the last packet is lost, though no number shows it. */
TEST (test_end)
{
  guint64 after[AFXDP_N_COLUMNS] = { 0 };

  drop (AFXDP_COLUMN_RX_RING, 2, 50, 90);
  drop (AFXDP_COLUMN_REDIRECT, 4, 100, 110);
  drop (AFXDP_COLUMN_NIC, 8, 100, 110);
  drop (AFXDP_COLUMN_PAUSED, 16, 100, 110);
  afxdp_attribution_add_after (attribution, 100 * MS, after);
  fail_unless_equals_uint64 (after[AFXDP_COLUMN_REDIRECT], 4);
  assert_sum (0);
  afxdp_attribution_end (attribution, 100 * MS);
  fail_if (memcmp (after, lost, sizeof lost));
  assert_ledger ("redirect 4");
}

/* Drops of which it is only not said yet whose gap they are: in the list, or charged to
 * a gap that waits for more. */
TEST (test_known)
{
  drop (AFXDP_COLUMN_SOCKET_BUFFER, 3, 50, 99);
  drop (AFXDP_COLUMN_SOCKET_BUFFER, 150, 150, 200);
  drop (AFXDP_COLUMN_NIC, 50, 150, 200);
  drop (AFXDP_COLUMN_SOCKET_BUFFER, 1000, 200, 210);
  fail_unless_equals_uint64 (
      afxdp_attribution_n_known (attribution, 100 * MS, 200 * MS), 150);
  gap (SSRC, 10, 250, 150, 190);
  judge (180, 200);
  fail_unless_equals_int (verdicts->len, 0);
  fail_unless_equals_uint64 (
      afxdp_attribution_n_known (attribution, 100 * MS, 200 * MS), 200);
}

/* Who was forgotten cannot be found: that is said. */
TEST (test_forgotten)
{
  for (guint i = 0; i < AFXDP_DROP_HISTORY_MOST + 1; i++)
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
  assert_ledger ("rx-ring 1 unknown 2");
}

/* Of drops that come thick, none is forgotten: those of one place become one. */
TEST (test_many_drops)
{
  const guint n = 20 * AFXDP_DROP_HISTORY_MOST;

  for (guint i = 0; i < n; i++) {
    AfxdpDrop drop = { i % 2 ? AFXDP_COLUMN_RX_RING
                             : AFXDP_COLUMN_SOCKET_BUFFER,
      1, i * MS / 100, (i + 1) * MS / 100 };

    afxdp_attribution_add_drop (attribution, &drop);
  }
  gap (SSRC, 10, n + 5, 0, 200);
  judge (200, 200);
  assert_lost (RX_RING, n / 2);
  assert_lost (SOCKET_BUFFER, n / 2);
  assert_lost (NETWORK, 5);
}

/* Until somebody answers, gaps that lie together become one, and are all told. */
TEST (test_many_gaps)
{
  const guint n = 20 * AFXDP_ATTRIBUTION_WAITING;
  guint n_gaps = 0;

  for (guint i = 0; i < n; i++) {
    AfxdpRtpGap gap = { .ssrc = i % 2,
      .first = 3 * i,
      .end = 3 * i + 2,
      .missing = 2,
      .before = 100 * MS + i * MS / 100,
      .shown = 100 * MS + (i + 1) * MS / 100 };

    afxdp_attribution_add_gap (attribution, &gap);
  }
  fail_unless_equals_uint64 (afxdp_attribution_n_waiting (attribution), 2 * n);
  /* Late ones find theirs. */
  afxdp_attribution_came (attribution, 0, 0);
  afxdp_attribution_came (attribution, 1, 3 * (n - 1) + 1);
  fail_unless_equals_uint64 (
      afxdp_attribution_n_waiting (attribution), 2 * n - 2);
  drop (AFXDP_COLUMN_RX_RING, 7, 150, 151);
  judge (1000, 1000);
  assert_lost (RX_RING, 7);
  assert_lost (NETWORK, 2 * n - 2 - 7);
  for (guint i = 0; i < verdicts->len; i++)
    n_gaps += g_array_index (verdicts, AfxdpVerdict, i).n_gaps;
  fail_unless_equals_int (n_gaps, n);
  afxdp_attribution_came (attribution, 0, 3 * 500);
  assert_sum (2 * n - 3);
}

/* Nobody answers, and gaps come that are far from each other: the oldest are given
 * up. */
TEST (test_too_many_wait)
{
  for (guint i = 0; i < AFXDP_ATTRIBUTION_WAITING + 1; i++) {
    gap (SSRC, 10 * i, 2, 11 * i, 11 * i + 11);
    judge (0, 100);
  }
  fail_unless (lost[AFXDP_COLUMN_UNKNOWN] > 0);
  assert_sum (lost[AFXDP_COLUMN_UNKNOWN]);
  fail_unless_equals_uint64 (afxdp_attribution_n_waiting (attribution),
      2 * (AFXDP_ATTRIBUTION_WAITING + 1) - lost[AFXDP_COLUMN_UNKNOWN]);
  judge (12 * AFXDP_ATTRIBUTION_WAITING, 12 * AFXDP_ATTRIBUTION_WAITING);
  assert_sum (2 * (AFXDP_ATTRIBUTION_WAITING + 1));
  fail_unless_equals_uint64 (afxdp_attribution_n_waiting (attribution), 0);
}

/* Drops decide how long a gap is of which only the remainder is known. */

static const struct
{
  guint64 missing; /* as time tells it */
  guint64 possible;
  guint64 dropped;
  guint64 really;
} lengths[] = {
  /* Nothing was dropped. */
  { 0, 200000, 0, 0 },
  { 70000, 200000, 0, 70000 },
  /* All that is missing was. */
  { 187389 - 65536, 300000, 187389, 187389 },
  { 187389 + 65536, 300000, 187389, 187389 },
  { 187389 % 65536, 0, 187389, 187389 },
  { 0, 70000, 65536, 65536 },
  /* And some packets that were not RTP, or the network's. */
  { 187389 + 65536, 300000, 187392, 187389 },
  { 187389 - 65536, 300000, 187300, 187389 },
  { 187389, 300000, 187300, 187389 },
  /* No packet of the stream was. */
  { 0, 200000, 10, 0 },
  { 500, 200000, 501, 500 },
  /* The network lost most. */
  { 500000, 600000, 10, 500000 },
  { 260000, 300000, 60000, 260000 },
  /* Some of it, beside what was dropped: no more than must be. */
  { 168000, 300000, 99000, 168000 - 65536 },
  { 168000, 300000, 103000, 168000 },
  /* The sender was held up and has caught up: more than time allows was dropped. */
  { 59826, 114131, 125362, 125362 },
  { 59826, 114131, 125051, 125362 },
  /* More was dropped than could be missing. */
  { 3000, 100000, 50000, 3000 + 65536 },
  { 3000, 50000, 50000, 3000 },
};

TABLE_TEST (test_length, lengths)
{
  guint64 missing = lengths[__i__].missing, really = lengths[__i__].really;
  guint64 dropped = lengths[__i__].dropped;

  uncertain_gap (SSRC, 10, missing, 1000, 2000, lengths[__i__].possible);
  gap (SSRC, 10 + missing + 10, 1, 2010, 2011);
  /* Not before all drops are known. */
  drop (AFXDP_COLUMN_SOCKET_BUFFER, dropped / 2, 1200, 2000);
  judge (1500, 2012);
  fail_unless_equals_int (verdicts->len, 0);
  drop (AFXDP_COLUMN_SOCKET_BUFFER, dropped - dropped / 2, 1200, 2000);
  drop (AFXDP_COLUMN_NIC, 100000, 5000, 5001);
  judge (2500, 2500);
  fail_unless_equals_int (n_corrected, missing != really);
  if (missing != really)
    fail_unless_equals_int64 (
        corrected, ((gint64) really - (gint64) missing) / 65536);
  assert_sum (really + 1);
  assert_lost (SOCKET_BUFFER, MIN (dropped, really));
  assert_lost (NETWORK, really - MIN (dropped, really) + 1);
  fail_unless_equals_uint64 (
      g_array_index (verdicts, AfxdpVerdict, 0).gap.missing, really);
  /* What is behind has moved, too. */
  afxdp_attribution_came (attribution, SSRC, 10 + really + 10);
  assert_sum (really);
  assert_lost (NETWORK, really - MIN (dropped, really));
}

/* Two sources lost as many in the same time. */
TEST (test_length_of_two)
{
  for (guint i = 0; i < 2; i++)
    uncertain_gap (i, 10, 34464, 1000, 2000 + i, 120000);
  drop (AFXDP_COLUMN_SOCKET_BUFFER, 200000, 1200, 2000);
  judge (2500, 2500);
  fail_unless_equals_int (n_corrected, 2);
  assert_ledger ("socket-buffer 200000");
}

/* What looked like a restart. */
static void
restart (guint16 last, guint16 first, guint64 possible)
{
  AfxdpRtpEvent event = {
    .state = AFXDP_RTP_SOURCE_RESTARTED,
    .ssrc = SSRC,
    .first = first,
    .shown = 2000 * MS,
    .last = last,
    .before = 1000 * MS,
    .possible = possible,
  };

  joined = (AfxdpRtpGap){ .ssrc = SSRC,
    .first = last + 1,
    .before = event.before,
    .shown = event.shown };
  afxdp_attribution_add_restart (attribution, &event);
}

TEST (test_restart_that_was_none)
{
  restart (4999, 60000, 200000);
  gap (SSRC, 60010, 2, 2010, 2020);
  fail_unless (afxdp_attribution_wants (attribution) >= 2000 * MS);
  judge (1500, 2021);
  fail_unless_equals_int (n_joined, 0);
  drop (AFXDP_COLUMN_SOCKET_BUFFER, 55000 + 65536 + 1, 1200, 2000);
  judge (2500, 2500);
  fail_unless_equals_int (n_joined, 1);
  assert_ledger ("network 2 socket-buffer 120536");
  /* The numbers behind go on from those before. */
  afxdp_attribution_came (attribution, SSRC, 60010 + 65536);
  assert_lost (NETWORK, 1);
  fail_unless_equals_uint64 (afxdp_attribution_wants (attribution), 0);
}

/* Recorded: a burst that the socket could not take, and the next, in the same ms. */
TEST (test_restart_beside_other_drops)
{
  drop (AFXDP_COLUMN_SOCKET_BUFFER, 9557, 978, 999);
  drop (AFXDP_COLUMN_SOCKET_BUFFER, 15349, 1000, 2000);
  drop (AFXDP_COLUMN_SOCKET_BUFFER, 9076, 2000, 2200);
  restart (60067, 9881, 14032);
  judge (2500, 2500);
  fail_unless_equals_int (n_joined, 1);
  assert_ledger ("socket-buffer 15349");
}

/* A few packets of it were the network's, or not RTP. */
TEST (test_restart_with_a_remainder)
{
  restart (4999, 60000, 200000);
  drop (AFXDP_COLUMN_SOCKET_BUFFER, 55000 - 100, 1200, 2000);
  judge (2500, 2500);
  fail_unless_equals_int (n_joined, 1);
  assert_ledger ("network 100 socket-buffer 54900");
}

/* Recorded: what the socket dropped while the process stood still is the gap's that
 * has just as many, and not of a pause beside it; the gap came later, as it seemed. */
TEST (test_pause_beside_a_gap)
{
  drop (AFXDP_COLUMN_SOCKET_BUFFER, 200067, 1000, 3005);
  uncertain_gap (SSRC, 101592, 0, 1000, 3007, 253862);
  uncertain_gap (SSRC, 102063, 200067, 3008, 3009, 203287);
  judge (3100, 3100);
  fail_unless_equals_int (n_corrected, 0);
  assert_ledger ("socket-buffer 200067");
}

/* Drops of two places that follow each other, and reach over each other's gaps. */
TEST (test_lengths_of_neighbours)
{
  drop (AFXDP_COLUMN_RX_RING, 84215, 1000, 1618);
  drop (AFXDP_COLUMN_SOCKET_BUFFER, 99252, 1281, 1619);
  uncertain_gap (SSRC, 10, 84215, 1000, 1281, 160000);
  judge (1620, 1620);
  uncertain_gap (SSRC, 90000, 99254, 1287, 1618, 200000);
  judge (1900, 1900);
  fail_unless_equals_int (n_corrected, 0);
  assert_ledger ("network 2 rx-ring 84215 socket-buffer 99252");
}

/* Recorded: the packet that shows a gap also shows what the socket had dropped before,
 * which is another gap's, but for a few that were not RTP. */
TEST (test_number_before_packet)
{
  gap (SSRC, 10, 63384, 1000, 1200);
  gap (SSRC, 70000, 23755, 1216, 1300);
  drop (AFXDP_COLUMN_PAUSED, 63396, 950, 1300);
  drop (AFXDP_COLUMN_RX_RING, 23739, 1216, 1310);
  judge (1400, 1400);
  assert_ledger ("network 4 rx-ring 23739 paused 63396");
}

/* A whole turn of the numbers more than was dropped is nobody's loss. */
TEST (test_no_turn_beside_drops)
{
  drop (AFXDP_COLUMN_SOCKET_BUFFER, 5000, 900, 1000);
  drop (AFXDP_COLUMN_SOCKET_BUFFER, 99252, 1000, 1400);
  drop (AFXDP_COLUMN_RX_RING, 7000, 1400, 1500);
  uncertain_gap (SSRC, 10, 99252 + 65536, 1000, 1400, 200000);
  judge (1500, 1500);
  fail_unless_equals_int (n_corrected, 1);
  assert_ledger ("socket-buffer 99252");
}

/* Recorded: drops that reach over the gaps behind, which are not known yet. */
TEST (test_time_was_wrong)
{
  drop (AFXDP_COLUMN_SOCKET_BUFFER, 191101, 1000, 3368);
  drop (AFXDP_COLUMN_SOCKET_BUFFER, 30641, 1400, 3400);
  uncertain_gap (SSRC, 10, 212505 + 2 * 65536, 1100, 3246, 400000);
  judge (3420, 3420);
  fail_unless_equals_int (n_corrected, 1);
  assert_ledger ("socket-buffer 212505");
}

/* Recorded: the host had no processor for 0.9 s. Of what the socket dropped then, some
 * belongs to gaps behind that are not known yet. */
TEST (test_restart_within_drops)
{
  guint64 missing = 353376;

  restart (27259, 27259 + 1 + missing % 65536, 300000);
  for (guint i = 0; i < 30; i++)
    drop (AFXDP_COLUMN_OVERLOAD, 10300, 1010 + 30 * i, 1040 + 30 * i);
  drop (AFXDP_COLUMN_SOCKET_BUFFER, 63223, 1950, 2030);
  judge (2500, 2500);
  fail_unless_equals_int (n_joined, 1);
  assert_ledger ("socket-buffer 44376 overload 309000");
}

/* Recorded: what the socket dropped is also of gaps behind, and all together is by
 * chance nearly as much as another turn would be. */
TEST (test_sum_by_chance)
{
  drop (AFXDP_COLUMN_OVERLOAD, 20704, 1200, 1230);
  drop (AFXDP_COLUMN_SOCKET_BUFFER, 184828, 823, 1487);
  drop (AFXDP_COLUMN_SOCKET_BUFFER, 42149, 1260, 1830);
  uncertain_gap (SSRC, 10, 182007, 1100, 1418, 300000);
  judge (1850, 1850);
  fail_unless_equals_int (n_corrected, 0);
  assert_ledger ("socket-buffer 161303 overload 20704");
}

TEST (test_restart)
{
  restart (4999, 60000, 200000);
  judge (2500, 2500);
  restart (4999, 60000, 200000);
  drop (AFXDP_COLUMN_SOCKET_BUFFER, 54000, 1200, 2000);
  judge (2500, 2500);
  /* The very next number, and few drops. */
  restart (4999, 5004, 200000);
  judge (2500, 2500);
  fail_unless_equals_int (n_joined, 0);
  assert_sum (0);
  fail_unless_equals_uint64 (afxdp_attribution_wants (attribution), 0);
}

/* All packets come after all, one of them of a gap that is forgotten: no column falls
 * below 0, and none keeps a loss. */
TEST (test_came_of_long_ago)
{
  drop (AFXDP_COLUMN_RX_RING, 1, 1, 2);
  /* In turns, so that none follows one of its own. */
  for (guint i = 0; i <= AFXDP_CHARGES_MOST; i++) {
    gap (SSRC + i % 2, 10 * i, 1, 10 * i + 1, 10 * i + 2);
    judge (10 * i + 2, 10 * i + 2);
  }
  assert_lost (RX_RING, 1);
  assert_lost (NETWORK, AFXDP_CHARGES_MOST);
  for (guint i = 0; i <= AFXDP_CHARGES_MOST; i++) {
    afxdp_attribution_came (attribution, SSRC + i % 2, 10 * i);
    assert_sum (AFXDP_CHARGES_MOST - i);
    assert_lost (RX_RING, 0);
  }
}

/* As many as there are room for, and the sum holds. */
TEST (test_many)
{
  guint64 n = 0;

  for (guint i = 0; i < 3 * AFXDP_CHARGES_MOST; i++) {
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

SUITE ("attribution", 0, set_up, tear_down)
