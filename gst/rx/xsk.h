/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * AF_XDP sockets of one interface: UMEM registration, rings, bind, fill,
 * wake-up. Set up by hand (socket, setsockopt, mmap, bind) with the inline ring
 * functions of <xdp/xsk.h>: libxdp 1.3's own set-up cannot name the socket to
 * share with, nor create a socket now and bind it later.
 *
 * A pool is one UMEM registered for one interface. Each RX queue in use has an
 * owner socket that carries the queue's fill ring, is in no map and receives
 * nothing; it keeps the kernel's pool and the fill ring alive while the streams'
 * sockets come and go. The sockets that streams read (AfxdpXsk) have an RX ring
 * only.
 *
 * open_queue(), new() and the last unref() may take RTNL in the kernel, and so
 * seconds: never in a streaming thread. receive() is for the one thread that
 * reads the socket; refilling is safe from any thread.
 */
#pragma once

#include <glib.h>

#include "umem.h"

G_BEGIN_DECLS

typedef enum
{
  AFXDP_ZERO_COPY_AUTO,
  AFXDP_ZERO_COPY_REQUIRE,
  AFXDP_ZERO_COPY_NEVER,
} AfxdpZeroCopy;

/* A fill ring is topped up when it is this much below what should be in it (a
 * quarter of that, when it is less). So that many packets may find it empty
 * earlier than it looks: leave room. */
#define AFXDP_XSK_REFILL_STEP 64

typedef struct _AfxdpXskPool AfxdpXskPool;
typedef struct _AfxdpXsk AfxdpXsk;

/* Registers umem. Needs CAP_NET_RAW, and CAP_IPC_LOCK or enough memlock.
 * spare is how many sockets are created in advance, for new() and open_queue()
 * after capabilities have been dropped.
 * Errors: AFXDP_ERROR_PERMISSION, _UNSUPPORTED, _MEMORY. */
AfxdpXskPool *afxdp_xsk_pool_new (AfxdpUmem *umem, int ifindex,
    const gchar *interface, guint n_queues, guint spare, GError **error);
AfxdpXskPool *afxdp_xsk_pool_ref (AfxdpXskPool *pool);
void afxdp_xsk_pool_unref (AfxdpXskPool *pool);

/* Makes queue ready for streams' sockets: binds its owner and puts frames into
 * its fill ring. Does nothing when it is. generic: the program runs in generic
 * mode, where zero-copy cannot be. Errors: AFXDP_ERROR_QUEUE_BUSY when another
 * process has the queue (or the kernel has not yet released it: try again for
 * a second), _UNSUPPORTED when zero-copy is required and cannot be had. */
gboolean afxdp_xsk_pool_open_queue (AfxdpXskPool *pool, guint queue,
    guint frames, AfxdpZeroCopy zero_copy, gboolean generic, GError **error);
/* How many frames should be in the fill ring of an open queue. Takes none out
 * when there are more. */
void afxdp_xsk_pool_set_fill (AfxdpXskPool *pool, guint queue, guint frames);
/* What the driver does on the queues that are open. */
gboolean afxdp_xsk_pool_is_zero_copy (const AfxdpXskPool *pool);
/* Frames in the fill rings, in the driver and in the RX rings. */
guint afxdp_xsk_pool_n_frames (AfxdpXskPool *pool);

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
/* Packets that wait in the RX ring. */
guint afxdp_xsk_n_waiting (const AfxdpXsk *xsk);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AfxdpXskPool, afxdp_xsk_pool_unref)

G_END_DECLS
