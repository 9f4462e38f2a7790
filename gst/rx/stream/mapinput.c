/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The socket of somebody else's XSKMAP as a source of a stream's packets. */
#include "mapinput.h"

#include "clock.h"

static guint
read_map (AfxdpInput *input, guint skip)
{
  AfxdpMapInput *self = (AfxdpMapInput *) input;
  AfxdpXskPacket *raw = input->raw;
  guint n = afxdp_xsk_receive (self->xsk, raw, input->batch);
  guint64 now;

  input->first = input->end = 0;
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
  return n - input->end;
}

static guint64
look_for_drops (AfxdpInput *input)
{
  AfxdpMapInput *self = (AfxdpMapInput *) input;

  if (!afxdp_ring_counters_may_look (&self->counters))
    return self->counters.looked_at;
  afxdp_ring_counters_look (&self->counters, self->xsk, input->drops);
  return G_MAXUINT64;
}

static gboolean
is_drained (const AfxdpInput *input)
{
  return !afxdp_xsk_n_waiting (((const AfxdpMapInput *) input)->xsk);
}

static const AfxdpInputKind kind = {
  .path = AFXDP_PATH_FAST,
  .read = read_map,
  .look_for_drops = look_for_drops,
  .is_drained = is_drained,
};

void
afxdp_map_input_init (AfxdpMapInput *self, AfxdpXsk *xsk, AfxdpUmem *umem,
    const AfxdpDestination *destination, guint batch, AfxdpDrops *drops)
{
  *self = (AfxdpMapInput){ .xsk = xsk, .destination = destination };
  afxdp_input_init (&self->input, &kind, umem, afxdp_xsk_fd (xsk), batch,
      sizeof (AfxdpXskPacket), drops);
  self->counters.looked_at = self->input.last_arrival;
}
