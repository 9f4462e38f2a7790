/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The order of packets that came by several inputs: by RTP number within one SSRC
 * when they arrived at about the same time, otherwise by time of arrival. Pure.
 */
#pragma once

#include "input.h"

G_BEGIN_DECLS

/* Whether rtp is the packet right after former. */
gboolean afxdp_order_follows (const AfxdpRtp *rtp, const AfxdpRtp *former);

/* Whether it is of the same source, and not that one. */
gboolean afxdp_order_skips (const AfxdpRtp *rtp, const AfxdpRtp *former);

/* The input whose first packet comes first, or NULL when all are empty. */
AfxdpInput *afxdp_order_first (AfxdpInput *const *inputs, guint n_inputs);

/* How many packets of input, which is the first one, come before those of the
 * others; at most max. */
guint afxdp_order_run (AfxdpInput *const *inputs, guint n_inputs,
    const AfxdpInput *input, guint max);

/* How many of n packets there are before the first gap in RTP numbers. */
guint afxdp_order_before_gap (const AfxdpPacket *packets, guint n);

G_END_DECLS
