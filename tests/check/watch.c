/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a stream that AF_XDP should deliver comes to nothing. */

#include "watch.h"

#include "suite.h"

#define MS G_GUINT64_CONSTANT (1000000)
#define LOOK (150 * MS)

/* What is counted in a second. */
typedef struct
{
  const gchar *what;
  guint redirected, passed, delivered, cut, seen, elsewhere, arrived;
  guint others; /* packets that the rings of other streams get */
  gboolean waiting;
  AfxdpWatchVerdict verdict;
} Situation;

static const Situation situations[] = {
  { "nothing comes", .verdict = AFXDP_WATCH_WELL },
  { "the stream comes", .redirected = 1000, .delivered = 1000, .seen = 1000,
      .arrived = 1000, .verdict = AFXDP_WATCH_WELL },
  { "by the socket", .passed = 1000, .seen = 1000, .arrived = 1000,
      .verdict = AFXDP_WATCH_WELL },
  { "only others come", .seen = 100000, .arrived = 100000,
      .verdict = AFXDP_WATCH_WELL },
  { "others come on another queue", .elsewhere = 100000, .arrived = 100000,
      .verdict = AFXDP_WATCH_WELL },
  { "and the NIC drops most", .elsewhere = 100000, .arrived = 190000,
      .verdict = AFXDP_WATCH_WELL },
  { "a switch speaks", .arrived = 2, .verdict = AFXDP_WATCH_WELL },
  { "a damaged packet now and then", .cut = 2, .seen = 2, .arrived = 2,
      .verdict = AFXDP_WATCH_WELL },
  { "damaged ones among others", .cut = 500, .redirected = 500,
      .delivered = 500, .seen = 1000, .arrived = 1000,
      .verdict = AFXDP_WATCH_WELL },
  { "nobody reads", .redirected = 100, .seen = 1000, .arrived = 1000,
      .waiting = TRUE, .passed = 900, .verdict = AFXDP_WATCH_WELL },
  { "the NIC cuts them", .cut = 500, .seen = 1000, .arrived = 1500,
      .verdict = AFXDP_WATCH_CUT },
  { "a slow one is cut", .cut = 50, .seen = 50, .arrived = 50,
      .verdict = AFXDP_WATCH_CUT },
  { "others come whole", .cut = 500, .others = 1000, .seen = 1500,
      .arrived = 1500, .verdict = AFXDP_WATCH_CUT_HERE },
  { "others come whole on another queue", .cut = 50, .others = 20, .seen = 50,
      .elsewhere = 20, .arrived = 70, .verdict = AFXDP_WATCH_CUT_HERE },
  { "the program is not run", .arrived = 1000, .verdict = AFXDP_WATCH_UNSEEN },
  { "not on this queue", .elsewhere = 100, .arrived = 1100,
      .verdict = AFXDP_WATCH_UNSEEN },
  { "redirected into nothing", .redirected = 1000, .seen = 1000,
      .arrived = 1000, .verdict = AFXDP_WATCH_UNDELIVERED },
  { "and the credit is used up", .redirected = 100, .passed = 900, .seen = 1000,
      .arrived = 1000, .verdict = AFXDP_WATCH_UNDELIVERED },
};

static guint64
after (guint rate, guint64 time)
{
  return (guint64) rate * (time / MS) / 1000;
}

static AfxdpWatchCounts
count (const Situation *situation, guint64 time)
{
  return (AfxdpWatchCounts){
    .redirected = after (situation->redirected, time),
    .passed = after (situation->passed, time),
    .delivered = after (situation->delivered, time),
    .delivered_anywhere =
        after (situation->delivered + situation->others, time),
    .cut = after (situation->cut, time),
    .seen = after (situation->seen, time),
    .seen_anywhere = after (situation->seen + situation->elsewhere, time),
    .arrived = after (situation->arrived, time),
    .waiting = situation->waiting,
  };
}

static void
add (AfxdpWatchCounts *counts, const AfxdpWatchCounts *more)
{
  counts->redirected += more->redirected;
  counts->passed += more->passed;
  counts->delivered += more->delivered;
  counts->delivered_anywhere += more->delivered_anywhere;
  counts->cut += more->cut;
  counts->seen += more->seen;
  counts->seen_anywhere += more->seen_anywhere;
  counts->arrived += more->arrived;
}

/* Looks at it for so long, beginning in the midst of well. Returns the verdict, and
 * how long it took. */
static AfxdpWatchVerdict
watch (const Situation *well, const Situation *situation, guint64 time,
    guint64 *took)
{
  const guint64 begin = 10 * LOOK + LOOK / 2;
  AfxdpWatch watch = { 0 };
  guint64 n;

  for (guint64 at = LOOK; at < begin + time; at += LOOK) {
    AfxdpWatchCounts counts = count (well, MIN (at, begin));
    AfxdpWatchCounts more = count (situation, at - MIN (at, begin));
    AfxdpWatchVerdict verdict;

    add (&counts, &more);
    counts.waiting = at > begin && situation->waiting;
    counts.asked = afxdp_watch_wants_interface (&watch, &counts);
    verdict = afxdp_watch_look (&watch, &counts, at, &n);
    *took = at - begin;
    if (verdict != AFXDP_WATCH_WELL) {
      g_assert_cmpuint (at, >, begin);
      g_assert_cmpuint (n, >, 0);
      return verdict;
    }
  }
  return AFXDP_WATCH_WELL;
}

TABLE_TEST (test_situation, situations)
{
  const Situation *situation = &situations[__i__];

  /* After silence, and in the midst of the stream. */
  for (guint before = 0; before < 2; before++) {
    guint64 took;
    AfxdpWatchVerdict verdict =
        watch (&situations[before], situation, 600000 * MS, &took);

    fail_unless (verdict == situation->verdict, "%s: %d after %s",
        situation->what, verdict, situations[before].what);
    if (verdict != AFXDP_WATCH_WELL)
      fail_unless (took <= 600 * MS, "%s took %" G_GUINT64_FORMAT " ms",
          situation->what, took / MS);
  }
}

/* The driver sets up its rings anew, and the link is gone for a moment. */
TEST (test_short_trouble)
{
  for (guint i = 0; i < G_N_ELEMENTS (situations); i++) {
    guint64 took;

    fail_unless_equals_int (
        watch (&situations[1], &situations[i], 290 * MS, &took),
        AFXDP_WATCH_WELL);
  }
}

SUITE ("watch", 0, NULL, NULL)
