/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Element messages of one type, or warnings of one kind. An application may never read
 * its bus: at most GST_AFXDP_OUTBOX_UNREAD of them are outstanding, and the sender puts
 * what it could not post into the next one. For one thread at a time.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_AFXDP_OUTBOX_UNREAD 8

/* All NULL at first. */
typedef struct
{
  GstMessage *messages[GST_AFXDP_OUTBOX_UNREAD];
} GstAfxdpOutbox;

/* Whether one more may be posted. */
gboolean gst_afxdp_outbox_has_room (GstAfxdpOutbox *outbox);
/* Posts an element message; there is room. Takes structure. */
void gst_afxdp_outbox_post (
    GstAfxdpOutbox *outbox, GstElement *element, GstStructure *structure);
/* The same, but leaves it to the caller to post what is returned, with no lock held.
 * NULL: there was no room. */
GstMessage *gst_afxdp_outbox_put (
    GstAfxdpOutbox *outbox, GstElement *element, GstStructure *structure);
/* Posts a warning of the domain of resources. FALSE: there was no room. */
gboolean gst_afxdp_outbox_warn (GstAfxdpOutbox *outbox, GstElement *element,
    GstResourceError code, const gchar *text, const gchar *debug);
/* Lets go of the messages that were posted, each of which holds the element:
 * without this it would live as long as they do, and they as long as it. */
void gst_afxdp_outbox_empty (GstAfxdpOutbox *outbox);

G_END_DECLS
