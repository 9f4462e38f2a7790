/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of every place where a packet can end. */
#include "ledger.h"

static const struct
{
  const gchar *name, *meaning;
} columns[AFXDP_N_COLUMNS] = {
  [AFXDP_COLUMN_DELIVERED_XDP] = { "delivered-xdp",
      "went downstream, by way of AF_XDP" },
  [AFXDP_COLUMN_DELIVERED_SOCKET] = { "delivered-socket",
      "went downstream, by way of the kernel's socket" },
  [AFXDP_COLUMN_KEPT_BACK] = { "kept-back",
      "is neither RTP nor RTCP, and the caps say RTP" },
  [AFXDP_COLUMN_MALFORMED] = { "malformed",
      "is no datagram of this stream, not from one of its sources, or has a "
      "wrong "
      "checksum that verify-checksum found" },
  [AFXDP_COLUMN_DISCARDED] = { "discarded",
      "had arrived when the element was stopped or flushed" },
};

const gchar *
afxdp_column_name (AfxdpColumn column)
{
  return columns[column].name;
}

const gchar *
afxdp_column_meaning (AfxdpColumn column)
{
  return columns[column].meaning;
}
