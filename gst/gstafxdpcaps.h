/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The caps of a stream: those that were set, or from its first packet. */
#pragma once

#include <gst/gst.h>

#include "stream.h"

G_BEGIN_DECLS

/* Adds what RFC 3551's table says of a payload type to caps of one structure,
 * where they say nothing. FALSE: it is not in the table. */
gboolean gst_afxdp_caps_complete (GstCaps *caps, guint8 payload_type);

/* The caps that the query of a URI tells by encoding-name, as rtpsrc has it, media,
 * encoding-params, clock-rate and payload. What follows from a name
 * or a static payload type need not be said. NULL: none, or with error set
 * (GST_URI_ERROR) none that can be. */
GstCaps *gst_afxdp_caps_from_uri (const GstUri *uri, GError **error);
/* The same caps as words of a query, "clock-rate=90000". Free with g_strfreev(). */
gchar **gst_afxdp_caps_to_query (const GstCaps *caps);

/* What is decided of a stream's caps. */
typedef struct
{
  gboolean decided;
  GstCaps *current; /* NULL: none */
  gboolean are_rtp; /* application/x-rtp */
} GstAfxdpCaps;

/* Forgets it. */
void gst_afxdp_caps_clear (GstAfxdpCaps *caps);

/* Decides, once there is a packet that tells: one that is neither empty nor RTCP,
 * which goes beside any stream. FALSE: those that were set are EMPTY.
 *
 * Caps that were set hold: of several those of the first packet's payload type,
 * or the first ones; ANY is none. Where none were set (NULL) they are, of a static
 * payload type, those of RFC 3551's table; of a dynamic one what downstream
 * accepts, if that fixes the clock rate. A clock rate is never invented: none,
 * with *problem a sentence for the user, when nothing is known and there is
 * something he can do. */
gboolean gst_afxdp_caps_decide (GstAfxdpCaps *caps, GstCaps *set,
    GstPad *srcpad, const AfxdpBatch *batch, gchar **problem);

G_END_DECLS
