/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The socket that clients connect to, and its file: made here, or systemd's. The file is
 * a new one each time, and goes with the listener; systemd's stays.
 */
#pragma once

#include "daemonsettings.h"

G_BEGIN_DECLS

typedef struct _AfxdpListener AfxdpListener;

/* Makes the directory too, if there is none. Errors: AFXDP_ERROR_PORT_IN_USE, another
 * daemon answers there; _NOT_FOUND, no such group; _PERMISSION, _FAILED. */
AfxdpListener *afxdp_listener_new (
    const AfxdpDaemonSettings *settings, GError **error);
void afxdp_listener_free (AfxdpListener *listener);

/* It does not block. */
int afxdp_listener_socket (const AfxdpListener *listener);

/* Connects to the daemon at path; -1, and errno: nobody answers there. */
int afxdp_listener_connect (const gchar *path);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AfxdpListener, afxdp_listener_free)

G_END_DECLS
