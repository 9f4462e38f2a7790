/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * That nothing came for some time: when it is so, and the message that says it.
 *
 * All zeros is one that has not begun to wait. restart() is for any thread, the
 * rest for the streaming thread, or while none runs.
 */
#pragma once

#include <gst/gst.h>

#include "gstafxdpoutbox.h"

G_BEGIN_DECLS

typedef struct
{
  gint restarted; /* atomic */
  guint64 since;  /* ns of CLOCK_MONOTONIC */
  GstAfxdpOutbox outbox;
} GstAfxdpTimeout;

/* A packet came, or it is waited for from now on. */
void gst_afxdp_timeout_restart (GstAfxdpTimeout *timeout);
/* When nothing will have come for length, in ns of CLOCK_MONOTONIC. 0 is never. */
guint64 gst_afxdp_timeout_due (GstAfxdpTimeout *timeout, GstClockTime length);
/* Whether it is so, as far as is known. */
gboolean gst_afxdp_timeout_is_over (
    GstAfxdpTimeout *timeout, GstClockTime length);
/* Once it is known that nothing is there: posts GstUDPSrcTimeout when nothing came for
 * length, and each length again, but not more often than once in a millisecond.
 * Returns when that will be next, as due() does. */
guint64 gst_afxdp_timeout_check (
    GstAfxdpTimeout *timeout, GstElement *element, GstClockTime length);
void gst_afxdp_timeout_clear (GstAfxdpTimeout *timeout);

G_END_DECLS
