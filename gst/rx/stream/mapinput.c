/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The socket of somebody else's XSKMAP as a source of a stream's packets. */
#include "mapinput.h"

#include "clock.h"

/* Of the pause; what waits came before it. */
static void
end_pause (AfxdpMapInput *self)
{
  guint64 now = afxdp_now ();
  AfxdpXskLoss loss;
  guint64 n = afxdp_xsk_find_loss (self->xsk, &loss);

  if (n)
    afxdp_drops_add (self->input.drops, AFXDP_COLUMN_PAUSED, n,
        self->counters.looked_at, now);
  self->counters.looked_at = now;
  self->counters.n_waited = afxdp_xsk_n_waiting (self->xsk);
  self->paused = FALSE;
}

static guint
read_map (AfxdpInput *input, guint skip)
{
  AfxdpMapInput *self = (AfxdpMapInput *) input;
  AfxdpXskPacket *raw = input->raw;
  guint n;
  guint64 now;

  input->first = input->end = 0;
  if (G_UNLIKELY (!self->xsk))
    return 0;
  if (G_UNLIKELY (self->paused))
    end_pause (self);
  n = afxdp_xsk_receive (self->xsk, raw, input->batch);
  if (!n)
    return 0;
  now = afxdp_now ();
  for (guint i = 0; i < n; i++) {
    AfxdpPacket *packet = &input->packets[input->end];

    packet->arrival = input->last_arrival =
        afxdp_ring_counters_arrival (&self->counters, now);
    if (afxdp_frame_packet_take (self->destination, &raw[i], skip, packet))
      input->end++;
    else
      afxdp_umem_give (input->umem, &packet->frame, 1);
  }
  self->n_read += input->end;
  return n - input->end;
}

static guint64
look_for_drops (AfxdpInput *input)
{
  AfxdpMapInput *self = (AfxdpMapInput *) input;

  if (!self->xsk)
    return G_MAXUINT64;
  if (self->paused)
    end_pause (self);
  if (!afxdp_ring_counters_may_look (&self->counters))
    return self->counters.looked_at;
  afxdp_ring_counters_look (&self->counters, self->xsk, input->drops);
  return G_MAXUINT64;
}

static gboolean
is_drained (const AfxdpInput *input)
{
  const AfxdpMapInput *self = (const AfxdpMapInput *) input;

  return !self->xsk || !afxdp_xsk_n_waiting (self->xsk);
}

static const AfxdpInputKind kind = {
  .path = AFXDP_PATH_FAST,
  .read = read_map,
  .look_for_drops = look_for_drops,
  .is_drained = is_drained,
};

void
afxdp_map_input_init (AfxdpMapInput *self, int fd,
    const AfxdpDestination *destination, guint batch, AfxdpDrops *drops)
{
  *self = (AfxdpMapInput){ .destination = destination };
  afxdp_input_init (
      &self->input, &kind, NULL, fd, batch, sizeof (AfxdpXskPacket), drops);
}

void
afxdp_map_input_set_socket (AfxdpMapInput *self, AfxdpXsk *xsk, AfxdpUmem *umem)
{
  self->xsk = xsk;
  self->input.umem = umem;
  self->counters = (AfxdpRingCounters){ .looked_at = afxdp_now () };
}

void
afxdp_map_input_pause (AfxdpMapInput *self)
{
  self->paused = TRUE;
}
