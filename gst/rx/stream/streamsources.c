/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From which senders a stream is received, and that this changes while it is. */
#include "streamstate.h"

/* Takes sources. Whatever was handed over before, and not yet taken, is superseded. */
static void
hand_over (AfxdpStream *stream, AfxdpSources *sources)
{
  afxdp_sources_unref (atomic_exchange (&stream->next_sources, sources));
}

void
afxdp_stream_take_sources (AfxdpStream *stream)
{
  AfxdpSources *sources = atomic_exchange (&stream->next_sources, NULL);

  if (!sources)
    return;
  afxdp_socket_want (stream->socket, sources);
  stream->destination.sources =
      afxdp_sources_kind (sources) == AFXDP_SOURCES_ANY ? NULL : sources;
  afxdp_sources_unref (stream->wanted);
  stream->wanted = sources;
}

/* On all interfaces, or on none. */
static gboolean
change_fast_path (AfxdpStream *stream, AfxdpSources *sources, GError **error)
{
  AfxdpInterfaces *interfaces = &stream->interfaces;
  guint n = afxdp_interfaces_n_registrations (interfaces);

  for (guint i = 0; i < n; i++) {
    if (afxdp_distributor_set_sources (
            afxdp_interfaces_registration (interfaces, i), sources, error))
      continue;
    while (i-- > 0)
      afxdp_distributor_set_sources (
          afxdp_interfaces_registration (interfaces, i), stream->sources, NULL);
    return FALSE;
  }
  return TRUE;
}

/* The socket first: it is refused more often, and changes back more easily. */
static gboolean
change_paths (AfxdpStream *stream, AfxdpSources *sources, GError **error)
{
  if (!afxdp_socket_set_sources (stream->socket, sources, error))
    return FALSE;
  if (change_fast_path (stream, sources, error))
    return TRUE;
  afxdp_socket_set_sources (stream->socket, stream->sources, NULL);
  return FALSE;
}

gboolean
afxdp_stream_set_sources (
    AfxdpStream *stream, AfxdpSources *sources, GError **error)
{
  gboolean changed;

  /* Of both, until the next change: the paths change one after the other, and what is on
   * the way of a sender who is not wanted any more was right when it came. */
  hand_over (stream, afxdp_sources_union (stream->sources, sources));
  changed = change_paths (stream, sources, error);
  if (changed) {
    afxdp_sources_ref (sources);
    afxdp_sources_unref (stream->sources);
    stream->sources = sources;
  }
  return changed;
}

void
afxdp_stream_renew_sources (
    AfxdpStream *stream, AfxdpRegistration *registration)
{
  if (!afxdp_sources_equal (registration->settings.sources, stream->sources))
    afxdp_distributor_set_sources (registration, stream->sources, NULL);
}
