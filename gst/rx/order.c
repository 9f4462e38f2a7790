/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The order of packets that came by several lanes. */
#include "order.h"

/* Half of the 16 bits of number take longer than this at any rate, in ns; and no
 * two doors stamp arrivals so differently. */
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

/* Whether packet, of lane, comes before the first of other. */
static gboolean
comes_before (
    const AfxdpLane *lane, const AfxdpPacket *packet, const AfxdpLane *other)
{
  const AfxdpPacket *first = afxdp_lane_head (other);
  gint64 later = first->arrival - packet->arrival;

  if (same_source (&packet->rtp, &first->rtp) &&
      (ABS (later) < NUMBERS_LAST || !lane->stamped || !other->stamped))
    return (gint16) (packet->rtp.seqnum - first->rtp.seqnum) < 0;
  return later > 0;
}

AfxdpLane *
afxdp_order_first (AfxdpLane *lanes, guint n_lanes)
{
  AfxdpLane *best = NULL;

  for (guint i = 0; i < n_lanes; i++)
    if (!afxdp_lane_is_empty (&lanes[i]) &&
        (!best || comes_before (&lanes[i], afxdp_lane_head (&lanes[i]), best)))
      best = &lanes[i];
  return best;
}

guint
afxdp_order_run (
    const AfxdpLane *lanes, guint n_lanes, const AfxdpLane *lane, guint max)
{
  guint n = MIN (max, lane->end - lane->first);
  const AfxdpPacket *packets = afxdp_lane_head (lane);

  for (guint i = 0; i < n_lanes; i++) {
    if (&lanes[i] == lane || afxdp_lane_is_empty (&lanes[i]))
      continue;
    for (guint j = 1; j < n; j++)
      if (!comes_before (lane, &packets[j], &lanes[i]))
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
