/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The order of packets that came by several lanes. */
#include "order.h"

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

static gboolean
comes_before (const AfxdpPacket *one, const AfxdpPacket *other)
{
  if (same_source (&one->rtp, &other->rtp))
    return (gint16) (one->rtp.seqnum - other->rtp.seqnum) < 0;
  return one->arrival < other->arrival;
}

AfxdpLane *
afxdp_order_first (AfxdpLane *lanes, guint n_lanes)
{
  AfxdpLane *best = NULL;

  for (guint i = 0; i < n_lanes; i++)
    if (!afxdp_lane_is_empty (&lanes[i]) &&
        (!best ||
            comes_before (afxdp_lane_head (&lanes[i]), afxdp_lane_head (best))))
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
      if (comes_before (afxdp_lane_head (&lanes[i]), &packets[j]))
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
