/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The socket of somebody else's XSKMAP (xskmap.h) as a source of a stream's packets. His
 * program numbers nothing and writes no time: packets arrive when they are read, and
 * losses are what the socket's own counters say.
 *
 * His program may redirect packets that are not the stream's, in any number. Their
 * frames are given home and they count as malformed, like what our own program should
 * not have redirected: nobody else gets them.
 *
 * The socket may become another one, since the map did (mapkeeper.h).
 *
 * For the streaming thread alone.
 */
#pragma once

#include "framepacket.h"
#include "input.h"
#include "ringcounters.h"
#include "xsk.h"

G_BEGIN_DECLS

typedef struct
{
  AfxdpInput input;
  AfxdpXsk *xsk; /* NULL: none, and nothing comes */
  const AfxdpDestination *destination;
  AfxdpRingCounters counters;
  guint64 n_read;  /* packets of the stream */
  gboolean paused; /* nobody reads */
} AfxdpMapInput;

/* fd: tells of what comes to whichever socket it is. Drops and destination must outlive
 * the input. */
void afxdp_map_input_init (AfxdpMapInput *input, int fd,
    const AfxdpDestination *destination, guint batch, AfxdpDrops *drops);
/* Reads xsk from now on, with its frames in umem, which both must outlive that; or
 * nothing: NULL. What was read before must have been handed out or discarded. */
void afxdp_map_input_set_socket (
    AfxdpMapInput *input, AfxdpXsk *xsk, AfxdpUmem *umem);
/* Nobody reads for a while: what has no room until the next read is the pause's. */
void afxdp_map_input_pause (AfxdpMapInput *input);

G_END_DECLS
