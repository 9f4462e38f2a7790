/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What one interface needs to receive through AF_XDP: the XDP program, the
 * UMEM with its queues, and the slots that streams have in both. Knows no
 * streams, only slot numbers.
 *
 * Made and used by one thread, the distributor's control thread, since almost
 * every call may wait for RTNL. The parts stay the same until the end: what they have
 * for any thread, any thread may ask of them.
 */
#pragma once

#include <gio/gio.h>

#include "netdev.h"
#include "ring.h"
#include "sources.h"
#include "umem.h"
#include "xdpprog.h"

G_BEGIN_DECLS

typedef struct
{
  AfxdpXdpMode xdp_mode;
  AfxdpZeroCopy zero_copy;
  guint n_frames; /* besides those of the NIC's own rings, if automatic */
  gboolean automatic;
  AfxdpUmemPrepare prepare; /* or NULL; control thread */
} AfxdpEngineSettings;

typedef enum
{
  AFXDP_SLOT_FREE,
  AFXDP_SLOT_WAITING, /* taken, and without a ring */
  AFXDP_SLOT_BOUND,
  AFXDP_SLOT_RESTING, /* until a grace period is over that has not begun, */
  AFXDP_SLOT_RESTED,  /* or until the one that runs is over */
} AfxdpSlotState;

typedef struct
{
  AfxdpUmem *umem;
  AfxdpXskPool *pool;
  AfxdpXdpProg *prog;

  /* The engine's own. */
  AfxdpNetdev netdev;
  AfxdpEngineSettings settings;
  guint n_slots; /* so many, from the first on, have been in use */
  AfxdpSlotState slots[AFXDP_SLOTS];
  AfxdpSources *sources[AFXDP_SLOTS]; /* in the program too; see filter.h */
  guint *n_rings;                     /* of slots, on each queue */
  /* AfxdpXsk, bound but in no map: closing one costs a grace period, and using
   * it again nothing */
  GPtrArray *unused;
} AfxdpEngine;

/* Loads and registers all, attaches nothing. Needs the privileges; no later
 * call does, but on queues for which no socket was made in advance. Errors:
 * AFXDP_ERROR_PERMISSION, _UNSUPPORTED (the kind of interface included),
 * _FOREIGN, _MEMORY. */
AfxdpEngine *afxdp_engine_new (const AfxdpNetdev *netdev,
    const AfxdpEngineSettings *settings, GError **error);
/* Detaches the program, then closes the sockets. Lent frames stay valid. */
void afxdp_engine_free (AfxdpEngine *engine);

/* Whether the program found no room for metadata in front of some packet. */
gboolean afxdp_engine_driver_refuses_metadata (const AfxdpEngine *engine);

/* Returns a free slot for a stream that is received from sources, or -1:
 * AFXDP_SLOTS or AFXDP_SOURCES are taken. May wait for a grace period. */
gint afxdp_engine_take_slot (
    AfxdpEngine *engine, AfxdpSources *sources, GError **error);
gboolean afxdp_engine_set_flow (AfxdpEngine *engine,
    const struct afxdp_flow_key *flow, guint slot, GError **error);
void afxdp_engine_remove_flow (
    AfxdpEngine *engine, const struct afxdp_flow_key *flow);
/* Packets that the program ran for, on all queues. Any thread. */
guint64 afxdp_engine_n_seen (const AfxdpEngine *engine);
/* Fills in ring, whose path is closed. The caller owns its xsk. */
gboolean afxdp_engine_add_ring (AfxdpEngine *engine, guint slot, guint queue,
    guint ring_size, AfxdpRing *ring, GError **error);
/* Takes rings of slot out of the program's map and closes their paths. */
void afxdp_engine_disconnect (
    AfxdpEngine *engine, guint slot, const AfxdpRing *rings, guint n_rings);
/* After that, with nothing on its way to the rings any more: takes home what
 * they hold, and keeps their sockets for other slots. The slot is free after the
 * next grace period, since the program may have just found it in its table of
 * flows. Returns how many packets the rings held, and adds to loss those that
 * were lost since the reader read for the last time. */
guint afxdp_engine_free_slot (AfxdpEngine *engine, guint slot,
    const AfxdpRing *rings, guint n_rings, AfxdpXskLoss *loss);

/* Around a grace period: the slots that were given up before it are free after it.
 * engine may be NULL. */
void afxdp_engine_begin_grace_period (AfxdpEngine *engine);
void afxdp_engine_end_grace_period (AfxdpEngine *engine);
/* Waits for one (grace.h). cause: for the log. */
void afxdp_engine_wait_for_grace_period (
    AfxdpEngine *engine, const gchar *cause);

G_END_DECLS
