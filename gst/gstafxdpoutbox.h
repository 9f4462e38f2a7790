/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The messages of one type that an application has not read yet. It may never read
 * its bus: so many are posted at most.
 *
 * All zeros is an empty one. For the streaming thread, or while none runs.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_AFXDP_OUTBOX_SIZE 8

typedef struct
{
  GstMessage *messages[GST_AFXDP_OUTBOX_SIZE];
} GstAfxdpOutbox;

/* Whether there is room for one more. */
gboolean gst_afxdp_outbox_has_room (GstAfxdpOutbox *outbox);
/* Posts structure, which it takes, as an element message, or nothing if there is no
 * room. */
void gst_afxdp_outbox_post (
    GstAfxdpOutbox *outbox, GstElement *element, GstStructure *structure);
/* Lets go of all messages: each of them holds the element. */
void gst_afxdp_outbox_clear (GstAfxdpOutbox *outbox);

G_END_DECLS
