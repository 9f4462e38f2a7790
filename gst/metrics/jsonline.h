/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Samples as a line of JSON, for a log:
 *
 *     {"time":1764590000.250,"samples":[
 *       {"name":"afxdp_packets_total","group":"239.1.1.1",...,"value":5},
 *       {"name":"afxdp_latency_seconds","group":"239.1.1.1",...,"count":5,"sum":0.001,
 *        "buckets":{"0.00001":3,...}}]}
 *
 * in one line, with a newline at its end. What names and labels are is for metrics.h.
 * Any thread.
 */
#pragma once

#include "samples.h"

G_BEGIN_DECLS

/* time: µs since 1970. To be freed. */
gchar *afxdp_samples_to_json_line (const AfxdpSamples *samples, gint64 time);

G_END_DECLS
