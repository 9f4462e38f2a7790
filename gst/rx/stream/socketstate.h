/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of the UDP socket share: socket.c makes and binds it, socketgroup.c
 * joins its group and tells the sources, socketmessages.c receives into frames,
 * socketerrors.c tells errors that pass from those that stay. For no one else.
 */
#pragma once

#include "socket.h"

#include <netinet/in.h>
#include <stdatomic.h>
#include <sys/socket.h>

G_BEGIN_DECLS

/* What the kernel tells of each datagram beside it. */
typedef guint8 Control[CMSG_SPACE (sizeof (struct timespec)) +
    CMSG_SPACE (sizeof (guint32))];

struct _AfxdpSocket
{
  GInetAddress *address;
  AfxdpNetdev *netdevs;
  guint n_netdevs; /* 0: where routing leads */
  gboolean joins;
  GArray *joined; /* int: interface indexes where we joined it, 0 likewise */
  AfxdpSources *sources; /* as the kernel is told */
  AfxdpSources *wanted;  /* as receive() compares; the streaming thread's own */
  GSocket *gsocket;
  gboolean given;
  gboolean keep_open;
  /* A duplicate: whoever has the GSocket may close it while we read, and its number
   * then belongs to somebody else. */
  int fd;
  GError *error;         /* why nothing can be received any more, or NULL */
  guint64 failing_since; /* ns of CLOCK_MONOTONIC; 0: it does not */
  guint64 n_errors;      /* that passed */
  guint buffer_size;
  atomic_bool deaf;
  _Atomic guint32 dropped_hearing; /* before it became deaf, while it is */
  _Atomic guint32 dropped_deaf;    /* while it was; nobody is told */
  AfxdpUmem *umem;
  AfxdpAccount *account;
  guint frame_size;

  /* One for each message of recvmmsg. A message has a frame (or not, when the
   * area is out of them), and room for what is longer. */
  guint batch;
  guint used; /* messages below this are to be prepared anew */
  struct mmsghdr *messages;
  struct iovec (*vectors)[2];
  Control *control;
  struct sockaddr_storage *senders;
  guint32 *frames;
  guint8 *spill; /* batch times LARGEST_DATAGRAM, touched when used */
};

static inline gboolean
afxdp_socket_is_ipv6 (const AfxdpSocket *socket)
{
  return g_inet_address_get_family (socket->address) == G_SOCKET_FAMILY_IPV6;
}

/* Leaves what was joined: a socket that is closed has left its group, unless another
 * process has it too. */
void afxdp_socket_leave (AfxdpSocket *socket);

/* Memory and frames for batch datagrams at a time; frame_size and umem are set. */
gboolean afxdp_socket_create_messages (
    AfxdpSocket *socket, guint batch, GError **error);
void afxdp_socket_free_messages (AfxdpSocket *socket);

/* errnum was reported just now, as often as it was asked. */
void afxdp_socket_note_failure (AfxdpSocket *socket, int errnum);

G_END_DECLS
