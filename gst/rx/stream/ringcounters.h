/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an AF_XDP socket's own counters say of its losses, and when packets arrived that
 * carry neither number nor time: when they are read, or when the counters were, if they
 * waited there already.
 *
 * For the streaming thread alone.
 */
#pragma once

#include "drops.h"
#include "xsk.h"

G_BEGIN_DECLS

typedef struct
{
  guint64 looked_at; /* when the counters were read last */
  guint n_waited;    /* packets that waited then, and still do */
} AfxdpRingCounters;

/* Tells drops, in their columns, of losses between from and until, in ns of
 * CLOCK_MONOTONIC. */
void afxdp_ring_tell_loss (
    AfxdpDrops *drops, const AfxdpXskLoss *loss, guint64 from, guint64 until);

/* Whether the counters may be read. What has waited since they were read last must be
 * read first: its arrival would become a guess of the present, behind the loss that it
 * came before. */
static inline gboolean
afxdp_ring_counters_may_look (const AfxdpRingCounters *counters)
{
  return !counters->n_waited;
}

/* Tells drops of what the counters counted since the last time, if they may be read.
 * Returns how many packets that were. A system call. */
guint64 afxdp_ring_counters_look (
    AfxdpRingCounters *counters, AfxdpXsk *xsk, AfxdpDrops *drops);

/* When the next packet arrived that is read at now. */
static inline guint64
afxdp_ring_counters_arrival (AfxdpRingCounters *counters, guint64 now)
{
  guint64 arrival = counters->n_waited ? counters->looked_at : now;

  counters->n_waited -= MIN (counters->n_waited, 1);
  return arrival;
}

G_END_DECLS
