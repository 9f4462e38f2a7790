/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether each of two legs protects the other, as applications are told: the message
 * GstAfxdpSrcLeg. For the streaming thread.
 */
#pragma once

#include "gstafxdplegs.h"

G_BEGIN_DECLS

/* Takes over what the stage knows, and posts what has changed; on the element of which
 * the legs are. lock is for the field state of the legs. Returns when to look again if
 * nothing comes. */
guint64 gst_afxdp_leg_states_follow (GstAfxdpLeg *legs,
    const GstAfxdpOrdered *ordered, const GstAfxdpTiming *timing, GMutex *lock,
    guint64 now);
/* Nothing is known any more, and messages that were posted are let go. */
void gst_afxdp_leg_states_reset (GstAfxdpLeg *legs);

/* "active" and so on. */
const gchar *gst_afxdp_leg_state_name (AfxdpLegState state);

G_END_DECLS
