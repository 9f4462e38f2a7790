/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What settings and the SDP file say of the legs of a stream. */
#include "gstafxdpsettings.h"

#include <string.h>

#include "error.h"
#include "gstafxdpaddress.h"
#include "gstafxdpsdp.h"
#include "gstafxdpuriparts.h"

/* Class A of ST 2022-7. */
#define WINDOW_OF_TWO_LEGS (10 * GST_MSECOND)

static gboolean
is_empty (const gchar *text)
{
  return !text || !*text;
}

static void G_GNUC_PRINTF (2, 3)
    add_sentence (gchar **skipped, const gchar *format, ...)
{
  g_autofree gchar *before = *skipped;
  g_autofree gchar *sentence = NULL;
  va_list args;

  va_start (args, format);
  sentence = g_strdup_vprintf (format, args);
  va_end (args);
  *skipped =
      g_strconcat (before ? before : "", before ? "; " : "", sentence, NULL);
}

static gboolean
is_same_address (const gchar *one, const gchar *other)
{
  /* A zone is an interface. */
  return !g_ascii_strcasecmp (one, other) ||
      (!strchr (one, '%') && !strchr (other, '%') &&
          gst_afxdp_address_is_same (one, other));
}

/* Those would be the same packets twice, which nobody could tell apart. An interface
 * that is not named is the first leg's, as far as is known. */
static gboolean
is_first_leg (const GstAfxdpSettings *settings, const GstAfxdpUriParts *parts)
{
  return parts->port == settings->port &&
      is_same_address (parts->address, settings->address) &&
      !g_strcmp0 (parts->sources, settings->multicast_source) &&
      (is_empty (parts->interface) ||
          !g_strcmp0 (parts->interface, settings->multicast_iface));
}

/* What redundant_uri says holds over the file if it was set later; the interface holds
 * in any case, since no file names one. */
static void
take_leg_of_file (
    GstAfxdpUriParts *parts, const GstAfxdpSdpLeg *leg, gboolean uri_is_newer)
{
  if (!uri_is_newer || parts->port < 0)
    parts->port = leg->port;
  if (!uri_is_newer || !parts->sources) {
    g_free (parts->sources);
    parts->sources = g_strdup (leg->sources);
  }
  g_free (parts->address);
  parts->address = g_strdup (leg->address);
}

static void
set_redundant_uri (GstAfxdpSettings *settings, const GstAfxdpUriParts *parts)
{
  g_free (settings->redundant_uri);
  settings->redundant_uri = parts ? gst_afxdp_uri_parts_write (parts) : NULL;
}

/* The file's second leg, or none. parts: of redundant_uri. */
static void
take_second_of_file (GstAfxdpSettings *settings, const GstAfxdpSdp *sdp,
    GstAfxdpUriParts *parts, gboolean uri_is_newer, gchar **skipped)
{
  settings->awaits_second_leg = sdp->has_legs;
  if (!sdp->second.address) {
    if (!is_empty (settings->redundant_uri))
      add_sentence (skipped, "redundant-uri, since one leg is received");
    set_redundant_uri (settings, NULL);
    return;
  }
  take_leg_of_file (parts, &sdp->second, uri_is_newer);
  if (is_first_leg (settings, parts) && !sdp->is_one_media) {
    add_sentence (skipped,
        "the second leg, which has address, port and senders of the first one: "
        "set redundant-uri=afxdp://?multicast-iface=NAME to the second leg's "
        "interface");
    set_redundant_uri (settings, NULL);
    return;
  }
  set_redundant_uri (settings, parts);
  settings->redundant_family = sdp->second.family;
}

static gboolean
read_second_leg (GstAfxdpSettings *settings, const GstAfxdpSdp *sdp,
    gchar **skipped, GError **error)
{
  gboolean uri_is_newer =
      gst_afxdp_settings_is_newer (settings, GST_AFXDP_PROP_REDUNDANT_URI);
  gboolean is_there = !is_empty (settings->redundant_uri);
  g_autoptr (GError) cause = NULL;
  GstAfxdpUriParts parts = { .port = -1 };

  if (!is_there && uri_is_newer)
    return TRUE;
  if (is_there &&
      !gst_afxdp_uri_parts_read (&parts, settings->redundant_uri, &cause)) {
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_SETTINGS, "redundant-uri: %s",
        cause->message);
    return FALSE;
  }
  if (parts.address && (uri_is_newer || !sdp->has_legs)) {
    /* As it was set. */
  } else if (gst_afxdp_settings_is_newer (settings, GST_AFXDP_PROP_ADDRESS)) {
    /* Of another stream. */
    if (sdp->second.address)
      add_sentence (
          skipped, "the second leg, since address was set after sdp-location");
    set_redundant_uri (settings, NULL);
  } else {
    take_second_of_file (settings, sdp, &parts, uri_is_newer, skipped);
  }
  gst_afxdp_uri_parts_clear (&parts);
  return TRUE;
}

gboolean
gst_afxdp_settings_read_sdp (
    GstAfxdpSettings *settings, gchar **skipped, GError **error)
{
  gboolean done;
  GstAfxdpSdp sdp;

  *skipped = NULL;
  if (!settings->sdp_location)
    return TRUE;
  if (!gst_afxdp_sdp_read (&sdp, settings->sdp_location, error))
    return FALSE;
  if (!gst_afxdp_settings_is_newer (settings, GST_AFXDP_PROP_ADDRESS)) {
    g_free (settings->address);
    settings->address = g_strdup (sdp.first.address);
    settings->family = sdp.first.family;
    /* They are of this address, and so is it when there are none. */
    if (!gst_afxdp_settings_is_newer (
            settings, GST_AFXDP_PROP_MULTICAST_SOURCE)) {
      g_free (settings->multicast_source);
      settings->multicast_source = g_strdup (sdp.first.sources);
    }
  }
  if (!gst_afxdp_settings_is_newer (settings, GST_AFXDP_PROP_PORT)) {
    settings->port = sdp.first.port;
    settings->port_is_told = TRUE;
  }
  *skipped = g_steal_pointer (&sdp.skipped);
  done = read_second_leg (settings, &sdp, skipped, error);
  gst_caps_replace (&settings->sdp_caps, sdp.caps);
  gst_caps_replace (&settings->caps, gst_afxdp_settings_peek_caps (settings));
  settings->caps_of_uri &=
      gst_afxdp_settings_is_newer (settings, GST_AFXDP_PROP_CAPS);
  gst_afxdp_sdp_clear (&sdp);
  return done;
}

gboolean
gst_afxdp_settings_find_second_leg (
    GstAfxdpSettings *settings, gchar **skipped, GError **error)
{
  GstAfxdpUriParts parts;
  gboolean is_whole;

  *skipped = NULL;
  if (!settings->sdp_location)
    return TRUE;
  is_whole = is_empty (settings->redundant_uri);
  if (!is_whole &&
      gst_afxdp_uri_parts_read (&parts, settings->redundant_uri, NULL)) {
    is_whole = parts.address != NULL;
    gst_afxdp_uri_parts_clear (&parts);
  }
  if (is_whole &&
      gst_afxdp_settings_is_newer (settings, GST_AFXDP_PROP_REDUNDANT_URI))
    return TRUE;
  return gst_afxdp_settings_read_sdp (settings, skipped, error);
}

guint
gst_afxdp_settings_n_legs (const GstAfxdpSettings *settings)
{
  return is_empty (settings->redundant_uri) ? 1 : 2;
}

gboolean
gst_afxdp_settings_take_second_leg (
    GstAfxdpSettings *settings, GstAfxdpUriParts *parts, GError **error)
{
  g_autoptr (GError) cause = NULL;

  if (!gst_afxdp_uri_parts_read (parts, settings->redundant_uri, &cause) ||
      !parts->address || parts->port < 0) {
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_SETTINGS, "redundant-uri: %s",
        cause ? cause->message
              : "the second leg needs address and port, of the URI or of "
                "sdp-location");
    return FALSE;
  }
  settings->address = parts->address;
  settings->port = parts->port;
  settings->multicast_source = parts->sources;
  settings->multicast_iface = parts->interface;
  settings->family = settings->redundant_family;
  settings->stream.socket = NULL;
  return TRUE;
}

static gboolean
is_list (const AfxdpSources *sources)
{
  return afxdp_sources_kind (sources) == AFXDP_SOURCES_INCLUDE;
}

static gboolean
is_on_one_interface (
    const GstAfxdpSettings *first, const GstAfxdpSettings *second)
{
  return first->port == second->port &&
      is_same_address (first->address, second->address) &&
      !g_strcmp0 (first->multicast_iface, second->multicast_iface);
}

gboolean
gst_afxdp_settings_share (const GstAfxdpSettings *settings,
    GInetAddress *address, gchar **senders, AfxdpSources **second)
{
  GstAfxdpSettings leg = *settings;
  GstAfxdpUriParts parts = { 0 };
  g_autoptr (AfxdpSources) ours = NULL, theirs = NULL;
  gboolean share = gst_afxdp_settings_n_legs (settings) > 1 &&
      gst_afxdp_settings_take_second_leg (&leg, &parts, NULL) &&
      is_on_one_interface (settings, &leg) &&
      (ours = gst_afxdp_settings_get_sources (settings, address, NULL)) &&
      (theirs = gst_afxdp_settings_get_sources (&leg, address, NULL));

  *senders = NULL;
  *second = NULL;
  if (share && !g_strcmp0 (settings->multicast_source, leg.multicast_source)) {
    *senders = g_strdup (settings->multicast_source);
  } else if (share && is_list (theirs)) {
    *second = afxdp_sources_ref (theirs);
    if (is_list (ours))
      *senders = g_strconcat (settings->multicast_source,
          *leg.multicast_source == '+' ? "" : "+", leg.multicast_source, NULL);
  }
  gst_afxdp_uri_parts_clear (&parts);
  return share;
}

GstClockTime
gst_afxdp_settings_window (const GstAfxdpSettings *settings)
{
  if (GST_CLOCK_TIME_IS_VALID (settings->reorder_window))
    return settings->reorder_window;
  /* What one network loses it does not bring later. */
  return settings->had_two_legs || gst_afxdp_settings_n_legs (settings) > 1
      ? WINDOW_OF_TWO_LEGS
      : 0;
}
