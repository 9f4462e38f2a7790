/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The plugin: registers its element and its tracer. */
#include <gst/gst.h>

#include "gstafxdpsrc.h"
#include "gstafxdptracer.h"

static gboolean
plugin_init (GstPlugin *plugin)
{
  /* A GStreamer without tracers has the element all the same. */
  gst_tracer_register (plugin, "afxdpmetrics", GST_TYPE_AFXDP_TRACER);
  return GST_ELEMENT_REGISTER (afxdpsrc, plugin);
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, afxdp,
    "Receives RTP over UDP through AF_XDP", plugin_init, PACKAGE_VERSION,
    "LGPL", "afxdpsrc", "afxdpsrc")
