/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The order of packets that came by several inputs. */
#include "order.h"

/* Half of the 16 bits of number take longer than this at any rate, in ns; and no
 * two paths stamp arrivals so differently. */
#define NUMBERS_LAST 5000000

static gboolean
same_source (const AfxdpRtp *one, const AfxdpRtp *other)
{
  return one->kind == AFXDP_RTP_DATA && other->kind == AFXDP_RTP_DATA &&
      one->ssrc == other->ssrc;
}

gboolean
afxdp_order_follows (const AfxdpRtp *rtp, const AfxdpRtp *former)
{
  return same_source (rtp, former) &&
      rtp->seqnum == (guint16) (former->seqnum + 1);
}

gboolean
afxdp_order_skips (const AfxdpRtp *rtp, const AfxdpRtp *former)
{
  return same_source (rtp, former) && !afxdp_order_follows (rtp, former);
}

/* Whether packet, of input, comes before the first of other. */
static gboolean
comes_before (
    const AfxdpInput *input, const AfxdpPacket *packet, const AfxdpInput *other)
{
  const AfxdpPacket *first = afxdp_input_head (other);
  gint64 later = first->arrival - packet->arrival;

  if (same_source (&packet->rtp, &first->rtp) &&
      (ABS (later) < NUMBERS_LAST || !input->stamped || !other->stamped))
    return (gint16) (packet->rtp.seqnum - first->rtp.seqnum) < 0;
  return later > 0;
}

AfxdpInput *
afxdp_order_first (AfxdpInput *const *inputs, guint n_inputs)
{
  AfxdpInput *best = NULL;

  for (guint i = 0; i < n_inputs; i++)
    if (!afxdp_input_is_empty (inputs[i]) &&
        (!best || comes_before (inputs[i], afxdp_input_head (inputs[i]), best)))
      best = inputs[i];
  return best;
}

guint
afxdp_order_run (AfxdpInput *const *inputs, guint n_inputs,
    const AfxdpInput *input, guint max)
{
  guint n = MIN (max, input->end - input->first);
  const AfxdpPacket *packets = afxdp_input_head (input);

  for (guint i = 0; i < n_inputs; i++) {
    if (inputs[i] == input || afxdp_input_is_empty (inputs[i]))
      continue;
    for (guint j = 1; j < n; j++)
      if (!comes_before (input, &packets[j], inputs[i]))
        n = j;
  }
  return n;
}

guint
afxdp_order_before_gap (const AfxdpPacket *packets, guint n)
{
  for (guint i = 1; i < n; i++)
    if (afxdp_order_skips (&packets[i].rtp, &packets[i - 1].rtp))
      return i;
  return n;
}
