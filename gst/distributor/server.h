/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon's clients: lets them in, has their connections, ends them. What they may
 * get is for connection.h.
 *
 * For the control thread, whose main context is the default one.
 */
#pragma once

#include "connection.h"

G_BEGIN_DECLS

typedef struct _AfxdpServer AfxdpServer;

/* Listens. describe(): how the daemon is, as a text, to be freed. All must outlive the
 * server. Errors: those of the listener, of workers, feeds and beat. */
AfxdpServer *afxdp_server_new (const AfxdpDaemonSettings *settings,
    gchar *(*describe) (gpointer user_data, gboolean json), gpointer user_data,
    GError **error);
/* Hangs up to all clients, closes their streams, and takes the program off the
 * interfaces. */
void afxdp_server_free (AfxdpServer *server);

AfxdpWorkers *afxdp_server_workers (const AfxdpServer *server);
AfxdpFeeds *afxdp_server_feeds (const AfxdpServer *server);
/* Calls function for each client that has a stream. */
void afxdp_server_foreach (AfxdpServer *server,
    void (*function) (const AfxdpConnectionState *state, gpointer user_data),
    gpointer user_data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AfxdpServer, afxdp_server_free)

G_END_DECLS
