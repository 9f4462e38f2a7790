/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a session description says of one of its media. */
#include "gstafxdpsdp.h"

#include <string.h>
#include <gio/gio.h>
#include <gst/sdp/sdp.h>

#include "gstafxdpaddress.h"
#include "gstafxdpsdpcaps.h"
#include "gstafxdpsdpfile.h"
#include "gstafxdpsdplegs.h"
#include "gstafxdpsdptext.h"

/* Addresses. */

/* NULL: a name. */
static GInetAddress *
address_of (const gchar *text)
{
  g_autofree gchar *bare = g_strndup (text, strcspn (text, "/"));
  g_autofree gchar *zone = NULL;

  return gst_afxdp_address_read (bare, &zone);
}

/* An address tells itself, a name does not. */
static GSocketFamily
family_of (const GstSDPConnection *connection)
{
  g_autoptr (GInetAddress) address = address_of (connection->address);

  return address ? g_inet_address_get_family (address)
                 : gst_afxdp_sdp_family_of_word (connection->addrtype);
}

static gboolean
is_address_of_family (const gchar *text, GSocketFamily family)
{
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (text);

  return address && g_inet_address_get_family (address) == family;
}

/* Senders. */

/* Of one attribute, "incl IN IP4 DESTINATION SOURCE...", whether it is about that
 * address. */
static gboolean
is_about (gchar **words, const GstSDPConnection *connection)
{
  GSocketFamily of = gst_afxdp_sdp_family_of_word (words[2]);

  return (of == G_SOCKET_FAMILY_INVALID || of == family_of (connection)) &&
      (!strcmp (words[3], "*") ||
          gst_afxdp_address_is_same (words[3], connection->address));
}

/* Notes that it is not about leg's address, if it is about none. */
static void
skip_filter (GstAfxdpSdpSession *session, const GstAfxdpSdpChoice *choice,
    guint leg, const gchar *filter, gchar **words)
{
  const GstSDPConnection *connection = choice->legs[leg].connection;
  GSocketFamily of = gst_afxdp_sdp_family_of_word (words[2]);

  for (guint i = 0; i < choice->n; i++)
    if (is_about (words, choice->legs[i].connection))
      return;
  if (of != G_SOCKET_FAMILY_INVALID && of != family_of (connection))
    gst_afxdp_sdp_skip (session,
        "\"a=source-filter:%s\" has another address family than %s", filter,
        connection->address);
  else
    gst_afxdp_sdp_skip (session, "\"a=source-filter:%s\" is not about %s",
        filter, connection->address);
}

/* Adds the senders of one attribute to list when it applies. What cannot be read is
 * an error: without it more would be received than is meant. */
static gboolean
add_filter (GString *list, GstAfxdpSdpSession *session,
    const GstAfxdpSdpChoice *choice, guint leg, const gchar *filter,
    GError **error)
{
  const GstSDPConnection *connection = choice->legs[leg].connection;
  g_auto (GStrv) words = g_strsplit (filter, " ", -1);
  GSocketFamily family = family_of (connection);
  gchar sign;

  if (g_strv_length (words) < 5 ||
      (!gst_afxdp_sdp_is_word (words[0], "incl") &&
          !gst_afxdp_sdp_is_word (words[0], "excl")))
    return gst_afxdp_sdp_complain (error, session,
        "\"a=source-filter:%s\" does not have the form incl IN IP4 GROUP "
        "SENDER... (or excl)",
        filter);
  if (!is_about (words, connection)) {
    skip_filter (session, choice, leg, filter, words);
    return TRUE;
  }
  sign = gst_afxdp_sdp_is_word (words[0], "incl") ? '+' : '-';
  if (list->len && list->str[0] != sign)
    return gst_afxdp_sdp_complain (error, session,
        "its a=source-filter lines both include and exclude senders of %s",
        connection->address);
  for (guint i = 4; words[i]; i++) {
    if (!is_address_of_family (words[i], family))
      return gst_afxdp_sdp_complain (error, session,
          "\"%s\" in \"a=source-filter:%s\" is not an address of %s", words[i],
          filter, family == G_SOCKET_FAMILY_IPV6 ? "IP6" : "IP4");
    g_string_append_printf (list, "%c%s", sign, words[i]);
  }
  return TRUE;
}

/* The lines of the media, if any are about its address, else the session's. */
static gboolean
read_sources (GstAfxdpSdpLeg *leg, GstAfxdpSdpSession *session,
    const GstAfxdpSdpChoice *choice, guint number, GError **error)
{
  const GstSDPMedia *media = choice->legs[number].media;
  const GstSDPConnection *connection = choice->legs[number].connection;
  g_autoptr (GInetAddress) address = address_of (connection->address);
  g_autoptr (GString) list = g_string_new (NULL);
  const gchar *filter;

  /* Senders can only be told apart by joining. */
  if (address && !g_inet_address_get_is_multicast (address)) {
    if (gst_sdp_media_get_attribute_val (media, "source-filter") ||
        gst_sdp_message_get_attribute_val (session->message, "source-filter"))
      gst_afxdp_sdp_skip (session,
          "the senders of a=source-filter, since %s is not a multicast group",
          connection->address);
    return TRUE;
  }
  for (guint i = 0;
       (filter = gst_sdp_media_get_attribute_val_n (media, "source-filter", i));
       i++)
    if (!add_filter (list, session, choice, number, filter, error))
      return FALSE;
  for (guint i = 0, in_media = list->len; !in_media &&
       (filter = gst_sdp_message_get_attribute_val_n (
            session->message, "source-filter", i));
       i++)
    if (!add_filter (list, session, choice, number, filter, error))
      return FALSE;
  if (list->len)
    leg->sources = g_strdup (list->str);
  return TRUE;
}

/* Where copies come from several senders to one address, each leg has its own. */
static void
part_senders (GstAfxdpSdp *sdp, GstAfxdpSdpSession *session)
{
  g_auto (GStrv) senders = NULL;

  if (!sdp->first.sources || sdp->first.sources[0] != '+')
    return;
  senders = g_strsplit (sdp->first.sources + 1, "+", -1);
  if (g_strv_length (senders) < 2)
    return;
  g_free (sdp->first.sources);
  sdp->first.sources = g_strconcat ("+", senders[0], NULL);
  g_free (sdp->second.sources);
  sdp->second.sources = g_strconcat ("+", senders[1], NULL);
  for (guint i = 2; senders[i]; i++)
    gst_afxdp_sdp_skip (
        session, "the sender %s: two legs are received", senders[i]);
}

/* All of it. */

static gboolean
parse (GstAfxdpSdpSession *session, GError **error)
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
      gst_afxdp_sdp_complain (error, session,
          "it is not a session description: it has no v=0 line");
}

static gboolean
read_leg (GstAfxdpSdpLeg *leg, GstAfxdpSdpSession *session,
    const GstAfxdpSdpChoice *choice, guint number, GError **error)
{
  const GstSDPConnection *connection = choice->legs[number].connection;

  leg->address = g_strdup (connection->address);
  leg->family = family_of (connection);
  leg->port = gst_sdp_media_get_port (choice->legs[number].media);
  if (leg->family != gst_afxdp_sdp_family_of_word (connection->addrtype))
    gst_afxdp_sdp_skip (session,
        "the %s of its c= line, since %s is of the other address family",
        connection->addrtype, connection->address);
  return read_sources (leg, session, choice, number, error);
}

static gboolean
read_media (GstAfxdpSdp *sdp, GstAfxdpSdpSession *session, GError **error)
{
  GstAfxdpSdpChoice choice;
  const GstSDPMedia *media;

  if (!gst_afxdp_sdp_choose (&choice, session, error))
    return FALSE;
  media = choice.legs[0].media;
  if (gst_afxdp_sdp_is_raw (media)) {
    sdp->caps = gst_caps_new_any ();
  } else {
    g_autofree gchar *problem = NULL;

    sdp->caps = gst_afxdp_sdp_caps (
        session->message, media, session->skipped, &problem);
  }
  sdp->has_legs = choice.are_told;
  if (!read_leg (&sdp->first, session, &choice, 0, error) ||
      (choice.n > 1 && !read_leg (&sdp->second, session, &choice, 1, error)))
    return FALSE;
  sdp->is_one_media = choice.one_address;
  if (choice.one_address)
    part_senders (sdp, session);
  return TRUE;
}

gboolean
gst_afxdp_sdp_read (GstAfxdpSdp *sdp, const gchar *location, GError **error)
{
  g_autoptr (GPtrArray) skipped = g_ptr_array_new_with_free_func (g_free);
  GstAfxdpSdpFile file;
  GstAfxdpSdpSession session = { .file = &file, .skipped = skipped };
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

static void
clear_leg (GstAfxdpSdpLeg *leg)
{
  g_clear_pointer (&leg->address, g_free);
  g_clear_pointer (&leg->sources, g_free);
}

void
gst_afxdp_sdp_clear (GstAfxdpSdp *sdp)
{
  clear_leg (&sdp->first);
  clear_leg (&sdp->second);
  sdp->has_legs = FALSE;
  g_clear_pointer (&sdp->skipped, g_free);
  gst_clear_caps (&sdp->caps);
}
