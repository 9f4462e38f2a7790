/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a stream noticed of packets that never came. */
#include "drops.h"

/* Beyond, only a column that is not there yet gets a place of its own. */
#define ROOMY (AFXDP_DROPS - AFXDP_N_COLUMNS)

void
afxdp_drops_add (AfxdpDrops *drops, AfxdpColumn column, gint64 n, guint64 from,
    guint64 until)
{
  if (G_UNLIKELY (drops->n >= ROOMY))
    for (guint i = drops->n; i--;) {
      AfxdpDrop *drop = &drops->drops[i];

      if (drop->column != column)
        continue;
      drop->n += n;
      drop->from = MIN (drop->from, from);
      drop->until = MAX (drop->until, until);
      return;
    }
  drops->drops[drops->n++] = (AfxdpDrop){ column, n, from, until };
}
