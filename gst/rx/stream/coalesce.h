/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How long a receiver may sleep to gather a batch, instead of being woken by the
 * first packet: long enough to save wake-ups, short enough that what it sleeps on
 * does not overflow. Arithmetic only, for one thread.
 */
#pragma once

#include <glib.h>

#include "clock.h"

G_BEGIN_DECLS

/* ns between two packets of a burst: a socket's buffer may be small, and must not run
 * over in a sleep. */
#define AFXDP_SHORTEST_SPACE (1 * AFXDP_US)
/* Shorter sleeps are not interrupted when somebody calls, which makes them cheaper. */
#define AFXDP_SHORT_PAUSE (5 * AFXDP_MS)

typedef struct
{
  guint64 longest; /* ns; 0: none */
  guint64 since;   /* when the last sleep began */
  guint packets;   /* since then */
  guint64 pause;   /* the last one */
  gdouble due;     /* packets in a pause, in the mean of the last ones */
} AfxdpCoalesce;

/* Counts packets that arrived. */
static inline void
afxdp_coalesce_count (AfxdpCoalesce *coalesce, guint n)
{
  coalesce->packets += n;
}

/* How many were counted since the last time. For who does not call next(). */
static inline guint
afxdp_coalesce_take (AfxdpCoalesce *coalesce)
{
  guint n = coalesce->packets;

  coalesce->packets = 0;
  return n;
}

/* How many ns to sleep now that all that came has been taken; room is how many
 * packets may come meanwhile before one is lost. now is of the same clock for all
 * receivers: many of them end their sleeps at the same moment, which costs one
 * timer interrupt instead of many. 0: wait for the next packet, since none has
 * come since the last sleep, or too few would come during this one. */
guint64 afxdp_coalesce_next (AfxdpCoalesce *coalesce, guint64 now, guint room);

G_END_DECLS
