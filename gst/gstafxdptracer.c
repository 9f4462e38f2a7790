/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Knows every afxdpsrc of the process, and exports what they count.
 *
 * The environment asks for it, and no pipeline has to be changed:
 *
 *     GST_TRACERS="afxdpmetrics(listen=127.0.0.1:9464)" gst-launch-1.0 afxdpsrc ...
 *
 * docs/metrics.md has the parameters, and what is exported. It begins when the first
 * afxdpsrc goes to READY: the environment may be that of a whole session, and programs
 * that receive nothing must not take the port.
 */
#include "gstafxdptracer.h"

#include "exporter.h"
#include "gstafxdpmetrics.h"
#include "gstafxdpsrc.h"

#define GST_CAT_DEFAULT gst_afxdp_src_debug

struct _GstAfxdpTracer
{
  GstTracer parent;

  AfxdpExporterSettings settings;

  GMutex lock;        /* outside all others; protects what follows */
  GPtrArray *streams; /* GstAfxdpMetrics, in the order in which they came */
  AfxdpExporter *exporter; /* NULL: not begun */
};

enum
{
  PROP_0,
  PROP_PORT
};

G_DEFINE_TYPE (GstAfxdpTracer, gst_afxdp_tracer, GST_TYPE_TRACER)

/* On stderr, where whoever set GST_TRACERS looks; not as a warning of GLib, which
 * G_DEBUG may have end the process. */
static void
tell (const gchar *text)
{
  gst_printerrln ("afxdpmetrics: %s", text);
}

/* Exporting. */

static void
forget_those_gone (GstAfxdpTracer *self)
{
  for (guint i = self->streams->len; i-- > 0;)
    if (gst_afxdp_metrics_is_over (self->streams->pdata[i]))
      g_ptr_array_remove_index (self->streams, i);
}

/* Reads without the lock, so that no element waits for another's. */
static AfxdpSamples *
collect (gpointer user_data)
{
  GstAfxdpTracer *self = user_data;
  AfxdpSamples *samples = afxdp_samples_new ();
  g_autoptr (GPtrArray) streams =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_afxdp_metrics_unref);

  g_mutex_lock (&self->lock);
  forget_those_gone (self);
  for (guint i = 0; i < self->streams->len; i++)
    g_ptr_array_add (streams, gst_afxdp_metrics_ref (self->streams->pdata[i]));
  g_mutex_unlock (&self->lock);
  for (guint i = 0; i < streams->len; i++)
    gst_afxdp_metrics_collect (streams->pdata[i], samples);
  return samples;
}

/* Elements. */

static GstAfxdpMetrics *
find (GstAfxdpTracer *self, GstElement *element)
{
  GstAfxdpMetrics *metrics;

  for (guint i = 0; i < self->streams->len; i++)
    if (gst_afxdp_metrics_is_of (self->streams->pdata[i], element))
      return self->streams->pdata[i];
  metrics = gst_afxdp_metrics_new (element);
  g_ptr_array_add (self->streams, metrics);
  return metrics;
}

static void
on_state_changed (GObject *object, GstClockTime time, GstElement *element,
    GstStateChange change, GstStateChangeReturn result)
{
  GstAfxdpTracer *self = GST_AFXDP_TRACER (object);

  if (change != GST_STATE_CHANGE_NULL_TO_READY || !GST_IS_AFXDP_SRC (element) ||
      result == GST_STATE_CHANGE_FAILURE)
    return;
  g_mutex_lock (&self->lock);
  forget_those_gone (self);
  gst_afxdp_metrics_begin (find (self, element), element, self->streams);
  if (!self->exporter)
    self->exporter = afxdp_exporter_new (&self->settings, collect, tell, self);
  g_mutex_unlock (&self->lock);
}

/* The tracer. */

static void
gst_afxdp_tracer_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstAfxdpTracer *self = GST_AFXDP_TRACER (object);

  if (id != PROP_PORT) {
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    return;
  }
  g_mutex_lock (&self->lock);
  g_value_set_uint (
      value, self->exporter ? afxdp_exporter_port (self->exporter) : 0);
  g_mutex_unlock (&self->lock);
}

static void
gst_afxdp_tracer_constructed (GObject *object)
{
  GstAfxdpTracer *self = GST_AFXDP_TRACER (object);
  g_autofree gchar *parameters = NULL;
  g_autoptr (GError) error = NULL;

  G_OBJECT_CLASS (gst_afxdp_tracer_parent_class)->constructed (object);
  g_object_get (self, "params", &parameters, NULL);
  if (afxdp_exporter_settings_parse (&self->settings, parameters, &error))
    gst_tracing_register_hook (GST_TRACER (self), "element-change-state-post",
        G_CALLBACK (on_state_changed));
  else
    tell (error->message);
}

static void
gst_afxdp_tracer_finalize (GObject *object)
{
  GstAfxdpTracer *self = GST_AFXDP_TRACER (object);

  /* First: its threads ask for the others. */
  afxdp_exporter_free (self->exporter);
  g_ptr_array_unref (self->streams);
  afxdp_exporter_settings_clear (&self->settings);
  g_mutex_clear (&self->lock);
  G_OBJECT_CLASS (gst_afxdp_tracer_parent_class)->finalize (object);
}

static void
gst_afxdp_tracer_init (GstAfxdpTracer *self)
{
  g_mutex_init (&self->lock);
  self->streams =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_afxdp_metrics_unref);
}

static void
gst_afxdp_tracer_class_init (GstAfxdpTracerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->constructed = gst_afxdp_tracer_constructed;
  object_class->get_property = gst_afxdp_tracer_get_property;
  object_class->finalize = gst_afxdp_tracer_finalize;

  /**
   * GstAfxdpTracer:port:
   *
   * TCP port where metrics are had by HTTP; 0: none, or not yet.
   */
  g_object_class_install_property (object_class, PROP_PORT,
      g_param_spec_uint ("port", "Port",
          "TCP port where metrics are had by HTTP, 0 = none, or not yet", 0,
          G_MAXUINT16, 0, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}
