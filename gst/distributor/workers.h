/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The interfaces that the daemon receives on, and the threads that do it: one for each
 * RX queue that an interface uses, as far as there are processors. A stream goes to the
 * thread of its interface that has the fewest.
 *
 * For the control thread.
 */
#pragma once

#include "daemonsettings.h"
#include "netdev.h"
#include "receiver.h"

G_BEGIN_DECLS

typedef struct _AfxdpWorkers AfxdpWorkers;

/* Errors: AFXDP_ERROR_NOT_FOUND, no such interface; _SETTINGS, no such processor; those
 * of afxdp_receiver_new(). */
AfxdpWorkers *afxdp_workers_new (
    const AfxdpDaemonSettings *settings, GError **error);
/* All that was taken must have been given back. */
void afxdp_workers_free (AfxdpWorkers *workers);

guint afxdp_workers_n_interfaces (const AfxdpWorkers *workers);
/* As it is now, or, when it is away, as it was last. */
const AfxdpNetdev *afxdp_workers_interface (AfxdpWorkers *workers, guint which);
guint afxdp_workers_n_threads (const AfxdpWorkers *workers, guint which);
guint afxdp_workers_n_streams (const AfxdpWorkers *workers, guint which);

/* The thread for one more stream of that interface. */
AfxdpReceiver *afxdp_workers_take (AfxdpWorkers *workers, guint which);
void afxdp_workers_give_back (AfxdpWorkers *workers, AfxdpReceiver *worker);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AfxdpWorkers, afxdp_workers_free)

G_END_DECLS
