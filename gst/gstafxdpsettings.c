/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an application can set. */
#include "gstafxdpsettings.h"

#include <string.h>

#include "error.h"
#include "gstafxdpcaps.h"
#include "gstafxdpenums.h"
#include "gstafxdpuriparts.h"

#define DEFAULT_ADDRESS "0.0.0.0"
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

GstCaps *
gst_afxdp_settings_peek_caps (const GstAfxdpSettings *settings)
{
  if (settings->sdp_location &&
      !gst_afxdp_settings_is_newer (settings, GST_AFXDP_PROP_CAPS))
    return settings->sdp_caps;
  return settings->caps;
}

GstClockTime
gst_afxdp_settings_longest_sleep (const GstAfxdpSettings *settings)
{
  return settings->stream.busy_poll ? 0 : settings->stream.coalesce;
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
