/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Caps of application/x-rtp: what tables and URIs say of them. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Caps of one structure that say nothing else. */
GstCaps *gst_afxdp_caps_of_payload (guint8 payload_type);
/* Adds what RFC 3551's table says of a payload type to caps of one structure,
 * where they say nothing. FALSE: it is not in the table. */
gboolean gst_afxdp_caps_complete (GstCaps *caps, guint8 payload_type);
/* Adds what that table says of an encoding-name. Of audio that has a static payload
 * type, the rate there is of that type alone (L16: 44100), and not added. */
void gst_afxdp_caps_complete_name (GstCaps *caps);

/* The caps that the query of a URI tells by encoding-name, as rtpsrc has it, media,
 * encoding-params, clock-rate and payload. What follows from a name
 * or a static payload type need not be said. NULL: none, or with error set
 * (GST_URI_ERROR) none that can be. */
GstCaps *gst_afxdp_caps_from_uri (const GstUri *uri, GError **error);
/* Whether it reads this key of the query. */
gboolean gst_afxdp_caps_is_uri_key (const gchar *key);
/* The same caps as words of a query, "clock-rate=90000". Free with g_strfreev(). */
gchar **gst_afxdp_caps_to_query (const GstCaps *caps);

G_END_DECLS
