/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes OpenMetrics' text, and the older one of Prometheus. */
#include "openmetrics.h"

#include <string.h>

/* Their inside. */
static void
append_escaped (GString *text, const gchar *value)
{
  for (; *value; value++)
    switch (*value) {
      case '\\':
        g_string_append (text, "\\\\");
        break;
      case '"':
        g_string_append (text, "\\\"");
        break;
      case '\n':
        g_string_append (text, "\\n");
        break;
      default:
        g_string_append_c (text, *value);
    }
}

/* bound: of a bucket, "le"; NULL: it is none. */
static void
append_labels (GString *text, const AfxdpMetricAbout *about,
    const AfxdpSample *sample, const gchar *bound)
{
  gchar separator = '{';

  for (guint i = 0; i < about->n_labels; i++) {
    g_string_append_printf (text, "%c%s=\"", separator, about->labels[i]);
    append_escaped (text, sample->values[i]);
    g_string_append_c (text, '"');
    separator = ',';
  }
  if (bound) {
    g_string_append_printf (text, "%cle=\"%s\"", separator, bound);
    separator = ',';
  }
  if (separator == ',')
    g_string_append_c (text, '}');
}

static void
append_bucket (GString *text, const AfxdpMetricAbout *about,
    const AfxdpSample *sample, const gchar *bound, guint64 n)
{
  g_string_append_printf (text, "%s_bucket", about->name);
  append_labels (text, about, sample, bound);
  g_string_append_printf (text, " %" G_GUINT64_FORMAT "\n", n);
}

static void
append_histogram (
    GString *text, const AfxdpMetricAbout *about, const AfxdpSample *sample)
{
  const AfxdpHistogram *histogram = sample->histogram;

  for (guint i = 0; i < AFXDP_N_BUCKETS; i++) {
    g_autoptr (GString) bound = g_string_new (NULL);

    afxdp_sample_append_value (bound, about, afxdp_bucket_bounds[i]);
    append_bucket (text, about, sample, bound->str, histogram->up_to[i]);
  }
  append_bucket (text, about, sample, "+Inf", histogram->n);
  g_string_append_printf (text, "%s_sum", about->name);
  append_labels (text, about, sample, NULL);
  g_string_append_c (text, ' ');
  afxdp_sample_append_value (text, about, histogram->sum);
  g_string_append_printf (text, "\n%s_count", about->name);
  append_labels (text, about, sample, NULL);
  g_string_append_printf (text, " %" G_GUINT64_FORMAT "\n", histogram->n);
}

static void
append_sample (
    GString *text, const AfxdpMetricAbout *about, const AfxdpSample *sample)
{
  if (sample->histogram) {
    append_histogram (text, about, sample);
    return;
  }
  g_string_append (text, about->name);
  g_string_append (text, afxdp_metric_suffix (about->type));
  append_labels (text, about, sample, NULL);
  g_string_append_c (text, ' ');
  afxdp_sample_append_value (text, about, sample->value);
  g_string_append_c (text, '\n');
}

/* The older format names what a sample is called, and has no infos. */
static void
append_head (
    GString *text, const AfxdpMetricAbout *about, AfxdpTextFormat format)
{
  gboolean is_new = format == AFXDP_TEXT_OPENMETRICS;
  const gchar *suffix = is_new ? "" : afxdp_metric_suffix (about->type);
  AfxdpMetricType type = !is_new && about->type == AFXDP_METRIC_INFO
      ? AFXDP_METRIC_GAUGE
      : about->type;

  g_string_append_printf (text, "# HELP %s%s %s\n# TYPE %s%s %s\n", about->name,
      suffix, about->help, about->name, suffix, afxdp_metric_type_name (type));
  if (is_new && about->unit)
    g_string_append_printf (text, "# UNIT %s %s\n", about->name, about->unit);
}

gchar *
afxdp_samples_to_text (const AfxdpSamples *samples, AfxdpTextFormat format)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < AFXDP_N_METRICS; i++) {
    const AfxdpMetricAbout *about = afxdp_metric_about (i);
    const GPtrArray *of = afxdp_samples_of (samples, i);

    if (!of)
      continue;
    append_head (text, about, format);
    for (guint j = 0; j < of->len; j++)
      append_sample (text, about, of->pdata[j]);
  }
  if (format == AFXDP_TEXT_OPENMETRICS)
    g_string_append (text, "# EOF\n");
  return g_string_free (text, FALSE);
}

const gchar *
afxdp_text_content_type (AfxdpTextFormat format)
{
  return format == AFXDP_TEXT_OPENMETRICS
      ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
      : "text/plain; version=0.0.4; charset=utf-8";
}

/* Which one a reader wants (RFC 9110, section 12.5.1). */

typedef struct
{
  gboolean is_known;
  AfxdpTextFormat format;
  gdouble weight;
} Wish;

/* One of its ranges: "application/openmetrics-text;version=1.0.0;q=0.75". */
static Wish
read_range (const gchar *range)
{
  g_auto (GStrv) parts = g_strsplit (range, ";", -1);
  Wish wish = { .weight = 1 };
  const gchar *type = parts[0] ? g_strstrip (parts[0]) : "";

  if (!g_ascii_strcasecmp (type, "application/openmetrics-text")) {
    wish.is_known = TRUE;
    wish.format = AFXDP_TEXT_OPENMETRICS;
  } else if (!g_ascii_strcasecmp (type, "text/plain") ||
      !g_ascii_strcasecmp (type, "text/*") || g_str_equal (type, "*/*")) {
    wish.is_known = TRUE;
    wish.format = AFXDP_TEXT_PROMETHEUS;
  }
  for (guint i = 1; wish.is_known && parts[i]; i++) {
    const gchar *part = g_strstrip (parts[i]);

    if (!g_ascii_strncasecmp (part, "q=", 2))
      wish.weight = g_ascii_strtod (part + 2, NULL);
    else if (wish.format == AFXDP_TEXT_OPENMETRICS &&
        !g_ascii_strncasecmp (part, "version=", 8))
      wish.is_known = g_str_equal (part + 8, "1.0.0");
  }
  return wish;
}

AfxdpTextFormat
afxdp_text_format_of (const gchar *accept)
{
  g_auto (GStrv) ranges = g_strsplit (accept ? accept : "", ",", -1);
  Wish best = { .format = AFXDP_TEXT_PROMETHEUS };

  for (guint i = 0; ranges[i]; i++) {
    Wish wish = read_range (ranges[i]);

    /* Of equals the newer one. */
    if (wish.is_known && wish.weight > 0 &&
        (wish.weight > best.weight ||
            (wish.weight == best.weight &&
                wish.format == AFXDP_TEXT_OPENMETRICS)))
      best = wish;
  }
  return best.format;
}
