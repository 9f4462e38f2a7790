/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lets clients in, and lets them go. */
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "error.h"
#include "journal.h"
#include "listener.h"
#include "namespaces.h"

/* Connections that have not said which stream they want, of all and of each user: who
 * connects and says nothing keeps nobody else out, but for the others of its user. */
#define MOST_WAITING 256
#define MOST_WAITING_OF_USER 32
/* s without new connections, when there are no more descriptors. */
#define PAUSE 1

struct _AfxdpServer
{
  AfxdpConnectionHost host;
  AfxdpWorkers *workers;
  AfxdpFeeds *feeds;
  AfxdpQuotas *quotas;
  AfxdpLeftovers *leftovers;
  AfxdpRingMaker *ring_maker;
  AfxdpBeat *beat;
  AfxdpChatter *chatter;
  AfxdpListener *listener;
  GPtrArray *connections; /* AfxdpConnection */
  guint accepting, pause; /* sources */
};

static void
on_over (gpointer user_data, AfxdpConnection *connection)
{
  AfxdpServer *server = user_data;

  g_ptr_array_remove (server->connections, connection);
  afxdp_connection_free (connection);
}

/* Letting in. */

static gboolean
has_room (const AfxdpServer *server, guint32 uid)
{
  guint n = 0, n_of_user = 0;

  for (guint i = 0; i < server->connections->len; i++) {
    const AfxdpConnection *connection = server->connections->pdata[i];

    if (!afxdp_connection_waits (connection))
      continue;
    n++;
    n_of_user += afxdp_connection_uid (connection) == uid;
  }
  return n < MOST_WAITING && n_of_user < MOST_WAITING_OF_USER;
}

static void
let_in (AfxdpServer *server, int socket)
{
  AfxdpConnection *connection = afxdp_connection_new (&server->host, socket);

  if (!connection)
    return;
  if (has_room (server, afxdp_connection_uid (connection))) {
    g_ptr_array_add (server->connections, connection);
    return;
  }
  afxdp_chatter_tell (server->chatter, afxdp_connection_uid (connection),
      AFXDP_JOURNAL_WARNING,
      "A client of user %u is one too many of those that have connected and "
      "not said what they want: hung up",
      (guint) afxdp_connection_uid (connection));
  afxdp_connection_free (connection);
}

static void begin_accepting (AfxdpServer *server);

static gboolean
on_pause_over (gpointer user_data)
{
  AfxdpServer *server = user_data;

  server->pause = 0;
  begin_accepting (server);
  return G_SOURCE_REMOVE;
}

static gboolean
on_connect (gint fd, GIOCondition condition, gpointer user_data)
{
  AfxdpServer *server = user_data;
  int socket = accept4 (fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

  if (socket >= 0) {
    let_in (server, socket);
    return G_SOURCE_CONTINUE;
  }
  if (errno == EAGAIN || errno == ECONNABORTED || errno == EINTR)
    return G_SOURCE_CONTINUE;
  /* The client stays in the backlog, and would wake us again at once. */
  afxdp_journal (AFXDP_JOURNAL_ERROR,
      "Could not let a client in, and try again in a second: %s. Raise "
      "LimitNOFILE= (ulimit -n) when descriptors are too few",
      g_strerror (errno));
  server->accepting = 0;
  server->pause = g_timeout_add_seconds (PAUSE, on_pause_over, server);
  return G_SOURCE_REMOVE;
}

static void
begin_accepting (AfxdpServer *server)
{
  server->accepting = g_unix_fd_add (
      afxdp_listener_socket (server->listener), G_IO_IN, on_connect, server);
}

/* The server. */

static gboolean
start (AfxdpServer *server, const AfxdpDaemonSettings *settings, GError **error)
{
  /* First: where another daemon is there, no interface is touched. */
  server->listener = afxdp_listener_new (settings, error);
  if (!server->listener)
    return FALSE;
  server->workers = afxdp_workers_new (settings, error);
  if (!server->workers)
    return FALSE;
  server->feeds = afxdp_feeds_new (settings, server->workers, error);
  if (!server->feeds)
    return FALSE;
  server->ring_maker = afxdp_ring_maker_new (error);
  if (!server->ring_maker)
    return FALSE;
  server->beat = afxdp_beat_new (error);
  return server->beat != NULL;
}

AfxdpServer *
afxdp_server_new (const AfxdpDaemonSettings *settings,
    gchar *(*describe) (gpointer user_data, gboolean json), gpointer user_data,
    GError **error)
{
  g_autoptr (AfxdpServer) server = g_new0 (AfxdpServer, 1);

  server->connections = g_ptr_array_new ();
  server->quotas = afxdp_quotas_new (settings->max_clients);
  server->leftovers = afxdp_leftovers_new (server->quotas);
  server->chatter = afxdp_chatter_new ();
  if (!start (server, settings, error))
    return NULL;
  server->host = (AfxdpConnectionHost){
    .settings = settings,
    .workers = server->workers,
    .feeds = server->feeds,
    .quotas = server->quotas,
    .leftovers = server->leftovers,
    .ring_maker = server->ring_maker,
    .beat = server->beat,
    .chatter = server->chatter,
    .network = afxdp_namespaces_network (),
    .monotonic_offset = afxdp_namespaces_clock_offset (),
    .describe = describe,
    .describe_data = user_data,
    .over = on_over,
    .over_data = server,
  };
  begin_accepting (server);
  return g_steal_pointer (&server);
}

void
afxdp_server_free (AfxdpServer *server)
{
  if (!server)
    return;
  g_clear_handle_id (&server->pause, g_source_remove);
  g_clear_handle_id (&server->accepting, g_source_remove);
  /* First, so that nobody connects to a daemon that ends. */
  afxdp_listener_free (server->listener);
  for (guint i = 0; i < server->connections->len; i++)
    afxdp_connection_free (server->connections->pdata[i]);
  g_ptr_array_unref (server->connections);
  g_clear_pointer (&server->beat, afxdp_beat_free);
  afxdp_ring_maker_free (server->ring_maker);
  afxdp_feeds_free (server->feeds);
  afxdp_workers_free (server->workers);
  afxdp_leftovers_free (server->leftovers);
  afxdp_quotas_free (server->quotas);
  afxdp_chatter_free (server->chatter);
  g_free (server);
}

AfxdpWorkers *
afxdp_server_workers (const AfxdpServer *server)
{
  return server->workers;
}

AfxdpFeeds *
afxdp_server_feeds (const AfxdpServer *server)
{
  return server->feeds;
}

void
afxdp_server_foreach (AfxdpServer *server,
    void (*function) (const AfxdpConnectionState *state, gpointer user_data),
    gpointer user_data)
{
  for (guint i = 0; i < server->connections->len; i++) {
    AfxdpConnectionState state;

    if (afxdp_connection_state (server->connections->pdata[i], &state))
      function (&state, user_data);
  }
}
