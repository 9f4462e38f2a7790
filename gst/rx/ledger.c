/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of every place where a packet can end. */
#include "ledger.h"

static const struct
{
  const gchar *name, *lost_name, *meaning;
} columns[AFXDP_N_COLUMNS] = {
  [AFXDP_COLUMN_DELIVERED_XDP] = { "delivered-xdp", NULL,
      "went downstream, by way of AF_XDP" },
  [AFXDP_COLUMN_DELIVERED_SOCKET] = { "delivered-socket", NULL,
      "went downstream, by way of the kernel's socket" },
  [AFXDP_COLUMN_KEPT_BACK] = { "kept-back", NULL,
      "is neither RTP nor RTCP, and the caps say RTP" },
  [AFXDP_COLUMN_MALFORMED] = { "malformed", NULL,
      "is no datagram of this stream, not from one of its sources, shorter "
      "than "
      "skip-first-bytes, or, with verify-checksum, damaged" },
  [AFXDP_COLUMN_DISCARDED] = { "discarded", NULL,
      "had arrived when the element was stopped or flushed" },

  [AFXDP_COLUMN_NETWORK] = { NULL, "lost-network",
      "did not reach this host: no counter here tells of it" },
  [AFXDP_COLUMN_NIC] = { "dropped-nic", "lost-nic",
      "was dropped by the interface before XDP saw it: its own drop counters "
      "rose meanwhile" },
  [AFXDP_COLUMN_RX_RING] = { "dropped-rx-ring", "lost-rx-ring",
      "was redirected, and the RX ring was full: rx_ring_full of "
      "XDP_STATISTICS" },
  [AFXDP_COLUMN_FILL_RING] = { "dropped-fill-ring", "lost-fill-ring",
      "was redirected, and no frame was there to hold it: rx_dropped of "
      "XDP_STATISTICS" },
  [AFXDP_COLUMN_REDIRECT] = { "dropped-redirect", "lost-redirect",
      "was redirected and numbered, and never came; no ring counted it" },
  [AFXDP_COLUMN_SOCKET_BUFFER] = { "dropped-socket-buffer",
      "lost-socket-buffer",
      "came to the kernel's socket, whose buffer was full: SO_RXQ_OVFL" },
  [AFXDP_COLUMN_PAUSED] = { "dropped-paused", "lost-paused",
      "came to the kernel's socket while nobody read it, since the element was "
      "paused, until its buffer was full" },
  [AFXDP_COLUMN_UNKNOWN] = { NULL, "lost-unknown",
      "is missing, and what would tell where could not be asked in time" },
};

guint64
afxdp_ledger_lost (const AfxdpLedger *ledger)
{
  guint64 sum = 0;

  for (guint i = AFXDP_FIRST_LOSS; i < AFXDP_N_COLUMNS; i++)
    sum += ledger->lost[i];
  return sum;
}

const gchar *
afxdp_column_name (AfxdpColumn column)
{
  return columns[column].name;
}

const gchar *
afxdp_column_lost_name (AfxdpColumn column)
{
  return columns[column].lost_name;
}

const gchar *
afxdp_column_where (AfxdpColumn column)
{
  const gchar *name = columns[column].lost_name;

  return name ? name + sizeof "lost-" - 1 : NULL;
}

const gchar *
afxdp_column_meaning (AfxdpColumn column)
{
  return columns[column].meaning;
}
