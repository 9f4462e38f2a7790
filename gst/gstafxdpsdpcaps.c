/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The caps that a session description tells of one of its media. */
#include "gstafxdpsdpcaps.h"

#include "gstafxdpcaps.h"

#define LAST_PAYLOAD_TYPE 127

/* NULL: nothing tells its clock rate. */
static GstCaps *
caps_of_payload_type (
    const GstSDPMessage *message, const GstSDPMedia *media, guint payload_type)
{
  g_autoptr (GstCaps) caps =
      gst_sdp_media_get_caps_from_media (media, payload_type);
  gint clock_rate;

  if (!caps)
    return NULL;
  /* What is of the media comes after, and over, what is of the session: among it
   * the clock references that rtpjitterbuffer reads (RFC 7273). */
  gst_sdp_message_attributes_to_caps (message, caps);
  gst_sdp_media_attributes_to_caps (media, caps);
  /* Says where packets come from, not what they are. */
  gst_structure_remove_field (
      gst_caps_get_structure (caps, 0), "a-source-filter");
  /* It is "application/x-unknown" (gstsdpmessage.c). */
  gst_structure_set_name (
      gst_caps_get_structure (caps, 0), "application/x-rtp");
  gst_afxdp_caps_complete (caps, payload_type);
  return gst_structure_get_int (
             gst_caps_get_structure (caps, 0), "clock-rate", &clock_rate) &&
          clock_rate > 0
      ? g_steal_pointer (&caps)
      : NULL;
}

/* Those of one word of the line m=; NULL, with the reason. */
static GstCaps *
caps_of_format (const GstSDPMessage *message, const GstSDPMedia *media,
    const gchar *format, gchar **problem)
{
  guint64 type;
  GstCaps *caps;

  if (!g_ascii_string_to_unsigned (
          format, 10, 0, LAST_PAYLOAD_TYPE, &type, NULL)) {
    *problem = g_strdup_printf ("\"%s\" is not an RTP payload type (0 to %d)",
        format, LAST_PAYLOAD_TYPE);
    return NULL;
  }
  caps = caps_of_payload_type (message, media, type);
  if (!caps)
    *problem = g_strdup_printf (
        "the clock rate of payload type %s is not known (add a line such as "
        "a=rtpmap:%s H264/90000)",
        format, format);
  return caps;
}

GstCaps *
gst_afxdp_sdp_caps (const GstSDPMessage *message, const GstSDPMedia *media,
    GPtrArray *skipped, gchar **problem)
{
  g_autoptr (GstCaps) caps = gst_caps_new_empty ();
  g_autofree gchar *first = NULL;

  for (guint i = 0; i < gst_sdp_media_formats_len (media); i++) {
    const gchar *format = gst_sdp_media_get_format (media, i);
    g_autofree gchar *why = NULL;
    GstCaps *of_format =
        *format ? caps_of_format (message, media, format, &why) : NULL;

    if (!*format)
      continue;
    if (of_format)
      gst_caps_append (caps, of_format);
    else if (skipped)
      g_ptr_array_add (skipped, g_strdup (why));
    if (!first)
      first = g_steal_pointer (&why);
  }
  if (!gst_caps_is_empty (caps))
    return g_steal_pointer (&caps);
  *problem =
      first ? g_steal_pointer (&first) : g_strdup ("it names no payload type");
  return NULL;
}
