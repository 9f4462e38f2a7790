/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a URI says: afxdp://ADDRESS:PORT?multicast-source=SOURCES, an IPv6 address in
 * brackets, with its zone behind % or %25 (RFC 6874); udp:// is taken too. The query
 * may also tell caps, as gst_afxdp_caps_from_uri() has them.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct
{
  gchar *address;   /* with its zone, or a name; NULL: none is given */
  gint port;        /* -1: none is given */
  gchar *interface; /* as multicast-iface takes it; NULL: none is given */
  gchar *sources;   /* as multicast-source takes them; NULL: any */
  GstCaps *caps;    /* NULL: none are given */
  gchar *ignored;   /* what else is in it, as half a sentence; NULL: nothing */
} GstAfxdpUriParts;

/* Errors: GST_URI_ERROR_BAD_URI; the sentence has the URI in it. */
gboolean gst_afxdp_uri_parts_read (
    GstAfxdpUriParts *parts, const gchar *uri, GError **error);
/* The URI that reads as parts do, but for what is ignored. Address and port are
 * given; caps are those of a URI. */
gchar *gst_afxdp_uri_parts_write (const GstAfxdpUriParts *parts);
void gst_afxdp_uri_parts_clear (GstAfxdpUriParts *parts);

G_END_DECLS
