/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A gap that is being judged: how many of its packets were lost where, and which
 * drops explain that. Pure; not thread-safe.
 */
#pragma once

#include "drophistory.h"
#include "rtpstats.h"

G_BEGIN_DECLS

/* Kernel and program stamp at different places, and the socket in another clock:
 * what lies no further apart than this may be the same, in ns. */
#define AFXDP_FIT_SLACK (1 * G_GUINT64_CONSTANT (1000000))
/* So few drops may be of packets that are not RTP. */
#define AFXDP_FIT_FEW 16

/* A gap, or some that lie together, and how many of their packets were lost
 * where. */
typedef struct
{
  AfxdpRtpGap gap; /* of several: from the first to the last of them */
  guint n_gaps;
  gboolean decided; /* an uncertain one has the length that drops tell */
  guint64 lost[AFXDP_N_COLUMNS]; /* as far as it is explained */
  guint64 tried;                 /* when it was first to be judged, 0: never */
  gboolean looked; /* all drops that were known have been looked at for it */
} AfxdpVerdict;

/* How a drop may belong to a gap. */
typedef enum
{
  AFXDP_FITS_IN_NUMBER, /* and in time, but for a few */
  AFXDP_FITS_EXACTLY,   /* the same packet showed both */
  AFXDP_FITS_IN_TIME,
  AFXDP_FITS_THE_INTERFACE,
  AFXDP_N_FITS,
} AfxdpFit;

static inline guint64
afxdp_fit_distance (guint64 one, guint64 other)
{
  return MAX (one, other) - MIN (one, other);
}

/* missing: from the gap, and not explained. */
gboolean afxdp_drop_fits (const AfxdpDrop *drop, const AfxdpRtpGap *gap,
    AfxdpFit fit, guint64 missing);
/* The first drop that may fit. */
guint afxdp_first_fit (
    const AfxdpDropHistory *history, const AfxdpRtpGap *gap, AfxdpFit fit);

/* Charges to it the drops that fit, and takes them from history. since: drops that
 * ended before this do not belong to the gap. */
void afxdp_verdict_explain (AfxdpVerdict *verdict, AfxdpDropHistory *history,
    AfxdpFit fit, guint64 since);

G_END_DECLS
