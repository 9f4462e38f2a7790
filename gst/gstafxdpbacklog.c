/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was received and is not yet the base class's. */
#include "gstafxdpbacklog.h"

gboolean
gst_afxdp_backlog_is_full (const GstAfxdpBacklog *backlog)
{
  return backlog->n == GST_AFXDP_BACKLOG_MOST;
}

void
gst_afxdp_backlog_add (GstAfxdpBacklog *backlog, const GstAfxdpParcel *parcel)
{
  backlog->parcels[(backlog->first + backlog->n) % GST_AFXDP_BACKLOG_MOST] =
      *parcel;
  backlog->n++;
  backlog->n_packets += parcel->yield.n;
}

GstAfxdpParcel
gst_afxdp_backlog_take (GstAfxdpBacklog *backlog)
{
  GstAfxdpParcel parcel = backlog->parcels[backlog->first];

  backlog->first = (backlog->first + 1) % GST_AFXDP_BACKLOG_MOST;
  backlog->n--;
  backlog->n_packets -= parcel.yield.n;
  return parcel;
}

guint
gst_afxdp_backlog_drop_oldest (GstAfxdpBacklog *backlog)
{
  GstAfxdpParcel parcel = gst_afxdp_backlog_take (backlog);

  gst_mini_object_unref (parcel.object);
  return parcel.yield.n;
}

guint
gst_afxdp_backlog_drop_not_rtp (GstAfxdpBacklog *backlog)
{
  guint before = backlog->n_packets;

  for (guint i = backlog->n; i; i--) {
    GstAfxdpParcel parcel = gst_afxdp_backlog_take (backlog);

    if (parcel.not_rtp)
      gst_mini_object_unref (parcel.object);
    else
      gst_afxdp_backlog_add (backlog, &parcel);
  }
  return before - backlog->n_packets;
}

guint
gst_afxdp_backlog_drop_all (GstAfxdpBacklog *backlog)
{
  guint n = backlog->n_packets;

  while (backlog->n)
    gst_afxdp_backlog_drop_oldest (backlog);
  return n;
}
