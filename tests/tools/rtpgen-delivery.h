/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether the interface delivered what was handed to it, judged by its counters
 * before and after a run.
 *
 * No state, any thread.
 */
#pragma once

#include "rtpgen-interface.h"

G_BEGIN_DECLS

/* Where packets went that were not delivered; each is in one place. */
typedef struct
{
  guint64 handed;      /* to the interface, by the run */
  guint64 ring_full;   /* the peer's receive ring had no room */
  guint64 no_receiver; /* the peer had no NAPI, or its backlog was full */
  guint64 refused;     /* before the veth: no NAPI, too long, it was down */
  guint64 vanished;    /* went into the peer's ring, and its NAPI never came */
} RtpgenDelivery;

/*
 * Waits until the peer has taken what lies in its ring, or a second has passed,
 * and then fills in delivery. before: from before the run.
 */
gboolean rtpgen_delivery_judge (const RtpgenInterface *interface,
    RtpgenMethod method, const RtpgenCounters *before, guint64 handed,
    RtpgenDelivery *delivery, GError **error);

guint64 rtpgen_delivery_count_dropped (const RtpgenDelivery *self);

/* A line for each place that is not empty: how many, where, likely why. */
gchar *rtpgen_delivery_explain (
    const RtpgenDelivery *self, const RtpgenInterface *interface);

G_END_DECLS
