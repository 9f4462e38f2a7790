/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Answers GET /metrics, in a thread of its own: whoever asks, and however slowly, holds up
 * nothing else. What is asked comes from strangers; libmicrohttpd reads it, and few
 * connections may be open at a time.
 *
 * new() and free() are for one thread, but not for the one of collect(). Two files have
 * these functions: httpserver.c, and nohttpserver.c for a build without libmicrohttpd.
 */
#pragma once

#include <gio/gio.h>

#include "samples.h"

G_BEGIN_DECLS

typedef struct _AfxdpHttpServer AfxdpHttpServer;

/* What is known now, to be freed; NULL: it cannot be had in time, and the client is told
 * to come again. Called in the server's thread, once for each request. */
typedef AfxdpSamples *(*AfxdpCollect) (gpointer user_data);

/* Listens on listen ("127.0.0.1:9464"). Errors: AFXDP_ERROR_SETTINGS, that is no
 * address; _UNSUPPORTED, this build has no HTTP; those of the kernel. */
AfxdpHttpServer *afxdp_http_server_new (const gchar *listen,
    AfxdpCollect collect, gpointer user_data, GError **error);
/* When it returns, nobody calls collect() any more. */
void afxdp_http_server_free (AfxdpHttpServer *server);

/* Where it listens. */
guint16 afxdp_http_server_port (const AfxdpHttpServer *server);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AfxdpHttpServer, afxdp_http_server_free)

G_END_DECLS
