/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The socket as a source of a stream's packets. */
#include "socketinput.h"

#include "clock.h"

/* No packet is so long between its stamp and its socket; in ns. A clock that is set
 * ahead by less is not noticed: that costs less than a packet that seems to have
 * come later than it did. */
#define LONGEST_IN_THE_STACK AFXDP_S

/* The socket has dropped so many, until the packet that arrived then. Counters
 * that were read at different places may be behind what is told. */
static void
follow_dropped (AfxdpSocketInput *self, guint32 dropped, guint64 until)
{
  guint32 n = dropped - self->dropped;

  /* After a pause it is never behind, but may be far ahead. */
  if (G_LIKELY (!n) || (n > G_MAXINT32 && !self->paused))
    return;
  self->dropped = dropped;
  afxdp_drops_add (self->input.drops,
      self->paused || self->resuming ? AFXDP_COLUMN_PAUSED
                                     : AFXDP_COLUMN_SOCKET_BUFFER,
      n, self->input.last_arrival, until);
}

static guint64
look_for_drops (AfxdpInput *input)
{
  AfxdpSocketInput *self = (AfxdpSocketInput *) input;

  follow_dropped (self, afxdp_socket_dropped (self->socket), afxdp_now ());
  return G_MAXUINT64;
}

/* What was dropped until the socket has been read as far as it was full when it
 * was read again is the pause's. */
static void
begin_resuming (AfxdpSocketInput *self)
{
  self->paused = FALSE;
  self->resuming = TRUE;
  self->resumed_at = afxdp_now ();
}

static void
end_resuming (AfxdpSocketInput *self)
{
  if (!self->dry && self->input.last_arrival < self->resumed_at)
    return;
  look_for_drops (&self->input);
  self->resuming = FALSE;
}

/* How long ago real says that stamp was: in a clock that may be set in between. A
 * packet has not waited for longer than since the socket was empty. */
static guint64
time_waited (const AfxdpSocketInput *self, guint64 stamp, guint64 real,
    guint64 monotonic)
{
  guint64 time = real - stamp;

  if (!stamp || stamp > real || time > monotonic ||
      time > monotonic - self->dry_at + LONGEST_IN_THE_STACK)
    return 0;
  return time;
}

static void
take_batch (AfxdpSocketInput *self, guint n, guint skip)
{
  const AfxdpSocketPacket *raw = self->input.raw;
  guint64 monotonic, real;

  monotonic = afxdp_now ();
  real = afxdp_clock (CLOCK_REALTIME);
  /* Not by a kernel that has no SO_TIMESTAMPNS (qemu-user). */
  self->input.stamped = raw->arrival != 0;
  for (guint i = 0; i < n; i++) {
    AfxdpPacket *packet = &self->input.packets[self->input.end];

    packet->arrival =
        monotonic - time_waited (self, raw[i].arrival, real, monotonic);
    follow_dropped (self, raw[i].dropped, packet->arrival);
    self->input.last_arrival = packet->arrival;
    if (G_UNLIKELY (!raw[i].wanted ||
            !afxdp_input_take_payload (
                packet, raw[i].data, raw[i].size, skip))) {
      if (raw[i].frame != AFXDP_NO_FRAME)
        afxdp_umem_give (self->input.umem, &raw[i].frame, 1);
      continue;
    }
    packet->frame = raw[i].frame;
    packet->sender = raw[i].sender;
    self->input.end++;
  }
}

static guint
read_socket (AfxdpInput *input, guint skip)
{
  AfxdpSocketInput *self = (AfxdpSocketInput *) input;
  guint64 before;
  guint n;

  if (G_UNLIKELY (self->paused))
    begin_resuming (self);
  /* Not behind: this thread may stand still in between, and what came meanwhile has
   * waited for all of that time. */
  before = afxdp_now ();
  n = afxdp_socket_receive (self->socket, input->raw, input->batch);
  input->first = input->end = 0;
  self->dry = n < input->batch;
  if (n)
    take_batch (self, n, skip);
  if (self->dry)
    self->dry_at = before;
  if (G_UNLIKELY (self->resuming))
    end_resuming (self);
  return n - input->end;
}

static gboolean
is_drained (const AfxdpInput *input)
{
  return ((const AfxdpSocketInput *) input)->dry;
}

static const AfxdpInputKind kind = {
  .path = AFXDP_PATH_SLOW,
  .read = read_socket,
  .look_for_drops = look_for_drops,
  .is_drained = is_drained,
};

void
afxdp_socket_input_init (
    AfxdpSocketInput *self, AfxdpSocket *socket, guint batch, AfxdpDrops *drops)
{
  *self = (AfxdpSocketInput){ .socket = socket,
    .dropped = afxdp_socket_dropped (socket) };
  afxdp_input_init (&self->input, &kind, afxdp_socket_umem (socket),
      afxdp_socket_fd (socket), batch, sizeof (AfxdpSocketPacket), drops);
}

void
afxdp_socket_input_pause (AfxdpSocketInput *self, guint32 dropped)
{
  follow_dropped (self, dropped, afxdp_now ());
  self->paused = TRUE;
}
