/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The socket as a source of a stream's packets. The kernel counts what it has no room
 * for, and what it drops while nobody reads is the pause's.
 *
 * For the streaming thread alone.
 */
#pragma once

#include "input.h"
#include "socket.h"

G_BEGIN_DECLS

typedef struct
{
  AfxdpInput input;

  AfxdpSocket *socket;
  gboolean dry;      /* the last read() emptied it */
  guint64 dry_at;    /* when one last did; 0: not yet */
  guint32 dropped;   /* by the socket; this much is told */
  gboolean paused;   /* nobody reads, says the owner */
  gboolean resuming; /* what came meanwhile is being read */
  guint64 resumed_at;
} AfxdpSocketInput;

/* Socket and drops are not owned: they must outlive the input. */
void afxdp_socket_input_init (AfxdpSocketInput *input, AfxdpSocket *socket,
    guint batch, AfxdpDrops *drops);

/* Nobody reads the socket any more, which until then had dropped so many. What it drops
 * from now on until what waits in it has been read is the pause's. */
void afxdp_socket_input_pause (AfxdpSocketInput *input, guint32 dropped);

G_END_DECLS
