/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is told of SSRCs: GstAfxdpSrcSource, when one is new, restarted, gone, or has
 * no sequence. Noted where packets are counted, under a lock; posted without one.
 *
 * Anybody can send packets of new SSRCs: what is neither posted nor read is bounded,
 * and the rest is counted as suppressed. For one thread at a time.
 */
#pragma once

#include "gstafxdpoutbox.h"
#include "input.h"
#include "rtpstats.h"

G_BEGIN_DECLS

/* All 0 at first. */
typedef struct
{
  GQueue noted;        /* GstStructure, to be posted */
  guint64 suppressed;  /* events, since the last message */
  GHashTable *senders; /* SSRC to text, of those that were told; or NULL */
  GstAfxdpOutbox outbox;
} GstAfxdpSsrcs;

void gst_afxdp_ssrcs_clear (GstAfxdpSsrcs *ssrcs);

/* sender: of the packet that showed it, or NULL. */
void gst_afxdp_ssrcs_note (GstAfxdpSsrcs *ssrcs, const AfxdpRtpEvent *event,
    const AfxdpSender *sender);
/* The next that may be posted, or NULL. */
GstStructure *gst_afxdp_ssrcs_next (GstAfxdpSsrcs *ssrcs);
/* Posts it. Takes structure. */
void gst_afxdp_ssrcs_post (
    GstAfxdpSsrcs *ssrcs, GstElement *element, GstStructure *structure);

G_END_DECLS
