/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The slow path: the kernel UDP socket of a stream. Bound, joined and read by
 * recvmmsg into frames of an area of its own, with the kernel's timestamps.
 *
 * Created and freed by the thread that changes state; receive(), want(), move() and what
 * is said of errors are for the streaming thread alone. set_sources() may wait, and is
 * for another one.
 */
#pragma once

#include <gio/gio.h>

#include "netdev.h"
#include "settings.h"

G_BEGIN_DECLS

typedef struct _AfxdpSocket AfxdpSocket;

/* Of settings, what concerns the socket. netdevs: those that a group is joined on; none:
 * where routing leads. With auto_multicast, address is a group, of which the socket gets
 * nothing before join(). Errors: AFXDP_ERROR_PORT_IN_USE, _NOT_FOUND, _PERMISSION,
 * _MEMORY. */
AfxdpSocket *afxdp_socket_new (const AfxdpStreamSettings *settings,
    const AfxdpNetdev *netdevs, guint n_netdevs, GError **error);
/* Closes the GSocket, whoever else may hold it. */
void afxdp_socket_free (AfxdpSocket *socket);
/* From now on free() leaves what was joined, and closes nothing, if the socket was
 * given. */
void afxdp_socket_keep_open (AfxdpSocket *socket);

/* Joins the group of the settings, on each of their interfaces or where routing
 * leads, and tells the kernel the sources. Errors: AFXDP_ERROR_NOT_FOUND,
 * _MEMORY (more sources than the host allows). */
gboolean afxdp_socket_join (AfxdpSocket *socket, GError **error);

/* netdev came after the interface that was at place among those of the settings,
 * from 0, and was removed. Joins the group there, if it was to be joined, and
 * receives from there what it received from that interface alone. Errors: as of
 * join(). Streaming thread. */
gboolean afxdp_socket_move (AfxdpSocket *socket, guint place,
    const AfxdpNetdev *netdev, GError **error);

/* Has the kernel go over to other sources wherever the group is joined, in one call for
 * each place: who is in both is heard on. May wait for RTNL, and not be called beside
 * move(). Errors: as of join(); then nothing has changed. */
gboolean afxdp_socket_set_sources (
    AfxdpSocket *socket, AfxdpSources *sources, GError **error);
/* What is received from now on is wanted from these sources, whatever the kernel lets
 * through. */
void afxdp_socket_want (AfxdpSocket *socket, AfxdpSources *sources);

GSocket *afxdp_socket_gsocket (const AfxdpSocket *socket);
/* The port that it is bound to. */
guint16 afxdp_socket_port (const AfxdpSocket *socket);
/* Whether the kernel keeps back what others than one peer send to it. */
gboolean afxdp_socket_is_connected (const AfxdpSocket *socket);
int afxdp_socket_fd (const AfxdpSocket *socket);
/* The kernel's number of it, 0 when it is not known. */
guint64 afxdp_socket_inode (const AfxdpSocket *socket);
/* Bytes that the kernel granted, as asked for (it doubles them inside). */
guint afxdp_socket_buffer_size (const AfxdpSocket *socket);
/* The area whose frames receive() hands out. */
AfxdpUmem *afxdp_socket_umem (const AfxdpSocket *socket);
/* What its frames are lent from, and how many may be, or copying would begin. */
AfxdpAccount *afxdp_socket_account (const AfxdpSocket *socket, guint *share);

/* Where a packet came from. */
typedef struct
{
  const guint8 *address; /* network order, 4 or 16 bytes */
  guint32 scope;         /* interface, of a link-local address; or 0 */
  guint16 port;
  guint8 version; /* 4 or 6 */
} AfxdpSender;

/* A datagram: in a frame, which the caller then owns, or, when it is longer
 * than a frame or no frame was free, in memory of the socket that is valid
 * until the next receive(). */
typedef struct
{
  const guint8 *data;
  guint size;         /* bytes, 0 is legal */
  guint32 frame;      /* of afxdp_socket_umem(), or AFXDP_NO_FRAME */
  guint64 arrival;    /* ns of CLOCK_REALTIME, 0 when the kernel gave none */
  gboolean wanted;    /* it comes from one of the sources */
  guint32 dropped;    /* by the socket before this one, as dropped() counts */
  AfxdpSender sender; /* its address is valid until the next receive() */
} AfxdpSocketPacket;

/* Receives up to n datagrams without waiting. Fewer than n: the socket is
 * empty. */
guint afxdp_socket_receive (
    AfxdpSocket *socket, AfxdpSocketPacket *packets, guint n);

/* Looks what the application's own use of the socket has left there: answers to what it
 * sent, which are over when they were read, or that it was shut down. To be called when
 * poll() tells of an error, and now and then. */
void afxdp_socket_look_for_errors (AfxdpSocket *socket);
/* Why nothing can be received any more, or NULL. Owned by the socket. */
const GError *afxdp_socket_error (const AfxdpSocket *socket);
/* Errors that passed. */
guint64 afxdp_socket_n_errors (const AfxdpSocket *socket);

/* Whether its buffer has no room for a packet. A system call; any thread. */
gboolean afxdp_socket_is_full (const AfxdpSocket *socket);
/* Packets that the socket ever dropped: its buffer was full, or their checksum
 * was wrong (SK_MEMINFO_DROPS). It wraps. Any thread. */
guint32 afxdp_socket_dropped (const AfxdpSocket *socket);

/* A socket that is deaf gets no packets, since somebody else receives them for the
 * stream, and what it drops for that is not counted. What it has at hand stays. Not for
 * one that was given: the filter is its owner's. FALSE, and errno: it hears on.
 * Streaming thread, or before it runs. */
gboolean afxdp_socket_set_deaf (AfxdpSocket *socket, gboolean deaf);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AfxdpSocket, afxdp_socket_free)

G_END_DECLS
