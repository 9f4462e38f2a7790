/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The plugin: registers its element. */
#include <gst/gst.h>

#include "gstafxdpsrc.h"

static gboolean
plugin_init (GstPlugin *plugin)
{
  return GST_ELEMENT_REGISTER (afxdpsrc, plugin);
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, afxdp,
    "Receives RTP over UDP through AF_XDP", plugin_init, PACKAGE_VERSION,
    "LGPL", "afxdpsrc", "afxdpsrc")
