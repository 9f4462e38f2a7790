/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What systemd and the daemon tell each other: how it goes, that it lives, and sockets
 * that are there before it is. Built without libsystemd, or started by somebody else,
 * nothing is told and there are no sockets.
 *
 * For the control thread, whose main context is the default one.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* From ready() on, systemd is told that the main loop turns, as often as it wants to. */
void afxdp_notify_ready (const gchar *status);
/* After each piece of work of which there may be many in one turn of the main loop, and
 * which may take long. */
void afxdp_notify_alive (void);
void afxdp_notify_reloading (void);
void afxdp_notify_stopping (void);

/* The listening SOCK_SEQPACKET socket that systemd gives; -1: there is none. Errors:
 * AFXDP_ERROR_SETTINGS, it gives others. */
gboolean afxdp_notify_socket (int *socket, GError **error);

G_END_DECLS
