/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every place where a packet of a stream can end (law 3). One table: statistics,
 * messages and documents take their names from it.
 *
 * A ledger is an array of counters, one for each column; whoever owns it locks.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  AFXDP_COLUMN_DELIVERED_XDP,
  AFXDP_COLUMN_DELIVERED_SOCKET,
  AFXDP_COLUMN_KEPT_BACK,
  AFXDP_COLUMN_MALFORMED,
  AFXDP_COLUMN_DISCARDED,
} AfxdpColumn;

#define AFXDP_N_COLUMNS (AFXDP_COLUMN_DISCARDED + 1)

typedef struct
{
  guint64 packets[AFXDP_N_COLUMNS];
} AfxdpLedger;

/* The field's name in the statistics, and what a packet there went through. */
const gchar *afxdp_column_name (AfxdpColumn column);
const gchar *afxdp_column_meaning (AfxdpColumn column);

G_END_DECLS
