/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Receiving from an XDP program that is somebody else's: an XSKMAP which he pinned in
 * a BPF file system, and which his program redirects packets to (Kubernetes' AF_XDP
 * device plugin, Cilium, a firewall). Owns one AF_XDP socket with its UMEM, and that
 * socket's entry in the map; never the map, nor the program.
 *
 *   map = afxdp_xsk_map_open (&settings, &netdev, &error);
 *   read afxdp_xsk_map_xsk (map) until check() says that nothing comes any more
 *   n = afxdp_xsk_map_close (map, &loss);
 *
 * There is no credit, no ordinal and no time of arrival: where packets were lost, the
 * socket's own counters tell (afxdp_xsk_find_loss()). What the program does with
 * packets that it does not redirect is its own affair: as a rule it passes them, so that
 * a stream's UDP socket gets them. It may redirect packets of others too.
 *
 * open(), check() and close() are for one thread, which may wait for RTNL, but the
 * socket for whoever reads it. open() needs CAP_NET_RAW, the right to read and write
 * the pin, and CAP_IPC_LOCK or enough memlock; until Linux 5.18 CAP_BPF too, where
 * kernel.unprivileged_bpf_disabled is set. The others need no more than is open.
 */
#pragma once

#include <glib.h>

#include "netdev.h"
#include "umem.h"
#include "xsk.h"

G_BEGIN_DECLS

typedef struct _AfxdpXskMap AfxdpXskMap;

typedef struct
{
  const gchar *path; /* of the pin */
  gint queue;        /* RX queue, and the entry's key; -1: 0 */
  guint ring_size;   /* packets in the RX ring, a power of two */
  guint batch;       /* packets that are read at once */
  guint n_frames;    /* 0: automatic */
  AfxdpZeroCopy zero_copy;
  AfxdpUmemPrepare prepare; /* or NULL */
} AfxdpXskMapSettings;

/* Whether packets can come through the map, and why not. */
typedef enum
{
  AFXDP_XSK_MAP_SERVES,
  /* They may come by themselves again. */
  AFXDP_XSK_MAP_NO_PROGRAM, /* none is attached to the interface */
  AFXDP_XSK_MAP_TAKEN,      /* the entry is another socket's */
  /* They come again after close() and open() at most. */
  AFXDP_XSK_MAP_MOVED, /* another program is attached, and the pin is another map's */
  AFXDP_XSK_MAP_NO_INTERFACE, /* it is gone; the socket is of no use any more */
} AfxdpXskMapState;

/* Enters a new socket into the map at the queue; packets may come from then on. It
 * does not matter whether a program is attached: check() tells. One element of a
 * process can have a queue. A queue that is busy is tried for a
 * second: the kernel may not yet have released it. Errors, each of which leaves the map
 * as it was:
 * AFXDP_ERROR_NOT_FOUND: there is no such pin (it may come; try again);
 * _PERMISSION: CAP_NET_RAW, or the pin's mode; _SETTINGS: it is no XSKMAP, or has no
 * entry for the queue, or the interface has no such queue; _QUEUE_BUSY: the queue or the
 * entry belongs to another process, or to another element of this one; _MEMORY;
 * _UNSUPPORTED: the kind of interface, or zero-copy, which is required. */
AfxdpXskMap *afxdp_xsk_map_open (const AfxdpXskMapSettings *settings,
    const AfxdpNetdev *netdev, GError **error);
/* Removes the entry, if it is still ours, waits for what is on its way (10 to 30 ms) and
 * closes the socket. Nobody reads it any more, or has a reference. Lent frames stay
 * valid. Returns how many packets the ring held, and sets loss to those that were lost
 * and not yet found; NULL: nobody wants to know. */
guint afxdp_xsk_map_close (AfxdpXskMap *map, AfxdpXskLoss *loss);

/* Asks the kernel whether the map still leads to the socket; every second is often
 * enough. An entry that somebody removed is entered again. Some system calls. *news: if
 * something happened since the last call, or since open(), what it was and what to do
 * about it, to be freed; else NULL. */
AfxdpXskMapState afxdp_xsk_map_check (AfxdpXskMap *map, gchar **news);

/* Whether the program that is attached now runs in generic mode. A system call. */
gboolean afxdp_xsk_map_is_generic (const AfxdpXskMap *map);

/* These do not change. Any thread; what they return is valid until close(). */
AfxdpXsk *afxdp_xsk_map_xsk (const AfxdpXskMap *map);
AfxdpUmem *afxdp_xsk_map_umem (const AfxdpXskMap *map);
/* Frames that may be lent downstream; when more are, packets must be copied. */
guint afxdp_xsk_map_share (const AfxdpXskMap *map);
gboolean afxdp_xsk_map_is_zero_copy (const AfxdpXskMap *map);
/* "zero-copy from the XSKMAP "NAME" (id ID) pinned at PATH, RX queue N of IFACE". */
const gchar *afxdp_xsk_map_describe (const AfxdpXskMap *map);

G_END_DECLS
