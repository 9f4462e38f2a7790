/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Buffers from the packets of a batch. For the streaming thread. */
#pragma once

#include <gst/gst.h>

#include "gstafxdpsenders.h"
#include "stream.h"

G_BEGIN_DECLS

/* How arrival times become timestamps. */
typedef struct
{
  gboolean enabled;  /* otherwise buffers have none */
  gint64 offset;     /* ns to add to an arrival to get a running time */
  GstClockTime last; /* the latest one given: they never decrease */
} GstAfxdpTiming;

/* On the pad that the buffers leave by, which timing must outlive. */
void gst_afxdp_timing_init (GstAfxdpTiming *timing, GstPad *pad);
/* Compares the clocks; once for each batch. Without a clock of the pipeline there
 * are no timestamps, nor when do-timestamp says that none are wanted, unless
 * always. */
void gst_afxdp_timing_read (
    GstAfxdpTiming *timing, GstElement *src, gboolean always);

/* Sets PTS and DTS of a buffer that goes out now, by the arrival of its packet, ns. */
void gst_afxdp_timing_stamp (
    GstAfxdpTiming *timing, GstBuffer *buffer, guint64 arrival);

/* How buffers are made. */
typedef struct
{
  gboolean only_rtp; /* leaves out what is neither RTP nor RTCP */
  guint mtu;         /* longer ones of the socket are split there; 0: none */
  GstAfxdpSenders *senders; /* NULL: buffers do not tell their sender */
} GstAfxdpMake;

/* What was made. */
typedef struct
{
  guint n;         /* buffers */
  guint64 bytes;   /* in them */
  guint copied;    /* of the buffers: not a frame, but a copy */
  guint by_socket; /* of the buffers; the others came by AF_XDP */
} GstAfxdpYield;

/* Makes a GstBuffer of a batch of one packet, a GstBufferList of a longer one.
 * not_rtp: how many of its packets are neither RTP nor RTCP. NULL when nothing is
 * left. */
GstMiniObject *gst_afxdp_buffers_make (AfxdpStream *stream, AfxdpBatch *batch,
    const GstAfxdpMake *make, guint not_rtp, GstAfxdpTiming *timing,
    GstAfxdpYield *yield);

/* Who makes them one by one, as below, fetches what will be needed: once for the batch,
 * and before each packet i. */
void gst_afxdp_buffers_prefetch_first (const AfxdpBatch *batch);
void gst_afxdp_buffers_prefetch (const AfxdpBatch *batch, guint i);
/* Makes one of a packet of the batch that came by path; without a time. Sets copied if
 * it is not a frame. */
GstBuffer *gst_afxdp_buffers_make_one (AfxdpStream *stream, AfxdpPacket *packet,
    AfxdpPath path, const GstAfxdpMake *make, gboolean *copied);

G_END_DECLS
