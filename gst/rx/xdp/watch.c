/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a stream that AF_XDP should deliver comes to nothing. */
#include "watch.h"

#include "clock.h"

/* For so long nothing must have come. A driver that sets up its rings anew, for a
 * new queue or a new MTU, is silent for less. */
#define SHORTEST_SILENCE (300 * AFXDP_MS)
/* What was counted longer ago is no evidence: a switch's own packets, which some
 * drivers count and no program sees, come to a dozen in some minutes. */
#define LONGEST_SILENCE (2000 * AFXDP_MS)
/* Packets that make a verdict: a damaged one makes none. */
#define FEWEST_PACKETS 8
/* The same, of those that only the interface has counted, whoever they were for. */
#define FEWEST_UNSEEN 20

gboolean
afxdp_watch_wants_interface (
    const AfxdpWatch *watch, const AfxdpWatchCounts *counts)
{
  return watch->silent_at && counts->redirected == watch->silent.redirected &&
      counts->passed == watch->silent.passed &&
      counts->seen == watch->silent.seen;
}

/* What the interface has counted and the program has not seen on any queue. */
static guint64
count_unseen (const AfxdpWatchCounts *before, const AfxdpWatchCounts *now)
{
  guint64 arrived = now->arrived - MIN (now->arrived, before->arrived);
  guint64 seen = now->seen_anywhere - before->seen_anywhere;

  /* Most of it: where queues that are well carry more, some are counted twice, as
   * arrived and as dropped. */
  return arrived > 2 * seen ? arrived - seen : 0;
}

/* What the program sees of the stream. */
static AfxdpWatchVerdict
look_at_program (
    AfxdpWatch *watch, const AfxdpWatchCounts *counts, guint64 at, guint64 *n)
{
  if (counts->redirected != watch->silent.redirected ||
      counts->passed != watch->silent.passed ||
      at - watch->silent_at > LONGEST_SILENCE) {
    watch->silent = *counts;
    watch->silent_at = at;
    watch->asked_at = 0;
    return AFXDP_WATCH_WELL;
  }
  *n = counts->cut - watch->silent.cut;
  if (!*n) {
    watch->silent_at = at;
    watch->silent.delivered_anywhere = counts->delivered_anywhere;
  }
  if (*n < FEWEST_PACKETS || at - watch->silent_at < SHORTEST_SILENCE)
    return AFXDP_WATCH_WELL;
  return counts->delivered_anywhere == watch->silent.delivered_anywhere
      ? AFXDP_WATCH_CUT
      : AFXDP_WATCH_CUT_HERE;
}

/* What comes to the interface and not to the program. */
static AfxdpWatchVerdict
look_at_interface (
    AfxdpWatch *watch, const AfxdpWatchCounts *counts, guint64 at, guint64 *n)
{
  if (!counts->asked)
    return AFXDP_WATCH_WELL;
  *n = watch->asked_at ? count_unseen (&watch->asked, counts) : 0;
  if (!*n || counts->seen != watch->asked.seen ||
      at - watch->asked_at > LONGEST_SILENCE) {
    watch->asked = *counts;
    watch->asked_at = at;
    return AFXDP_WATCH_WELL;
  }
  return *n >= FEWEST_UNSEEN && at - watch->asked_at >= SHORTEST_SILENCE
      ? AFXDP_WATCH_UNSEEN
      : AFXDP_WATCH_WELL;
}

/* What the rings get of what it redirects. */
static AfxdpWatchVerdict
look_at_rings (
    AfxdpWatch *watch, const AfxdpWatchCounts *counts, guint64 at, guint64 *n)
{
  *n = counts->redirected - watch->empty.redirected;
  if (!*n || counts->delivered != watch->empty.delivered || counts->waiting ||
      at - watch->empty_at > LONGEST_SILENCE) {
    watch->empty = *counts;
    watch->empty_at = at;
    return AFXDP_WATCH_WELL;
  }
  return *n >= FEWEST_PACKETS && at - watch->empty_at >= SHORTEST_SILENCE
      ? AFXDP_WATCH_UNDELIVERED
      : AFXDP_WATCH_WELL;
}

AfxdpWatchVerdict
afxdp_watch_look (
    AfxdpWatch *watch, const AfxdpWatchCounts *counts, guint64 at, guint64 *n)
{
  AfxdpWatchVerdict verdict;

  if (!watch->silent_at) {
    watch->silent = watch->empty = *counts;
    watch->silent_at = watch->empty_at = at;
    return AFXDP_WATCH_WELL;
  }
  verdict = look_at_rings (watch, counts, at, n);
  if (verdict == AFXDP_WATCH_WELL)
    verdict = look_at_program (watch, counts, at, n);
  if (verdict == AFXDP_WATCH_WELL)
    verdict = look_at_interface (watch, counts, at, n);
  return verdict;
}
