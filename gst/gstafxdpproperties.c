/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The element's properties: those that are set, and what it answers for the others. The
 * table of them is gstafxdpproperties.def. */
#include "gstafxdpsrcprivate.h"

#define GST_CAT_DEFAULT gst_afxdp_src_debug

static void
set_uri (GstAfxdpSrc *self, const gchar *uri, GError **error)
{
  g_autofree gchar *sources = NULL;
  gboolean other_sources;

  GST_OBJECT_LOCK (self);
  sources = g_strdup (self->settings.multicast_source);
  gst_afxdp_settings_set_uri (&self->settings, uri, error);
  other_sources = g_strcmp0 (sources, self->settings.multicast_source) != 0;
  GST_OBJECT_UNLOCK (self);
  if (other_sources)
    g_object_notify (G_OBJECT (self), "multicast-source");
}

/* Whether it takes effect only when the stream is opened the next time. */
static gboolean
is_late (GstAfxdpSrc *self, GParamSpec *pspec)
{
  gboolean open;

  g_mutex_lock (&self->stream_lock);
  open = self->stream != NULL;
  g_mutex_unlock (&self->stream_lock);
  return open && !(pspec->flags & GST_PARAM_MUTABLE_PLAYING);
}

/* Each is told once. */
static void
warn_about_late (GstAfxdpSrc *self, GParamSpec *pspec)
{
  guint64 bit = G_GUINT64_CONSTANT (1) << pspec->param_id;
  gboolean told;

  GST_OBJECT_LOCK (self);
  told = (self->told_late & bit) != 0;
  self->told_late |= bit;
  GST_OBJECT_UNLOCK (self);
  if (!told)
    GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS,
        ("The property %s was set while the stream is open. It takes effect "
         "the next time the element goes from NULL to READY.",
            pspec->name),
        (NULL));
}

void
gst_afxdp_src_set_skip (GstAfxdpSrc *self)
{
  gint skip;

  /* Read here, so that of two threads that set it the last one wins in both. */
  g_mutex_lock (&self->stream_lock);
  GST_OBJECT_LOCK (self);
  skip = self->settings.stream.skip;
  GST_OBJECT_UNLOCK (self);
  for (guint i = 0; i < GST_AFXDP_LEGS; i++)
    if (self->legs[i].stream)
      afxdp_stream_set_skip (self->legs[i].stream, skip);
  g_mutex_unlock (&self->stream_lock);
}

void
gst_afxdp_src_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstAfxdpSrc *self = GST_AFXDP_SRC (object);
  GValue before = G_VALUE_INIT, after = G_VALUE_INIT;
  gboolean late = is_late (self, pspec);
  g_autoptr (GError) error = NULL;

  if (late) {
    g_value_init (&before, pspec->value_type);
    g_object_get_property (object, pspec->name, &before);
  }
  if (id == GST_AFXDP_PROP_URI) {
    set_uri (self, g_value_get_string (value), &error);
  } else {
    GST_OBJECT_LOCK (self);
    gst_afxdp_settings_set (&self->settings, id, value);
    GST_OBJECT_UNLOCK (self);
  }
  if (id == GST_AFXDP_PROP_SKIP_FIRST_BYTES)
    gst_afxdp_src_set_skip (self);
  g_atomic_int_set (&self->settings_changed, TRUE);
  if (id == GST_AFXDP_PROP_REDUNDANT_URI && !gst_afxdp_src_retune (self))
    warn_about_late (self, pspec);
  if (late) {
    g_value_init (&after, pspec->value_type);
    g_object_get_property (object, pspec->name, &after);
    if (g_param_values_cmp (pspec, &before, &after))
      warn_about_late (self, pspec);
    g_value_unset (&before);
    g_value_unset (&after);
  }
  if (error)
    g_warning ("%s: %s", GST_OBJECT_NAME (self), error->message);
}

static GstStructure *
get_stats (GstAfxdpSrc *self)
{
  AfxdpStreamCounts counts;
  GstStructure *stats;

  g_mutex_lock (&self->stream_lock);
  if (self->stream) {
    gst_afxdp_src_count (self, &counts);
    gst_afxdp_report_set_stream_counts (self->report, &counts);
  }
  stats = gst_afxdp_report_stats (self->report);
  g_mutex_unlock (&self->stream_lock);
  return stats;
}

void
gst_afxdp_src_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstAfxdpSrc *self = GST_AFXDP_SRC (object);

  if (id == GST_AFXDP_PROP_STATS) {
    g_value_take_boxed (value, get_stats (self));
    return;
  }
  if (id == GST_AFXDP_PROP_USED_SOCKET) {
    g_mutex_lock (&self->stream_lock);
    g_value_set_object (
        value, self->stream ? afxdp_stream_gsocket (self->stream) : NULL);
    g_mutex_unlock (&self->stream_lock);
    return;
  }
  if (id == GST_AFXDP_PROP_CURRENT_MODE) {
    g_value_set_enum (value, gst_afxdp_current_mode_get (&self->current_mode));
    return;
  }
  GST_OBJECT_LOCK (self);
  gst_afxdp_settings_get (&self->settings, id, value);
  GST_OBJECT_UNLOCK (self);
}
