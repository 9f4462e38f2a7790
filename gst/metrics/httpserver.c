/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Metrics by HTTP, through libmicrohttpd. */
#include "httpserver.h"

#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "error.h"
#include "fork.h"
#include "listenaddress.h"
#include "openmetrics.h"

#define BACKLOG 16
/* Prometheus has one; a second one, and somebody with curl, may ask too. */
#define MOST_CONNECTIONS 16u
/* s: of a client that says nothing. */
#define PATIENCE 10u
/* Bytes of a request, with its headers. */
#define LONGEST_REQUEST ((size_t) 16384)

struct _AfxdpHttpServer
{
  AfxdpCollect collect;
  gpointer user_data;
  int socket; /* libmicrohttpd's, which closes it */
  guint16 port;
  guint generation; /* of forks: a child has no thread of ours */
  struct MHD_Daemon *daemon;
};

/* Answers. */

/* Takes text. */
static enum MHD_Result
answer (struct MHD_Connection *connection, guint status, gchar *text,
    const gchar *type, const gchar *header, const gchar *value)
{
  struct MHD_Response *response = MHD_create_response_from_buffer (
      strlen (text), text, MHD_RESPMEM_MUST_FREE);
  enum MHD_Result result;

  if (!response) {
    g_free (text);
    return MHD_NO;
  }
  MHD_add_response_header (response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
  if (header)
    MHD_add_response_header (response, header, value);
  result = MHD_queue_response (connection, status, response);
  MHD_destroy_response (response);
  return result;
}

static enum MHD_Result
tell (struct MHD_Connection *connection, guint status, const gchar *text,
    const gchar *header, const gchar *value)
{
  return answer (connection, status, g_strdup (text),
      "text/plain; charset=utf-8", header, value);
}

static enum MHD_Result
answer_metrics (AfxdpHttpServer *server, struct MHD_Connection *connection)
{
  AfxdpTextFormat format = afxdp_text_format_of (MHD_lookup_connection_value (
      connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT));
  g_autoptr (AfxdpSamples) samples = server->collect (server->user_data);

  if (!samples)
    return tell (connection, MHD_HTTP_SERVICE_UNAVAILABLE,
        "Busy with something else: ask again.\n", MHD_HTTP_HEADER_RETRY_AFTER,
        "1");
  return answer (connection, MHD_HTTP_OK,
      afxdp_samples_to_text (samples, format), afxdp_text_content_type (format),
      MHD_HTTP_HEADER_VARY, MHD_HTTP_HEADER_ACCEPT);
}

static enum MHD_Result
handle (void *user_data, struct MHD_Connection *connection, const char *url,
    const char *method, const char *version, const char *upload,
    size_t *upload_size, void **request)
{
  if (strcmp (method, MHD_HTTP_METHOD_GET) &&
      strcmp (method, MHD_HTTP_METHOD_HEAD))
    return tell (connection, MHD_HTTP_METHOD_NOT_ALLOWED, "GET alone.\n",
        MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
  if (!strcmp (url, "/metrics"))
    return answer_metrics (user_data, connection);
  if (!strcmp (url, "/"))
    return tell (connection, MHD_HTTP_OK, "/metrics has them.\n", NULL, NULL);
  return tell (
      connection, MHD_HTTP_NOT_FOUND, "/metrics alone is here.\n", NULL, NULL);
}

/* The server. */

static gboolean
listen_on (AfxdpHttpServer *server, GSocketAddress *address, const gchar *text,
    GError **error)
{
  gssize size = g_socket_address_get_native_size (address);
  struct sockaddr_storage native;
  socklen_t length = sizeof native;
  const int yes = 1;

  if (!g_socket_address_to_native (address, &native, sizeof native, error))
    return FALSE;
  server->socket =
      socket (native.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (server->socket < 0)
    return afxdp_error_set (
        error, errno, "Metrics at %s: could not make a socket", text);
  /* Connections of a process that has ended may linger. */
  setsockopt (server->socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind (server->socket, (struct sockaddr *) &native, size) ||
      listen (server->socket, BACKLOG) ||
      getsockname (server->socket, (struct sockaddr *) &native, &length)) {
    int errnum = errno;

    close (server->socket);
    return afxdp_error_set (error, errnum, "Metrics at %s: could not listen%s",
        text,
        errnum == EADDRINUSE ? ", since another process does. Choose a port of "
                               "its own for each"
                             : "");
  }
  /* At the same place in both families. */
  server->port = GUINT16_FROM_BE (((struct sockaddr_in *) &native)->sin_port);
  return TRUE;
}

/* Its thread gets no signals: they are the application's (thread.h). */
static gboolean
start (AfxdpHttpServer *server, const gchar *text, GError **error)
{
  sigset_t all, former;

  sigfillset (&all);
  pthread_sigmask (SIG_SETMASK, &all, &former);
  server->daemon =
      MHD_start_daemon (MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL,
          NULL, handle, server, MHD_OPTION_LISTEN_SOCKET, server->socket,
          MHD_OPTION_CONNECTION_LIMIT, MOST_CONNECTIONS,
          MHD_OPTION_CONNECTION_TIMEOUT, PATIENCE,
          MHD_OPTION_CONNECTION_MEMORY_LIMIT, LONGEST_REQUEST, MHD_OPTION_END);
  pthread_sigmask (SIG_SETMASK, &former, NULL);
  if (server->daemon) {
    afxdp_fork_withhold (server->socket);
    return TRUE;
  }
  close (server->socket);
  g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_FAILED,
      "Metrics at %s: libmicrohttpd could not start its thread", text);
  return FALSE;
}

AfxdpHttpServer *
afxdp_http_server_new (const gchar *listen, AfxdpCollect collect,
    gpointer user_data, GError **error)
{
  g_autoptr (GSocketAddress) address = afxdp_listen_address_parse (listen);
  g_autofree AfxdpHttpServer *server = g_new0 (AfxdpHttpServer, 1);

  if (!address) {
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_SETTINGS,
        "%s is no address with a port: write 127.0.0.1:9464 or [::1]:9464",
        listen);
    return NULL;
  }
  server->collect = collect;
  server->user_data = user_data;
  server->generation = afxdp_fork_generation ();
  if (!listen_on (server, address, listen, error) ||
      !start (server, listen, error))
    return NULL;
  return g_steal_pointer (&server);
}

void
afxdp_http_server_free (AfxdpHttpServer *server)
{
  if (!server)
    return;
  if (server->generation == afxdp_fork_generation ()) {
    afxdp_fork_forget (server->socket);
    MHD_stop_daemon (server->daemon);
  }
  g_free (server);
}

guint16
afxdp_http_server_port (const AfxdpHttpServer *server)
{
  return server->port;
}
