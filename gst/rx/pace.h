/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How fast the numbers of a sender rise, with time and with its RTP timestamps; and
 * so how many packets an outage took, of which 16 bits of number tell no more than
 * the remainder. Pure.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* RFC 3550 A.1: what is further ahead is not believed at once. */
#define AFXDP_PACE_MAX_DROPOUT 3000

/* A packet, as far as it matters here. */
typedef struct
{
  guint64 number;    /* extended */
  guint64 arrival;   /* ns of CLOCK_MONOTONIC */
  guint32 timestamp; /* of RTP */
} AfxdpPacePoint;

typedef struct
{
  gdouble by_time;      /* numbers in a ns, 0 when not known */
  gdouble by_timestamp; /* numbers in a unit of timestamp, likewise */
  AfxdpPacePoint from;  /* where measuring began */
} AfxdpPace;

/* It is measured in so many ns, less at the beginning. (Of a sender that is slower
 * than that, half of the numbers last for minutes.) */
#define AFXDP_PACE_INTERVAL G_GUINT64_CONSTANT (20000000)

static inline gboolean
afxdp_pace_is_due (const AfxdpPace *pace, guint64 arrival)
{
  return arrival - pace->from.arrival >= AFXDP_PACE_INTERVAL;
}

/* Measures from here on: after a jump, or at the beginning. */
static inline void
afxdp_pace_start (AfxdpPace *pace, const AfxdpPacePoint *latest)
{
  pace->from = *latest;
}

/* Takes the measure, when it is due, and begins the next. */
void afxdp_pace_follow (AfxdpPace *pace, const AfxdpPacePoint *latest);

/* After a silence behind latest, with a packet whose number is ahead, in 16 bits, of
 * that: how far it really is ahead, if so many packets are missing as the sender
 * sends in that time, and in that many units of timestamp. 0: that cannot be told.
 *
 * A sender that was held up, and then sends at once what was due, is ahead of its
 * time, but not of its timestamps. These must then be exact. */
guint64 afxdp_pace_ahead (AfxdpPace *pace, const AfxdpPacePoint *latest,
    guint ahead, guint32 timestamp, guint64 arrival);

G_END_DECLS
