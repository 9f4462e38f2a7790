/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * On which RX queues of its interface a stream shows, and its rings there: a stream
 * gets a ring on a queue when the program has seen it there, or was told to.
 *
 * For the control thread. Times are in ns of CLOCK_MONOTONIC.
 */
#pragma once

#include "registration.h"

G_BEGIN_DECLS

/* Adds a ring on each queue where the stream shows, when it is time. Returns
 * whether anything changed. */
gboolean afxdp_queues_bind (AfxdpRegistration *registration, guint64 now);
/* Why a queue where the stream shows has no ring, or NULL. */
const GError *afxdp_queues_error (const AfxdpRegistration *registration);
/* Packets come by the socket: where does the program see them, if it does? Returns
 * whether the answer is another one than before. */
gboolean afxdp_queues_look (AfxdpRegistration *registration, guint64 now);
/* What the former program did not see, the next one may. */
void afxdp_queues_forget_unseen (AfxdpRegistration *registration);
/* Whether the program has ever seen a packet of the stream, on any of them. */
gboolean afxdp_queues_have_seen (const AfxdpRegistration *registration);

G_END_DECLS
