/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The descriptor of an AF_XDP socket: creating it, registering a UMEM with it, its
 * rings, which are memory that the kernel shares, and binding it to an RX queue. Set
 * up by hand (socket, setsockopt, mmap, bind) with the inline ring functions of
 * <xdp/xsk.h>: libxdp 1.3's own set-up cannot name the socket to share with, nor
 * create a socket now and bind it later.
 *
 * Owns nothing: a descriptor and the mapping of its ring are the caller's. The
 * mapping holds the socket's file: unmap() it before afxdp_fork_close().
 */
#pragma once

#include <glib.h>
#include <xdp/xsk.h>

#include "umem.h"

G_BEGIN_DECLS

/* The memory that the kernel shares for one ring. */
typedef struct
{
  gpointer memory;
  gsize size;
} AfxdpRingMapping;

/* Whether this thread may make AF_XDP sockets: costs nothing but one of them. Errors:
 * AFXDP_ERROR_PERMISSION, _UNSUPPORTED, _MEMORY. */
gboolean afxdp_xskfd_check_allowed (GError **error);
/* Returns a descriptor that children do not get, or -1: errors as above. */
int afxdp_xskfd_new (GError **error);

/* For interface. Needs CAP_IPC_LOCK or enough memlock: all of the memory is resident
 * from here on. Errors: AFXDP_ERROR_MEMORY. */
gboolean afxdp_xskfd_register_umem (
    int fd, const gchar *interface, AfxdpUmem *umem, GError **error);

/* A ring of size entries, a power of two, and where it is mapped. A socket with a
 * fill ring gets a completion ring and an RX ring of one packet too, without which
 * the kernel does not bind it. */
gboolean afxdp_xskfd_create_fill_ring (int fd, guint size,
    struct xsk_ring_prod *ring, AfxdpRingMapping *mapping, GError **error);
gboolean afxdp_xskfd_create_rx_ring (int fd, guint size,
    struct xsk_ring_cons *ring, AfxdpRingMapping *mapping, GError **error);
/* Does nothing when nothing is mapped. */
void afxdp_xskfd_unmap (AfxdpRingMapping *mapping);

/* Binds it to a queue of an interface, which interface names in errors. flags:
 * sxdp_flags; with XDP_SHARED_UMEM, shared_with is the descriptor to share with.
 * Errors: AFXDP_ERROR_QUEUE_BUSY when another process has the queue, _UNSUPPORTED
 * when zero-copy is required and cannot be had. */
gboolean afxdp_xskfd_bind (int fd, int ifindex, const gchar *interface,
    guint queue, guint flags, int shared_with, GError **error);
/* What the driver does for a socket that is bound. */
gboolean afxdp_xskfd_is_zero_copy (int fd);

G_END_DECLS
