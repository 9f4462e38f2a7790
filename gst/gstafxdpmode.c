/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The way of reception in use, as it is told. */
#include "gstafxdpmode.h"

#include "gstafxdpenums.h"

void
gst_afxdp_current_mode_init (
    GstAfxdpCurrentMode *mode, GstElement *element, GstAfxdpReport *report)
{
  mode->element = element;
  mode->report = report;
}

static void
set (GstAfxdpCurrentMode *mode, AfxdpDoor door)
{
  gboolean changed;

  GST_OBJECT_LOCK (mode->element);
  changed = mode->current != door;
  mode->current = door;
  GST_OBJECT_UNLOCK (mode->element);
  if (changed)
    g_object_notify (G_OBJECT (mode->element), "current-mode");
}

void
gst_afxdp_current_mode_reset (GstAfxdpCurrentMode *mode)
{
  gst_afxdp_current_mode_stop (mode);
  gst_afxdp_outbox_empty (&mode->outbox);
  mode->posted = AFXDP_DOOR_NONE;
  set (mode, AFXDP_DOOR_NONE);
}

AfxdpDoor
gst_afxdp_current_mode_get (GstAfxdpCurrentMode *mode)
{
  AfxdpDoor door;

  GST_OBJECT_LOCK (mode->element);
  door = mode->current;
  GST_OBJECT_UNLOCK (mode->element);
  return door;
}

void
gst_afxdp_current_mode_stop (GstAfxdpCurrentMode *mode)
{
  afxdp_door_change_clear (&mode->change);
  mode->is_unposted = FALSE;
}

static GstStructure *
describe (const GstAfxdpCurrentMode *mode, const gchar *interface)
{
  const AfxdpDoorChange *change = &mode->change;
  GValue queues = G_VALUE_INIT;
  GstStructure *structure =
      gst_structure_new ("GstAfxdpSrcMode", "mode", G_TYPE_STRING,
          gst_afxdp_enum_nick (GST_TYPE_AFXDP_CURRENT_MODE, change->door),
          "previous-mode", G_TYPE_STRING,
          gst_afxdp_enum_nick (GST_TYPE_AFXDP_CURRENT_MODE, mode->posted),
          "interface", G_TYPE_STRING, interface, "xdp-mode", G_TYPE_STRING,
          gst_afxdp_xdp_mode_name (change->door, change->xdp_mode), "zero-copy",
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

void
gst_afxdp_current_mode_follow (
    GstAfxdpCurrentMode *mode, AfxdpStream *stream, gboolean warns)
{
  const AfxdpNetdev *netdev = afxdp_stream_netdev (stream);
  AfxdpDoorChange change;

  if (afxdp_stream_door_changed (stream, &change)) {
    GST_INFO_OBJECT (mode->element, "%s", change.reason);
    gst_afxdp_report_set_door (mode->report, &change);
    set (mode, change.door);
    if (change.error && warns)
      GST_ELEMENT_WARNING (mode->element, RESOURCE, READ,
          ("%s.", change.reason),
          ("mode is af-xdp, and the socket is used in the meantime."));
    afxdp_door_change_clear (&mode->change);
    mode->change = change;
    mode->is_unposted = TRUE;
  }
  if (!mode->is_unposted || !gst_afxdp_outbox_has_room (&mode->outbox))
    return;
  gst_afxdp_outbox_post (&mode->outbox, mode->element,
      describe (mode, netdev ? netdev->name : ""));
  mode->posted = mode->change.door;
  mode->is_unposted = FALSE;
}
