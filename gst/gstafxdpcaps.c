/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The caps of a stream. */
#include "gstafxdpcaps.h"

#include <string.h>
#include <gst/rtp/rtp.h>

#define FIRST_DYNAMIC 96

static GstCaps *
caps_of_payload (guint8 payload_type)
{
  return gst_caps_new_simple (
      "application/x-rtp", "payload", G_TYPE_INT, payload_type, NULL);
}

static void
add_string (GstStructure *structure, const gchar *field, const gchar *value)
{
  if (value && !gst_structure_has_field (structure, field))
    gst_structure_set (structure, field, G_TYPE_STRING, value, NULL);
}

/* Adds what the library's table says, where nothing is said yet. */
static void
add_known (GstStructure *structure, const GstRTPPayloadInfo *info)
{
  if (info->clock_rate && !gst_structure_has_field (structure, "clock-rate"))
    gst_structure_set (
        structure, "clock-rate", G_TYPE_INT, info->clock_rate, NULL);
  add_string (structure, "media", info->media);
  if (!gst_structure_has_field (structure, "encoding-name"))
    add_string (structure, "encoding-params", info->encoding_parameters);
  add_string (structure, "encoding-name", info->encoding_name);
}

gboolean
gst_afxdp_caps_complete (GstCaps *caps, guint8 payload_type)
{
  const GstRTPPayloadInfo *info = gst_rtp_payload_info_for_pt (payload_type);

  if (!info || !info->clock_rate)
    return FALSE;
  add_known (gst_caps_get_structure (caps, 0), info);
  return TRUE;
}

/* Caps in URIs. */

static const struct
{
  const gchar *key;  /* and the field of the caps */
  guint least, most; /* of a number; otherwise a string */
} keys[] = {
  { "media" },
  { "encoding-name" },
  { "encoding-params" },
  { "clock-rate", 1, G_MAXINT },
  { "payload", 0, 127 },
};

static gboolean
take_key (GstStructure *structure, const GstUri *uri, guint i, GError **error)
{
  const gchar *key = keys[i].key;
  const gchar *value = gst_uri_get_query_value (uri, key);
  guint64 number;

  if (!gst_uri_query_has_key (uri, key))
    return TRUE;
  if (value && *value && !keys[i].most) {
    g_autofree gchar *text = strcmp (key, "encoding-name")
        ? g_strdup (value)
        : g_ascii_strup (value, -1);

    gst_structure_set (structure, key, G_TYPE_STRING, text, NULL);
    return TRUE;
  }
  if (value && keys[i].most &&
      g_ascii_string_to_unsigned (
          value, 10, keys[i].least, keys[i].most, &number, NULL)) {
    gst_structure_set (structure, key, G_TYPE_INT, (gint) number, NULL);
    return TRUE;
  }
  g_set_error (error, GST_URI_ERROR, GST_URI_ERROR_BAD_URI,
      "%s is \"%s\", which it cannot be", key, value ? value : "");
  return FALSE;
}

/* Adds what the library's table says of the name. Of audio that has a static
 * payload type, the rate there is of that type alone (L16: 44100). */
static void
add_known_of_name (GstStructure *structure)
{
  static const gchar *const medias[] = { "video", "audio", "application" };
  const gchar *name = gst_structure_get_string (structure, "encoding-name");
  const gchar *media = gst_structure_get_string (structure, "media");

  for (guint i = 0; name && i < G_N_ELEMENTS (medias); i++) {
    const GstRTPPayloadInfo *info = !media || !strcmp (media, medias[i])
        ? gst_rtp_payload_info_for_name (medias[i], name)
        : NULL;

    if (!info)
      continue;
    if (info->payload_type < FIRST_DYNAMIC && !strcmp (medias[i], "audio"))
      add_string (structure, "media", info->media);
    else
      add_known (structure, info);
    return;
  }
}

GstCaps *
gst_afxdp_caps_from_uri (const GstUri *uri, GError **error)
{
  GstStructure *structure = gst_structure_new_empty ("application/x-rtp");
  g_autoptr (GstCaps) caps = gst_caps_new_full (structure, NULL);
  gint payload;

  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    if (!take_key (structure, uri, i, error))
      return NULL;
  if (!gst_structure_n_fields (structure))
    return NULL;
  add_known_of_name (structure);
  if (gst_structure_get_int (structure, "payload", &payload) &&
      !gst_structure_has_field (structure, "encoding-name"))
    gst_afxdp_caps_complete (caps, payload);
  if (gst_structure_has_field (structure, "clock-rate"))
    return g_steal_pointer (&caps);
  g_set_error (error, GST_URI_ERROR, GST_URI_ERROR_BAD_URI,
      "the clock rate of what it describes is not known: add clock-rate=");
  return NULL;
}

gchar **
gst_afxdp_caps_to_query (const GstCaps *caps)
{
  const GstStructure *structure = gst_caps_get_structure (caps, 0);
  GPtrArray *words = g_ptr_array_new ();

  for (guint i = 0; i < G_N_ELEMENTS (keys); i++) {
    const gchar *key = keys[i].key;
    const gchar *text = gst_structure_get_string (structure, key);
    gint number;

    if (text) {
      g_autofree gchar *escaped = g_uri_escape_string (text, NULL, FALSE);

      g_ptr_array_add (words, g_strconcat (key, "=", escaped, NULL));
    } else if (gst_structure_get_int (structure, key, &number)) {
      g_ptr_array_add (words, g_strdup_printf ("%s=%d", key, number));
    }
  }
  g_ptr_array_add (words, NULL);
  return (gchar **) g_ptr_array_free (words, FALSE);
}

/* Caps of packets. */

/* Of several caps, those for a packet. */
static GstCaps *
choose (GstCaps *set, const AfxdpRtp *rtp)
{
  if (rtp->kind == AFXDP_RTP_DATA) {
    g_autoptr (GstCaps) of_packet = caps_of_payload (rtp->payload_type);
    g_autoptr (GstCaps) common =
        gst_caps_intersect_full (set, of_packet, GST_CAPS_INTERSECT_FIRST);

    if (!gst_caps_is_empty (common))
      return gst_caps_fixate (g_steal_pointer (&common));
  }
  return gst_caps_fixate (gst_caps_copy (set));
}

static GstCaps *
guess (GstPad *srcpad, const AfxdpRtp *rtp, gchar **problem)
{
  g_autoptr (GstCaps) wanted = NULL;
  g_autoptr (GstCaps) common = NULL;
  gint clock_rate;

  if (rtp->kind != AFXDP_RTP_DATA)
    return NULL;
  wanted = caps_of_payload (rtp->payload_type);
  if (gst_afxdp_caps_complete (wanted, rtp->payload_type))
    return gst_pad_peer_query_accept_caps (srcpad, wanted)
        ? g_steal_pointer (&wanted)
        : NULL;

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

static const AfxdpPacket *
first_that_tells (const AfxdpBatch *batch)
{
  for (guint i = 0; i < batch->n; i++)
    if (batch->packets[i].size &&
        batch->packets[i].rtp.kind != AFXDP_RTP_CONTROL)
      return &batch->packets[i];
  return NULL;
}

void
gst_afxdp_caps_clear (GstAfxdpCaps *caps)
{
  caps->decided = caps->are_rtp = FALSE;
  gst_clear_caps (&caps->current);
}

gboolean
gst_afxdp_caps_decide (GstAfxdpCaps *caps, GstCaps *set, GstPad *srcpad,
    const AfxdpBatch *batch, gchar **problem)
{
  const AfxdpPacket *packet = first_that_tells (batch);

  *problem = NULL;
  if (set && gst_caps_is_empty (set))
    return FALSE;
  if (set && (gst_caps_is_any (set) || gst_caps_is_fixed (set)))
    caps->current = gst_caps_is_any (set) ? NULL : gst_caps_ref (set);
  else if (!packet)
    return TRUE;
  else
    caps->current = set ? choose (set, &packet->rtp)
                        : guess (srcpad, &packet->rtp, problem);
  caps->decided = TRUE;
  caps->are_rtp = caps->current &&
      gst_structure_has_name (
          gst_caps_get_structure (caps->current, 0), "application/x-rtp");
  return TRUE;
}
