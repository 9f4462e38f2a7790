/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an AF_XDP socket's own counters say of its losses. */
#include "ringcounters.h"

#include "clock.h"

void
afxdp_ring_tell_loss (
    AfxdpDrops *drops, const AfxdpXskLoss *loss, guint64 from, guint64 until)
{
  static const AfxdpColumn columns[AFXDP_XSK_LOSS_N] = {
    [AFXDP_XSK_LOSS_RX_RING] = AFXDP_COLUMN_RX_RING,
    [AFXDP_XSK_LOSS_FILL_RING] = AFXDP_COLUMN_FILL_RING,
    [AFXDP_XSK_LOSS_REDIRECT] = AFXDP_COLUMN_REDIRECT,
  };

  for (guint kind = 0; kind < AFXDP_XSK_LOSS_N; kind++)
    if (loss->n[kind])
      afxdp_drops_add (drops, columns[kind], loss->n[kind], from, until);
}

guint64
afxdp_ring_counters_look (
    AfxdpRingCounters *counters, AfxdpXsk *xsk, AfxdpDrops *drops)
{
  guint64 now = afxdp_now (), n;
  AfxdpXskLoss loss;

  if (!afxdp_ring_counters_may_look (counters))
    return 0;
  n = afxdp_xsk_find_loss (xsk, &loss);
  afxdp_ring_tell_loss (drops, &loss, counters->looked_at, now);
  counters->looked_at = now;
  counters->n_waited = afxdp_xsk_n_waiting (xsk);
  return n;
}
