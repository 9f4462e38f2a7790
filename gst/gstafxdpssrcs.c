/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is told of SSRCs. */
#include "gstafxdpssrcs.h"

#include <arpa/inet.h>

/* Most that wait to be posted, and senders that are remembered. */
#define MOST_NOTED 32
#define MOST_SENDERS (2 * AFXDP_RTP_SOURCES)

static const gchar *const states[] = {
  [AFXDP_RTP_SOURCE_NEW] = "new",
  [AFXDP_RTP_SOURCE_RESTARTED] = "restarted",
  [AFXDP_RTP_SOURCE_GONE] = "gone",
  [AFXDP_RTP_SOURCE_UNVALIDATED] = "unvalidated",
};

void
gst_afxdp_ssrcs_clear (GstAfxdpSsrcs *ssrcs)
{
  g_queue_clear_full (&ssrcs->noted, (GDestroyNotify) gst_structure_free);
  g_clear_pointer (&ssrcs->senders, g_hash_table_unref);
  ssrcs->suppressed = 0;
  gst_afxdp_outbox_empty (&ssrcs->outbox);
}

/* "ADDRESS:PORT", an IPv6 address in brackets. */
static gchar *
describe (const AfxdpSender *sender)
{
  gchar text[INET6_ADDRSTRLEN] = "";
  gboolean v6 = sender->version == 6;

  inet_ntop (v6 ? AF_INET6 : AF_INET, sender->address, text, sizeof text);
  return g_strdup_printf (v6 ? "[%s]:%u" : "%s:%u", text, sender->port);
}

/* Remembers the sender of ssrc, or remembers whose it was. */
static const gchar *
sender_of (GstAfxdpSsrcs *ssrcs, guint32 ssrc, const AfxdpSender *sender)
{
  const gchar *text;

  if (!ssrcs->senders)
    ssrcs->senders = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  if (sender && g_hash_table_size (ssrcs->senders) >= MOST_SENDERS)
    g_hash_table_remove_all (ssrcs->senders);
  if (sender)
    g_hash_table_insert (
        ssrcs->senders, GUINT_TO_POINTER (ssrc), describe (sender));
  text = g_hash_table_lookup (ssrcs->senders, GUINT_TO_POINTER (ssrc));
  return text ? text : "";
}

void
gst_afxdp_ssrcs_note (
    GstAfxdpSsrcs *ssrcs, const AfxdpRtpEvent *event, const AfxdpSender *sender)
{
  if (ssrcs->noted.length == MOST_NOTED) {
    ssrcs->suppressed++;
    return;
  }
  g_queue_push_tail (&ssrcs->noted,
      gst_structure_new ("GstAfxdpSrcSource", "ssrc", G_TYPE_UINT, event->ssrc,
          "state", G_TYPE_STRING, states[event->state], "payload-type",
          G_TYPE_UINT, event->payload_type, "sender", G_TYPE_STRING,
          sender_of (ssrcs, event->ssrc, sender), "first-sequence", G_TYPE_UINT,
          event->first, NULL));
}

GstStructure *
gst_afxdp_ssrcs_next (GstAfxdpSsrcs *ssrcs)
{
  GstStructure *structure;

  if (!ssrcs->noted.length || !gst_afxdp_outbox_has_room (&ssrcs->outbox))
    return NULL;
  structure = g_queue_pop_head (&ssrcs->noted);
  gst_structure_set (
      structure, "suppressed", G_TYPE_UINT64, ssrcs->suppressed, NULL);
  ssrcs->suppressed = 0;
  return structure;
}

void
gst_afxdp_ssrcs_post (
    GstAfxdpSsrcs *ssrcs, GstElement *element, GstStructure *structure)
{
  gst_afxdp_outbox_post (&ssrcs->outbox, element, structure);
}
