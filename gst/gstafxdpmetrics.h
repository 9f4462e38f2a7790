/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One afxdpsrc whose statistics are exported: what its samples are called, and what they
 * are. It is known by a weak reference, and held for as long as it is read.
 *
 * collect() is for any thread, in one at a time; the rest is for who changes its state, or
 * has the lock of all of them.
 */
#pragma once

#include <gst/gst.h>

#include "samples.h"

G_BEGIN_DECLS

typedef struct _GstAfxdpMetrics GstAfxdpMetrics;

/* element: an afxdpsrc. */
GstAfxdpMetrics *gst_afxdp_metrics_new (GstElement *element);
GstAfxdpMetrics *gst_afxdp_metrics_ref (GstAfxdpMetrics *metrics);
void gst_afxdp_metrics_unref (GstAfxdpMetrics *metrics);

/* It has gone to READY: it counts anew, and where it is and what it receives is what it is
 * from now on. number tells it from others of its name, in others (GstAfxdpMetrics), which
 * may have it too. No thread may receive for it yet. */
void gst_afxdp_metrics_begin (
    GstAfxdpMetrics *metrics, GstElement *element, const GPtrArray *others);

gboolean gst_afxdp_metrics_is_of (
    GstAfxdpMetrics *metrics, const GstElement *element);
/* Whether the element is no more. */
gboolean gst_afxdp_metrics_is_over (GstAfxdpMetrics *metrics);

/* Adds what the element says now; nothing, when it is no more. */
void gst_afxdp_metrics_collect (
    GstAfxdpMetrics *metrics, AfxdpSamples *samples);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstAfxdpMetrics, gst_afxdp_metrics_unref)

G_END_DECLS
