/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which of a session's media are received, and as which leg. */
#include "gstafxdpsdplegs.h"

#include <string.h>

#include "error.h"
#include "gstafxdpaddress.h"
#include "gstafxdpsdpcaps.h"

gboolean
gst_afxdp_sdp_complain (
    GError **error, const GstAfxdpSdpSession *session, const gchar *format, ...)
{
  g_autofree gchar *what = NULL;
  va_list args;

  va_start (args, format);
  what = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_SETTINGS,
      "The SDP file \"%s\": %s", session->file->path, what);
  return FALSE;
}

void
gst_afxdp_sdp_skip (GstAfxdpSdpSession *session, const gchar *format, ...)
{
  g_autofree gchar *sentence = NULL;
  va_list args;

  va_start (args, format);
  sentence = g_strdup_vprintf (format, args);
  va_end (args);
  if (!g_ptr_array_find_with_equal_func (
          session->skipped, sentence, g_str_equal, NULL))
    g_ptr_array_add (session->skipped, g_steal_pointer (&sentence));
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

gboolean
gst_afxdp_sdp_is_word (const gchar *text, const gchar *word)
{
  return text && !g_ascii_strcasecmp (text, word);
}

gboolean
gst_afxdp_sdp_is_raw (const GstSDPMedia *media)
{
  return gst_afxdp_sdp_is_word (gst_sdp_media_get_proto (media), "udp");
}

static gboolean
is_rtp (const GstSDPMedia *media)
{
  const gchar *proto = gst_sdp_media_get_proto (media);

  return gst_afxdp_sdp_is_word (proto, "RTP/AVP") ||
      gst_afxdp_sdp_is_word (proto, "RTP/AVPF");
}

GSocketFamily
gst_afxdp_sdp_family_of_word (const gchar *addrtype)
{
  if (gst_afxdp_sdp_is_word (addrtype, "IP4"))
    return G_SOCKET_FAMILY_IPV4;
  return gst_afxdp_sdp_is_word (addrtype, "IP6") ? G_SOCKET_FAMILY_IPV6
                                                 : G_SOCKET_FAMILY_INVALID;
}

static gboolean
has_address (const GstSDPConnection *connection)
{
  return connection->address && *connection->address;
}

static gboolean
is_internet (const GstSDPConnection *connection)
{
  return gst_afxdp_sdp_is_word (connection->nettype, "IN") &&
      gst_afxdp_sdp_family_of_word (connection->addrtype) !=
      G_SOCKET_FAMILY_INVALID;
}

/* The media's own lines c= come before the session's. */
static const GstSDPConnection *
connection_of (const GstAfxdpSdpSession *session, const GstSDPMedia *media)
{
  const GstSDPConnection *connection = gst_sdp_media_connections_len (media)
      ? gst_sdp_media_get_connection (media, 0)
      : gst_sdp_message_get_connection (session->message);

  return has_address (connection) ? connection : NULL;
}

/* Media. */

/* Why it cannot be received, or NULL. */
static gchar *
problem_of (const GstAfxdpSdpSession *session, const GstSDPMedia *media)
{
  const GstSDPConnection *connection = connection_of (session, media);
  guint port = gst_sdp_media_get_port (media);
  g_autoptr (GstCaps) caps = NULL;
  gchar *problem = NULL;

  if (!is_rtp (media) && !gst_afxdp_sdp_is_raw (media))
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
  if (!is_internet (connection))
    return g_strdup_printf ("its c=%s %s %s is neither IN IP4 nor IN IP6",
        connection->nettype, connection->addrtype, connection->address);
  if (!is_rtp (media))
    return NULL;
  caps = gst_afxdp_sdp_caps (session->message, media, NULL, &problem);
  return caps ? NULL : problem;
}

static gboolean
can_be_received (const GstAfxdpSdpSession *session, const GstSDPMedia *media)
{
  g_autofree gchar *problem = problem_of (session, media);

  return !problem;
}

/* 1 or 0 if a line says whether it is sent, else -1. */
static gint
says_sent (const gchar *attribute)
{
  if (gst_afxdp_sdp_is_word (attribute, "inactive"))
    return 0;
  return gst_afxdp_sdp_is_word (attribute, "sendrecv") ||
          gst_afxdp_sdp_is_word (attribute, "sendonly") ||
          gst_afxdp_sdp_is_word (attribute, "recvonly")
      ? 1
      : -1;
}

/* The media's own line comes before the session's. */
static gboolean
is_inactive (const GstAfxdpSdpSession *session, const GstSDPMedia *media)
{
  for (guint i = 0; i < gst_sdp_media_attributes_len (media); i++) {
    gint sent = says_sent (gst_sdp_media_get_attribute (media, i)->key);

    if (sent >= 0)
      return !sent;
  }
  for (guint i = 0; i < gst_sdp_message_attributes_len (session->message);
       i++) {
    gint sent =
        says_sent (gst_sdp_message_get_attribute (session->message, i)->key);

    if (sent >= 0)
      return !sent;
  }
  return FALSE;
}

/* Groups. */

/* The first that is named so, whether it can be received or not. */
static const GstSDPMedia *
find_mid (const GstAfxdpSdpSession *session, const gchar *mid)
{
  for (guint i = 0; i < gst_sdp_message_medias_len (session->message); i++) {
    const GstSDPMedia *media = gst_sdp_message_get_media (session->message, i);

    if (!g_strcmp0 (gst_sdp_media_get_attribute_val (media, "mid"), mid))
      return media;
  }
  return NULL;
}

static gboolean
has_mids (const GstAfxdpSdpSession *session)
{
  for (guint i = 0; i < gst_sdp_message_medias_len (session->message); i++)
    if (gst_sdp_media_get_attribute_val (
            gst_sdp_message_get_media (session->message, i), "mid"))
      return TRUE;
  return FALSE;
}

/* Those that the line names; where no media has a name, as some devices write it, and
 * it names as many as there are, all in their order. */
static GPtrArray *
read_group (const GstAfxdpSdpSession *session, const gchar *group)
{
  g_auto (GStrv) words = g_strsplit (group, " ", -1);
  guint n = gst_sdp_message_medias_len (session->message);
  GPtrArray *media = g_ptr_array_new ();

  if (!gst_afxdp_sdp_is_word (words[0], "DUP"))
    return media;
  if (g_strv_length (words) == n + 1 && !has_mids (session)) {
    for (guint i = 0; i < n; i++)
      g_ptr_array_add (
          media, (gpointer) gst_sdp_message_get_media (session->message, i));
    return media;
  }
  for (guint i = 1; words[i]; i++) {
    const GstSDPMedia *named = find_mid (session, words[i]);

    if (named && !g_ptr_array_find (media, named, NULL))
      g_ptr_array_add (media, (gpointer) named);
  }
  return media;
}

/* The media that are duplicates of each other, media among them; or it alone. */
static GPtrArray *
group_of (const GstAfxdpSdpSession *session, const GstSDPMedia *media)
{
  const gchar *group;
  GPtrArray *alone;

  for (guint i = 0; (group = gst_sdp_message_get_attribute_val_n (
                         session->message, "group", i));
       i++) {
    g_autoptr (GPtrArray) members = read_group (session, group);

    if (g_ptr_array_find (members, media, NULL))
      return g_steal_pointer (&members);
  }
  alone = g_ptr_array_new ();
  g_ptr_array_add (alone, (gpointer) media);
  return alone;
}

/* The one that #m=N names goes first. */
static void
put_first (GPtrArray *members, const GstSDPMedia *media)
{
  g_ptr_array_remove (members, (gpointer) media);
  g_ptr_array_insert (members, 0, (gpointer) media);
}

/* Which of the media. */

/* The first that can be received, and is sent, or else the first that can be received;
 * those in front of it are skipped. */
static const GstSDPMedia *
first_media (GstAfxdpSdpSession *session)
{
  const GstSDPMedia *silent = NULL;

  for (guint i = 0; i < gst_sdp_message_medias_len (session->message); i++) {
    const GstSDPMedia *media = gst_sdp_message_get_media (session->message, i);
    g_autofree gchar *problem = problem_of (session, media);
    g_autofree gchar *line = line_of (media);

    if (problem)
      gst_afxdp_sdp_skip (
          session, "\"%s\" cannot be received: %s", line, problem);
    else if (!is_inactive (session, media))
      return media;
    else if (!silent)
      silent = media;
  }
  return silent;
}

static const GstSDPMedia *
choose_media (GstAfxdpSdpSession *session, GError **error)
{
  guint n = gst_sdp_message_medias_len (session->message);
  gint wanted = session->file->media;
  const GstSDPMedia *media = NULL;
  g_autoptr (GPtrArray) members = NULL;
  g_autofree gchar *line = NULL;
  g_autofree gchar *problem = NULL;

  if (!n) {
    gst_afxdp_sdp_complain (
        error, session, "it has no m= line, so it describes no stream");
    return NULL;
  }
  if (wanted >= (gint) n) {
    gst_afxdp_sdp_complain (error, session,
        "there is no #m=%d among its %u m= lines; the first is #m=0", wanted,
        n);
    return NULL;
  }
  if (wanted < 0)
    media = first_media (session);
  if (media)
    return media;
  media = gst_sdp_message_get_media (session->message, MAX (wanted, 0));
  members = group_of (session, media);
  for (guint i = 0; i < members->len; i++)
    if (can_be_received (session, g_ptr_array_index (members, i)))
      return media;
  line = line_of (media);
  problem = problem_of (session, media);
  gst_afxdp_sdp_complain (error, session, "\"%s\" cannot be received: %s%s",
      line, problem, wanted < 0 && n > 1 ? ", and none of the others can" : "");
  return NULL;
}

/* Legs. */

static void
add_leg (GstAfxdpSdpChoice *choice, const GstSDPMedia *media,
    const GstSDPConnection *connection)
{
  choice->legs[choice->n++] = (GstAfxdpSdpChosen){ media, connection };
}

/* Whether one of them can be received, and is sent. */
static gboolean
is_one_sent (const GstAfxdpSdpSession *session, const GPtrArray *members)
{
  for (guint i = 0; i < members->len; i++) {
    const GstSDPMedia *media = g_ptr_array_index (members, i);

    if (can_be_received (session, media) && !is_inactive (session, media))
      return TRUE;
  }
  return FALSE;
}

/* Those that can be received, and are sent; where nothing is sent, the first one: it
 * may be one day. */
static void
add_members (GstAfxdpSdpChoice *choice, GstAfxdpSdpSession *session,
    const GPtrArray *members)
{
  gboolean one_is_sent = is_one_sent (session, members);

  for (guint i = 0; i < members->len; i++) {
    const GstSDPMedia *media = g_ptr_array_index (members, i);
    gboolean inactive = is_inactive (session, media);
    g_autofree gchar *problem = problem_of (session, media);
    g_autofree gchar *line = line_of (media);

    if (problem)
      gst_afxdp_sdp_skip (
          session, "\"%s\" cannot be received: %s", line, problem);
    else if (inactive && (one_is_sent || choice->n))
      gst_afxdp_sdp_skip (
          session, "the leg \"%s\": it is a=inactive, so it is not sent", line);
    else if (choice->n == GST_AFXDP_SDP_LEGS)
      gst_afxdp_sdp_skip (session, "the leg \"%s\": two are received", line);
    else
      add_leg (choice, media, connection_of (session, media));
    if (inactive && choice->n && choice->legs[choice->n - 1].media == media)
      gst_afxdp_sdp_skip (
          session, "a=inactive of \"%s\", since nothing else is sent", line);
  }
}

/* Two SSRCs in one media that are copies of each other. */
static gboolean
has_copies (const GstSDPMedia *media)
{
  const gchar *group;

  for (guint i = 0;
       (group = gst_sdp_media_get_attribute_val_n (media, "ssrc-group", i));
       i++) {
    g_auto (GStrv) words = g_strsplit (group, " ", -1);

    if (gst_afxdp_sdp_is_word (words[0], "DUP") && g_strv_length (words) > 2)
      return TRUE;
  }
  return FALSE;
}

/* Of one media with several lines c= the second address. By RFC 8866 they are layers,
 * which nobody sends over multicast today; where they are, what comes by the second one
 * matches nothing of the first. */
static void
add_second_address (GstAfxdpSdpChoice *choice, GstAfxdpSdpSession *session)
{
  const GstSDPMedia *media = choice->legs[0].media;
  guint n = gst_sdp_media_connections_len (media);

  for (guint i = 1; i < n; i++) {
    const GstSDPConnection *connection =
        gst_sdp_media_get_connection (media, i);

    if (choice->n < GST_AFXDP_SDP_LEGS && is_rtp (media) &&
        has_address (connection) && is_internet (connection) &&
        g_ascii_strcasecmp (
            connection->address, choice->legs[0].connection->address))
      add_leg (choice, media, connection);
    else
      gst_afxdp_sdp_skip (session, "the line c=%s %s %s",
          connection->nettype ? connection->nettype : "",
          connection->addrtype ? connection->addrtype : "",
          connection->address ? connection->address : "");
  }
}

/* Of a media that has no other as its copy. */
static void
split_media (GstAfxdpSdpChoice *choice, GstAfxdpSdpSession *session)
{
  GstAfxdpSdpChosen first = choice->legs[0];

  add_second_address (choice, session);
  if (choice->n < GST_AFXDP_SDP_LEGS && is_rtp (first.media) &&
      has_copies (first.media)) {
    add_leg (choice, first.media, first.connection);
    choice->one_address = TRUE;
  }
  choice->are_told = choice->n > 1;
}

/* Of lines c= of a media with a copy only the first is taken. */
static void
skip_connections (GstAfxdpSdpSession *session, const GstAfxdpSdpChosen *leg)
{
  if (gst_sdp_media_connections_len (leg->media) > 1)
    gst_afxdp_sdp_skip (
        session, "all c= lines but the first, %s", leg->connection->address);
}

gboolean
gst_afxdp_sdp_choose (
    GstAfxdpSdpChoice *choice, GstAfxdpSdpSession *session, GError **error)
{
  const GstSDPMedia *media = choose_media (session, error);
  g_autoptr (GPtrArray) members = NULL;

  *choice = (GstAfxdpSdpChoice){ 0 };
  if (!media)
    return FALSE;
  members = group_of (session, media);
  if (session->file->media >= 0)
    put_first (members, media);
  add_members (choice, session, members);
  /* What is not RTP has no numbers by which copies are known. */
  if (choice->n > 1 && !is_rtp (choice->legs[0].media)) {
    gst_afxdp_sdp_skip (session, "the second leg, since it is not RTP");
    choice->n = 1;
  }
  choice->are_told = members->len > 1;
  if (!choice->are_told)
    split_media (choice, session);
  else
    for (guint i = 0; i < choice->n; i++)
      skip_connections (session, &choice->legs[i]);
  return TRUE;
}
