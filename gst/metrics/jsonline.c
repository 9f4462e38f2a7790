/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes samples as JSON. By hand, since the plugin needs no JSON library elsewhere. */
#include "jsonline.h"

/* With its quotes; it is UTF-8. */
static void
append_string (GString *text, const gchar *string)
{
  g_string_append_c (text, '"');
  for (const guchar *i = (const guchar *) string; *i; i++)
    if (*i == '"' || *i == '\\')
      g_string_append_printf (text, "\\%c", *i);
    else if (*i < ' ')
      g_string_append_printf (text, "\\u%04x", *i);
    else
      g_string_append_c (text, *i);
  g_string_append_c (text, '"');
}

static void
append_histogram (GString *text, const AfxdpMetricAbout *about,
    const AfxdpHistogram *histogram)
{
  g_string_append_printf (
      text, ",\"count\":%" G_GUINT64_FORMAT ",\"sum\":", histogram->n);
  afxdp_sample_append_value (text, about, histogram->sum);
  g_string_append (text, ",\"buckets\":{");
  for (guint i = 0; i < AFXDP_N_BUCKETS; i++) {
    g_string_append (text, i ? ",\"" : "\"");
    afxdp_sample_append_value (text, about, afxdp_bucket_bounds[i]);
    g_string_append_printf (text, "\":%" G_GUINT64_FORMAT, histogram->up_to[i]);
  }
  g_string_append_c (text, '}');
}

static void
append_sample (
    GString *text, const AfxdpMetricAbout *about, const AfxdpSample *sample)
{
  g_string_append_printf (text, "{\"name\":\"%s%s\"", about->name,
      afxdp_metric_suffix (about->type));
  for (guint i = 0; i < about->n_labels; i++) {
    g_string_append_printf (text, ",\"%s\":", about->labels[i]);
    append_string (text, sample->values[i]);
  }
  if (sample->histogram) {
    append_histogram (text, about, sample->histogram);
  } else {
    g_string_append (text, ",\"value\":");
    afxdp_sample_append_value (text, about, sample->value);
  }
  g_string_append_c (text, '}');
}

gchar *
afxdp_samples_to_json_line (const AfxdpSamples *samples, gint64 time)
{
  GString *text = g_string_new (NULL);
  const gchar *separator = "";

  g_string_printf (text, "{\"time\":%" G_GINT64_FORMAT ".%03u,\"samples\":[",
      time / G_USEC_PER_SEC, (guint) (time % G_USEC_PER_SEC / 1000));
  for (guint i = 0; i < AFXDP_N_METRICS; i++) {
    const GPtrArray *of = afxdp_samples_of (samples, i);

    for (guint j = 0; of && j < of->len; j++) {
      g_string_append (text, separator);
      append_sample (text, afxdp_metric_about (i), of->pdata[j]);
      separator = ",";
    }
  }
  g_string_append (text, "]}\n");
  return g_string_free (text, FALSE);
}
