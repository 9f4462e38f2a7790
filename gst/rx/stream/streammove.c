/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A stream whose interface was removed and came again: it goes over there. */
#include "streamstate.h"

#include "clock.h"
#include "log.h"

/* Between two attempts to receive by the socket from an interface that came again. */
#define MOVE_INTERVAL AFXDP_S

gboolean
afxdp_stream_is_left_behind (const AfxdpStream *stream)
{
  guint64 move_at =
      atomic_load_explicit (&stream->move_at, memory_order_relaxed);

  return afxdp_interfaces_left_behind (&stream->interfaces) ||
      (stream->map && afxdp_map_path_has_moved (stream->map)) ||
      G_UNLIKELY (move_at && afxdp_now () >= move_at);
}

/* Interface i has come again, and the stream is registered there. */
static void
go_over (AfxdpStream *stream, guint i, AfxdpRegistration *registration)
{
  AfxdpRegistration *former =
      afxdp_interfaces_registration (&stream->interfaces, i);

  AFXDP_INFO (AFXDP_LOG_STREAM, stream->name,
      "goes over from %s with index %d to %s with index %d",
      former->netdev.name, former->netdev.index, registration->netdev.name,
      registration->netdev.index);
  if (former == stream->registration)
    afxdp_stream_set_registration (stream, registration);
  afxdp_stream_leave_distributor (stream, former);
  afxdp_interfaces_replace (&stream->interfaces, i, registration);
  afxdp_stream_renew_sources (stream, registration);
  stream->destination.scope = stream->interfaces.netdevs->index;
}

/* Somebody else's map has gone over to the interface by itself. */
static void
follow_map (AfxdpStream *stream)
{
  AfxdpInterfaces *interfaces = &stream->interfaces;

  if (!afxdp_map_path_take_netdev (stream->map, interfaces->netdevs))
    return;
  interfaces->unmoved[0] = TRUE;
  stream->destination.scope = interfaces->netdevs->index;
}

/* The socket too, where it has not yet. What fails may not fail the next time: the
 * interface may have been on its way out again. */
static gboolean
move_socket (AfxdpStream *stream, GError **error)
{
  AfxdpInterfaces *interfaces = &stream->interfaces;
  gboolean moved = TRUE;

  for (guint i = 0; i < interfaces->n; i++) {
    if (!interfaces->unmoved[i])
      continue;
    interfaces->unmoved[i] = !afxdp_socket_move (
        stream->socket, i, &interfaces->netdevs[i], moved ? error : NULL);
    moved &= !interfaces->unmoved[i];
  }
  atomic_store (&stream->move_at, moved ? 0 : afxdp_now () + MOVE_INTERVAL);
  return moved;
}

gboolean
afxdp_stream_catch_up (AfxdpStream *stream, GError **error)
{
  for (guint i = 0; i < afxdp_interfaces_n_registrations (&stream->interfaces);
       i++) {
    AfxdpRegistration *registration = afxdp_registration_take_successor (
        afxdp_interfaces_registration (&stream->interfaces, i));

    if (registration)
      go_over (stream, i, registration);
  }
  if (stream->map)
    follow_map (stream);
  return move_socket (stream, error);
}
