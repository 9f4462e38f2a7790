/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The receivers of this process by their names. Any thread. */
#pragma once

#include "receiver.h"

G_BEGIN_DECLS

/* The receiver of that name, made with settings when it is not there yet: its first
 * user decides them. Errors: those of afxdp_receiver_new(). */
AfxdpReceiver *afxdp_receivers_get (
    const gchar *name, const AfxdpReceiverSettings *settings, GError **error);
/* Undoes get(). With its last user the receiver ends, which waits for its thread: so the
 * last user must not call this in a stream's turn. */
void afxdp_receivers_let_go (AfxdpReceiver *receiver);

G_END_DECLS
