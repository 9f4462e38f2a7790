/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every place where a packet of a stream can end (law 3). One table: statistics,
 * messages and documents take their names from it.
 *
 * The first columns are those of packets that the element had in its hands, each
 * counted there. The others, from AFXDP_FIRST_LOSS on, are those of packets that
 * it never saw, and have two counts: what some counter of the kernel says was
 * dropped there, whatever it was, and how many missing RTP packets are charged to
 * it (attribution.h).
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

  AFXDP_COLUMN_NETWORK,
  AFXDP_COLUMN_NIC,
  AFXDP_COLUMN_RX_RING,
  AFXDP_COLUMN_FILL_RING,
  AFXDP_COLUMN_REDIRECT,
  AFXDP_COLUMN_SOCKET_BUFFER,
  AFXDP_COLUMN_PAUSED,
  AFXDP_COLUMN_UNKNOWN,
} AfxdpColumn;

#define AFXDP_N_COLUMNS (AFXDP_COLUMN_UNKNOWN + 1)
#define AFXDP_FIRST_LOSS AFXDP_COLUMN_NETWORK

typedef struct
{
  guint64 packets[AFXDP_N_COLUMNS]; /* of a loss: that a counter tells of */
  guint64 lost[AFXDP_N_COLUMNS];    /* RTP packets, of losses only */
} AfxdpLedger;

/* The sum of what is lost. */
guint64 afxdp_ledger_lost (const AfxdpLedger *ledger);

/* The field of packets[column] in the statistics; NULL for losses of which no
 * counter tells. */
const gchar *afxdp_column_name (AfxdpColumn column);
/* The field of lost[column] in the statistics, and how messages call the place;
 * NULL for what is no loss. */
const gchar *afxdp_column_lost_name (AfxdpColumn column);
const gchar *afxdp_column_where (AfxdpColumn column);
/* What became of a packet there, and how that is known. */
const gchar *afxdp_column_meaning (AfxdpColumn column);

G_END_DECLS
