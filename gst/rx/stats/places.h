/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where one leg of a stream has lost packets lately, so that it can be said of a gap that
 * another leg's packets did not fill either. Pure; not thread-safe.
 *
 * A leg's numbers are those of the stream but for multiples of AFXDP_RTP_CYCLE, since
 * each leg extends what it sees; so 16 bits are compared, and of the gaps that they fit
 * it is the one that is nearest in time. A leg may have another SSRC than the stream.
 */
#pragma once

#include "verdict.h"

G_BEGIN_DECLS

/* Gaps that are remembered. Between a leg's verdict and the stream's lie the window that
 * missing packets are waited for, and 100 ms: this is enough for 2,000 gaps a second. */
#define AFXDP_PLACES_MOST 1024
/* Gaps further apart than this, in ns, are not of the same packets: the window of the
 * largest class of ST 2022-7 is 450 ms. */
#define AFXDP_PLACES_APART (1 * G_GUINT64_CONSTANT (1000000000))

typedef struct
{
  guint32 ssrc;
  AfxdpColumn column; /* where most of it was lost */
  guint64 first, length;
  guint64 shown;
} AfxdpPlace;

/* All zeros is one that remembers nothing. */
typedef struct
{
  AfxdpPlace places[AFXDP_PLACES_MOST]; /* a ring, overwritten */
  guint64 n;                            /* that there were so far */
} AfxdpPlaces;

/* The leg's gap was judged. */
void afxdp_places_add (AfxdpPlaces *places, const AfxdpVerdict *verdict);
/* FALSE: of that leg no gap is known that has packets of this one. */
gboolean afxdp_places_find (
    const AfxdpPlaces *places, const AfxdpRtpGap *gap, AfxdpColumn *column);

G_END_DECLS
