/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is exported: names, types, units and labels, by Prometheus' conventions. The
 * values are for samples.h.
 *
 * Any thread.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  AFXDP_METRIC_COUNTER, /* never falls while the labels are the same */
  AFXDP_METRIC_GAUGE,
  AFXDP_METRIC_HISTOGRAM,
  AFXDP_METRIC_INFO, /* always 1: its labels are what is told */
} AfxdpMetricType;

/* AFXDP_METRIC_PACKETS and so on. */
typedef enum
{
#define METRIC(ID, type, unit, name, labels, help) AFXDP_METRIC_##ID,
#include "metrics.def"
  AFXDP_N_METRICS
} AfxdpMetric;

typedef struct
{
  const gchar *name; /* of the family */
  AfxdpMetricType type;
  const gchar *unit; /* NULL: none; "seconds": values are in ns */
  GStrv labels;      /* in the order of a sample's values */
  guint n_labels;
  const gchar *help;
} AfxdpMetricAbout;

/* What the table says. */
const AfxdpMetricAbout *afxdp_metric_about (AfxdpMetric metric);

/* "counter" and so on: as OpenMetrics calls them. */
const gchar *afxdp_metric_type_name (AfxdpMetricType type);
/* What follows the name in a sample of this type: "_total", "_info" or "". */
const gchar *afxdp_metric_suffix (AfxdpMetricType type);

G_END_DECLS
