/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* In the place of httpserver.c, where the build has no libmicrohttpd. */
#include "error.h"
#include "httpserver.h"

AfxdpHttpServer *
afxdp_http_server_new (const gchar *listen, AfxdpCollect collect,
    gpointer user_data, GError **error)
{
  g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_UNSUPPORTED,
      "Metrics are not served at %s: this build has no libmicrohttpd. Build it "
      "with -Dmetrics=enabled, or have them written to a file",
      listen);
  return NULL;
}

void
afxdp_http_server_free (AfxdpHttpServer *server)
{
}

guint16
afxdp_http_server_port (const AfxdpHttpServer *server)
{
  return 0;
}
