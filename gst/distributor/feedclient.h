/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One client of a feed, as its worker sees it. For feed.c alone, which calls all of this
 * with its lock.
 */
#pragma once

#include "feed.h"

G_BEGIN_DECLS

struct _AfxdpFeedClient
{
  AfxdpFeed *feed;
  AfxdpClientRing *ring;
  AfxdpSources *sources; /* NULL: any */
  int socket;
  gboolean broken;    /* it has violated the protocol: it is not to be served */
  gboolean owes_wake; /* it sleeps, and could not be woken */
};

/* How many of drops lie before a packet of the batch, in the order in which they were
 * noticed. */
guint afxdp_feed_client_n_drops (
    const AfxdpDrops *drops, const AfxdpBatch *batch);
/* Copies what it wants of a batch, which may be empty, and wakes it where it sleeps. The
 * first n_drops of drops, which are those of n_drops(), are told between the packets
 * between which they lie, so that the client finds them where numbers are missing.
 * Returns FALSE when it turns out to have violated the protocol. */
gboolean afxdp_feed_client_copy (AfxdpFeedClient *client,
    const AfxdpBatch *batch, const AfxdpDrops *drops, guint n_drops);

G_END_DECLS
