/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What one interface needs to receive through AF_XDP: the XDP program, the
 * UMEM with its queues, and the slots that streams have in both. Knows no
 * streams, only slot numbers.
 *
 * Made and used by one thread, the distributor's control thread, since almost
 * every call may wait for RTNL; umem(), n_home() and words() are for any thread.
 */
#pragma once

#include <gio/gio.h>

#include "netdev.h"
#include "ring.h"
#include "sources.h"
#include "umem.h"
#include "xdpprog.h"

G_BEGIN_DECLS

typedef struct _AfxdpEngine AfxdpEngine;

typedef struct
{
  AfxdpXdpMode xdp_mode;
  AfxdpZeroCopy zero_copy;
  guint n_frames;
} AfxdpEngineSettings;

/* Loads and registers all, attaches nothing. Needs the privileges; no later
 * call does, but on queues for which no socket was made in advance. Errors:
 * AFXDP_ERROR_PERMISSION, _UNSUPPORTED (the kind of interface included),
 * _MEMORY. */
AfxdpEngine *afxdp_engine_new (const AfxdpNetdev *netdev,
    const AfxdpEngineSettings *settings, GError **error);
/* Detaches the program, then closes the sockets. Lent frames stay valid. */
void afxdp_engine_free (AfxdpEngine *engine);

gboolean afxdp_engine_attach (AfxdpEngine *engine, GError **error);
void afxdp_engine_detach (AfxdpEngine *engine);
/* Asks the kernel: somebody else may have detached the program. */
gboolean afxdp_engine_is_attached (AfxdpEngine *engine);
void afxdp_engine_set_mac (AfxdpEngine *engine, const guint8 mac[6]);

AfxdpXdpMode afxdp_engine_xdp_mode (const AfxdpEngine *engine);
gboolean afxdp_engine_is_zero_copy (const AfxdpEngine *engine);
gboolean afxdp_engine_has_metadata (const AfxdpEngine *engine);
/* Whether the program found no room for it in front of some packet. */
gboolean afxdp_engine_driver_refuses_metadata (const AfxdpEngine *engine);
/* Goes over to the program without metadata. No door may be open. */
gboolean afxdp_engine_drop_metadata (AfxdpEngine *engine, GError **error);

AfxdpUmem *afxdp_engine_umem (const AfxdpEngine *engine);
/* Frames that are not with an application: free, or with the kernel. */
guint afxdp_engine_n_home (AfxdpEngine *engine);

/* Returns a free slot for a stream that is received from sources, or -1:
 * AFXDP_SLOTS or AFXDP_SOURCES are taken. May wait for a grace period. */
gint afxdp_engine_take_slot (
    AfxdpEngine *engine, AfxdpSources *sources, GError **error);
gboolean afxdp_engine_set_flow (AfxdpEngine *engine,
    const struct afxdp_flow_key *flow, guint slot, GError **error);
void afxdp_engine_remove_flow (
    AfxdpEngine *engine, const struct afxdp_flow_key *flow);
/* What the program counts of slot on queue. Any thread. */
const struct afxdp_slot *afxdp_engine_words (
    const AfxdpEngine *engine, guint slot, guint queue);
/* Fills in ring, whose door is closed. The caller owns its xsk. */
gboolean afxdp_engine_add_ring (AfxdpEngine *engine, guint slot, guint queue,
    guint ring_size, AfxdpRing *ring, GError **error);
/* How many frames a queue that has a ring should have, and how many it has: in
 * its fill ring and in RX rings. It may get fewer, see xsk.h. */
void afxdp_engine_set_frames (AfxdpEngine *engine, guint queue, guint frames);
guint afxdp_engine_queue_frames (AfxdpEngine *engine, guint queue);
/* Takes rings of slot out of the program's map and closes their doors. */
void afxdp_engine_disconnect (
    AfxdpEngine *engine, guint slot, const AfxdpRing *rings, guint n_rings);
/* After that, with nothing on its way to the rings any more: takes home what
 * they hold, and keeps their sockets for other slots. The slot is free after the
 * next grace period, since the program may have just found it in its table of
 * flows. Returns how many packets the rings held, and adds to loss those that
 * were lost since the reader read for the last time. */
guint afxdp_engine_free_slot (AfxdpEngine *engine, guint slot,
    const AfxdpRing *rings, guint n_rings, AfxdpXskLoss *loss);

/* Waits until every XDP program run that was under way has ended, and all that
 * it passed or redirected is in a socket or ring: 10 to 30 ms. */
void afxdp_engine_wait_for_grace_period (AfxdpEngine *engine);

G_END_DECLS
