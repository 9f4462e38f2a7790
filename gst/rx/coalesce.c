/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How long a receiver may sleep to gather a batch. */
#include "coalesce.h"

/* After a silence nobody knows the rate: the first sleep is short, and each next
 * one at most twice as long. */
#define FIRST_PAUSE (100 * G_GUINT64_CONSTANT (1000))
/* Less than this is no silence, but the space between two packets. */
#define SILENCE (100 * G_GUINT64_CONSTANT (1000000))
/* Who is not to sleep naps, while so many packets come meanwhile: no longer than a
 * network card gathers them before it interrupts. Each of them would wake us, and
 * being woken costs more than five of them. */
#define NAP (100 * G_GUINT64_CONSTANT (1000))
#define NAP_PACKETS 4
/* Of the room, a sleep may use one of so many parts at the present rate. */
#define PARTS 4

/* Shortens a sleep of pause ns from now so that it ends where those of others end
 * too, that sleep about as long: one timer interrupt then wakes them all. */
static guint64
align (guint64 now, guint64 pause, guint64 grid)
{
  guint64 until;

  while (grid > pause)
    grid /= 2;
  if (!grid)
    return 0;
  until = now + pause;
  return until - until % grid - now;
}

guint64
afxdp_coalesce_next (AfxdpCoalesce *coalesce, guint64 now, guint room)
{
  guint64 interval = now - coalesce->since;
  guint64 longest = coalesce->longest;
  guint n = coalesce->packets;

  if (!n)
    return 0;
  coalesce->since = now;
  coalesce->packets = 0;
  if (!longest && n * NAP >= NAP_PACKETS * interval)
    longest = NAP;
  if (interval > SILENCE)
    coalesce->pause = 0;
  coalesce->pause = MAX (2 * coalesce->pause, FIRST_PAUSE);
  coalesce->pause = MIN (coalesce->pause, longest);
  /* n packets took interval, so room / PARTS of them take: */
  coalesce->pause = MIN (coalesce->pause, interval * room / PARTS / n);
  return coalesce->longest ? align (now, coalesce->pause, longest)
                           : coalesce->pause;
}
