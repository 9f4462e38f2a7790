/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One network takes longer than the other: within reorder-window each protects the
 * other, and beyond it the later one cannot. */
#include "network.h"
#include "../check/tap.h"
#include "twolegs.h"

/* Every tenth of each leg is missing, of whole tens. The senders sleep: see twolegs.h. */
#define SEND TWOLEGS_STEADY "--rate=18000 --script-every=10 "
#define HELD_UP (2 * GST_MSECOND)

static const gchar *const disjoint[TWOLEGS] = { "--gap=3:1", "--gap=7:1" };

static const struct
{
  gint behind; /* ms: the second leg; the first, when it is negative */
  guint window;
} skews[] = {
  { 0, 10 },
  { 2, 10 },
  { 4, 10 },
  { 6, 10 },
  { 8, 10 },
  { 12, 10 },
  { -4, 10 },
  { -8, 10 },
  { -12, 10 },
  { 450, 500 },
  { -450, 500 },
  { 560, 500 },
};

/* How much later than the other a leg's packets came, about as it was sent. */
static void
assert_skew (Receiver *receiver, guint leg, gdouble ms, gdouble tolerance)
{
  static const gchar *const names[] = { "skew-min", "skew-avg", "skew-p99" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    gdouble told = twolegs_stat (receiver, leg, names[i]) / 1e6;

    fail_unless (ABS (told - ms) <= tolerance + ms * 0.07, "%s is %.1f ms: %s",
        names[i], told, twolegs_describe (receiver));
  }
  g_assert_cmpuint (twolegs_stat (receiver, leg, "skew-max"), >=,
      twolegs_stat (receiver, leg, "skew-min"));
}

/* Of n numbers all came, each once and in order. */
static void
assert_protected (Receiver *receiver, guint64 n)
{
  receiver_assert_stat (receiver, "packets", n);
  receiver_assert_stat (receiver, "repeated", n / 10 * 8);
  receiver_assert_none (
      receiver, "lost", "late", "waits-cut-short", "duplicates", "restarts");
  for (guint i = 0; i < TWOLEGS; i++)
    twolegs_assert_stat (receiver, i, "recovered", n / 10);
}

/* Those that the first leg to come had not, came when their turn was over. */
static void
assert_unprotected (Receiver *receiver, guint later, guint64 window, guint64 n)
{
  const guint64 missing = n / 10, late = receiver_stat (receiver, "late");

  fail_unless_equals_uint64 (receiver_stat (receiver, "packets") + late, n);
  twolegs_assert_stat (receiver, later, "late", late);
  twolegs_assert_stat (receiver, later, "recovered", missing - late);
  twolegs_assert_stat (receiver, !later, "late", 0);
  receiver_assert_none (
      receiver, "lost", "duplicates", "restarts", "waits-cut-short");
  /* A thread that was held up finds packets of both legs, and may take those of the
   * later one first: then some are protected that need not be. */
  if (late == missing)
    return;
  g_assert_cmpuint (
      receiver_stat (receiver, "latency-max"), >, window + HELD_UP);
  if (late < missing / 2)
    suite_skip ("the receiving thread was held up all the time");
}

TABLE_TEST (test_skew, skews)
{
  const gint behind = skews[__i__].behind;
  const gdouble window = skews[__i__].window, skew = ABS (behind);
  const guint later = behind > 0;
  /* The later leg's packets are still compared where it cannot protect. */
  const guint64 n = skew > 100 ? 30000 : 15000;
  PayloadWatch watch = { 0 };
  g_autofree gchar *properties =
      g_strdup_printf ("reorder-window=%u000000 ", skews[__i__].window);
  g_autofree gchar *options =
      g_strdup_printf (SEND "--packets=%" G_GUINT64_FORMAT, n / 10 * 9);
  Receiver *receiver = twolegs_start (properties, NULL, &watch);
  GeneratorReport sent[TWOLEGS];
  gdouble late;

  twolegs_send (options, disjoint, behind, sent);
  late = MAX (sent[0].late, sent[1].late) * 1e3;
  twolegs_settle (receiver, sent, n);
  /* What is sent too late may come to the wrong side of the window. */
  if (receiver_stat (receiver, "packets") != (skew < window ? n : n / 10 * 9))
    twolegs_excuse (receiver, sent, ABS (window - skew) * 0.8);
  if (skew < window)
    assert_protected (receiver, n);
  else
    assert_unprotected (receiver, later, window * GST_MSECOND, n);
  if (skew)
    assert_skew (receiver, later, skew, 0.5 + late);
  receiver_free (receiver);
  fail_unless_equals_uint64 (watch.wrong, 0);
}

/* While the pipeline stands still, both legs' rings fill, and a batch of one is longer than
 * the window: the time that counts is when packets arrived, by both. */
TEST (test_held_up)
{
  const guint64 n = 6000;
  PayloadWatch watch = { 0 };
  g_autoptr (Receiver) receiver =
      twolegs_start ("reorder-window=10000000 ", NULL, &watch);
  g_autoptr (Tap) tap = tap_new_counting (receiver->src);
  const guint64 start = twolegs_start_time ();
  Generator *generators[TWOLEGS];
  GeneratorReport sent[TWOLEGS];

  for (guint i = 0; i < TWOLEGS; i++)
    generators[i] = twolegs_generate (i,
        TWOLEGS_STEADY "--rate=1800 --packets=5400 "
                       "--script-every=10 --start-at=%" G_GUINT64_FORMAT " %s",
        start, disjoint[i]);
  for (guint i = 1; i < 9; i++) {
    receiver_wait_stat (receiver, "packets", i * 600);
    tap_hold_for (tap, 150 * G_TIME_SPAN_MILLISECOND);
  }
  for (guint i = 0; i < TWOLEGS; i++)
    sent[i] = generator_finish_exact (generators[i]);
  if (!twolegs_settle (receiver, sent, n))
    twolegs_excuse (receiver, sent, 8);
  assert_protected (receiver, n);
  g_assert_cmpuint (
      receiver_stat (receiver, "latency-max"), >, 100 * GST_MSECOND);
  receiver_set_state (receiver, GST_STATE_NULL);
  fail_unless_equals_uint64 (watch.wrong, 0);
}

NETNS_SUITE ("legs-skew", network_up_with_two_wires)
