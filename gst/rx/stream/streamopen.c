/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a stream is opened: by which provider of the fast path, and what it opens. */
#include "streamstate.h"

#include <errno.h>
#include <string.h>

#include "clock.h"
#include "error.h"
#include "log.h"
#include "wakeup.h"

/* Of the socket's area, where the socket is not all there is. */
#define BATCHES_PREPARED 4
/* With mode=af-xdp: the kernel may not yet have released a queue. */
#define START_TIMEOUT_MS 1500

/* Of the socket. Beside AF_XDP it has few packets, and there may be hundreds. */
static void
prepare_area (const AfxdpStream *stream)
{
  const AfxdpStreamSettings *settings = &stream->settings;
  AfxdpUmem *umem = afxdp_socket_umem (stream->socket);
  guint n = settings->mode == AFXDP_MODE_SOCKET
      ? G_MAXUINT
      : BATCHES_PREPARED * settings->batch;

  afxdp_umem_populate (umem, n);
  if (settings->prepare)
    settings->prepare (umem, n);
}

/* Whether the stream reaches this network namespace. Otherwise it is a distributor
 * daemon elsewhere that receives, for this process too. */
static gboolean
is_heard_here (const AfxdpStream *stream)
{
  return !stream->client || afxdp_client_path_has_network (stream->client);
}

/* A socket to which nothing comes, for who wants to send by it. */
static AfxdpSocket *
make_deaf_socket (const AfxdpStream *stream, GError **error)
{
  AfxdpStreamSettings settings = stream->settings;
  g_autoptr (GInetAddress) any =
      g_inet_address_new_any (g_inet_address_get_family (stream->address));
  AfxdpSocket *socket;

  settings.address = any;
  settings.auto_multicast = FALSE;
  settings.exclusive = FALSE;
  socket = afxdp_socket_new (&settings, NULL, 0, error);
  if (socket && !afxdp_socket_set_deaf (socket, TRUE)) {
    afxdp_error_set (error, errno, "Could not attach a filter to a UDP socket");
    g_clear_pointer (&socket, afxdp_socket_free);
  }
  return socket;
}

static gboolean
open_slow_path (AfxdpStream *stream, GError **error)
{
  g_autofree gchar *address = g_inet_address_to_string (stream->address);

  stream->socket = is_heard_here (stream)
      ? afxdp_socket_new (&stream->settings, stream->interfaces.netdevs,
            stream->interfaces.n, error)
      : make_deaf_socket (stream, error);
  if (!stream->socket)
    return FALSE;
  prepare_area (stream);
  stream->settings.port = afxdp_socket_port (stream->socket);
  stream->name = g_strdup_printf ("%s:%u", address, stream->settings.port);
  stream->dropped_before = afxdp_inputs_init (&stream->inputs, stream->socket,
      &stream->destination, &stream->settings, &stream->drops);
  atomic_store (&stream->dropped_unpaused, stream->dropped_before);
  stream->destination.port = stream->settings.port;
  stream->destination.scope = stream->interfaces.netdevs->index;
  return TRUE;
}

void
afxdp_stream_set_registration (
    AfxdpStream *stream, AfxdpRegistration *registration)
{
  AFXDP_DEBUG (AFXDP_LOG_STREAM, stream->name, "registered at %s",
      registration->netdev.name);
  stream->registration = registration;
  stream->interface_asked = 0;
  /* The fast path is the daemon's. */
  if (stream->client)
    return;
  stream->discarded += afxdp_paths_change_interface (
      &stream->paths, registration->subscription, registration->netdev.name);
}

/* NULL: there may be a fast path. */
static const gchar *
why_only_socket (const AfxdpStream *stream)
{
  if (stream->interfaces.no_route)
    return stream->interfaces.no_route;
  if (!stream->interfaces.n)
    return "AF_XDP needs one address or one interface, and neither is set. "
           "Set multicast-group or address, or set multicast-iface to "
           "receive for all addresses of that interface";
  if (stream->interfaces.n > 1)
    return "multicast-iface names several interfaces, and AF_XDP receives "
           "from one. Use an element for each of them";
  if (afxdp_socket_is_connected (stream->socket))
    return "The socket that was given is connected, and only the kernel can "
           "tell which packets come from its peer. For AF_XDP give a socket "
           "that is not connected";
  return NULL;
}

/* For what the interface drops while the client's own socket hears. As for a stream that
 * is received through its socket alone, that needs no privilege; without it, nobody
 * knows of these drops. */
static void
register_client (AfxdpStream *stream)
{
  const AfxdpRegistrationSettings settings = {
    .address = stream->address,
    .port = stream->settings.port,
    .sources = stream->settings.sources,
    .queue = -1,
    .socket = afxdp_socket_inode (stream->socket),
    .socket_only = TRUE,
  };
  g_autoptr (GError) error = NULL;

  if (!stream->interfaces.n)
    return;
  if (afxdp_interfaces_register (
          &stream->interfaces, &settings, stream->wait.wakeup, &error))
    afxdp_stream_set_registration (
        stream, afxdp_interfaces_registration (&stream->interfaces, 0));
  else
    AFXDP_INFO (AFXDP_LOG_STREAM, stream->name,
        "what %s drops is not known while the distributor does not tell: %s",
        stream->interfaces.netdevs->name, error->message);
}

/* Where the daemon that we are connected to receives the stream. */
static gboolean
open_at_daemon (AfxdpStream *stream, GError **error)
{
  const AfxdpStreamSettings *settings = &stream->settings;
  const AfxdpNetdev *netdev = afxdp_stream_netdev (stream);
  const gchar *interface = settings->interfaces ? *settings->interfaces : NULL;

  if (netdev)
    interface = netdev->name;
  if (!afxdp_client_path_open (stream->client, settings, interface,
          stream->socket, &stream->drops, error))
    return FALSE;
  afxdp_paths_init (&stream->paths, &stream->inputs, stream->name, NULL);
  afxdp_paths_set_provider (
      &stream->paths, afxdp_client_path_provider (stream->client));
  register_client (stream);
  return settings->mode != AFXDP_MODE_AF_XDP ||
      afxdp_client_path_wait (stream->client, START_TIMEOUT_MS, error);
}

/* Through somebody else's program: ours is attached nowhere, nor is anything registered
 * for that. */
static gboolean
open_at_map (AfxdpStream *stream, GError **error)
{
  afxdp_paths_init (&stream->paths, &stream->inputs, stream->name, NULL);
  stream->map =
      afxdp_map_path_new (&stream->settings, stream->interfaces.netdevs,
          &stream->destination, stream->wait.wakeup, &stream->drops, error);
  if (!stream->map)
    return FALSE;
  afxdp_paths_set_provider (
      &stream->paths, afxdp_map_path_provider (stream->map));
  return TRUE;
}

static gboolean
look_for_fast_path (AfxdpStream *stream, GError **error)
{
  const AfxdpStreamSettings *settings = &stream->settings;
  const gchar *reason = why_only_socket (stream);
  AfxdpRegistrationSettings registration_settings = {
    .address = settings->address,
    .port = settings->port, /* not 0 any more */
    .sources = settings->sources,
    .xdp_mode = settings->xdp_mode,
    .zero_copy = settings->zero_copy,
    .umem_frames = settings->umem_frames,
    .queue = settings->queue,
    .ring_size = settings->ring_size,
    .batch = settings->batch,
    .busy_poll = settings->busy_poll > 0,
    .prepare = settings->prepare,
    .socket = afxdp_socket_inode (stream->socket),
    .socket_only = reason || settings->mode == AFXDP_MODE_SOCKET,
  };

  afxdp_paths_init (&stream->paths, &stream->inputs, stream->name, reason);
  if (reason && settings->mode == AFXDP_MODE_AF_XDP) {
    g_set_error_literal (error, AFXDP_ERROR, AFXDP_ERROR_SETTINGS, reason);
    return FALSE;
  }
  if (!afxdp_interfaces_register (&stream->interfaces, &registration_settings,
          stream->wait.wakeup, error))
    return FALSE;
  if (reason)
    return TRUE;
  afxdp_stream_set_registration (
      stream, afxdp_interfaces_registration (&stream->interfaces, 0));
  return settings->mode != AFXDP_MODE_AF_XDP ||
      afxdp_subscription_wait (
          stream->registration->subscription, START_TIMEOUT_MS, error);
}

gboolean
afxdp_stream_may_be_fast (AfxdpStream *stream, GError **cause)
{
  if (stream->registration)
    return afxdp_subscription_wait (
        stream->registration->subscription, 0, cause);
  g_set_error_literal (
      cause, AFXDP_ERROR, AFXDP_ERROR_SETTINGS, why_only_socket (stream));
  return FALSE;
}

static gboolean
wants_map (const AfxdpStream *stream)
{
  return stream->settings.xsk_map &&
      stream->settings.mode != AFXDP_MODE_SOCKET && !why_only_socket (stream);
}

/* A given socket is its owner's, and several interfaces are received through sockets
 * alone. */
static gboolean
wants_daemon (const AfxdpStreamSettings *settings)
{
  return settings->distributor && !settings->xsk_map &&
      settings->mode != AFXDP_MODE_SOCKET && settings->port &&
      !settings->socket && !g_inet_address_get_is_any (settings->address) &&
      (!settings->interfaces || !*settings->interfaces ||
          !settings->interfaces[1]);
}

/* NULL: none is wanted; or there is none, or it does not answer, as absent says. That is
 * no fault. */
static AfxdpClientPath *
find_daemon (const AfxdpStreamSettings *settings, GError **absent)
{
  AfxdpClientPath *client;

  if (!wants_daemon (settings))
    return NULL;
  client = afxdp_client_path_new (
      settings->distributor, settings->distributor_anywhere, absent);
  if (!client)
    AFXDP_INFO (AFXDP_LOG_STREAM, NULL, "%s", (*absent)->message);
  return client;
}

static gboolean
find_interfaces (AfxdpStream *stream, GError **error)
{
  const AfxdpStreamSettings *settings = &stream->settings;

  if (is_heard_here (stream))
    return afxdp_interfaces_find (&stream->interfaces, settings->interfaces,
        settings->socket, stream->address, settings->mode == AFXDP_MODE_AF_XDP,
        error);
  stream->interfaces.netdevs = g_new0 (AfxdpNetdev, 1);
  return TRUE;
}

static gboolean
open_fast_path (AfxdpStream *stream, GError **error)
{
  if (stream->client)
    return open_at_daemon (stream, error);
  if (wants_map (stream))
    return open_at_map (stream, error);
  return look_for_fast_path (stream, error);
}

/* The fast path before the join: attaching resets most NICs. */
static gboolean
open_all (AfxdpStream *stream, GError **error)
{
  return find_interfaces (stream, error) && open_slow_path (stream, error) &&
      open_fast_path (stream, error) &&
      (!stream->settings.auto_multicast || !is_heard_here (stream) ||
          afxdp_socket_join (stream->socket, error));
}

/* client: NULL, or by which it is received; taken. */
static AfxdpStream *
open_stream (const AfxdpStreamSettings *settings, AfxdpClientPath *client,
    GError **error)
{
  AfxdpStream *stream = g_new0 (AfxdpStream, 1);
  AfxdpStreamCounts counts = { 0 };
  AfxdpDrops drops = { 0 };

  stream->client = client;
  stream->settings = *settings;
  stream->settings.auto_multicast &=
      g_inet_address_get_is_multicast (settings->address);
  stream->address = g_object_ref (settings->address);
  stream->sources = afxdp_sources_ref (settings->sources);
  stream->wanted = afxdp_sources_ref (settings->sources);
  if (afxdp_sources_kind (stream->sources) != AFXDP_SOURCES_ANY)
    stream->destination.sources = stream->wanted;
  stream->destination.version =
      g_inet_address_get_family (settings->address) == G_SOCKET_FAMILY_IPV6 ? 6
                                                                            : 4;
  memcpy (stream->destination.address,
      g_inet_address_to_bytes (settings->address),
      g_inet_address_get_native_size (settings->address));
  stream->destination.verifies = settings->verify_checksum;
  stream->destination.any = g_inet_address_get_is_any (settings->address);
  stream->wait.coalesce.longest = settings->coalesce;
  stream->wait.busy_poll = settings->busy_poll * AFXDP_US;
  stream->wait.wakeup = afxdp_wakeup_new ();
  atomic_store (&stream->paused, TRUE);
  afxdp_stream_set_skip (stream, settings->skip);
  if (stream->wait.wakeup < 0)
    afxdp_error_set (error, errno, "Could not create an eventfd");
  else
    stream->opened = open_all (stream, error);
  if (stream->opened)
    return stream;
  afxdp_stream_close (stream, &counts, &drops);
  afxdp_stream_counts_clear (&counts);
  return NULL;
}

/* The daemon cannot be had after all, as why says: what would be without it. Where that is
 * nothing either, both reasons are told. */
static AfxdpStream *
do_without_daemon (
    const AfxdpStreamSettings *settings, const GError *why, GError **error)
{
  AfxdpStream *stream = open_stream (settings, NULL, error);

  if (stream)
    stream->refusal = g_strdup (why->message);
  else
    g_prefix_error (error, "%s; and without it: ", why->message);
  return stream;
}

/* Whether a stream that its owner wants from a daemon, of which absent says why there is
 * none, and which cannot be opened without, as cause says, may begin before the daemon:
 * here is nothing to receive from, as in a container that has no network of its own. */
static gboolean
may_wait_for_daemon (const AfxdpStreamSettings *settings, const GError *absent,
    const GError *cause)
{
  return settings->distributor_anywhere && settings->mode == AFXDP_MODE_AUTO &&
      (g_error_matches (absent, AFXDP_ERROR, AFXDP_ERROR_NOT_FOUND) ||
          g_error_matches (absent, AFXDP_ERROR, AFXDP_ERROR_FAILED)) &&
      g_error_matches (cause, AFXDP_ERROR, AFXDP_ERROR_NOT_FOUND);
}

/* There is no daemon now. */
static AfxdpStream *
begin_without_daemon (
    const AfxdpStreamSettings *settings, const GError *absent, GError **error)
{
  g_autoptr (GError) cause = NULL;
  AfxdpStream *stream = open_stream (settings, NULL, &cause);
  AfxdpClientPath *client;

  /* Where nobody has asked for a daemon, it is no news that there is none. */
  if (stream && absent &&
      (settings->distributor_anywhere ||
          !g_error_matches (absent, AFXDP_ERROR, AFXDP_ERROR_NOT_FOUND)))
    stream->refusal = g_strdup (absent->message);
  if (stream)
    return stream;
  if (settings->distributor_anywhere && absent)
    g_prefix_error (&cause, "%s; and without it: ", absent->message);
  if (!absent || !may_wait_for_daemon (settings, absent, cause)) {
    g_propagate_error (error, g_steal_pointer (&cause));
    return NULL;
  }
  AFXDP_INFO (
      AFXDP_LOG_STREAM, NULL, "waits for the distributor: %s", cause->message);
  client = afxdp_client_path_new_absent (
      settings->distributor, cause->message, error);
  return client ? open_stream (settings, client, error) : NULL;
}

AfxdpStream *
afxdp_stream_new (const AfxdpStreamSettings *settings, GError **error)
{
  g_autoptr (GError) absent = NULL;
  AfxdpClientPath *client = find_daemon (settings, &absent);
  g_autoptr (GError) cause = NULL;
  AfxdpStream *stream;

  if (!client)
    return begin_without_daemon (settings, absent, error);
  stream = open_stream (settings, client, &cause);
  if (stream)
    return stream;
  AFXDP_INFO (AFXDP_LOG_STREAM, NULL, "%s", cause->message);
  return do_without_daemon (settings, cause, error);
}
