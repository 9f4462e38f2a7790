/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of the streams that the daemon receives. Who wants one that is there uses
 * it, and it is received from whomever one of its uses wants; one that nobody has any
 * more is closed. What a worker tells of a stream comes here
 * to the control thread, and from here to its uses.
 *
 * For the control thread, whose main context is the default one.
 */
#pragma once

#include "feed.h"
#include "protocol.h"
#include "workers.h"

G_BEGIN_DECLS

/* What somebody wants. */
typedef struct
{
  guint interface; /* of the workers */
  GInetAddress *address;
  guint16 port;
  AfxdpSources *sources; /* NULL: any */
  gboolean verify_checksum;
} AfxdpWanted;

/* What who uses a stream is told; and may end the use when he is. */
typedef struct
{
  void (*path) (gpointer user_data, const struct afxdp_path *path);
  /* There will be no more packets. */
  void (*ended) (gpointer user_data, const GError *error);
  /* The client's ring may have been misused: see its violation(). */
  void (*suspect) (gpointer user_data);
} AfxdpFeedUseEvents;

typedef struct _AfxdpFeeds AfxdpFeeds;
typedef struct _AfxdpFeedUse AfxdpFeedUse;

/* Errors: AFXDP_ERROR_MEMORY, no descriptor is left. */
AfxdpFeeds *afxdp_feeds_new (
    const AfxdpDaemonSettings *settings, AfxdpWorkers *workers, GError **error);
/* Without uses. */
void afxdp_feeds_free (AfxdpFeeds *feeds);

/* Whether somebody has the stream already, from whichever sources. */
gboolean afxdp_feeds_has (AfxdpFeeds *feeds, const AfxdpWanted *wanted);
/* Ring, socket and events must outlive use_end(). path() is not called before this returns.
 * Errors: those of afxdp_feed_new() and set_sources(); AFXDP_ERROR_SETTINGS, the stream
 * is there and does not verify checksums. Then nothing has changed for the others. May
 * wait for a grace period. */
AfxdpFeedUse *afxdp_feeds_use (AfxdpFeeds *feeds, const AfxdpWanted *wanted,
    AfxdpClientRing *ring, int socket, const AfxdpFeedUseEvents *events,
    gpointer user_data, GError **error);
/* May wait for a grace period. */
void afxdp_feed_use_end (AfxdpFeedUse *use);

/* Where it is received; NULL: it is not known. */
const AfxdpNetdev *afxdp_feed_use_netdev (const AfxdpFeedUse *use);
/* By which path it comes now; NULL: that is not known yet, and path() tells it. */
const struct afxdp_path *afxdp_feed_use_path (const AfxdpFeedUse *use);

/* How a stream is. */
typedef struct
{
  const AfxdpWanted *wanted;     /* its sources: those of all uses */
  const struct afxdp_path *path; /* NULL: not known yet */
  guint n_uses;
  AfxdpFeedCounts counts;
  guint64 rate; /* packets in the last whole second */
} AfxdpFeedState;

void afxdp_feeds_foreach (AfxdpFeeds *feeds,
    void (*function) (const AfxdpFeedState *state, gpointer user_data),
    gpointer user_data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AfxdpFeeds, afxdp_feeds_free)

G_END_DECLS
