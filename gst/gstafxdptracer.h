/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tracer afxdpmetrics: exports the statistics of each afxdpsrc of the process. */
#pragma once

#define GST_USE_UNSTABLE_API
#include <gst/gst.h>
#include <gst/gsttracer.h>

G_BEGIN_DECLS

#define GST_TYPE_AFXDP_TRACER (gst_afxdp_tracer_get_type ())
G_DECLARE_FINAL_TYPE (
    GstAfxdpTracer, gst_afxdp_tracer, GST, AFXDP_TRACER, GstTracer)

G_END_DECLS
