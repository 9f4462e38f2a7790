/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Samples as a text that Prometheus and its kin read: OpenMetrics 1.0.0, or the older text
 * format of Prometheus (0.0.4), which knows no units and no infos.
 *
 * Any thread.
 */
#pragma once

#include "samples.h"

G_BEGIN_DECLS

typedef enum
{
  AFXDP_TEXT_OPENMETRICS,
  AFXDP_TEXT_PROMETHEUS,
} AfxdpTextFormat;

/* To be freed. */
gchar *afxdp_samples_to_text (
    const AfxdpSamples *samples, AfxdpTextFormat format);

/* As HTTP's Content-Type. */
const gchar *afxdp_text_content_type (AfxdpTextFormat format);

/* The one that a header Accept asks for; NULL: there is none. What it does not ask for at
 * all gets Prometheus' format, which every reader knows. */
AfxdpTextFormat afxdp_text_format_of (const gchar *accept);

G_END_DECLS
