/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How long a gap is of which the numbers tell only the remainder by 65,536: what was
 * dropped in its time says more. Pure; not thread-safe.
 */
#pragma once

#include "verdict.h"

G_BEGIN_DECLS

/* Drops in the time of a gap whose sums are compared with it. */
#define AFXDP_DROPPED_RECORDS 8

/* What this host dropped in the time of a gap. */
typedef struct
{
  guint64 n; /* packets, less those that other gaps of that time miss */
  guint64
      within; /* of these, from drops that lie in the gap's time as a whole */
  gboolean shared; /* other gaps of that time miss some */
  guint64 records[AFXDP_DROPPED_RECORDS]; /* the latest, by their ends */
  guint n_records;
} AfxdpDropped;

/* waiting: AfxdpVerdict, of which others may have a share in these drops. */
AfxdpDropped afxdp_dropped_in (const AfxdpRtpGap *gap,
    const AfxdpDropHistory *history, const GArray *waiting);

/* The length of the gap that drops explain, or G_MAXUINT64: with all of them, or with
 * some that follow each other, where the others belong to a gap beside this. If the
 * length that it has is explained, that one. part: of all drops, one in so many may
 * be of packets that are not RTP, or the network's loss. */
guint64 afxdp_dropped_explain_length (
    const AfxdpRtpGap *gap, const AfxdpDropped *dropped, guint part);

/* The only length of the gap that lies between the drops within it and all of its time,
 * of which those that reach over its edges may belong to others; or G_MAXUINT64. */
guint64 afxdp_dropped_length_between (
    const AfxdpRtpGap *gap, const AfxdpDropped *dropped);

/* The length of the gap. If drops explain one, it is that; nearly, only where the length
 * by the pace is not one that they may have, too. Otherwise the network lost
 * packets, too, and the length by the pace stands, with two exceptions: a gap is not
 * shorter than what was dropped within it; and where half of it or more was dropped,
 * it is no longer than it must be. */
guint64 afxdp_dropped_decide_length (
    const AfxdpRtpGap *gap, const AfxdpDropped *dropped);

G_END_DECLS
