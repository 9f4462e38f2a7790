/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What was received and is not yet the base class's: as a rule one batch, more while
 * it waits for its caps. For the streaming thread. All zeros is an empty one.
 */
#pragma once

#include <gst/gst.h>

#include "gstafxdpbuffers.h"

G_BEGIN_DECLS

/* Batches. */
#define GST_AFXDP_BACKLOG_MOST 64

/* A batch as buffers. */
typedef struct
{
  GstMiniObject *object; /* a GstBuffer or a GstBufferList */
  GstAfxdpYield yield;
  gboolean not_rtp; /* it is one packet, and neither RTP nor RTCP */
} GstAfxdpParcel;

typedef struct
{
  GstAfxdpParcel parcels[GST_AFXDP_BACKLOG_MOST]; /* a ring */
  guint first, n;
  guint n_packets; /* in them */
} GstAfxdpBacklog;

gboolean gst_afxdp_backlog_is_full (const GstAfxdpBacklog *backlog);
/* Takes the object. It must not be full. */
void gst_afxdp_backlog_add (
    GstAfxdpBacklog *backlog, const GstAfxdpParcel *parcel);
/* The oldest, whose object is the caller's. It must not be empty. */
GstAfxdpParcel gst_afxdp_backlog_take (GstAfxdpBacklog *backlog);

/* These drop some, and return how many packets: the oldest parcel, those that are not
 * RTP, or all. */
guint gst_afxdp_backlog_drop_oldest (GstAfxdpBacklog *backlog);
guint gst_afxdp_backlog_drop_not_rtp (GstAfxdpBacklog *backlog);
guint gst_afxdp_backlog_drop_all (GstAfxdpBacklog *backlog);

G_END_DECLS
