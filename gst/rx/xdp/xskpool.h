/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A pool is one UMEM registered for one interface. Each RX queue in use has an
 * owner socket that carries the queue's fill ring, is in no map and receives
 * nothing; it keeps the kernel's pool and the fill ring alive while the streams'
 * sockets (xsk.h) come and go.
 *
 * new(), open_queue() and the last unref() may take RTNL in the kernel, and so
 * seconds: never in a streaming thread. Refilling is safe from any thread.
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

/* A zero-copy driver that asked to be woken is, but not more often than this; in ns
 * of CLOCK_MONOTONIC. */
#define AFXDP_XSK_WAKE_INTERVAL 100000

typedef struct _AfxdpXskPool AfxdpXskPool;
typedef struct _AfxdpXskQueue AfxdpXskQueue; /* xskqueue.h */

/* Registers umem. Needs CAP_NET_RAW, and CAP_IPC_LOCK or enough memlock. nic_ring:
 * frames that a zero-copy driver keeps in the NIC's own ring of each queue.
 * Errors: AFXDP_ERROR_PERMISSION, _UNSUPPORTED, _MEMORY. */
AfxdpXskPool *afxdp_xsk_pool_new (AfxdpUmem *umem, int ifindex,
    const gchar *interface, guint n_queues, guint nic_ring, GError **error);
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
/* How many frames an open queue should have, in its fill ring and in the RX rings
 * together: afxdp_budget_slack() more than its streams need. Takes no more than half
 * of the free ones at once; where there are too many, those that arrive are not
 * replaced. */
void afxdp_xsk_pool_set_frames (AfxdpXskPool *pool, guint queue, guint frames);
/* How many it has now; 0 when it is not open. */
guint afxdp_xsk_pool_queue_frames (AfxdpXskPool *pool, guint queue);
/* What the driver does on the queues that are open. */
gboolean afxdp_xsk_pool_is_zero_copy (const AfxdpXskPool *pool);
/* Frames of each open queue that a zero-copy driver has in the NIC's own ring, where
 * a packet needs one before any program runs: the program is not told of them, and
 * they are in addition to what the queue's streams need. 0 in copy mode. */
guint afxdp_xsk_pool_nic_frames (const AfxdpXskPool *pool);
/* Wakes the driver of each open queue that asked for it, and has frames to take. A
 * word in memory that is shared with the kernel says so: there is a system call
 * only when it does. Any thread. */
void afxdp_xsk_pool_wake_driver (AfxdpXskPool *pool);
/* Frames of all queues: in fill rings, in the driver and in RX rings. */
guint afxdp_xsk_pool_n_frames (AfxdpXskPool *pool);

/* For xsk.c alone: a queue; a socket that was made in advance, or a new one, or -1,
 * which the caller owns; binding it to an open queue, as a share of its owner's. */
AfxdpXskQueue *afxdp_xsk_pool_queue (AfxdpXskPool *pool, guint queue);
int afxdp_xsk_pool_take_socket (AfxdpXskPool *pool, GError **error);
gboolean afxdp_xsk_pool_bind (
    AfxdpXskPool *pool, int fd, guint queue, GError **error);

G_END_DECLS
