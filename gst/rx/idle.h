/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a streaming thread does while nothing has come: it looks on for a while, or
 * sleeps to gather a batch, or waits for the next packet. For one thread.
 */
#pragma once

#include "coalesce.h"
#include "doors.h"

G_BEGIN_DECLS

typedef struct
{
  /* Set by the owner. */
  int bell;          /* ends a wait, but no sleep, which is short; see bell.h */
  guint64 busy_poll; /* ns to look on after the last packet */
  AfxdpCoalesce coalesce; /* its longest sleep */

  guint64 since; /* nothing has come; 0: something has */
  guint64
      look_at; /* of the next look into the socket, when nobody waits for it */
} AfxdpIdle;

/* n packets have come. */
static inline void
afxdp_idle_over (AfxdpIdle *idle, guint n)
{
  idle->since = 0;
  afxdp_coalesce_count (&idle->coalesce, n);
}

/* Returns when there may be something in a lane of doors that was empty, or the bell
 * rang; FALSE: deadline (ns of CLOCK_MONOTONIC) was over before. Rings are to be looked into
 * after that; the socket, which costs a system call, when socket_due becomes TRUE. */
gboolean afxdp_idle_until (AfxdpIdle *idle, const AfxdpDoors *doors,
    guint64 deadline, gboolean *socket_due);

G_END_DECLS
