/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a streaming thread does while nothing has come: it looks on for a while, or
 * sleeps to gather a batch, or waits for the next packet. For one thread.
 */
#pragma once

#include "coalesce.h"
#include "paths.h"

G_BEGIN_DECLS

typedef struct
{
  /* Set by the owner. */
  int wakeup; /* ends a wait, but no sleep, which is short; see wakeup.h */
  guint64 busy_poll;      /* ns to look on after the last packet */
  AfxdpCoalesce coalesce; /* its longest sleep */

  guint64 since; /* nothing has come; 0: something has */
  guint n_short; /* waits since then that were kept short */
  guint64
      look_at; /* of the next look into the socket, when nobody waits for it */
} AfxdpWait;

/* n packets have come. */
static inline void
afxdp_wait_over (AfxdpWait *waiting, guint n)
{
  waiting->since = 0;
  waiting->n_short = 0;
  afxdp_coalesce_count (&waiting->coalesce, n);
}

/* Wakes drivers that wait to be woken. Returns how long to wait at most, ns. */
guint64 afxdp_wait_for_drivers (
    AfxdpWait *waiting, const AfxdpPaths *paths, guint64 wait);

/* Returns when there may be something in an input that was empty, or the wake-up came;
 * FALSE: deadline (ns of CLOCK_MONOTONIC) was over before. All sleeping of a streaming
 * thread is here. */
gboolean afxdp_wait_until (AfxdpWait *waiting, const AfxdpPaths *paths,
    AfxdpInputs *inputs, guint64 deadline);

G_END_DECLS
