/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One source of a stream's packets, of whichever kind. */
#include "input.h"

#include "clock.h"

void
afxdp_input_init (AfxdpInput *input, const AfxdpInputKind *kind,
    AfxdpUmem *umem, int fd, guint batch, gsize raw_size, AfxdpDrops *drops)
{
  *input = (AfxdpInput){
    .kind = kind,
    .by = kind->path,
    .packets = g_new (AfxdpPacket, batch),
    .batch = batch,
    .raw = g_malloc_n (batch, raw_size),
    .umem = umem,
    .last_arrival = afxdp_now (),
    .fd = fd,
    .drops = drops,
  };
}

guint
afxdp_input_discard (AfxdpInput *input)
{
  guint n = input->end - input->first;

  for (; input->first < input->end; input->first++) {
    const AfxdpPacket *packet = afxdp_input_head (input);

    if (packet->frame != AFXDP_NO_FRAME)
      afxdp_umem_give (input->umem, &packet->frame, 1);
  }
  return n;
}

void
afxdp_input_clear (AfxdpInput *input)
{
  g_clear_pointer (&input->packets, g_free);
  g_clear_pointer (&input->raw, g_free);
}
