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

void
gst_afxdp_outbox_post (
    GstAfxdpOutbox *outbox, GstElement *element, GstStructure *structure)
{
  GstMessage **place = find_place (outbox);

  *place = gst_message_new_element (GST_OBJECT (element), structure);
  gst_element_post_message (element, gst_message_ref (*place));
}

void
gst_afxdp_outbox_empty (GstAfxdpOutbox *outbox)
{
  for (guint i = 0; i < GST_AFXDP_OUTBOX_UNREAD; i++)
    gst_clear_message (&outbox->messages[i]);
}
