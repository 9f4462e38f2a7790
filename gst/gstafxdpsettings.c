/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an application can set. */
#include "gstafxdpsettings.h"

#include <string.h>

#include "error.h"
#include "gstafxdpaddress.h"
#include "gstafxdpcaps.h"
#include "gstafxdpenums.h"
#include "gstafxdpsdp.h"
#include "gstafxdpuriparts.h"

#define DEFAULT_ADDRESS "0.0.0.0"
/* Class A of ST 2022-7. */
#define WINDOW_OF_TWO_LEGS (10 * GST_MSECOND)
#define LARGEST_RING (1u << 20)
#define LONGEST_BUSY_POLL G_USEC_PER_SEC

/* Takes effect at NULL -> READY. */
#define AT_OPEN (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS)
#define ANY_TIME (AT_OPEN | GST_PARAM_MUTABLE_PLAYING)
#define READ_ONLY (G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)

/* Where a property is kept. */
static const struct
{
  gsize offset;
  gsize size; /* 0: another property owns the field, or there is none */
} fields[GST_AFXDP_N_PROPERTIES] = {
#define SETTING(ID, field, spec)                                       \
  [GST_AFXDP_PROP_##ID] = { G_STRUCT_OFFSET (GstAfxdpSettings, field), \
    sizeof ((GstAfxdpSettings *) NULL)->field },
#define SAME(ID, field, spec) \
  [GST_AFXDP_PROP_##ID] = { G_STRUCT_OFFSET (GstAfxdpSettings, field), 0 },
#define ANSWER(ID, spec)
#include "gstafxdpproperties.def"
};

/* The class owns them. */
static GParamSpec *pspecs[GST_AFXDP_N_PROPERTIES];

static GType
fundamental_type (guint id)
{
  return G_TYPE_FUNDAMENTAL (pspecs[id]->value_type);
}

static gsize
size_of_type (GType type)
{
  switch (type) {
    case G_TYPE_STRING:
    case G_TYPE_OBJECT:
    case G_TYPE_BOXED:
      return sizeof (gpointer);
    case G_TYPE_UINT64:
      return sizeof (guint64);
    default:
      return sizeof (gint);
  }
}

/* A field of another property, or of another type, would be written over. */
static void
check_fields (void)
{
  G_STATIC_ASSERT (GST_AFXDP_N_PROPERTIES <= 64);

  for (guint i = 1; i < GST_AFXDP_N_PROPERTIES; i++) {
    if (!fields[i].size)
      continue;
    g_assert (fields[i].offset > 0);
    g_assert (fields[i].size == size_of_type (fundamental_type (i)));
    for (guint j = 1; j < i; j++)
      g_assert (!fields[j].size || fields[j].offset != fields[i].offset);
  }
}

void
gst_afxdp_settings_install (GObjectClass *klass)
{
#define SETTING(ID, field, spec) pspecs[GST_AFXDP_PROP_##ID] = spec;
#define SAME(ID, field, spec) pspecs[GST_AFXDP_PROP_##ID] = spec;
#define ANSWER(ID, spec) pspecs[GST_AFXDP_PROP_##ID] = spec;
#include "gstafxdpproperties.def"
  check_fields ();
  g_object_class_install_properties (klass, GST_AFXDP_N_PROPERTIES, pspecs);
}

/* Not by CONSTRUCT: gst-launch sets what has that flag before all else, so that
 * port=5000 behind uri= or sdp-location= would come too early, and complains when
 * it is there twice. */
void
gst_afxdp_settings_set_defaults (GObject *object)
{
  for (guint i = 1; i < GST_AFXDP_N_PROPERTIES; i++)
    if (pspecs[i]->flags & G_PARAM_WRITABLE)
      g_object_set_property (
          object, pspecs[i]->name, g_param_spec_get_default_value (pspecs[i]));
}

void
gst_afxdp_settings_begin (GstAfxdpSettings *settings)
{
  settings->port_is_told = FALSE;
  g_clear_pointer (&settings->uri, g_free);
}

/* What id's field points to becomes settings' own, or is let go. */

static void
own_field (GstAfxdpSettings *settings, guint id)
{
  gpointer *field = G_STRUCT_MEMBER_P (settings, fields[id].offset);

  switch (fundamental_type (id)) {
    case G_TYPE_STRING:
      *field = g_strdup (*field);
      break;
    case G_TYPE_OBJECT:
      *field = *field ? g_object_ref (*field) : NULL;
      break;
    case G_TYPE_BOXED:
      *field = *field ? gst_caps_ref (*field) : NULL;
      break;
    default:
      break;
  }
}

static void
clear_field (GstAfxdpSettings *settings, guint id)
{
  gpointer *field = G_STRUCT_MEMBER_P (settings, fields[id].offset);

  switch (fundamental_type (id)) {
    case G_TYPE_STRING:
      g_clear_pointer (field, g_free);
      break;
    case G_TYPE_OBJECT:
      g_clear_object ((GObject **) field);
      break;
    case G_TYPE_BOXED:
      gst_clear_caps ((GstCaps **) field);
      break;
    default:
      break;
  }
}

void
gst_afxdp_settings_copy (GstAfxdpSettings *to, const GstAfxdpSettings *from)
{
  *to = *from;
  to->uri = g_strdup (from->uri);
  to->uri_ignored = g_strdup (from->uri_ignored);
  to->sdp_caps = from->sdp_caps ? gst_caps_ref (from->sdp_caps) : NULL;
  for (guint i = 1; i < GST_AFXDP_N_PROPERTIES; i++)
    if (fields[i].size)
      own_field (to, i);
}

void
gst_afxdp_settings_clear (GstAfxdpSettings *settings)
{
  for (guint i = 1; i < GST_AFXDP_N_PROPERTIES; i++)
    if (fields[i].size)
      clear_field (settings, i);
  gst_clear_caps (&settings->sdp_caps);
  g_clear_pointer (&settings->uri_ignored, g_free);
  g_clear_pointer (&settings->uri, g_free);
}

guint64
gst_afxdp_settings_follow (GstAfxdpSettings *to, GstAfxdpSettings *from)
{
  guint64 moved = 0;

  for (guint i = 1; i < GST_AFXDP_N_PROPERTIES; i++) {
    gpointer ours = G_STRUCT_MEMBER_P (to, fields[i].offset);
    gconstpointer theirs = G_STRUCT_MEMBER_P (from, fields[i].offset);

    /* The second leg is opened by who sets it. */
    if (!(from->changed >> i & 1) || !fields[i].size ||
        i == GST_AFXDP_PROP_REDUNDANT_URI ||
        !(pspecs[i]->flags & GST_PARAM_MUTABLE_PLAYING) ||
        !memcmp (ours, theirs, fields[i].size))
      continue;
    clear_field (to, i);
    memcpy (ours, theirs, fields[i].size);
    own_field (to, i);
    moved |= G_GUINT64_CONSTANT (1) << i;
  }
  from->changed = 0;
  return moved;
}

/* Setting. */

static void
note_newer (GstAfxdpSettings *settings, guint id, gboolean newer)
{
  guint64 bit = G_GUINT64_CONSTANT (1) << id;

  settings->newer_than_sdp &= ~bit;
  if (newer)
    settings->newer_than_sdp |= bit;
}

static gboolean
is_newer (const GstAfxdpSettings *settings, guint id)
{
  return (settings->newer_than_sdp >> id) & 1;
}

static void
set_address (GstAfxdpSettings *settings, const gchar *address)
{
  g_free (settings->address);
  settings->address =
      g_strdup (address && *address ? address : DEFAULT_ADDRESS);
  settings->family = G_SOCKET_FAMILY_INVALID;
  note_newer (settings, GST_AFXDP_PROP_ADDRESS, TRUE);
}

static void
set_sdp_location (GstAfxdpSettings *settings, const gchar *location)
{
  g_free (settings->sdp_location);
  settings->sdp_location = location && *location ? g_strdup (location) : NULL;
  settings->newer_than_sdp = 0;
  gst_clear_caps (&settings->sdp_caps);
}

static void
set_caps_of_uri (GstAfxdpSettings *settings, GstCaps *caps)
{
  if (!caps && !settings->caps_of_uri)
    return;
  gst_caps_replace (&settings->caps, caps);
  settings->caps_of_uri = caps != NULL;
  note_newer (settings, GST_AFXDP_PROP_CAPS, caps != NULL);
}

gboolean
gst_afxdp_settings_set_uri (
    GstAfxdpSettings *settings, const gchar *uri, GError **error)
{
  GstAfxdpUriParts parts;

  if (!gst_afxdp_uri_parts_read (&parts, uri ? uri : "afxdp://", error))
    return FALSE;
  g_free (settings->uri);
  settings->uri = g_strdup (uri);
  g_free (settings->uri_ignored);
  settings->uri_ignored = g_steal_pointer (&parts.ignored);
  set_address (settings, parts.address);
  if (parts.port >= 0) {
    settings->port = parts.port;
    settings->port_is_told = TRUE;
    note_newer (settings, GST_AFXDP_PROP_PORT, TRUE);
  }
  g_free (settings->multicast_source);
  settings->multicast_source = g_steal_pointer (&parts.sources);
  note_newer (settings, GST_AFXDP_PROP_MULTICAST_SOURCE, TRUE);
  set_caps_of_uri (settings, parts.caps);
  gst_afxdp_uri_parts_clear (&parts);
  return TRUE;
}

static gchar *
get_uri (const GstAfxdpSettings *settings)
{
  GstAfxdpUriParts parts = {
    .address = settings->address,
    .port = settings->port,
    .sources = settings->multicast_source,
    .caps = settings->caps_of_uri ? settings->caps : NULL,
  };

  return gst_afxdp_uri_parts_write (&parts);
}

/* The second leg. */

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
  gboolean uri_is_newer = is_newer (settings, GST_AFXDP_PROP_REDUNDANT_URI);
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
  } else if (is_newer (settings, GST_AFXDP_PROP_ADDRESS)) {
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
  if (!is_newer (settings, GST_AFXDP_PROP_ADDRESS)) {
    g_free (settings->address);
    settings->address = g_strdup (sdp.first.address);
    settings->family = sdp.first.family;
    /* They are of this address, and so is it when there are none. */
    if (!is_newer (settings, GST_AFXDP_PROP_MULTICAST_SOURCE)) {
      g_free (settings->multicast_source);
      settings->multicast_source = g_strdup (sdp.first.sources);
    }
  }
  if (!is_newer (settings, GST_AFXDP_PROP_PORT)) {
    settings->port = sdp.first.port;
    settings->port_is_told = TRUE;
  }
  *skipped = g_steal_pointer (&sdp.skipped);
  done = read_second_leg (settings, &sdp, skipped, error);
  gst_caps_replace (&settings->sdp_caps, sdp.caps);
  gst_caps_replace (&settings->caps, gst_afxdp_settings_peek_caps (settings));
  settings->caps_of_uri &= is_newer (settings, GST_AFXDP_PROP_CAPS);
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
  if (is_whole && is_newer (settings, GST_AFXDP_PROP_REDUNDANT_URI))
    return TRUE;
  return gst_afxdp_settings_read_sdp (settings, skipped, error);
}

GstCaps *
gst_afxdp_settings_peek_caps (const GstAfxdpSettings *settings)
{
  if (settings->sdp_location && !is_newer (settings, GST_AFXDP_PROP_CAPS))
    return settings->sdp_caps;
  return settings->caps;
}

GstClockTime
gst_afxdp_settings_longest_sleep (const GstAfxdpSettings *settings)
{
  return settings->stream.busy_poll ? 0 : settings->stream.coalesce;
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

AfxdpSources *
gst_afxdp_settings_get_sources (
    const GstAfxdpSettings *settings, GInetAddress *address, GError **error)
{
  gboolean ipv6 = g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV6;
  g_autoptr (AfxdpSources) sources =
      afxdp_sources_parse (settings->multicast_source, ipv6 ? 6 : 4, error);

  if (!sources || afxdp_sources_kind (sources) == AFXDP_SOURCES_ANY ||
      g_inet_address_get_is_multicast (address))
    return g_steal_pointer (&sources);
  g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_SETTINGS,
      "multicast-source is \"%s\", but the address \"%s\" is not a multicast "
      "group",
      settings->multicast_source, settings->address);
  return NULL;
}

void
gst_afxdp_settings_set (
    GstAfxdpSettings *settings, guint id, const GValue *value)
{
  gpointer field = G_STRUCT_MEMBER_P (settings, fields[id].offset);

  note_newer (settings, id, TRUE);
  settings->changed |= G_GUINT64_CONSTANT (1) << id;
  switch (id) {
    case GST_AFXDP_PROP_SDP_LOCATION:
      set_sdp_location (settings, g_value_get_string (value));
      return;
    case GST_AFXDP_PROP_ADDRESS:
    case GST_AFXDP_PROP_MULTICAST_GROUP:
      set_address (settings, g_value_get_string (value));
      return;
    case GST_AFXDP_PROP_CAPS:
      gst_caps_replace (field, (GstCaps *) gst_value_get_caps (value));
      settings->caps_of_uri = FALSE;
      return;
    case GST_AFXDP_PROP_PORT:
      settings->port_is_told = TRUE;
      break;
    default:
      break;
  }
  switch (G_TYPE_FUNDAMENTAL (G_VALUE_TYPE (value))) {
    case G_TYPE_STRING:
      g_free (*(gchar **) field);
      *(gchar **) field = g_value_dup_string (value);
      break;
    case G_TYPE_OBJECT:
      g_set_object ((GObject **) field, g_value_get_object (value));
      break;
    case G_TYPE_INT:
      *(gint *) field = g_value_get_int (value);
      break;
    case G_TYPE_UINT:
      *(guint *) field = g_value_get_uint (value);
      break;
    case G_TYPE_ENUM:
      *(gint *) field = g_value_get_enum (value);
      break;
    case G_TYPE_BOOLEAN:
      *(gboolean *) field = g_value_get_boolean (value);
      break;
    case G_TYPE_UINT64:
      *(guint64 *) field = g_value_get_uint64 (value);
      break;
    default:
      g_assert_not_reached ();
  }
}

void
gst_afxdp_settings_get (
    const GstAfxdpSettings *settings, guint id, GValue *value)
{
  gconstpointer field = G_STRUCT_MEMBER_P (settings, fields[id].offset);

  if (id == GST_AFXDP_PROP_URI) {
    g_value_take_string (value, get_uri (settings));
    return;
  }
  switch (G_TYPE_FUNDAMENTAL (G_VALUE_TYPE (value))) {
    case G_TYPE_STRING:
      g_value_set_string (value, *(gchar *const *) field);
      break;
    case G_TYPE_BOXED:
      gst_value_set_caps (value, *(GstCaps *const *) field);
      break;
    case G_TYPE_OBJECT:
      g_value_set_object (value, *(GObject *const *) field);
      break;
    case G_TYPE_INT:
      g_value_set_int (value, *(const gint *) field);
      break;
    case G_TYPE_UINT:
      g_value_set_uint (value, *(const guint *) field);
      break;
    case G_TYPE_ENUM:
      g_value_set_enum (value, *(const gint *) field);
      break;
    case G_TYPE_BOOLEAN:
      g_value_set_boolean (value, *(const gboolean *) field);
      break;
    case G_TYPE_UINT64:
      g_value_set_uint64 (value, *(const guint64 *) field);
      break;
    default:
      g_assert_not_reached ();
  }
}
