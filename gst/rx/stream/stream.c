/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One stream: what is counted, and how it is closed. */
#include "streamstate.h"

#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "wakeup.h"

void
afxdp_stream_set_skip (AfxdpStream *stream, guint skip)
{
  atomic_store_explicit (&stream->inputs.skip, skip, memory_order_relaxed);
}

void
afxdp_stream_wake (AfxdpStream *stream)
{
  if (!atomic_load (&stream->paused) && !atomic_load (&stream->resuming))
    atomic_store (
        &stream->dropped_unpaused, afxdp_socket_dropped (stream->socket));
  atomic_store (&stream->paused, TRUE);
  atomic_store (&stream->woken, TRUE);
  afxdp_wakeup_signal (stream->wait.wakeup);
}

void
afxdp_stream_unwake (AfxdpStream *stream)
{
  atomic_store (&stream->woken, FALSE);
}

void
afxdp_stream_counts_clear (AfxdpStreamCounts *counts)
{
  g_clear_pointer (&counts->queues, g_array_unref);
}

static GArray *
count_queues (AfxdpStream *stream)
{
  GArray *queues = g_array_new (FALSE, FALSE, sizeof (AfxdpQueueCounts));
  guint n = stream->registration ? stream->registration->n_queues : 0;

  for (guint queue = 0; queue < n; queue++) {
    AfxdpQueueCounts counts;

    afxdp_registration_queue_counts (stream->registration, queue, &counts);
    if (counts.bound || counts.redirected || counts.passed || counts.filtered ||
        counts.cut)
      g_array_append_val (queues, counts);
  }
  return queues;
}

guint64
afxdp_stream_n_malformed (const AfxdpStream *stream)
{
  return atomic_load_explicit (&stream->inputs.malformed, memory_order_relaxed);
}

void
afxdp_stream_counts (AfxdpStream *stream, AfxdpStreamCounts *counts)
{
  AfxdpUmem *own = afxdp_socket_umem (stream->socket);
  AfxdpProvider *provider = stream->paths.provider;
  guint n_frames = 0, n_home = 0, share;

  if (provider)
    provider->kind->frames (provider, &n_frames, &n_home);
  else if (stream->registration)
    afxdp_registration_frames (stream->registration, &n_frames, &n_home);
  counts->malformed = afxdp_stream_n_malformed (stream);
  counts->discarded = stream->discarded;
  counts->n_frames = n_frames + afxdp_umem_n_frames (own);
  counts->n_frames_free = n_home + afxdp_umem_n_frames (own) -
      afxdp_account_held (afxdp_socket_account (stream->socket, &share));
  counts->queues = count_queues (stream);
  counts->socket_dropped =
      afxdp_socket_dropped (stream->socket) - stream->dropped_before;
  counts->dropped_in_pause =
      atomic_load (&stream->paused) || atomic_load (&stream->resuming)
      ? counts->socket_dropped -
          (atomic_load (&stream->dropped_unpaused) - stream->dropped_before)
      : 0;
}

guint
afxdp_stream_buffer_size (const AfxdpStream *stream)
{
  return afxdp_socket_buffer_size (stream->socket);
}

GSocket *
afxdp_stream_gsocket (const AfxdpStream *stream)
{
  return afxdp_socket_gsocket (stream->socket);
}

guint16
afxdp_stream_port (const AfxdpStream *stream)
{
  return stream->settings.port;
}

const gchar *
afxdp_stream_interface (const AfxdpStream *stream)
{
  if (stream->client)
    return afxdp_client_path_interface (stream->client);
  return stream->interfaces.n == 1 ? stream->interfaces.netdevs->name : NULL;
}

const AfxdpNetdev *
afxdp_stream_netdev (const AfxdpStream *stream)
{
  return stream->interfaces.n == 1 ? stream->interfaces.netdevs : NULL;
}

/* Whether the socket goes back to its owner, with what it holds. */
static gboolean
returns_socket (const AfxdpStream *stream)
{
  return stream->settings.socket &&
      (stream->settings.keep_open || !stream->opened);
}

/* What the program dropped after the last look. */
static void
add_overload (AfxdpStream *stream, const AfxdpRegistration *registration)
{
  guint64 n = 0;

  for (guint queue = 0; queue < registration->n_queues; queue++)
    n += registration->before[queue].dropped;
  afxdp_inputs_end_overload (&stream->inputs, n);
}

void
afxdp_stream_leave_distributor (
    AfxdpStream *stream, AfxdpRegistration *registration)
{
  guint64 now;

  afxdp_distributor_unregister (registration);
  now = afxdp_now ();
  stream->discarded += registration->drained;
  afxdp_ring_tell_loss (&stream->drops, &registration->lost, now, now);
  add_overload (stream, registration);
}

void
afxdp_stream_close (
    AfxdpStream *stream, AfxdpStreamCounts *counts, AfxdpDrops *drops)
{
  stream->discarded += afxdp_inputs_discard (&stream->inputs);
  if (stream->paths.provider)
    stream->discarded +=
        stream->paths.provider->kind->close (stream->paths.provider);
  for (guint i = 0; i < afxdp_interfaces_n_registrations (&stream->interfaces);
       i++)
    afxdp_stream_leave_distributor (
        stream, afxdp_interfaces_registration (&stream->interfaces, i));
  if (stream->socket) {
    if (!returns_socket (stream))
      stream->discarded += afxdp_inputs_discard_socket (&stream->inputs);
    afxdp_stream_counts (stream, counts);
  }
  *drops = stream->drops;
  afxdp_inputs_clear (&stream->inputs);
  afxdp_paths_clear (&stream->paths);
  g_clear_pointer (&stream->client, afxdp_client_path_free);
  g_clear_pointer (&stream->map, afxdp_map_path_free);
  afxdp_interfaces_clear (&stream->interfaces);

  if (stream->socket && returns_socket (stream))
    afxdp_socket_keep_open (stream->socket);
  afxdp_socket_free (stream->socket);
  if (stream->wait.wakeup >= 0)
    close (stream->wait.wakeup);
  AFXDP_INFO (AFXDP_LOG_STREAM, stream->name, "closed");
  g_free (stream->name);
  g_free (stream->refusal);
  g_object_unref (stream->address);
  afxdp_sources_unref (stream->sources);
  afxdp_sources_unref (stream->wanted);
  afxdp_sources_unref (atomic_load (&stream->next_sources));
  g_free (stream);
}
