/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The interfaces that the daemon receives on, and the threads that do it: one for each
 * RX queue that an interface uses, as far as there are processors. A stream goes to the
 * thread of its interface that has the fewest. The program of each interface is attached
 * from here on (hold.h), unless the daemon is to receive by sockets alone. An interface
 * that is not there is waited for, and its threads begin with its first stream.
 *
 * For the control thread.
 */
#pragma once

#include "daemonsettings.h"
#include "hold.h"
#include "receiver.h"

G_BEGIN_DECLS

/* Places in a ring of each stream, as the element has it: what an interface has of packet
 * memory depends on it. */
#define AFXDP_WORKERS_RING_SIZE 16384

typedef struct _AfxdpWorkers AfxdpWorkers;

/* settings must outlive it. Errors: AFXDP_ERROR_SETTINGS, no such processor; those of
 * afxdp_receiver_new() and afxdp_hold_new(). */
AfxdpWorkers *afxdp_workers_new (
    const AfxdpDaemonSettings *settings, GError **error);
/* All that was taken must have been given back. */
void afxdp_workers_free (AfxdpWorkers *workers);

guint afxdp_workers_n_interfaces (const AfxdpWorkers *workers);
/* As it is now, or, when it is away, as it was last. */
const AfxdpNetdev *afxdp_workers_interface (AfxdpWorkers *workers, guint which);
/* The same, and why it has no program; to be cleared. */
void afxdp_workers_hold_state (
    AfxdpWorkers *workers, guint which, AfxdpHoldState *state);
guint afxdp_workers_n_threads (const AfxdpWorkers *workers, guint which);
guint afxdp_workers_n_streams (const AfxdpWorkers *workers, guint which);

/* Whether streams can be had of that interface: it is there, has its threads and, with
 * mode=af-xdp, its program. Errors: AFXDP_ERROR_NOT_FOUND, _FAILED, those of new(). */
gboolean afxdp_workers_are_ready (
    AfxdpWorkers *workers, guint which, GError **error);
/* The thread for one more stream of that interface, which has been ready. */
AfxdpReceiver *afxdp_workers_take (AfxdpWorkers *workers, guint which);
void afxdp_workers_give_back (AfxdpWorkers *workers, AfxdpReceiver *worker);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AfxdpWorkers, afxdp_workers_free)

G_END_DECLS
