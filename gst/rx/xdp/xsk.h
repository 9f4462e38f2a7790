/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One AF_XDP socket that a stream reads: it has an RX ring, and its frames are those
 * of its pool's queue.
 *
 * new() and the last unref() may take RTNL in the kernel, and so seconds: never in a
 * streaming thread. receive() is for the one thread that reads the socket.
 */
#pragma once

#include <glib.h>

#include "xskpool.h"

G_BEGIN_DECLS

typedef struct _AfxdpXsk AfxdpXsk;

/* A socket bound to queue, which must be open, with an RX ring of ring_size
 * packets (a power of two). The first reference is the caller's. */
AfxdpXsk *afxdp_xsk_new (
    AfxdpXskPool *pool, guint queue, guint ring_size, GError **error);
AfxdpXsk *afxdp_xsk_ref (AfxdpXsk *xsk);
/* The last one closes the socket: it must not be in a map any more. */
void afxdp_xsk_unref (AfxdpXsk *xsk);

int afxdp_xsk_fd (const AfxdpXsk *xsk);
guint afxdp_xsk_queue (const AfxdpXsk *xsk);
guint afxdp_xsk_ring_size (const AfxdpXsk *xsk);

/* One packet that came out of an RX ring; the caller owns its frame. */
typedef struct
{
  guint32 frame;
  guint32 length;     /* bytes */
  const guint8 *data; /* first byte of the Ethernet header, in the frame */
} AfxdpXskPacket;

/* Takes up to n packets out of the RX ring and tops up the fill ring. Reads
 * memory only, whatever poll() says: on an interface that is down poll() is
 * silent though the ring may hold packets. */
guint afxdp_xsk_receive (AfxdpXsk *xsk, AfxdpXskPacket *packets, guint n);
/* Of the packets that the program redirected to the socket, n took no frame,
 * since they were lost on the way. Negative: some came after all. */
void afxdp_xsk_took_no_frame (AfxdpXsk *xsk, gint64 n);
/* Where a packet can be lost between the program and the reader. */
typedef enum
{
  AFXDP_XSK_LOSS_RX_RING,   /* the RX ring was full */
  AFXDP_XSK_LOSS_FILL_RING, /* there was no frame */
  AFXDP_XSK_LOSS_REDIRECT,  /* neither: the kernel counts them nowhere */
} AfxdpXskLossKind;

#define AFXDP_XSK_LOSS_N (AFXDP_XSK_LOSS_REDIRECT + 1)

typedef struct
{
  guint64 n[AFXDP_XSK_LOSS_N]; /* packets of each kind */
} AfxdpXskLoss;

void afxdp_xsk_loss_add (AfxdpXskLoss *loss, const AfxdpXskLoss *more);
/* Moves n packets out of loss, or as many as it has: of the first kind first. */
AfxdpXskLoss afxdp_xsk_loss_take (AfxdpXskLoss *loss, guint64 n);

/* Of the packets that the program redirected to the socket, n more are known not
 * to have come: asks the kernel where they were lost. For whoever reads the
 * socket; a system call. */
void afxdp_xsk_explain_loss (AfxdpXsk *xsk, guint64 n, AfxdpXskLoss *loss);
/* The same, for those that the rings counted and nobody has yet explained, with
 * none of them known. Returns how many they are. */
guint64 afxdp_xsk_find_loss (AfxdpXsk *xsk, AfxdpXskLoss *loss);
/* Whether the kernel may poll the driver in poll_driver(), instead of waiting for
 * its interrupt (SO_BUSY_POLL, SO_PREFER_BUSY_POLL). */
void afxdp_xsk_set_busy_poll (AfxdpXsk *xsk, gboolean polls);
/* The NAPI instance that it polls; 0: none, since it is not to, or may not, or the
 * driver does not tell which one its queue has (Linux 6.18: veth, i40e, ixgbe).
 * Until Linux 6.12 it is known from the first packet on. A system call. */
guint afxdp_xsk_napi_id (const AfxdpXsk *xsk);
/* Polls the driver once; a system call. For whoever reads the socket. */
void afxdp_xsk_poll_driver (AfxdpXsk *xsk);
/* The same as afxdp_xsk_pool_wake_driver(), for the socket's queue. To be called by
 * whoever is about to sleep: the driver may have asked after the last refill. */
void afxdp_xsk_wake_driver (AfxdpXsk *xsk);
/* Packets that the kernel ever put into the RX ring, modulo 2^32. */
guint32 afxdp_xsk_n_produced (const AfxdpXsk *xsk);
/* Packets that wait in the RX ring. */
guint afxdp_xsk_n_waiting (const AfxdpXsk *xsk);
/* Whether none do. Any thread. */
gboolean afxdp_xsk_is_empty (const AfxdpXsk *xsk);

G_END_DECLS
