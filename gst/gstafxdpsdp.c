/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a session description says of one of its media. */
#include "gstafxdpsdp.h"

#include <string.h>
#include <gio/gio.h>
#include <gst/sdp/sdp.h>

#include "error.h"
#include "gstafxdpaddress.h"
#include "gstafxdpsdpcaps.h"
#include "gstafxdpsdpfile.h"
#include "gstafxdpsdptext.h"

/* While it is read. */
typedef struct
{
  const GstAfxdpSdpFile *file;
  GstSDPMessage *message;
  GPtrArray *skipped; /* sentences, which GstAfxdpSdp tells in one */
} Session;

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

static void G_GNUC_PRINTF (2, 3)
    skip (Session *session, const gchar *format, ...)
{
  va_list args;

  va_start (args, format);
  g_ptr_array_add (session->skipped, g_strdup_vprintf (format, args));
  va_end (args);
}

/* Lines. */

/* A media's line in the file. */
static gchar *
line_of (const GstSDPMedia *media)
{
  gchar *text = gst_sdp_media_as_text (media);

  text[strcspn (text, "\r\n")] = 0;
  return text;
}

static gboolean
is_word (const gchar *text, const gchar *word)
{
  return text && !g_ascii_strcasecmp (text, word);
}

static gboolean
is_raw (const GstSDPMedia *media)
{
  return is_word (gst_sdp_media_get_proto (media), "udp");
}

static gboolean
is_rtp (const GstSDPMedia *media)
{
  const gchar *proto = gst_sdp_media_get_proto (media);

  return is_word (proto, "RTP/AVP") || is_word (proto, "RTP/AVPF");
}

/* The media's own line c= comes before the session's; of several, which are
 * layers, the first. */
static const GstSDPConnection *
connection_of (const Session *session, const GstSDPMedia *media)
{
  const GstSDPConnection *connection = gst_sdp_media_connections_len (media)
      ? gst_sdp_media_get_connection (media, 0)
      : gst_sdp_message_get_connection (session->message);

  return connection->address && *connection->address ? connection : NULL;
}

/* NULL: a name. */
static GInetAddress *
address_of (const gchar *text)
{
  g_autofree gchar *bare = g_strndup (text, strcspn (text, "/"));
  g_autofree gchar *zone = NULL;

  return gst_afxdp_address_read (bare, &zone);
}

static GSocketFamily
family_of_word (const gchar *addrtype)
{
  if (is_word (addrtype, "IP4"))
    return G_SOCKET_FAMILY_IPV4;
  return is_word (addrtype, "IP6") ? G_SOCKET_FAMILY_IPV6
                                   : G_SOCKET_FAMILY_INVALID;
}

/* An address tells itself, a name does not. */
static GSocketFamily
family_of (const GstSDPConnection *connection)
{
  g_autoptr (GInetAddress) address = address_of (connection->address);

  return address ? g_inet_address_get_family (address)
                 : family_of_word (connection->addrtype);
}

/* Which of the media. */

/* Why it cannot be received, or NULL. */
static gchar *
problem_of (const Session *session, const GstSDPMedia *media)
{
  const GstSDPConnection *connection = connection_of (session, media);
  guint port = gst_sdp_media_get_port (media);
  g_autoptr (GstCaps) caps = NULL;
  gchar *problem = NULL;

  if (!is_rtp (media) && !is_raw (media))
    return g_strdup_printf (
        "only the protocols RTP/AVP, RTP/AVPF and udp are received, not "
        "\"%s\"",
        gst_sdp_media_get_proto (media));
  if (!port)
    return g_strdup ("its port is 0 or not a number, so it is not sent");
  if (port > G_MAXUINT16)
    return g_strdup ("its port is larger than 65535");
  if (!connection)
    return g_strdup (
        "there is no c= line with an address for it or for the session");
  if (!is_word (connection->nettype, "IN") ||
      family_of_word (connection->addrtype) == G_SOCKET_FAMILY_INVALID)
    return g_strdup_printf ("its c=%s %s %s is neither IN IP4 nor IN IP6",
        connection->nettype, connection->addrtype, connection->address);
  if (!is_rtp (media))
    return NULL;
  caps = gst_afxdp_sdp_caps (session->message, media, NULL, &problem);
  return caps ? NULL : problem;
}

static gboolean
can_be_received (const Session *session, const GstSDPMedia *media)
{
  g_autofree gchar *problem = problem_of (session, media);

  return !problem;
}

static const GstSDPMedia *
find_mid (const Session *session, const gchar *mid)
{
  for (guint i = 0; i < gst_sdp_message_medias_len (session->message); i++) {
    const GstSDPMedia *media = gst_sdp_message_get_media (session->message, i);

    if (!g_strcmp0 (gst_sdp_media_get_attribute_val (media, "mid"), mid) &&
        can_be_received (session, media))
      return media;
  }
  return NULL;
}

/* Of a media that others are duplicates of, the first that its group names. */
static const GstSDPMedia *
first_leg (const Session *session, const GstSDPMedia *media)
{
  const gchar *mid = gst_sdp_media_get_attribute_val (media, "mid");
  const gchar *group;

  for (guint i = 0; mid &&
       (group = gst_sdp_message_get_attribute_val_n (
            session->message, "group", i));
       i++) {
    g_auto (GStrv) words = g_strsplit (group, " ", -1);

    if (!is_word (words[0], "DUP") ||
        !g_strv_contains ((const gchar *const *) words + 1, mid))
      continue;
    for (guint j = 1; words[j]; j++) {
      const GstSDPMedia *leg = find_mid (session, words[j]);

      if (leg)
        return leg;
    }
  }
  return media;
}

/* The first that can be received; those in front of it are skipped. */
static const GstSDPMedia *
first_media (Session *session)
{
  for (guint i = 0; i < gst_sdp_message_medias_len (session->message); i++) {
    const GstSDPMedia *media = gst_sdp_message_get_media (session->message, i);
    g_autofree gchar *problem = problem_of (session, media);
    g_autofree gchar *line = line_of (media);

    if (!problem)
      return first_leg (session, media);
    skip (session, "\"%s\" cannot be received: %s", line, problem);
  }
  return NULL;
}

static const GstSDPMedia *
choose_media (Session *session, GError **error)
{
  guint n = gst_sdp_message_medias_len (session->message);
  gint wanted = session->file->media;
  const GstSDPMedia *media = NULL;
  g_autofree gchar *line = NULL;
  g_autofree gchar *problem = NULL;

  if (!n) {
    complain (error, session->file,
        "it has no m= line, so it describes no "
        "stream");
    return NULL;
  }
  if (wanted >= (gint) n) {
    complain (error, session->file,
        "there is no #m=%d among its %u m= lines; the first is #m=0", wanted,
        n);
    return NULL;
  }
  if (wanted < 0)
    media = first_media (session);
  if (media)
    return media;
  media = gst_sdp_message_get_media (session->message, MAX (wanted, 0));
  line = line_of (media);
  problem = problem_of (session, media);
  if (!problem)
    return media;
  complain (error, session->file, "\"%s\" cannot be received: %s%s", line,
      problem, wanted < 0 && n > 1 ? ", and none of the others can" : "");
  return NULL;
}

/* Senders. */

static gboolean
is_address_of_family (const gchar *text, GSocketFamily family)
{
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (text);

  return address && g_inet_address_get_family (address) == family;
}

/* Of one attribute, "incl IN IP4 DESTINATION SOURCE...", whether it is about
 * connection's address. */
static gboolean
applies (Session *session, const gchar *filter, gchar **words,
    GSocketFamily family, const GstSDPConnection *connection)
{
  GSocketFamily of = family_of_word (words[2]);

  if (of != G_SOCKET_FAMILY_INVALID && of != family) {
    skip (session, "\"a=source-filter:%s\" has another address family than %s",
        filter, connection->address);
    return FALSE;
  }
  if (!strcmp (words[3], "*") ||
      gst_afxdp_address_is_same (words[3], connection->address))
    return TRUE;
  skip (session, "\"a=source-filter:%s\" is not about %s", filter,
      connection->address);
  return FALSE;
}

/* Adds the senders of one attribute to list when it applies. What cannot be read is
 * an error: without it more would be received than is meant. */
static gboolean
add_filter (GString *list, Session *session, const gchar *filter,
    const GstSDPConnection *connection, GError **error)
{
  g_auto (GStrv) words = g_strsplit (filter, " ", -1);
  GSocketFamily family = family_of (connection);
  gchar sign;

  if (g_strv_length (words) < 5 ||
      (!is_word (words[0], "incl") && !is_word (words[0], "excl")))
    return complain (error, session->file,
        "\"a=source-filter:%s\" does not have the form incl IN IP4 GROUP "
        "SENDER... (or excl)",
        filter);
  if (!applies (session, filter, words, family, connection))
    return TRUE;
  sign = is_word (words[0], "incl") ? '+' : '-';
  if (list->len && list->str[0] != sign)
    return complain (error, session->file,
        "its a=source-filter lines both include and exclude senders of %s",
        connection->address);
  for (guint i = 4; words[i]; i++) {
    if (!is_address_of_family (words[i], family))
      return complain (error, session->file,
          "\"%s\" in \"a=source-filter:%s\" is not an address of %s", words[i],
          filter, family == G_SOCKET_FAMILY_IPV6 ? "IP6" : "IP4");
    g_string_append_printf (list, "%c%s", sign, words[i]);
  }
  return TRUE;
}

/* The lines of the media, if any are about its address, else the session's. */
static gboolean
read_sources (GstAfxdpSdp *sdp, Session *session, const GstSDPMedia *media,
    GError **error)
{
  const GstSDPConnection *connection = connection_of (session, media);
  g_autoptr (GInetAddress) address = address_of (connection->address);
  g_autoptr (GString) list = g_string_new (NULL);
  const gchar *filter;

  /* Senders can only be told apart by joining. */
  if (address && !g_inet_address_get_is_multicast (address)) {
    if (gst_sdp_media_get_attribute_val (media, "source-filter") ||
        gst_sdp_message_get_attribute_val (session->message, "source-filter"))
      skip (session,
          "the senders of a=source-filter, since %s is not a multicast group",
          connection->address);
    return TRUE;
  }
  for (guint i = 0;
       (filter = gst_sdp_media_get_attribute_val_n (media, "source-filter", i));
       i++)
    if (!add_filter (list, session, filter, connection, error))
      return FALSE;
  for (guint i = 0, in_media = list->len; !in_media &&
       (filter = gst_sdp_message_get_attribute_val_n (
            session->message, "source-filter", i));
       i++)
    if (!add_filter (list, session, filter, connection, error))
      return FALSE;
  if (list->len)
    sdp->sources = g_strdup (list->str);
  return TRUE;
}

/* All of it. */

static gboolean
parse (Session *session, GError **error)
{
  g_autoptr (GBytes) bytes = gst_afxdp_sdp_file_read (session->file, error);
  g_autofree gchar *text = NULL;

  if (!bytes)
    return FALSE;
  text = gst_afxdp_sdp_text (
      g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  return (*text &&
             gst_sdp_message_parse_buffer ((const guint8 *) text, strlen (text),
                 session->message) == GST_SDP_OK &&
             gst_sdp_message_get_version (session->message)) ||
      complain (error, session->file,
          "it is not a session description: it has no v=0 line");
}

static gboolean
read_media (GstAfxdpSdp *sdp, Session *session, GError **error)
{
  const GstSDPMedia *media = choose_media (session, error);
  const GstSDPConnection *connection;

  if (!media)
    return FALSE;
  connection = connection_of (session, media);
  sdp->address = g_strdup (connection->address);
  sdp->family = family_of (connection);
  sdp->port = gst_sdp_media_get_port (media);
  if (sdp->family != family_of_word (connection->addrtype))
    skip (session,
        "the %s of its c= line, since %s is of the other address family",
        connection->addrtype, connection->address);
  if (gst_sdp_media_connections_len (media) > 1)
    skip (session, "all c= lines but the first, %s", connection->address);
  if (is_raw (media)) {
    sdp->caps = gst_caps_new_any ();
  } else {
    g_autofree gchar *problem = NULL;

    sdp->caps = gst_afxdp_sdp_caps (
        session->message, media, session->skipped, &problem);
  }
  return read_sources (sdp, session, media, error);
}

gboolean
gst_afxdp_sdp_read (GstAfxdpSdp *sdp, const gchar *location, GError **error)
{
  g_autoptr (GPtrArray) skipped = g_ptr_array_new_with_free_func (g_free);
  GstAfxdpSdpFile file;
  Session session = { .file = &file, .skipped = skipped };
  gboolean done;

  *sdp = (GstAfxdpSdp){ 0 };
  if (!gst_afxdp_sdp_file_init (&file, location, error))
    return FALSE;
  gst_sdp_message_new (&session.message);
  done = parse (&session, error) && read_media (sdp, &session, error);
  gst_sdp_message_free (session.message);
  gst_afxdp_sdp_file_clear (&file);
  if (!done) {
    gst_afxdp_sdp_clear (sdp);
  } else if (skipped->len) {
    g_ptr_array_add (skipped, NULL);
    sdp->skipped = g_strjoinv ("; ", (gchar **) skipped->pdata);
  }
  return done;
}

void
gst_afxdp_sdp_clear (GstAfxdpSdp *sdp)
{
  g_clear_pointer (&sdp->address, g_free);
  g_clear_pointer (&sdp->sources, g_free);
  g_clear_pointer (&sdp->skipped, g_free);
  gst_clear_caps (&sdp->caps);
}
