/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The values of metrics at one moment: whoever is asked makes an AfxdpSamples, adds what
 * he knows in any order, and hands it to who writes it (openmetrics.h, jsonline.h).
 *
 * For one thread at a time.
 */
#pragma once

#include "metrics.h"

G_BEGIN_DECLS

/* The buckets of all histograms, but for the one that has everything: the longest time
 * of each, in ns. */
#define AFXDP_N_BUCKETS 18
extern const guint64 afxdp_bucket_bounds[AFXDP_N_BUCKETS];

typedef struct
{
  guint64 up_to[AFXDP_N_BUCKETS]; /* how many were no longer than its bound */
  guint64 n;
  guint64 sum; /* ns */
} AfxdpHistogram;

typedef struct
{
  GStrv values; /* of the metric's labels, in their order */
  guint64 value;
  AfxdpHistogram *histogram; /* of this type alone, else NULL */
} AfxdpSample;

typedef struct _AfxdpSamples AfxdpSamples;

AfxdpSamples *afxdp_samples_new (void);
void afxdp_samples_free (AfxdpSamples *samples);

/* values: of the labels, in the table's order, copied; NULL among them: empty. value: in ns
 * if the unit is seconds, and 1 of an info. */
void afxdp_samples_add (AfxdpSamples *samples, AfxdpMetric metric,
    const gchar *const *values, guint64 value);
void afxdp_samples_add_histogram (AfxdpSamples *samples, AfxdpMetric metric,
    const gchar *const *values, const AfxdpHistogram *histogram);
/* Moves what others has to the end, and frees it. */
void afxdp_samples_take (AfxdpSamples *samples, AfxdpSamples *others);

/* Of one metric, in the order in which they were added: AfxdpSample. */
const GPtrArray *afxdp_samples_of (
    const AfxdpSamples *samples, AfxdpMetric metric);

/* Counters fall where a packet that was charged as lost comes after all, and who reads
 * them takes that for a restart of the process, and all that is counted for new. This
 * raises each counter to what it was at most, by the table highest, which it keeps up:
 * make it anew when the counters begin anew. */
GHashTable *afxdp_highest_new (void);
void afxdp_samples_raise (AfxdpSamples *samples, GHashTable *highest);

/* A value as it is written: whole, or seconds with all their digits that are not 0. */
void afxdp_sample_append_value (
    GString *text, const AfxdpMetricAbout *about, guint64 value);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AfxdpSamples, afxdp_samples_free)

G_END_DECLS
