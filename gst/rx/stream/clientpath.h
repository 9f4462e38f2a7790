/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The fast path of a stream that is a client of the distributor daemon, and what becomes
 * of the stream when the daemon goes.
 *
 * Where the client is in the daemon's network, its own socket is bound and joined, and
 * deaf while the daemon serves: the program passes packets to it, too. When the daemon
 * hangs up or its beat stands still, the socket hears; when it is back, the socket's
 * packets are noted for a while, so that none goes downstream twice. Elsewhere, nothing
 * comes until the daemon is back.
 *
 * new(), open() and free() are for the thread that opens and closes the stream, and the
 * first two wait for the daemon, where there is one. The rest is for the streaming
 * thread.
 */
#pragma once

#include "provider.h"
#include "settings.h"
#include "socket.h"

G_BEGIN_DECLS

typedef struct _AfxdpClientPath AfxdpClientPath;

/* Connects. Errors: AFXDP_ERROR_NOT_FOUND, no daemon is there; _PERMISSION; _FAILED, it
 * does not answer; _UNSUPPORTED: it is in another network namespace, and anywhere is
 * FALSE. */
AfxdpClientPath *afxdp_client_path_new (
    const gchar *socket_path, gboolean anywhere, GError **error);
/* Where no daemon answers yet, and nothing can be had without one: open() does not connect,
 * and the stream is one whose daemon has left, until there is one. Any namespace's will
 * do. why: in words for the user, without a stop. Errors: _FAILED. */
AfxdpClientPath *afxdp_client_path_new_absent (
    const gchar *socket_path, const gchar *why, GError **error);
void afxdp_client_path_free (AfxdpClientPath *path);

/* Whether the daemon is in our network namespace, as far as the socket hears there. */
gboolean afxdp_client_path_has_network (const AfxdpClientPath *path);

/* Asks for the stream, on the interface of that name, NULL: where the daemon's route
 * leads. socket, which is deaf from here on, and drops must outlive path. Errors: what
 * the daemon refuses with; _FAILED. */
gboolean afxdp_client_path_open (AfxdpClientPath *path,
    const AfxdpStreamSettings *settings, const gchar *interface,
    AfxdpSocket *socket, AfxdpDrops *drops, GError **error);
/* Waits until the daemon has told by which path it receives, and for a while for the
 * fast one. Errors: why there is none. */
gboolean afxdp_client_path_wait (
    AfxdpClientPath *path, guint timeout_ms, GError **error);

AfxdpProvider *afxdp_client_path_provider (AfxdpClientPath *path);
/* See afxdp_client_input_want_drops(). */
void afxdp_client_path_want_drops (AfxdpClientPath *path, guint64 until);
/* The daemon's name of the interface; NULL: it has told none yet. */
const gchar *afxdp_client_path_interface (const AfxdpClientPath *path);

G_END_DECLS
