/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Element messages of one type. */
#include "gstafxdpoutbox.h"

/* A place for one more message, or NULL: so many are unread. A message that
 * only we still know has been read. */
static GstMessage **
find_place (GstAfxdpOutbox *outbox)
{
  for (guint i = 0; i < GST_AFXDP_OUTBOX_UNREAD; i++) {
    GstMessage **message = &outbox->messages[i];

    if (*message && GST_MINI_OBJECT_REFCOUNT_VALUE (*message) == 1)
      gst_clear_message (message);
    if (!*message)
      return message;
  }
  return NULL;
}

gboolean
gst_afxdp_outbox_has_room (GstAfxdpOutbox *outbox)
{
  return find_place (outbox) != NULL;
}

GstMessage *
gst_afxdp_outbox_put (
    GstAfxdpOutbox *outbox, GstElement *element, GstStructure *structure)
{
  GstMessage **place = find_place (outbox);

  if (!place) {
    gst_structure_free (structure);
    return NULL;
  }
  *place = gst_message_new_element (GST_OBJECT (element), structure);
  return gst_message_ref (*place);
}

void
gst_afxdp_outbox_post (
    GstAfxdpOutbox *outbox, GstElement *element, GstStructure *structure)
{
  GstMessage *message = gst_afxdp_outbox_put (outbox, element, structure);

  if (message)
    gst_element_post_message (element, message);
}

gboolean
gst_afxdp_outbox_warn (GstAfxdpOutbox *outbox, GstElement *element,
    GstResourceError code, const gchar *text, const gchar *debug)
{
  GstMessage **place = find_place (outbox);
  g_autoptr (GError) error = NULL;

  if (!place)
    return FALSE;
  GST_WARNING_OBJECT (element, "%s (%s)", text, debug);
  error = g_error_new_literal (GST_RESOURCE_ERROR, code, text);
  *place = gst_message_new_warning (GST_OBJECT (element), error, debug);
  gst_element_post_message (element, gst_message_ref (*place));
  return TRUE;
}

void
gst_afxdp_outbox_empty (GstAfxdpOutbox *outbox)
{
  for (guint i = 0; i < GST_AFXDP_OUTBOX_UNREAD; i++)
    gst_clear_message (&outbox->messages[i]);
}
