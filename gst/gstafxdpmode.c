/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The current path, as it is told. */
#include "gstafxdpmode.h"

#include "error.h"
#include "gstafxdpenums.h"
#include "gstafxdpsrc.h"

#define GST_CAT_DEFAULT gst_afxdp_src_debug

void
gst_afxdp_current_mode_init (
    GstAfxdpCurrentMode *mode, GstElement *element, GstAfxdpReport *report)
{
  mode->element = element;
  mode->report = report;
}

static void
set (GstAfxdpCurrentMode *mode, AfxdpPath path)
{
  gboolean changed;

  GST_OBJECT_LOCK (mode->element);
  changed = mode->current != path;
  mode->current = path;
  GST_OBJECT_UNLOCK (mode->element);
  if (changed)
    g_object_notify (G_OBJECT (mode->element), "current-mode");
}

void
gst_afxdp_current_mode_reset (GstAfxdpCurrentMode *mode)
{
  gst_afxdp_current_mode_stop (mode);
  gst_afxdp_outbox_empty (&mode->outbox);
  gst_afxdp_outbox_empty (&mode->warnings);
  mode->posted = AFXDP_PATH_NONE;
  set (mode, AFXDP_PATH_NONE);
}

AfxdpPath
gst_afxdp_current_mode_get (GstAfxdpCurrentMode *mode)
{
  AfxdpPath path;

  GST_OBJECT_LOCK (mode->element);
  path = mode->current;
  GST_OBJECT_UNLOCK (mode->element);
  return path;
}

void
gst_afxdp_current_mode_stop (GstAfxdpCurrentMode *mode)
{
  afxdp_path_change_clear (&mode->change);
  mode->is_unposted = mode->is_unwarned = FALSE;
}

static GstStructure *
describe (const GstAfxdpCurrentMode *mode, const gchar *interface)
{
  const AfxdpPathChange *change = &mode->change;
  GValue queues = G_VALUE_INIT;
  GstStructure *structure =
      gst_structure_new ("GstAfxdpSrcMode", "mode", G_TYPE_STRING,
          gst_afxdp_enum_nick (GST_TYPE_AFXDP_CURRENT_MODE, change->path),
          "previous-mode", G_TYPE_STRING,
          gst_afxdp_enum_nick (GST_TYPE_AFXDP_CURRENT_MODE, mode->posted),
          "interface", G_TYPE_STRING, interface, "xdp-mode", G_TYPE_STRING,
          gst_afxdp_xdp_mode_name (change->path, change->xdp_mode), "zero-copy",
          G_TYPE_BOOLEAN, change->zero_copy, "reason", G_TYPE_STRING,
          change->reason, NULL);

  g_value_init (&queues, GST_TYPE_ARRAY);
  for (guint i = 0; i < change->n_queues; i++) {
    GValue value = G_VALUE_INIT;

    g_value_init (&value, G_TYPE_INT);
    g_value_set_int (&value, change->queues[i]);
    gst_value_array_append_and_take_value (&queues, &value);
  }
  gst_structure_take_value (structure, "queues", &queues);
  return structure;
}

static gboolean
is_taken (const AfxdpPathChange *change)
{
  return g_error_matches (change->error, AFXDP_ERROR, AFXDP_ERROR_TAKEN);
}

/* FALSE: nobody reads, and this one waits. */
static gboolean
warn (GstAfxdpCurrentMode *mode)
{
  g_autofree gchar *text = g_strdup_printf ("%s.", mode->change.reason);

  if (is_taken (&mode->change))
    return gst_afxdp_outbox_warn (&mode->warnings, mode->element,
        GST_RESOURCE_ERROR_BUSY, text, "The socket gets no packets.");
  return gst_afxdp_outbox_warn (&mode->warnings, mode->element,
      GST_RESOURCE_ERROR_READ, text,
      "mode is af-xdp; the socket is used until AF_XDP is available again.");
}

void
gst_afxdp_current_mode_follow (
    GstAfxdpCurrentMode *mode, AfxdpStream *stream, gboolean warns)
{
  const AfxdpNetdev *netdev = afxdp_stream_netdev (stream);
  AfxdpPathChange change;

  if (afxdp_stream_path_changed (stream, &change)) {
    GST_INFO_OBJECT (mode->element, "%s", change.reason);
    gst_afxdp_report_set_path (mode->report, &change);
    set (mode, change.path);
    mode->is_unwarned = change.error && (warns || is_taken (&change));
    afxdp_path_change_clear (&mode->change);
    mode->change = change;
    mode->is_unposted = TRUE;
  }
  if (mode->is_unwarned && warn (mode))
    mode->is_unwarned = FALSE;
  if (!mode->is_unposted || !gst_afxdp_outbox_has_room (&mode->outbox))
    return;
  gst_afxdp_outbox_post (&mode->outbox, mode->element,
      describe (mode, netdev ? netdev->name : ""));
  mode->posted = mode->change.path;
  mode->is_unposted = FALSE;
}
