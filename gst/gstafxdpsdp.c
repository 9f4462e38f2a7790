/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a session description says of one of its media. */
#include "gstafxdpsdp.h"

#include <string.h>
#include <gio/gio.h>
#include <gst/sdp/sdp.h>

#include "error.h"
#include "gstafxdpcaps.h"
#include "gstafxdpsdpfile.h"

#define LAST_PAYLOAD_TYPE 127

static gboolean G_GNUC_PRINTF (3, 4) complain (
    GError **error, const GstAfxdpSdpFile *file, const gchar *format, ...)
{
  g_autofree gchar *what = NULL;
  va_list args;

  va_start (args, format);
  what = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_SETTINGS,
      "The SDP file \"%s\": %s", file->path, what);
  return FALSE;
}

/* Which of the media. */

/* Its line in the file. */
static gchar *
line_of (const GstSDPMedia *media)
{
  gchar *text = gst_sdp_media_as_text (media);

  text[strcspn (text, "\r\n")] = 0;
  return text;
}

static gboolean
is_raw (const GstSDPMedia *media)
{
  return !g_ascii_strcasecmp (gst_sdp_media_get_proto (media), "udp");
}

static gboolean
is_rtp (const GstSDPMedia *media)
{
  const gchar *proto = gst_sdp_media_get_proto (media);

  return !g_ascii_strcasecmp (proto, "RTP/AVP") ||
      !g_ascii_strcasecmp (proto, "RTP/AVPF");
}

/* The media's own line c= comes before the session's; of several, which are
 * layers, the first. */
static const GstSDPConnection *
connection_of (const GstSDPMessage *message, const GstSDPMedia *media)
{
  const GstSDPConnection *connection = gst_sdp_media_connections_len (media)
      ? gst_sdp_media_get_connection (media, 0)
      : gst_sdp_message_get_connection (message);

  return connection->address && *connection->address ? connection : NULL;
}

/* Why it cannot be received, or NULL. */
static gchar *
problem_of (const GstSDPMessage *message, const GstSDPMedia *media)
{
  const GstSDPConnection *connection = connection_of (message, media);
  guint port = gst_sdp_media_get_port (media);

  if (!is_rtp (media) && !is_raw (media))
    return g_strdup_printf (
        "of the protocols only RTP/AVP, RTP/AVPF and udp are received, not "
        "\"%s\"",
        gst_sdp_media_get_proto (media));
  if (!port)
    return g_strdup ("its port is 0 or no number: it is not sent");
  if (port > G_MAXUINT16)
    return g_strdup ("its port is larger than 65535");
  if (!connection)
    return g_strdup (
        "there is no line c= with an address for it or for the session");
  if (g_strcmp0 (connection->nettype, "IN") ||
      (g_strcmp0 (connection->addrtype, "IP4") &&
          g_strcmp0 (connection->addrtype, "IP6")))
    return g_strdup_printf ("its c=%s %s %s is neither IN IP4 nor IN IP6",
        connection->nettype, connection->addrtype, connection->address);
  return NULL;
}

static gboolean
can_be_received (const GstSDPMessage *message, const GstSDPMedia *media)
{
  g_autofree gchar *problem = problem_of (message, media);

  return !problem;
}

static const GstSDPMedia *
find_mid (const GstSDPMessage *message, const gchar *mid)
{
  for (guint i = 0; i < gst_sdp_message_medias_len (message); i++) {
    const GstSDPMedia *media = gst_sdp_message_get_media (message, i);

    if (!g_strcmp0 (gst_sdp_media_get_attribute_val (media, "mid"), mid) &&
        can_be_received (message, media))
      return media;
  }
  return NULL;
}

/* Of a media that others are duplicates of, the first that its group names. */
static const GstSDPMedia *
first_leg (const GstSDPMessage *message, const GstSDPMedia *media)
{
  const gchar *mid = gst_sdp_media_get_attribute_val (media, "mid");
  const gchar *group;

  for (guint i = 0; mid &&
       (group = gst_sdp_message_get_attribute_val_n (message, "group", i));
       i++) {
    g_auto (GStrv) words = g_strsplit (group, " ", -1);

    if (g_strcmp0 (words[0], "DUP") ||
        !g_strv_contains ((const gchar *const *) words + 1, mid))
      continue;
    for (guint j = 1; words[j]; j++) {
      const GstSDPMedia *leg = find_mid (message, words[j]);

      if (leg)
        return leg;
    }
  }
  return media;
}

static const GstSDPMedia *
choose_media (
    const GstSDPMessage *message, const GstAfxdpSdpFile *file, GError **error)
{
  guint n = gst_sdp_message_medias_len (message);
  const GstSDPMedia *media;
  g_autofree gchar *line = NULL;
  g_autofree gchar *problem = NULL;

  if (!n) {
    complain (error, file, "no line m= in it describes a stream");
    return NULL;
  }
  if (file->media >= (gint) n) {
    complain (error, file,
        "there is no #m=%d among its %u lines m=; the first is #m=0",
        file->media, n);
    return NULL;
  }
  for (guint i = 0; file->media < 0 && i < n; i++) {
    media = gst_sdp_message_get_media (message, i);
    if (can_be_received (message, media))
      return first_leg (message, media);
  }
  media = gst_sdp_message_get_media (message, MAX (file->media, 0));
  line = line_of (media);
  problem = problem_of (message, media);
  if (!problem)
    return media;
  complain (error, file, "\"%s\" cannot be received: %s%s", line, problem,
      file->media < 0 && n > 1 ? ", and none of the others can" : "");
  return NULL;
}

/* Senders. */

/* NULL: a name. */
static GInetAddress *
address_of (const gchar *text)
{
  g_autofree gchar *bare = g_strndup (text, strcspn (text, "/"));

  return g_inet_address_new_from_string (bare);
}

static gboolean
is_same_address (const gchar *one, const gchar *other)
{
  g_autoptr (GInetAddress) one_address = address_of (one);
  g_autoptr (GInetAddress) other_address = address_of (other);

  if (one_address && other_address)
    return g_inet_address_equal (one_address, other_address);
  return !g_ascii_strcasecmp (one, other);
}

static gboolean
is_address_of_version (const gchar *text, const gchar *addrtype)
{
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (text);

  return address &&
      g_inet_address_get_family (address) ==
      (strcmp (addrtype, "IP6") ? G_SOCKET_FAMILY_IPV4 : G_SOCKET_FAMILY_IPV6);
}

/* Adds the list of one attribute, "incl IN IP4 DESTINATION SOURCE...", to list
 * when it is about connection's address. What cannot be read is an error: without
 * it more would be received than is meant. */
static gboolean
add_filter (GString *list, const gchar *filter,
    const GstSDPConnection *connection, const GstAfxdpSdpFile *file,
    GError **error)
{
  g_auto (GStrv) split = g_strsplit_set (filter, " \t", -1);
  g_autoptr (GPtrArray) words = g_ptr_array_new ();
  gchar sign;

  for (guint i = 0; split[i]; i++)
    if (*split[i])
      g_ptr_array_add (words, split[i]);
  g_ptr_array_add (words, NULL);
  if (words->len < 6 ||
      (strcmp (words->pdata[0], "incl") && strcmp (words->pdata[0], "excl")))
    return complain (error, file,
        "\"a=source-filter:%s\" is not of the form incl IN IP4 GROUP "
        "SENDER..., "
        "or excl",
        filter);
  if (strcmp (words->pdata[3], "*") &&
      !is_same_address (words->pdata[3], connection->address))
    return TRUE;
  sign = strcmp (words->pdata[0], "incl") ? '-' : '+';
  if (list->len && list->str[0] != sign)
    return complain (error, file,
        "its lines a=source-filter both include and exclude senders of %s",
        connection->address);
  for (guint i = 4; words->pdata[i]; i++) {
    if (!is_address_of_version (words->pdata[i], connection->addrtype))
      return complain (error, file,
          "\"%s\" in \"a=source-filter:%s\" is not an address of %s",
          (gchar *) words->pdata[i], filter, connection->addrtype);
    g_string_append_printf (list, "%c%s", sign, (gchar *) words->pdata[i]);
  }
  return TRUE;
}

/* The lines of the media, if any are about its address, else the session's. */
static gboolean
read_sources (GstAfxdpSdp *sdp, const GstSDPMessage *message,
    const GstSDPMedia *media, const GstAfxdpSdpFile *file, GError **error)
{
  const GstSDPConnection *connection = connection_of (message, media);
  g_autoptr (GInetAddress) address = address_of (connection->address);
  g_autoptr (GString) list = g_string_new (NULL);
  const gchar *filter;

  /* Senders can only be told apart by joining. */
  if (address && !g_inet_address_get_is_multicast (address))
    return TRUE;
  for (guint i = 0;
       (filter = gst_sdp_media_get_attribute_val_n (media, "source-filter", i));
       i++)
    if (!add_filter (list, filter, connection, file, error))
      return FALSE;
  for (guint i = 0, in_media = list->len; !in_media &&
       (filter = gst_sdp_message_get_attribute_val_n (
            message, "source-filter", i));
       i++)
    if (!add_filter (list, filter, connection, file, error))
      return FALSE;
  if (list->len)
    sdp->sources = g_strdup (list->str);
  return TRUE;
}

/* Caps. */

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

static gboolean
read_caps (GstAfxdpSdp *sdp, const GstSDPMessage *message,
    const GstSDPMedia *media, const GstAfxdpSdpFile *file, GError **error)
{
  g_autofree gchar *line = line_of (media);
  g_autoptr (GstCaps) caps = gst_caps_new_empty ();

  for (guint i = 0; i < gst_sdp_media_formats_len (media); i++) {
    const gchar *format = gst_sdp_media_get_format (media, i);
    GstCaps *of_type;
    guint64 type;

    if (!g_ascii_string_to_unsigned (
            format, 10, 0, LAST_PAYLOAD_TYPE, &type, NULL))
      return complain (error, file,
          "\"%s\" in \"%s\" is no RTP payload type, 0 to 127", format, line);
    of_type = caps_of_payload_type (message, media, type);
    if (of_type)
      gst_caps_append (caps, of_type);
  }
  if (gst_caps_is_empty (caps))
    return complain (error, file,
        "nothing tells the clock rate of \"%s\": a line such as a=rtpmap:%s "
        "H264/90000 is missing, or has none",
        line,
        gst_sdp_media_formats_len (media) ? gst_sdp_media_get_format (media, 0)
                                          : "96");
  sdp->caps = g_steal_pointer (&caps);
  return TRUE;
}

/* All of it. */

static gboolean
parse (GstSDPMessage *message, const GstAfxdpSdpFile *file, GError **error)
{
  g_autoptr (GBytes) bytes = gst_afxdp_sdp_file_read (file, error);
  g_autofree gchar *text = NULL;

  if (!bytes)
    return FALSE;
  /* The strings of caps are UTF-8; names in other encodings do not matter. */
  text = g_utf8_make_valid (
      g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  return (gst_sdp_message_parse_buffer (
              (const guint8 *) text, strlen (text), message) == GST_SDP_OK &&
             gst_sdp_message_get_version (message)) ||
      complain (
          error, file, "it is no session description, for it has no line v=0");
}

static gboolean
read_media (GstAfxdpSdp *sdp, const GstSDPMessage *message,
    const GstAfxdpSdpFile *file, GError **error)
{
  const GstSDPMedia *media = choose_media (message, file, error);

  if (!media)
    return FALSE;
  sdp->address = g_strdup (connection_of (message, media)->address);
  sdp->port = gst_sdp_media_get_port (media);
  if (is_raw (media))
    sdp->caps = gst_caps_new_any ();
  else if (!read_caps (sdp, message, media, file, error))
    return FALSE;
  return read_sources (sdp, message, media, file, error);
}

gboolean
gst_afxdp_sdp_read (GstAfxdpSdp *sdp, const gchar *location, GError **error)
{
  GstAfxdpSdpFile file;
  GstSDPMessage *message;
  gboolean done;

  *sdp = (GstAfxdpSdp){ 0 };
  if (!gst_afxdp_sdp_file_init (&file, location, error))
    return FALSE;
  gst_sdp_message_new (&message);
  done =
      parse (message, &file, error) && read_media (sdp, message, &file, error);
  gst_sdp_message_free (message);
  gst_afxdp_sdp_file_clear (&file);
  if (!done)
    gst_afxdp_sdp_clear (sdp);
  return done;
}

void
gst_afxdp_sdp_clear (GstAfxdpSdp *sdp)
{
  g_clear_pointer (&sdp->address, g_free);
  g_clear_pointer (&sdp->sources, g_free);
  gst_clear_caps (&sdp->caps);
}
