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
#include <linux/types.h>

#include "umem.h"

G_BEGIN_DECLS

typedef enum
{
  AFXDP_ZERO_COPY_AUTO,
  AFXDP_ZERO_COPY_REQUIRE,
  AFXDP_ZERO_COPY_NEVER,
} AfxdpZeroCopy;

/* Frames that came out of a queue are replaced in steps of so many (a quarter of
 * what the queue should have, when that is less). The queue should have that
 * many more than its streams need. */
#define AFXDP_XSK_REFILL_STEP 64

typedef struct _AfxdpXskPool AfxdpXskPool;
typedef struct _AfxdpXsk AfxdpXsk;

/* Registers umem. Needs CAP_NET_RAW, and CAP_IPC_LOCK or enough memlock.
 * Errors: AFXDP_ERROR_PERMISSION, _UNSUPPORTED, _MEMORY. */
AfxdpXskPool *afxdp_xsk_pool_new (AfxdpUmem *umem, int ifindex,
    const gchar *interface, guint n_queues, GError **error);
/* Makes sockets in advance until there are n, for new() and open_queue() after
 * capabilities have been dropped. Errors: AFXDP_ERROR_PERMISSION, _MEMORY. */
gboolean afxdp_xsk_pool_keep_spare (
    AfxdpXskPool *pool, guint n, GError **error);
AfxdpXskPool *afxdp_xsk_pool_ref (AfxdpXskPool *pool);
void afxdp_xsk_pool_unref (AfxdpXskPool *pool);

/* Makes queue ready for streams' sockets: binds its owner and puts up to frames
 * frames into its fill ring, but at most half of those that are free. Does
 * nothing when it is open. generic: the program runs in generic mode, where
 * zero-copy cannot be. told: where to tell how many frames the queue has ever
 * got, struct afxdp_queue's frames; it must outlive the pool. Errors:
 * AFXDP_ERROR_QUEUE_BUSY when another process has the queue (or the kernel has
 * not yet released it: try again for a second), _MEMORY when hardly any frames
 * are free, _UNSUPPORTED when zero-copy is required and cannot be had. */
gboolean afxdp_xsk_pool_open_queue (AfxdpXskPool *pool, guint queue,
    guint frames, AfxdpZeroCopy zero_copy, gboolean generic, __u64 *told,
    GError **error);
/* How many frames an open queue should have, in its fill ring and in the RX
 * rings together. Takes no more than half of the free ones at once; where there
 * are too many, those that arrive are not replaced. */
void afxdp_xsk_pool_set_frames (AfxdpXskPool *pool, guint queue, guint frames);
/* How many it has now; 0 when it is not open. */
guint afxdp_xsk_pool_queue_frames (AfxdpXskPool *pool, guint queue);
/* What the driver does on the queues that are open. */
gboolean afxdp_xsk_pool_is_zero_copy (const AfxdpXskPool *pool);
/* Frames of all queues: in fill rings, in the driver and in RX rings. */
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
/* Of the packets that the program redirected to the socket, n took no frame,
 * since they were lost on the way. Negative: some came after all. */
void afxdp_xsk_took_no_frame (AfxdpXsk *xsk, gint64 n);
/* Where packets were lost between the program and the reader. */
typedef struct
{
  guint64 rx_ring;   /* the RX ring was full */
  guint64 fill_ring; /* there was no frame */
  guint64 redirect;  /* neither: the kernel counts them nowhere */
} AfxdpXskLoss;

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
/* Packets that wait in the RX ring. */
guint afxdp_xsk_n_waiting (const AfxdpXsk *xsk);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AfxdpXskPool, afxdp_xsk_pool_unref)

G_END_DECLS
