/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One stream that the daemon receives, and the clients that it is copied to. A worker
 * (receiver.h) serves it; the control thread makes it, gives it clients and takes them
 * away, and asks how it is.
 *
 * All functions are for the control thread. The worker tells it of news by a function,
 * which is called in the worker's thread, must not wait, and may be called once for much
 * news.
 */
#pragma once

#include "clientring.h"
#include "clock.h"
#include "pathchange.h"
#include "receiver.h"

G_BEGIN_DECLS

/* With mode=af-xdp: ns that it may take until what may heal has, such as a queue that the
 * kernel has not yet released; and what a stream is told that ends then. */
#define AFXDP_FEED_HEALING_TIME (1500 * AFXDP_MS)
#define AFXDP_FEED_NEEDS_AF_XDP                                \
  "The distributor daemon is to receive through AF_XDP alone " \
  "(mode=af-xdp), and cannot: "

typedef struct
{
  GInetAddress *address;
  guint16 port;
  AfxdpSources *sources;  /* NULL: any */
  const gchar *interface; /* NULL: the one that the route to address leads to */
  gboolean verify_checksum;
  AfxdpMode mode;
  guint umem_frames; /* 0: automatic */
  guint ring_size;
} AfxdpFeedSettings;

typedef struct _AfxdpFeed AfxdpFeed;
/* One of its clients. */
typedef struct _AfxdpFeedClient AfxdpFeedClient;

/* Opens the stream, joins its group, and has worker serve it, which calls news(). With
 * mode AF_XDP the stream is over (error()) when the fast path has not become possible
 * soon. Errors: those of afxdp_stream_new(). May wait for RTNL. */
AfxdpFeed *afxdp_feed_new (const AfxdpFeedSettings *settings,
    AfxdpReceiver *worker, void (*news) (gpointer user_data),
    gpointer user_data, GError **error);
/* It must have no clients. May wait for a grace period. */
void afxdp_feed_free (AfxdpFeed *feed);

/* From now on it is received from these sources (NULL: any), as
 * afxdp_stream_set_sources() says, whose errors these are. */
gboolean afxdp_feed_set_sources (
    AfxdpFeed *feed, AfxdpSources *sources, GError **error);

/* The interface that it is received on, valid until the next call; NULL: it is not
 * known. */
const AfxdpNetdev *afxdp_feed_netdev (AfxdpFeed *feed);

/* Packets that come from now on are copied into ring, as far as they are of sources
 * (NULL: any), and the client is woken by a WAKE to socket. Ring and socket must outlive
 * remove(). */
AfxdpFeedClient *afxdp_feed_add (
    AfxdpFeed *feed, AfxdpClientRing *ring, AfxdpSources *sources, int socket);
/* When it returns, the worker does not know the client any more. */
void afxdp_feed_remove (AfxdpFeedClient *client);

/* Fills in by which path the stream comes and returns TRUE, if that is news since the
 * last call; the caller clears change. */
gboolean afxdp_feed_path_changed (AfxdpFeed *feed, AfxdpPathChange *change);
/* Why there will be no more packets, a copy for the caller, or NULL. Then it is to be
 * freed. */
GError *afxdp_feed_error (AfxdpFeed *feed);

typedef struct
{
  guint64 packets[2]; /* by the fast and the slow path */
  guint64 bytes;
  guint64 malformed;
  guint64 drops[AFXDP_N_COLUMNS]; /* as counters of the host say */
} AfxdpFeedCounts;

void afxdp_feed_counts (AfxdpFeed *feed, AfxdpFeedCounts *counts);

G_END_DECLS
