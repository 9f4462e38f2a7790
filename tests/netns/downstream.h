/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What stands behind a receiver's source: it counts the packets, and, when told
 * so, takes none any more, keeps all that it gets, or ends with an error.
 *
 * The sink itself does nothing: this sits on the source's pad. Any thread may
 * tell it something.
 */
#pragma once

#include "receiver.h"

typedef struct _Downstream Downstream;

Downstream *downstream_new (Receiver *receiver);
/* Goes on, gives back what it keeps, and leaves the receiver, which must still
 * be there; nothing may flow. */
void downstream_free (Downstream *downstream);

/* Takes nothing for so many µs, from the next packet on; for G_MAXINT64, until
 * 0. Also what ends a stall that lasts. */
void downstream_stall (Downstream *downstream, gint64 time);
/* Whether the streaming thread is caught in it. */
gboolean downstream_is_stalled (Downstream *downstream);

/* Keeps what comes from now on, or not. */
void downstream_hoard (Downstream *downstream, gboolean hoard);
/* Gives back what is kept. Returns how many packets that were. */
guint downstream_give_back (Downstream *downstream);
/* What is kept, for the caller to keep from now on: buffers and lists, which end
 * with the array. */
GPtrArray *downstream_take (Downstream *downstream);

/* Answers the next packet with GST_FLOW_ERROR. */
void downstream_break (Downstream *downstream);

/* Packets that came. */
guint64 downstream_packets (Downstream *downstream);
