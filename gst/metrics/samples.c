/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What metrics are at one moment. */
#include "samples.h"

#include "clock.h"

struct _AfxdpSamples
{
  GPtrArray *of[AFXDP_N_METRICS]; /* AfxdpSample; NULL: none */
};

/* 10 µs is a stream on an idle machine, 10 s is one whose pipeline was held up. */
const guint64 afxdp_bucket_bounds[AFXDP_N_BUCKETS] = {
  10 * AFXDP_US,
  25 * AFXDP_US,
  50 * AFXDP_US,
  100 * AFXDP_US,
  250 * AFXDP_US,
  500 * AFXDP_US,
  1 * AFXDP_MS,
  2500 * AFXDP_US,
  5 * AFXDP_MS,
  10 * AFXDP_MS,
  25 * AFXDP_MS,
  50 * AFXDP_MS,
  100 * AFXDP_MS,
  250 * AFXDP_MS,
  500 * AFXDP_MS,
  1 * AFXDP_S,
  2500 * AFXDP_MS,
  10 * AFXDP_S,
};

static void
free_sample (gpointer data)
{
  AfxdpSample *sample = data;

  g_strfreev (sample->values);
  g_free (sample->histogram);
  g_free (sample);
}

AfxdpSamples *
afxdp_samples_new (void)
{
  return g_new0 (AfxdpSamples, 1);
}

void
afxdp_samples_free (AfxdpSamples *samples)
{
  if (!samples)
    return;
  for (guint i = 0; i < AFXDP_N_METRICS; i++)
    g_clear_pointer (&samples->of[i], g_ptr_array_unref);
  g_free (samples);
}

/* Texts come from elsewhere, and what is written is UTF-8. */
static GStrv
copy_values (const AfxdpMetricAbout *about, const gchar *const *values)
{
  GStrv copy = g_new0 (gchar *, about->n_labels + 1);

  for (guint i = 0; i < about->n_labels; i++)
    copy[i] = g_utf8_make_valid (values[i] ? values[i] : "", -1);
  return copy;
}

static AfxdpSample *
append (AfxdpSamples *samples, AfxdpMetric metric, const gchar *const *values)
{
  AfxdpSample *sample = g_new0 (AfxdpSample, 1);

  sample->values = copy_values (afxdp_metric_about (metric), values);
  if (!samples->of[metric])
    samples->of[metric] = g_ptr_array_new_with_free_func (free_sample);
  g_ptr_array_add (samples->of[metric], sample);
  return sample;
}

void
afxdp_samples_add (AfxdpSamples *samples, AfxdpMetric metric,
    const gchar *const *values, guint64 value)
{
  append (samples, metric, values)->value = value;
}

void
afxdp_samples_add_histogram (AfxdpSamples *samples, AfxdpMetric metric,
    const gchar *const *values, const AfxdpHistogram *histogram)
{
  append (samples, metric, values)->histogram =
      g_memdup2 (histogram, sizeof *histogram);
}

void
afxdp_samples_take (AfxdpSamples *samples, AfxdpSamples *others)
{
  for (guint i = 0; i < AFXDP_N_METRICS; i++) {
    if (!others->of[i])
      continue;
    if (samples->of[i])
      g_ptr_array_extend_and_steal (
          samples->of[i], g_steal_pointer (&others->of[i]));
    else
      samples->of[i] = g_steal_pointer (&others->of[i]);
  }
  afxdp_samples_free (others);
}

const GPtrArray *
afxdp_samples_of (const AfxdpSamples *samples, AfxdpMetric metric)
{
  return samples->of[metric];
}

GHashTable *
afxdp_highest_new (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
}

/* Where a label has such a byte, two samples may have one highest value. */
static gchar *
key_of (AfxdpMetric metric, const AfxdpSample *sample)
{
  g_autofree gchar *values = g_strjoinv ("\x1f", sample->values);

  return g_strdup_printf ("%u\x1f%s", (guint) metric, values);
}

static void
raise_one (GHashTable *highest, AfxdpMetric metric, AfxdpSample *sample)
{
  g_autofree gchar *key = key_of (metric, sample);
  guint64 *most = g_hash_table_lookup (highest, key);

  if (!most) {
    most = g_new0 (guint64, 1);
    g_hash_table_insert (highest, g_steal_pointer (&key), most);
  }
  sample->value = *most = MAX (*most, sample->value);
}

void
afxdp_samples_raise (AfxdpSamples *samples, GHashTable *highest)
{
  for (guint i = 0; i < AFXDP_N_METRICS; i++)
    if (samples->of[i] && afxdp_metric_about (i)->type == AFXDP_METRIC_COUNTER)
      for (guint j = 0; j < samples->of[i]->len; j++)
        raise_one (highest, i, samples->of[i]->pdata[j]);
}

void
afxdp_sample_append_value (
    GString *text, const AfxdpMetricAbout *about, guint64 value)
{
  if (g_strcmp0 (about->unit, "seconds")) {
    g_string_append_printf (text, "%" G_GUINT64_FORMAT, value);
    return;
  }
  g_string_append_printf (text, "%" G_GUINT64_FORMAT ".%09u", value / AFXDP_S,
      (guint) (value % AFXDP_S));
  while (text->str[text->len - 1] == '0' && text->str[text->len - 2] != '.')
    g_string_truncate (text, text->len - 1);
}
