/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One for each network interface and process: XDP program, queues, UMEM and
 * credits, shared by the streams that are registered there.
 *
 * All that may wait (attaching, binding, grace periods, retries) is done by
 * the distributor's control thread, which speaks to the streaming thread of each
 * registration through its subscription.
 *
 * For the thread that changes state.
 */
#pragma once

#include "succession.h"

G_BEGIN_DECLS

/* Returns when the stream's first snapshot has been published. Fails only for
 * want of descriptors or threads: what is wrong with the fast path is in the
 * snapshot. wake is the streaming thread's eventfd. */
AfxdpRegistration *afxdp_distributor_register (const AfxdpNetdev *netdev,
    const AfxdpRegistrationSettings *settings, int wake, GError **error);
/* From now on it is received from these sources. Who is in both sets stays on the fast
 * path; for a while there may be packets of others too. Waits for the control thread,
 * and maybe for a grace period. FALSE, and error: it is received from the former ones, or
 * from more, since the program has no room for the list. Whoever may unregister() it. */
gboolean afxdp_distributor_set_sources (
    AfxdpRegistration *registration, AfxdpSources *sources, GError **error);
/* Closes the path for good and takes home what was still in the rings; no
 * streaming thread may run. How many packets that were, and what was lost on its
 * way there, is in the registration, as what it counted, until forget(). */
void afxdp_distributor_unregister (AfxdpRegistration *registration);
void afxdp_distributor_forget (AfxdpRegistration *registration);

G_END_DECLS
