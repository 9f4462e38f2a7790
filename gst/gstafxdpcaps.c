/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Caps of application/x-rtp. */
#include "gstafxdpcaps.h"

#include <string.h>
#include <gst/rtp/rtp.h>

#define FIRST_DYNAMIC 96

GstCaps *
gst_afxdp_caps_of_payload (guint8 payload_type)
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
  g_autofree gchar *name = NULL;

  if (info->clock_rate && !gst_structure_has_field (structure, "clock-rate"))
    gst_structure_set (
        structure, "clock-rate", G_TYPE_INT, info->clock_rate, NULL);
  add_string (structure, "media", info->media);
  if (!gst_structure_has_field (structure, "encoding-name"))
    add_string (structure, "encoding-params", info->encoding_parameters);
  /* In capitals, as depayloaders want it; one of the table is not ("CelB"). */
  name = g_ascii_strup (info->encoding_name, -1);
  add_string (structure, "encoding-name", name);
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

void
gst_afxdp_caps_complete_name (GstCaps *caps)
{
  static const gchar *const medias[] = { "video", "audio", "application" };
  GstStructure *structure = gst_caps_get_structure (caps, 0);
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

gboolean
gst_afxdp_caps_is_uri_key (const gchar *key)
{
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    if (!strcmp (keys[i].key, key))
      return TRUE;
  return FALSE;
}

static gboolean
take_key (GstStructure *structure, const GstUri *uri, guint i, GError **error)
{
  const gchar *key = keys[i].key;
  const gchar *value = gst_uri_get_query_value (uri, key);
  g_autofree gchar *valid = NULL;
  guint64 number;

  if (!gst_uri_query_has_key (uri, key))
    return TRUE;
  if (value && *value && !keys[i].most && g_utf8_validate (value, -1, NULL)) {
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
  valid = g_utf8_make_valid (value ? value : "", -1);
  g_set_error (error, GST_URI_ERROR, GST_URI_ERROR_BAD_URI,
      "%s cannot be \"%s\"", key, valid);
  return FALSE;
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
  gst_afxdp_caps_complete_name (caps);
  if (gst_structure_get_int (structure, "payload", &payload) &&
      !gst_structure_has_field (structure, "encoding-name"))
    gst_afxdp_caps_complete (caps, payload);
  if (gst_structure_has_field (structure, "clock-rate"))
    return g_steal_pointer (&caps);
  g_set_error (error, GST_URI_ERROR, GST_URI_ERROR_BAD_URI,
      "the clock rate of the stream that it describes is not known: add "
      "clock-rate=");
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
