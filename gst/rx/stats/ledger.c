/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of every place where a packet can end. */
#include "ledger.h"

static const struct
{
  const gchar *name, *lost_name;
} columns[AFXDP_N_COLUMNS] = {
  [AFXDP_COLUMN_DELIVERED_XDP] = { "delivered-xdp", NULL },
  [AFXDP_COLUMN_DELIVERED_SOCKET] = { "delivered-socket", NULL },
  [AFXDP_COLUMN_KEPT_BACK] = { "kept-back", NULL },
  [AFXDP_COLUMN_KEPT_BACK_MALFORMED] = { "kept-back-malformed", NULL },
  [AFXDP_COLUMN_MALFORMED] = { "malformed", NULL },
  [AFXDP_COLUMN_DISCARDED] = { "discarded", NULL },
  [AFXDP_COLUMN_LATE] = { "late", NULL },
  [AFXDP_COLUMN_REPEATED] = { "repeated", NULL },
  [AFXDP_COLUMN_UNMATCHED] = { "unmatched", NULL },

  [AFXDP_COLUMN_NETWORK] = { NULL, "lost-network" },
  [AFXDP_COLUMN_NIC] = { "dropped-nic", "lost-nic" },
  [AFXDP_COLUMN_RX_RING] = { "dropped-rx-ring", "lost-rx-ring" },
  [AFXDP_COLUMN_FILL_RING] = { "dropped-fill-ring", "lost-fill-ring" },
  [AFXDP_COLUMN_REDIRECT] = { "dropped-redirect", "lost-redirect" },
  [AFXDP_COLUMN_SOCKET_BUFFER] = { "dropped-socket-buffer",
      "lost-socket-buffer" },
  [AFXDP_COLUMN_OVERLOAD] = { "dropped-overload", "lost-overload" },
  [AFXDP_COLUMN_CLIENT_RING] = { "dropped-client-ring", "lost-client-ring" },
  [AFXDP_COLUMN_DISTRIBUTOR] = { NULL, "lost-distributor" },
  [AFXDP_COLUMN_PAUSED] = { "dropped-paused", "lost-paused" },
  [AFXDP_COLUMN_UNKNOWN] = { NULL, "lost-unknown" },
};

guint64
afxdp_lost_sum (const guint64 *lost)
{
  guint64 sum = 0;

  for (guint i = AFXDP_FIRST_LOSS; i < AFXDP_N_COLUMNS; i++)
    sum += lost[i];
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
