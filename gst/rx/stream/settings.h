/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a stream is told to be: by the element, once. */
#pragma once

#include <gio/gio.h>

#include "sources.h"
#include "umem.h"
#include "xdpprog.h"
#include "xskpool.h"

G_BEGIN_DECLS

typedef enum
{
  AFXDP_MODE_AUTO,
  AFXDP_MODE_AF_XDP,
  AFXDP_MODE_SOCKET,
} AfxdpMode;

typedef struct
{
  GInetAddress *address;
  guint16 port;          /* 0: any free one */
  AfxdpSources *sources; /* of a multicast group, NULL: any */
  /* Ends with NULL. None: the one that socket is bound to, or by the route to
   * address. With several there is only the socket. */
  const gchar *const *interfaces;
  AfxdpMode mode;
  const gchar *distributor; /* the daemon's socket file; NULL: none is asked */
  gboolean distributor_anywhere; /* also one of another network namespace */
  /* the pin of an XSKMAP that somebody else's program redirects to: no daemon is asked
   * then, and no program of ours attached; NULL: none */
  const gchar *xsk_map;
  AfxdpXdpMode xdp_mode;
  AfxdpZeroCopy zero_copy;
  gint queue;
  guint ring_size;
  guint umem_frames;
  guint batch;       /* up to AFXDP_LARGEST_BATCH */
  guint64 coalesce;  /* ns that it may sleep to gather a batch */
  guint busy_poll;   /* µs that it looks on after a packet before it sleeps */
  guint buffer_size; /* bytes of SO_RCVBUF; 0: 16 MiB, by force */
  gboolean auto_multicast;
  gboolean exclusive; /* no other socket may have address and port */
  gboolean no_loop;   /* what the socket sends to a group stays off this host */
  guint skip;         /* see set_skip() */
  /* bound, to be used instead of one of its own; address is what it is bound
   * to, or the group to join; NULL: none */
  GSocket *socket;
  /* close() leaves this socket open, as new() does when it fails */
  gboolean keep_open;
  gboolean verify_checksum; /* of what comes by the fast path */
  /* the socket's area and the interface's, which its first stream does, in the
   * control thread; NULL: nothing */
  AfxdpUmemPrepare prepare;
} AfxdpStreamSettings;

G_END_DECLS
