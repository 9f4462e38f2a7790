/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Caps from the first packet of a stream. */
#include "gstafxdpcaps.h"

#include <gst/rtp/rtp.h>

static GstCaps *
caps_of_payload (guint8 payload_type)
{
  return gst_caps_new_simple (
      "application/x-rtp", "payload", G_TYPE_INT, payload_type, NULL);
}

/* RFC 3551 section 6. NULL for a dynamic or unassigned payload type. */
static GstCaps *
caps_of_static (guint8 payload_type)
{
  const GstRTPPayloadInfo *info = gst_rtp_payload_info_for_pt (payload_type);
  GstCaps *caps;

  if (!info || !info->clock_rate)
    return NULL;
  caps = caps_of_payload (payload_type);
  gst_caps_set_simple (caps, "media", G_TYPE_STRING, info->media, "clock-rate",
      G_TYPE_INT, info->clock_rate, "encoding-name", G_TYPE_STRING,
      info->encoding_name, NULL);
  if (info->encoding_parameters)
    gst_caps_set_simple (caps, "encoding-params", G_TYPE_STRING,
        info->encoding_parameters, NULL);
  return caps;
}

GstCaps *
gst_afxdp_caps_guess (GstPad *srcpad, const AfxdpRtp *rtp, gchar **problem)
{
  g_autoptr (GstCaps) wanted = NULL;
  g_autoptr (GstCaps) common = NULL;
  gint clock_rate;

  *problem = NULL;
  if (rtp->kind != AFXDP_RTP_DATA)
    return NULL;
  wanted = caps_of_static (rtp->payload_type);
  if (wanted)
    return gst_pad_peer_query_accept_caps (srcpad, wanted)
        ? g_steal_pointer (&wanted)
        : NULL;

  wanted = caps_of_payload (rtp->payload_type);
  common = gst_pad_peer_query_caps (srcpad, wanted);
  if (gst_caps_is_empty (common))
    return NULL; /* downstream does not want RTP */
  if (gst_caps_get_size (common) == 1 &&
      gst_structure_get_int (
          gst_caps_get_structure (common, 0), "clock-rate", &clock_rate))
    return gst_caps_fixate (g_steal_pointer (&common));
  *problem = g_strdup_printf (
      "The stream has the dynamic payload type %u, and nothing tells its clock "
      "rate: set caps, for example caps=\"application/x-rtp, media=video, "
      "clock-rate=90000, encoding-name=H264, payload=%u\", or sdp-location",
      rtp->payload_type, rtp->payload_type);
  return NULL;
}
