/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The packets of a stream: which of them comes next, and what never came. */
#include "streamstate.h"

#include "clock.h"
#include "log.h"

/* Follows afxdp_stream_wake (), which may be long ago when this thread was blocked
 * downstream. */
static void
begin_pause (AfxdpStream *stream)
{
  if (atomic_load (&stream->paused))
    afxdp_inputs_pause (
        &stream->inputs, atomic_load (&stream->dropped_unpaused));
}

void
afxdp_stream_close_path (AfxdpStream *stream)
{
  afxdp_paths_close (&stream->paths);
  begin_pause (stream);
  /* What was dropped until now is not the pause's. */
  afxdp_inputs_pause (&stream->inputs, afxdp_socket_dropped (stream->socket));
}

gboolean
afxdp_stream_path_changed (AfxdpStream *stream, AfxdpPathChange *change)
{
  gchar *reason;

  if (!afxdp_paths_take_change (&stream->paths, change))
    return FALSE;
  if (stream->refusal) {
    reason = g_strdup_printf ("%s. %s", change->reason, stream->refusal);
    g_free (change->reason);
    change->reason = reason;
  }
  return TRUE;
}

guint
afxdp_stream_n_path_changes (const AfxdpStream *stream)
{
  return afxdp_paths_n_changes (&stream->paths);
}

AfxdpDrops *
afxdp_stream_drops (AfxdpStream *stream)
{
  return &stream->drops;
}

static guint64
look_at_interface (AfxdpStream *stream, guint64 wanted)
{
  guint64 n;
  guint64 asked =
      afxdp_subscription_interface_drops (stream->registration->subscription,
          MAX (wanted, stream->interface_since), &n);

  if (asked == stream->interface_asked || asked < stream->interface_since)
    return asked;
  if (stream->interface_asked && n > stream->interface_drops)
    afxdp_drops_add (&stream->drops, AFXDP_COLUMN_NIC,
        n - stream->interface_drops, stream->interface_asked, afxdp_now ());
  stream->interface_drops = n;
  stream->interface_asked = asked;
  return asked;
}

/* While the daemon serves its client, it tells of the interface, too. */
static void
follow_daemon (AfxdpStream *stream)
{
  gboolean alone = !stream->paths.provider->open;

  if (alone != stream->alone) {
    stream->interface_asked = 0;
    stream->interface_since = afxdp_now ();
  }
  stream->alone = alone;
  /* At once, and not when a gap shows: it counts from then on. */
  if (alone && !stream->interface_asked)
    look_at_interface (stream, 0);
}

guint64
afxdp_stream_look_for_drops (AfxdpStream *stream, guint64 wanted)
{
  guint64 known;

  begin_pause (stream);
  if (stream->client)
    afxdp_client_path_want_drops (stream->client, wanted);
  known = afxdp_inputs_look_for_drops (&stream->inputs);
  /* Otherwise there is no interface that could be asked, or somebody else asks it. */
  return stream->registration && (!stream->client || stream->alone)
      ? MIN (known, look_at_interface (stream, wanted))
      : known;
}

const GError *
afxdp_stream_error (const AfxdpStream *stream)
{
  return afxdp_socket_error (stream->socket);
}

guint64
afxdp_stream_look_for_errors (AfxdpStream *stream)
{
  afxdp_socket_look_for_errors (stream->socket);
  return afxdp_socket_n_errors (stream->socket);
}

/* Packets. */

/* Reserves frames for those of the n packets of input that may be lent. */
static void
reserve (AfxdpStream *stream, const AfxdpInput *input, guint n)
{
  gboolean fast = input->kind->path == AFXDP_PATH_FAST && input->umem;
  guint share, held;

  stream->account = fast ? afxdp_paths_account (&stream->paths, &share)
                         : afxdp_socket_account (stream->socket, &share);
  held = afxdp_account_held (stream->account);
  stream->lendable = held < share ? MIN (n, share - held) : 0;
  /* There are none, or others wait for them: these are copied, and go back to the
   * kernel. */
  if (!input->umem || (fast && afxdp_umem_is_short (input->umem, n)))
    stream->lendable = 0;
  afxdp_account_reserve (stream->account, stream->lendable);
}

static void
log_batch (const AfxdpStream *stream, const AfxdpBatch *batch)
{
  AFXDP_LOG (AFXDP_LOG_STREAM, stream->name,
      "%u packets through %s, %u to lend", batch->n,
      batch->path == AFXDP_PATH_FAST ? "AF_XDP" : "the socket",
      stream->lendable);
  for (guint i = 0; i < batch->n; i++) {
    const AfxdpPacket *packet = &batch->packets[i];

    AFXDP_TRACE (AFXDP_LOG_STREAM, stream->name,
        "%u bytes at %" G_GUINT64_FORMAT ", SSRC %08x, number %u", packet->size,
        packet->arrival, packet->rtp.ssrc, packet->rtp.seqnum);
  }
}

/* Packets of large slots are in no frame. */
static void
find_large (AfxdpBatch *batch)
{
  for (guint i = 0; i < batch->n; i++)
    if (batch->packets[i].frame == AFXDP_NO_FRAME)
      batch->umem = NULL;
}

static void
hand_out (AfxdpStream *stream, AfxdpInput *input, guint n, AfxdpBatch *batch)
{
  AfxdpProvider *provider = stream->paths.provider;

  batch->packets = &input->packets[input->first];
  batch->n = n;
  batch->path = input->by;
  batch->stamped = input->stamped;
  batch->umem = input->kind->path == AFXDP_PATH_FAST ? input->umem : NULL;
  if (G_UNLIKELY (provider)) {
    if (provider->listens && input->kind->path == AFXDP_PATH_SLOW)
      provider->kind->saw (provider, batch->packets, n);
    find_large (batch);
  }
  stream->handed_out = input;
  stream->n_handed_out = n;
  reserve (stream, input, n);
  if (afxdp_log_is_wanted (AFXDP_LOG_LEVEL_LOG))
    log_batch (stream, batch);
}

/* Nobody has read for a while. */
static void
resume (AfxdpStream *stream)
{
  AFXDP_DEBUG (AFXDP_LOG_STREAM, stream->name, "is read from now on");
  begin_pause (stream);
  atomic_store (&stream->resuming, TRUE);
  atomic_store (&stream->paused, FALSE);
  afxdp_inputs_socket_is_due (&stream->inputs);
  /* What the interface dropped meanwhile is not this stream's. */
  stream->interface_asked = 0;
}

static gboolean
is_over (const AfxdpStream *stream)
{
  return atomic_load_explicit (&stream->woken, memory_order_relaxed) ||
      G_UNLIKELY (afxdp_stream_error (stream));
}

gboolean
afxdp_stream_has_news (const AfxdpStream *stream)
{
  return afxdp_paths_have_changed (&stream->paths) || is_over (stream);
}

gboolean
afxdp_stream_take (AfxdpStream *stream, AfxdpBatch *batch, guint max)
{
  AfxdpInput *input;

  if (is_over (stream))
    return FALSE;
  if (G_UNLIKELY (atomic_load_explicit (&stream->paused, memory_order_relaxed)))
    resume (stream);
  if (G_UNLIKELY (
          atomic_load_explicit (&stream->next_sources, memory_order_relaxed)))
    afxdp_stream_take_sources (stream);
  input = afxdp_paths_next (&stream->paths);
  if (stream->client && stream->registration)
    follow_daemon (stream);
  if (G_UNLIKELY (
          atomic_load_explicit (&stream->resuming, memory_order_relaxed)))
    atomic_store (&stream->resuming, afxdp_inputs_are_behind (&stream->inputs));
  if (!input)
    return FALSE;
  hand_out (
      stream, input, afxdp_inputs_run (&stream->inputs, input, max), batch);
  return TRUE;
}

gboolean
afxdp_stream_receive (
    AfxdpStream *stream, AfxdpBatch *batch, guint max, guint64 deadline)
{
  while (!afxdp_stream_take (stream, batch, max))
    if (!deadline || afxdp_stream_has_news (stream) ||
        !afxdp_wait_until (
            &stream->wait, &stream->paths, &stream->inputs, deadline))
      return FALSE;
  afxdp_wait_over (&stream->wait, batch->n);
  return TRUE;
}

AfxdpUmem *
afxdp_stream_lend (AfxdpStream *stream, AfxdpPacket *packet)
{
  if (!stream->lendable || packet->frame == AFXDP_NO_FRAME)
    return NULL;
  stream->lendable--;
  afxdp_account_lend (stream->account, packet->frame);
  packet->frame = AFXDP_NO_FRAME;
  return afxdp_account_umem (stream->account);
}

void
afxdp_stream_done (AfxdpStream *stream)
{
  afxdp_account_unreserve (stream->account, stream->lendable);
  afxdp_inputs_done (&stream->inputs, stream->handed_out, stream->n_handed_out);
}
