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
  AfxdpXsk *xsk;
  const AfxdpDestination *destination;
  AfxdpRingCounters counters;
} AfxdpMapInput;

/* xsk, area, drops and destination are not owned: they must outlive the input. */
void afxdp_map_input_init (AfxdpMapInput *input, AfxdpXsk *xsk, AfxdpUmem *umem,
    const AfxdpDestination *destination, guint batch, AfxdpDrops *drops);

G_END_DECLS
