/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The element as a GstURIHandler. */
#include "gstafxdpuri.h"

#include "gstafxdpuriparts.h"

static GstURIType
get_type (GType type)
{
  return GST_URI_SRC;
}

/* Not udp: that would take every udp:// URI away from udpsrc. */
static const gchar *const *
get_protocols (GType type)
{
  static const gchar *const protocols[] = { "afxdp", NULL };

  return protocols;
}

static gchar *
get_uri (GstURIHandler *handler)
{
  gchar *uri;

  g_object_get (handler, "uri", &uri, NULL);
  return uri;
}

/* The property cannot tell what is wrong with a URI. */
static gboolean
set_uri (GstURIHandler *handler, const gchar *uri, GError **error)
{
  GstAfxdpUriParts trial;

  if (!gst_afxdp_uri_parts_read (&trial, uri, error))
    return FALSE;
  gst_afxdp_uri_parts_clear (&trial);
  g_object_set (handler, "uri", uri, NULL);
  return TRUE;
}

void
gst_afxdp_uri_handler_init (gpointer iface, gpointer data)
{
  GstURIHandlerInterface *handler = iface;

  handler->get_type = get_type;
  handler->get_protocols = get_protocols;
  handler->get_uri = get_uri;
  handler->set_uri = set_uri;
}
