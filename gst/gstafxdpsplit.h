/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Two legs that come by one interface, to one address and port: they are one stream
 * there, with one socket and one flow of the program, and which leg a packet is of its
 * sender says, or its SSRC (a=ssrc-group:DUP, RFC 7104). For the streaming thread.
 */
#pragma once

#include <glib.h>

#include "sources.h"
#include "stream.h"

G_BEGIN_DECLS

/* SSRCs that are told apart. */
#define GST_AFXDP_SPLIT_SSRCS 4

typedef struct
{
  guint32 ssrc;
  guint leg;
  guint64 heard_at; /* 0: none */
  guint n;          /* packets since one of the first leg came */
} GstAfxdpSplitSsrc;

/* All zeros is one that is off: each leg is a stream of its own. */
typedef struct
{
  gboolean on;
  AfxdpSources *second; /* its senders; NULL: the SSRC says */
  GstAfxdpSplitSsrc ssrcs[GST_AFXDP_SPLIT_SSRCS];
  guint8 legs[AFXDP_LARGEST_BATCH]; /* of the packets that were looked at */
} GstAfxdpSplit;

/* Takes second. */
void gst_afxdp_split_begin (GstAfxdpSplit *split, AfxdpSources *second);
void gst_afxdp_split_clear (GstAfxdpSplit *split);

/* Looks at the packets of batch. */
void gst_afxdp_split_look (GstAfxdpSplit *split, const AfxdpBatch *batch);
/* Those of batch, which was looked at, from packet first on that are of the same leg: part
 * shares them. */
guint gst_afxdp_split_part (const GstAfxdpSplit *split, const AfxdpBatch *batch,
    guint first, AfxdpBatch *part);

G_END_DECLS
