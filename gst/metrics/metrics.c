/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of metrics, as others ask for it. */
#include "metrics.h"

static const struct
{
  const gchar *name, *unit, *labels, *help;
  AfxdpMetricType type;
} table[AFXDP_N_METRICS] = {
#define METRIC(ID, type_, unit_, name_, labels_, help_) \
  [AFXDP_METRIC_##ID] = { .name = name_,                \
    .unit = unit_,                                      \
    .labels = labels_,                                  \
    .help = help_,                                      \
    .type = AFXDP_METRIC_##type_ },
#include "metrics.def"
};

static const struct
{
  const gchar *name, *suffix;
} types[] = {
  [AFXDP_METRIC_COUNTER] = { "counter", "_total" },
  [AFXDP_METRIC_GAUGE] = { "gauge", "" },
  [AFXDP_METRIC_HISTOGRAM] = { "histogram", "" },
  [AFXDP_METRIC_INFO] = { "info", "_info" },
};

static GStrv
split (const gchar *labels)
{
  return *labels ? g_strsplit (labels, " ", -1) : g_new0 (gchar *, 1);
}

static gpointer
make (gpointer unused)
{
  AfxdpMetricAbout *about = g_new (AfxdpMetricAbout, AFXDP_N_METRICS);

  for (guint i = 0; i < AFXDP_N_METRICS; i++) {
    GStrv labels = split (table[i].labels);

    about[i] = (AfxdpMetricAbout){
      .name = table[i].name,
      .type = table[i].type,
      .unit = table[i].unit,
      .labels = labels,
      .n_labels = g_strv_length (labels),
      .help = table[i].help,
    };
  }
  return about;
}

const AfxdpMetricAbout *
afxdp_metric_about (AfxdpMetric metric)
{
  static GOnce once = G_ONCE_INIT;
  const AfxdpMetricAbout *about = g_once (&once, make, NULL);

  return &about[metric];
}

const gchar *
afxdp_metric_type_name (AfxdpMetricType type)
{
  return types[type].name;
}

const gchar *
afxdp_metric_suffix (AfxdpMetricType type)
{
  return types[type].suffix;
}
