/* SPDX-FileCopyrightText: The afxdpsrc authors */
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
  /* It went downstream: by way of AF_XDP, or of the kernel's socket. */
  AFXDP_COLUMN_DELIVERED_XDP,
  AFXDP_COLUMN_DELIVERED_SOCKET,
  /* It is neither RTP nor RTCP, and the caps say RTP. */
  AFXDP_COLUMN_KEPT_BACK,
  /* It is RTP whose contributing sources, extension or padding are longer than the
   * packet, and the caps say RTP. */
  AFXDP_COLUMN_KEPT_BACK_MALFORMED,
  /* It is no datagram of this stream, not from one of its sources, shorter than
   * skip-first-bytes, or, with verify-checksum, damaged. */
  AFXDP_COLUMN_MALFORMED,
  /* It had arrived when the element was stopped or flushed. */
  AFXDP_COLUMN_DISCARDED,
  /* With a reorder-window: its turn was over when it came, or its number had come. */
  AFXDP_COLUMN_LATE,
  AFXDP_COLUMN_REPEATED,
  /* It came by the second leg, and is none of the first leg's stream, or no RTP. */
  AFXDP_COLUMN_UNMATCHED,

  /* It did not reach this host: no counter here tells of it. */
  AFXDP_COLUMN_NETWORK,
  /* The interface dropped it before XDP saw it: its own drop counters rose. */
  AFXDP_COLUMN_NIC,
  /* It was redirected, and the RX ring was full: rx_ring_full of XDP_STATISTICS. */
  AFXDP_COLUMN_RX_RING,
  /* It was redirected, and no frame was there: rx_dropped of XDP_STATISTICS. */
  AFXDP_COLUMN_FILL_RING,
  /* It was redirected and numbered, and never came; no ring counted it. */
  AFXDP_COLUMN_REDIRECT,
  /* It came to the kernel's socket, whose buffer was full: SO_RXQ_OVFL. */
  AFXDP_COLUMN_SOCKET_BUFFER,
  /* The XDP program dropped it, since ring and socket had no room: the pipeline takes
   * fewer packets than come. */
  AFXDP_COLUMN_OVERLOAD,
  /* The distributor daemon received it, and the ring of this stream, which is its
   * client, was full. */
  AFXDP_COLUMN_CLIENT_RING,
  /* It came while the distributor daemon was gone or stood still, and nobody received
   * in its place. */
  AFXDP_COLUMN_DISTRIBUTOR,
  /* It came to the kernel's socket while nobody read that, since the element was
   * paused, and the buffer was full. */
  AFXDP_COLUMN_PAUSED,
  /* It is missing, and where it was lost could not be asked in time, or is forgotten
   * (charges.h). */
  AFXDP_COLUMN_UNKNOWN,
} AfxdpColumn;

#define AFXDP_N_COLUMNS (AFXDP_COLUMN_UNKNOWN + 1)
#define AFXDP_FIRST_LOSS AFXDP_COLUMN_NETWORK

typedef struct
{
  guint64 packets[AFXDP_N_COLUMNS]; /* of a loss: that a counter tells of */
  guint64 lost[AFXDP_N_COLUMNS];    /* RTP packets, of losses only */
} AfxdpLedger;

/* lost: an array with an element for each column. */
guint64 afxdp_lost_sum (const guint64 *lost);

/* The field of packets[column] in the statistics; NULL for losses of which no
 * counter tells. */
const gchar *afxdp_column_name (AfxdpColumn column);
/* The field of lost[column] in the statistics, and how messages call the place;
 * NULL for what is no loss. */
const gchar *afxdp_column_lost_name (AfxdpColumn column);
const gchar *afxdp_column_where (AfxdpColumn column);

G_END_DECLS
