/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The statistics of an element, as samples. */
#include "gstafxdpmetrics.h"

#include "gstafxdpsrcprivate.h"

/* Those that each metric of a stream has, and the most behind them (LEG_INFO). */
enum
{
  PIPELINE,
  ELEMENT,
  GROUP,
  PORT,
  INTERFACE,
  N_COMMON,
  N_LABELS = N_COMMON + 5
};

struct _GstAfxdpMetrics
{
  gatomicrefcount references;
  GWeakRef element;

  GMutex lock; /* outside all of the element's; protects what follows */
  gchar *name; /* of the element, without its number */
  gchar *values[INTERFACE]; /* of the labels; the interface may change */
  guint number;        /* of those with the same name and pipeline, from 1 on */
  GHashTable *highest; /* what its counters were at most */
  /* Likewise of a leg, which begins anew when it is another one. */
  struct
  {
    GHashTable *highest;
    gchar *uri;
  } legs[GST_AFXDP_LEGS];
};

GstAfxdpMetrics *
gst_afxdp_metrics_new (GstElement *element)
{
  GstAfxdpMetrics *metrics = g_new0 (GstAfxdpMetrics, 1);

  g_atomic_ref_count_init (&metrics->references);
  g_weak_ref_init (&metrics->element, element);
  g_mutex_init (&metrics->lock);
  metrics->highest = afxdp_highest_new ();
  for (guint i = 0; i < GST_AFXDP_LEGS; i++)
    metrics->legs[i].highest = afxdp_highest_new ();
  return metrics;
}

GstAfxdpMetrics *
gst_afxdp_metrics_ref (GstAfxdpMetrics *metrics)
{
  g_atomic_ref_count_inc (&metrics->references);
  return metrics;
}

void
gst_afxdp_metrics_unref (GstAfxdpMetrics *metrics)
{
  if (!g_atomic_ref_count_dec (&metrics->references))
    return;
  for (guint i = 0; i < GST_AFXDP_LEGS; i++) {
    g_hash_table_unref (metrics->legs[i].highest);
    g_free (metrics->legs[i].uri);
  }
  g_hash_table_unref (metrics->highest);
  for (guint i = 0; i < INTERFACE; i++)
    g_free (metrics->values[i]);
  g_free (metrics->name);
  g_mutex_clear (&metrics->lock);
  g_weak_ref_clear (&metrics->element);
  g_free (metrics);
}

/* What it is called. */

/* Of the outermost bin that it is in; empty: it is in none. */
static gchar *
name_pipeline (GstElement *element)
{
  GstObject *outer = gst_object_get_parent (GST_OBJECT (element)), *next;
  gchar *name;

  if (!outer)
    return g_strdup ("");
  while ((next = gst_object_get_parent (outer))) {
    gst_object_unref (outer);
    outer = next;
  }
  name = gst_object_get_name (outer);
  gst_object_unref (outer);
  return name;
}

static void
set (GstAfxdpMetrics *metrics, guint label, gchar *value)
{
  g_free (metrics->values[label]);
  metrics->values[label] = value;
}

/* What is received, as it was opened: by the properties, a URI or an SDP file. */
static void
set_stream (GstAfxdpMetrics *metrics, GstAfxdpSrc *src)
{
  guint port;

  g_mutex_lock (&src->stream_lock);
  port = src->stream ? afxdp_stream_port (src->stream) : 0;
  g_mutex_unlock (&src->stream_lock);
  set (metrics, GROUP, g_strdup (src->active.address));
  set (metrics, PORT, g_strdup_printf ("%u", port));
}

static gboolean
has_number (const GPtrArray *all, const GstAfxdpMetrics *metrics, guint number)
{
  for (guint i = 0; i < all->len; i++) {
    const GstAfxdpMetrics *other = all->pdata[i];

    if (other != metrics && other->number == number &&
        g_str_equal (other->name, metrics->name) &&
        g_str_equal (other->values[PIPELINE], metrics->values[PIPELINE]))
      return TRUE;
  }
  return FALSE;
}

/* Names are one's own to choose, and two pipelines may have the same; two series may
 * not. */
static void
set_element (GstAfxdpMetrics *metrics, const GPtrArray *others)
{
  metrics->number = 1;
  while (has_number (others, metrics, metrics->number))
    metrics->number++;
  set (metrics, ELEMENT,
      metrics->number > 1
          ? g_strdup_printf ("%s#%u", metrics->name, metrics->number)
          : g_strdup (metrics->name));
}

void
gst_afxdp_metrics_begin (
    GstAfxdpMetrics *metrics, GstElement *element, const GPtrArray *others)
{
  g_mutex_lock (&metrics->lock);
  g_free (metrics->name);
  metrics->name = gst_object_get_name (GST_OBJECT (element));
  set (metrics, PIPELINE, name_pipeline (element));
  set_element (metrics, others);
  set_stream (metrics, GST_AFXDP_SRC (element));
  g_hash_table_remove_all (metrics->highest);
  for (guint i = 0; i < GST_AFXDP_LEGS; i++)
    g_hash_table_remove_all (metrics->legs[i].highest);
  g_mutex_unlock (&metrics->lock);
}

gboolean
gst_afxdp_metrics_is_of (GstAfxdpMetrics *metrics, const GstElement *element)
{
  g_autoptr (GstElement) own = g_weak_ref_get (&metrics->element);

  return own == element;
}

gboolean
gst_afxdp_metrics_is_over (GstAfxdpMetrics *metrics)
{
  return gst_afxdp_metrics_is_of (metrics, NULL);
}

/* What it says. */

typedef struct
{
  AfxdpSamples *samples;
  const GstStructure *stats;
  const gchar *values[N_LABELS];
} Collection;

static guint64
number_of (const GstStructure *structure, const gchar *field)
{
  guint64 number = 0;

  if (!gst_structure_get_uint64 (structure, field, &number))
    g_assert_not_reached ();
  return number;
}

static void
add (const Collection *collection, AfxdpMetric metric, guint64 value)
{
  afxdp_samples_add (collection->samples, metric, collection->values, value);
}

/* With one label more. */
static void
add_by (Collection *collection, AfxdpMetric metric, const gchar *value,
    guint64 number)
{
  collection->values[N_COMMON] = value;
  add (collection, metric, number);
}

static void
add_info (Collection *collection)
{
  const GstStructure *stats = collection->stats;
  gboolean zero_copy = FALSE;

  gst_structure_get_boolean (stats, "zero-copy", &zero_copy);
  collection->values[N_COMMON] = gst_structure_get_string (stats, "mode");
  collection->values[N_COMMON + 1] =
      gst_structure_get_string (stats, "xdp-mode");
  collection->values[N_COMMON + 2] = zero_copy ? "true" : "false";
  add (collection, AFXDP_METRIC_STREAM_INFO, 1);
}

static const struct
{
  const gchar *field;
  AfxdpMetric metric;
} fields[] = {
  { "bytes", AFXDP_METRIC_PAYLOAD },
  { "copied", AFXDP_METRIC_COPIED },
  { "pending", AFXDP_METRIC_PENDING },
  { "gaps", AFXDP_METRIC_GAPS },
  { "waiting", AFXDP_METRIC_WAITING },
  { "waits-cut-short", AFXDP_METRIC_CUT_SHORT },
  { "reordered", AFXDP_METRIC_REORDERED },
  { "duplicates", AFXDP_METRIC_DUPLICATES },
  { "restarts", AFXDP_METRIC_RESTARTS },
  { "strays", AFXDP_METRIC_STRAYS },
  { "unvalidated", AFXDP_METRIC_UNVALIDATED },
  { "not-rtp", AFXDP_METRIC_NOT_RTP },
  { "sources-evicted", AFXDP_METRIC_EVICTED },
  { "latency-max", AFXDP_METRIC_LATENCY_MAX },
  { "frames", AFXDP_METRIC_FRAMES },
  { "frames-free", AFXDP_METRIC_FRAMES_FREE },
};

/* Each place where a packet can end is a sample. */
static void
add_columns (Collection *collection)
{
  const GstStructure *stats = collection->stats;

  add_by (collection, AFXDP_METRIC_PACKETS, "af-xdp",
      number_of (stats, afxdp_column_name (AFXDP_COLUMN_DELIVERED_XDP)));
  add_by (collection, AFXDP_METRIC_PACKETS, "socket",
      number_of (stats, afxdp_column_name (AFXDP_COLUMN_DELIVERED_SOCKET)));
  for (guint i = AFXDP_COLUMN_KEPT_BACK; i < AFXDP_FIRST_LOSS; i++)
    add_by (collection, AFXDP_METRIC_WITHHELD, afxdp_column_name (i),
        number_of (stats, afxdp_column_name (i)));
  for (guint i = AFXDP_FIRST_LOSS; i < AFXDP_N_COLUMNS; i++) {
    const gchar *place = afxdp_column_where (i);
    guint64 lost = number_of (stats, afxdp_column_lost_name (i));

    add_by (collection, AFXDP_METRIC_LOST, place, lost);
    add_by (collection, AFXDP_METRIC_MISSING, place, lost);
    if (afxdp_column_name (i))
      add_by (collection, AFXDP_METRIC_DROPPED, place,
          number_of (stats, afxdp_column_name (i)));
  }
}

/* Of each SSRC one sample would be too many: whoever sends makes as many as he likes. */
static void
add_sources (const Collection *collection)
{
  const GValue *sources =
      gst_structure_get_value (collection->stats, "sources");
  guint n = gst_value_array_get_size (sources);
  guint64 jitter = 0;

  for (guint i = 0; i < n; i++) {
    const GstStructure *source =
        gst_value_get_structure (gst_value_array_get_value (sources, i));

    jitter = MAX (jitter, number_of (source, "jitter-time"));
  }
  add (collection, AFXDP_METRIC_SSRCS, n);
  add (collection, AFXDP_METRIC_JITTER, jitter);
}

static void
add_queues (Collection *collection)
{
  const GValue *queues = gst_structure_get_value (collection->stats, "queues");

  for (guint i = 0; i < gst_value_array_get_size (queues); i++) {
    const GstStructure *queue =
        gst_value_get_structure (gst_value_array_get_value (queues, i));
    g_autofree gchar *text = NULL;
    guint number = 0;

    gst_structure_get_uint (queue, "queue", &number);
    text = g_strdup_printf ("%u", number);
    add_by (collection, AFXDP_METRIC_QUEUE_REDIRECTED, text,
        number_of (queue, "redirected"));
    add_by (collection, AFXDP_METRIC_QUEUE_PASSED, text,
        number_of (queue, "passed"));
  }
}

static void
add_histogram (const Collection *collection, AfxdpMetric metric,
    const AfxdpLatency *latency)
{
  AfxdpHistogram histogram = { .n = latency->n, .sum = latency->sum };

  for (guint i = 0; i < AFXDP_N_BUCKETS; i++)
    histogram.up_to[i] = afxdp_latency_up_to (latency, afxdp_bucket_bounds[i]);
  afxdp_samples_add_histogram (
      collection->samples, metric, collection->values, &histogram);
}

/* Legs. */

static const struct
{
  const gchar *field;
  AfxdpMetric metric;
} leg_fields[] = {
  { "packets", AFXDP_METRIC_LEG_PACKETS },
  { "late", AFXDP_METRIC_LEG_LATE },
  { "unmatched", AFXDP_METRIC_LEG_UNMATCHED },
  { "recovered", AFXDP_METRIC_LEG_RECOVERED },
};

static void
add_leg_info (Collection *collection, const GstStructure *leg)
{
  static const gchar *const names[] = { "uri", "interface", "mode", "state" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    collection->values[N_COMMON + 1 + i] =
        gst_structure_get_string (leg, names[i]);
  add (collection, AFXDP_METRIC_LEG_INFO, 1);
  add (collection, AFXDP_METRIC_LEG_ACTIVE,
      !g_strcmp0 (gst_structure_get_string (leg, "state"), "active"));
}

static void
add_leg (Collection *collection, GstAfxdpSrc *src, guint number,
    const GstStructure *leg)
{
  g_autofree gchar *text = g_strdup_printf ("%u", number);
  AfxdpLatency behind;

  collection->values[N_COMMON] = text;
  add_leg_info (collection, leg);
  for (guint i = 0; i < G_N_ELEMENTS (leg_fields); i++)
    add (
        collection, leg_fields[i].metric, number_of (leg, leg_fields[i].field));
  for (guint i = AFXDP_FIRST_LOSS; i < AFXDP_N_COLUMNS; i++) {
    collection->values[N_COMMON + 1] = afxdp_column_where (i);
    add (collection, AFXDP_METRIC_LEG_LOST,
        number_of (leg, afxdp_column_lost_name (i)));
  }
  g_mutex_lock (&src->ordered.lock);
  behind = src->ordered.skews[number].behind;
  g_mutex_unlock (&src->ordered.lock);
  add_histogram (collection, AFXDP_METRIC_LEG_SKEW, &behind);
}

/* redundant-uri may make another one of a leg at any time. */
static GHashTable *
follow_leg (GstAfxdpMetrics *metrics, guint number, const GstStructure *leg)
{
  const gchar *uri = gst_structure_get_string (leg, "uri");

  if (g_strcmp0 (metrics->legs[number].uri, uri)) {
    g_free (metrics->legs[number].uri);
    metrics->legs[number].uri = g_strdup (uri);
    g_hash_table_remove_all (metrics->legs[number].highest);
  }
  return metrics->legs[number].highest;
}

static void
add_legs (
    GstAfxdpMetrics *metrics, const Collection *of_stream, GstAfxdpSrc *src)
{
  const GValue *legs = gst_structure_get_value (of_stream->stats, "legs");

  for (guint i = 0; i < gst_value_array_get_size (legs); i++) {
    const GstStructure *leg =
        gst_value_get_structure (gst_value_array_get_value (legs, i));
    Collection collection = *of_stream;

    collection.samples = afxdp_samples_new ();
    add_leg (&collection, src, i, leg);
    afxdp_samples_raise (collection.samples, follow_leg (metrics, i, leg));
    afxdp_samples_take (of_stream->samples, collection.samples);
  }
}

static void
add_stream (Collection *collection, GstAfxdpSrc *src)
{
  AfxdpLatency latency;

  add_info (collection);
  GST_OBJECT_LOCK (src);
  add (collection, AFXDP_METRIC_PLAYING, GST_STATE (src) == GST_STATE_PLAYING);
  GST_OBJECT_UNLOCK (src);
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    add (collection, fields[i].metric,
        number_of (collection->stats, fields[i].field));
  add_columns (collection);
  add_sources (collection);
  add_queues (collection);
  gst_afxdp_report_latency (src->report, &latency);
  add_histogram (collection, AFXDP_METRIC_LATENCY, &latency);
}

/* Called with the lock, also while the element is asked: what was read of a former stream
 * must not raise the counters of this one. */
static void
collect (GstAfxdpMetrics *metrics, GstElement *element, AfxdpSamples *samples)
{
  g_autoptr (GstStructure) stats = NULL;
  Collection collection = { .samples = afxdp_samples_new () };

  g_object_get (element, "stats", &stats, NULL);
  collection.stats = stats;
  for (guint i = 0; i < INTERFACE; i++)
    collection.values[i] = metrics->values[i];
  collection.values[INTERFACE] = gst_structure_get_string (stats, "interface");
  add_stream (&collection, GST_AFXDP_SRC (element));
  afxdp_samples_raise (collection.samples, metrics->highest);
  add_legs (metrics, &collection, GST_AFXDP_SRC (element));
  afxdp_samples_take (samples, collection.samples);
}

void
gst_afxdp_metrics_collect (GstAfxdpMetrics *metrics, AfxdpSamples *samples)
{
  /* Let go of without the lock: it may be the last reference. */
  g_autoptr (GstElement) element = g_weak_ref_get (&metrics->element);

  if (!element)
    return;
  g_mutex_lock (&metrics->lock);
  collect (metrics, element, samples);
  g_mutex_unlock (&metrics->lock);
}
