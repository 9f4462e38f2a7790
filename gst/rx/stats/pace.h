/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How fast the sequence numbers of a sender rise, with time and with its RTP
 * timestamps. outage.h concludes from this how many packets were sent in a silence.
 * Pure.
 *
 * All packets of a video frame have the same timestamp. The sender sends them at
 * once, or evenly until the next frame, or rests behind each frame. So that this
 * makes no difference, a period is measured from the first packet of a frame to the
 * first packet of another, 20 ms or more later. The pace is the mean of the latest 16
 * periods, without those that differ much from most others (a pause, a burst). It may
 * be wrong by as many packets as a frame has.
 *
 * Some senders never change the timestamp. Then the pace is measured by time alone.
 * If such a sender rests between bursts, a period begins where a rest ends.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* RFC 3550 A.1: what is further ahead is not believed at once, whatever the pace. */
#define AFXDP_PACE_MAX_DROPOUT 3000

/* Periods that are remembered, and the shortest of them, in ns. */
#define AFXDP_PACE_PERIODS 16
#define AFXDP_PACE_INTERVAL G_GUINT64_CONSTANT (20000000)

/* The spread that stands for a sender that is not steady at all. */
#define AFXDP_PACE_UNSTEADY 0.5

/* A packet may come so many ns, or so many packets, earlier or later than the pace
 * says. */
#define AFXDP_PACE_JITTER G_GUINT64_CONSTANT (10000000)
#define AFXDP_PACE_FEW 16

/* A packet, as far as it matters here. */
typedef struct
{
  guint64 number;    /* extended */
  guint64 arrival;   /* ns of CLOCK_MONOTONIC */
  guint32 timestamp; /* of RTP */
} AfxdpPacePoint;

/* What a period is measured by. */
typedef enum
{
  AFXDP_PACE_NUMBERS,
  AFXDP_PACE_TIME,  /* ns */
  AFXDP_PACE_UNITS, /* of timestamp */
  AFXDP_PACE_N_MEASURES,
} AfxdpPaceMeasure;

/* A ratio, and by what part of it single periods differed from it. */
typedef struct
{
  gdouble mean; /* 0: not known */
  gdouble spread;
} AfxdpPaceRatio;

/* All 0 at first; afxdp_pace_begin() starts it. */
typedef struct
{
  /* Hot. */
  guint64 due; /* a packet that changes the timestamp is taken from then on, */
  guint64 overdue; /* and any packet from then on */

  AfxdpPaceRatio by_time;      /* numbers in a ns */
  AfxdpPaceRatio by_timestamp; /* numbers in a unit of timestamp */
  AfxdpPaceRatio units;        /* of timestamp in a ns */
  gdouble frame;               /* packets of the largest frame of late */
  gboolean moves;              /* timestamps change */

  AfxdpPacePoint begin; /* the first packet since the latest jump */
  AfxdpPacePoint from;  /* where the present period began, if it did */
  gboolean measures;    /* it did; at the first packet of a frame */
  gboolean in_frame;    /* that frame has not ended */
  gboolean by_pause;    /* the sender rests behind each frame, or each burst */
  /* The packet that came earliest for its number, by the pace. */
  AfxdpPacePoint earliest;
  AfxdpPacePoint stopped, resumed; /* the packets around the latest silence */
  gdouble periods[AFXDP_PACE_PERIODS]
                 [AFXDP_PACE_N_MEASURES]; /* a ring, overwritten */
  guint n_periods;
} AfxdpPace;

static inline gdouble
afxdp_pace_elapsed (guint64 from, guint64 until)
{
  return until > from ? until - from : 0;
}

/* Begins to measure with the packet latest: the first one of the sender, or the first
 * one after a jump. Periods that were measured before are kept. */
void afxdp_pace_begin (AfxdpPace *pace, const AfxdpPacePoint *latest);

/* Whether afxdp_pace_take() wants this packet, whose number is higher than all
 * before; changed: its timestamp is another than that of the packet before. */
static inline gboolean
afxdp_pace_is_due (const AfxdpPace *pace, guint64 arrival, gboolean changed)
{
  return arrival >= pace->due && (changed || arrival >= pace->overdue);
}

/* It turned out that the numbers from end on are higher by shift. */
void afxdp_pace_move (AfxdpPace *pace, guint64 end, guint64 shift);

/* Takes a packet for which afxdp_pace_is_due(): the first of a frame (changed), or
 * one that is overdue. Ends a period, if it is long enough. */
void afxdp_pace_take (
    AfxdpPace *pace, const AfxdpPacePoint *point, gboolean changed);

/* After a silence behind the packet latest the packet next came. The sender may only
 * have rested, as some do behind each frame; after a longer silence the measurement
 * begins anew. */
void afxdp_pace_resume (
    AfxdpPace *pace, const AfxdpPacePoint *latest, const AfxdpPacePoint *next);

G_END_DECLS
