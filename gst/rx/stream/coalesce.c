/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How long a receiver may sleep to gather a batch. */
#include "coalesce.h"

#include "budget.h"

/* After a silence nobody knows the rate: the first sleep is short, and each next
 * one at most twice as long. */
#define FIRST_PAUSE (100 * AFXDP_US)
/* Less than this is no silence, but the space between two packets. */
#define SILENCE (100 * AFXDP_MS)
/* So many packets must be due meanwhile, or the first one may as well wake us: in
 * the mean of some sleeps, or one packet more or less would decide it each time
 * anew. */
#define FEWEST_PACKETS 2
#define SLEEPS 4

/* Shortens a sleep of pause ns from now so that it ends where those of others end
 * too, that sleep about as long: one timer interrupt then wakes them all. */
static guint64
align (guint64 now, guint64 pause, guint64 grid)
{
  guint64 until;

  while (grid > pause)
    grid /= 2;
  until = now + pause;
  return until - until % grid - now;
}

static gdouble
smooth (gdouble before, gdouble now)
{
  return before > 0 ? before + (now - before) / SLEEPS : now;
}

guint64
afxdp_coalesce_next (AfxdpCoalesce *coalesce, guint64 now, guint room)
{
  guint64 interval = MAX (now - coalesce->since, 1);
  guint n = coalesce->packets;
  guint64 pause;

  if (!n)
    return 0;
  coalesce->since = now;
  coalesce->packets = 0;
  pause = interval > SILENCE ? 0 : coalesce->pause;
  pause = MIN (MAX (2 * pause, FIRST_PAUSE), coalesce->longest);
  /* n packets took interval, so room / AFXDP_SLEEP_PART of them take: */
  pause = MIN (pause, interval * room / AFXDP_SLEEP_PART / n);
  coalesce->pause = pause;
  coalesce->due = smooth (coalesce->due, (gdouble) n * pause / interval);
  if (!pause || coalesce->due < FEWEST_PACKETS)
    return 0;
  return align (now, pause, coalesce->longest);
}
