/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What two legs of a stream are to each other. */
#include "legs.h"

#define MS G_GUINT64_CONSTANT (1000000)

/* The mean interval is that of so long. */
#define PERIOD (1000 * MS)
/* A leg that was heard of so short a time ago is in the middle of delivering, however
 * its packets are bunched. */
#define PRESENT (5 * MS)

void
afxdp_legs_forget (AfxdpLegs *legs, guint leg, guint64 now)
{
  legs->legs[leg] = (AfxdpLeg){ 0 };
  /* Until then there was no such leg to be silent. */
  if (legs->begin)
    legs->begin = MAX (legs->begin, now);
}

/* What is counted: the mean of the time before, or of this one while there is none. */
static guint64
interval_of (const AfxdpLeg *leg)
{
  if (leg->interval)
    return leg->interval;
  return leg->n ? (leg->last - leg->begin) / leg->n : 0;
}

static guint64
longest_silence (const AfxdpLegs *legs, const AfxdpLeg *leg)
{
  return MAX (AFXDP_LEG_SILENCE,
      leg->last ? AFXDP_LEG_INTERVALS * interval_of (leg) : legs->window);
}

/* When it was heard of last. */
static guint64
heard_at (const AfxdpLegs *legs, const AfxdpLeg *leg)
{
  return leg->last ? leg->last : legs->begin;
}

/* Windows may be very long. */
static guint64
add (guint64 time, guint64 length)
{
  return length < G_MAXUINT64 - time ? time + length : G_MAXUINT64;
}

/* G_MAXUINT64: it has missed nothing. */
static guint64
silent_at (const AfxdpLegs *legs, const AfxdpLeg *leg)
{
  return leg->missed_since
      ? add (leg->missed_since, longest_silence (legs, leg))
      : G_MAXUINT64;
}

static guint64
paused_at (const AfxdpLegs *legs, const AfxdpLeg *leg)
{
  return add (
      heard_at (legs, leg), MAX (AFXDP_LEG_PAUSE, longest_silence (legs, leg)));
}

static void
begin_to_count (AfxdpLeg *leg, guint64 arrival)
{
  leg->begin = arrival;
  leg->n = 0;
}

/* Whether it missed what the other one brought: such a silence is none of its
 * intervals. */
static gboolean
was_silent (const AfxdpLeg *leg, const AfxdpLeg *other)
{
  return other->total - leg->total_of_other >= AFXDP_LEG_PROOF;
}

static void
count (AfxdpLeg *leg, guint64 arrival)
{
  leg->n++;
  if (G_LIKELY (arrival - leg->begin < PERIOD || leg->n < AFXDP_LEG_PROOF))
    return;
  leg->interval = (arrival - leg->begin) / leg->n;
  begin_to_count (leg, arrival);
}

void
afxdp_legs_note_arrival (AfxdpLegs *legs, guint leg_number, guint64 arrival)
{
  AfxdpLeg *leg = &legs->legs[leg_number];
  AfxdpLeg *other = &legs->legs[!leg_number];

  if (G_UNLIKELY (!legs->begin))
    legs->begin = arrival;
  if (!other->missed_since)
    other->missed_since = arrival;
  if (G_UNLIKELY (!leg->last ||
          (arrival >= silent_at (legs, leg) && was_silent (leg, other))))
    begin_to_count (leg, arrival);
  else
    count (leg, MAX (arrival, leg->last));
  leg->last = MAX (leg->last, arrival);
  leg->missed_since = 0;
  leg->total++;
  leg->total_of_other = other->total;
}

static void
add_to_streak (AfxdpLegStreak *streak, guint64 arrival)
{
  if (!streak->n++)
    streak->since = arrival;
}

static gboolean
is_proof (const AfxdpLegStreak *streak, guint64 arrival, guint64 length)
{
  return streak->n >= AFXDP_LEG_PROOF && arrival - streak->since >= length;
}

void
afxdp_legs_note_matched (AfxdpLegs *legs, guint leg_number, gboolean matched)
{
  AfxdpLeg *leg = &legs->legs[leg_number];

  if (G_LIKELY (matched))
    leg->unmatched.n = 0;
  else
    add_to_streak (&leg->unmatched, leg->last);
}

void
afxdp_legs_note_skew (AfxdpLegs *legs, guint leg_number, guint64 skew)
{
  AfxdpLeg *leg = &legs->legs[leg_number];

  leg->skew = skew;
  /* Without a window nothing is waited for, and nothing is too late. */
  if (skew > legs->window && legs->window) {
    leg->within.n = 0;
    add_to_streak (&leg->beyond, leg->last);
    leg->late |= is_proof (&leg->beyond, leg->last, AFXDP_LEG_SILENCE);
    return;
  }
  leg->beyond.n = 0;
  if (G_LIKELY (!leg->late))
    return;
  add_to_streak (&leg->within, leg->last);
  if (is_proof (&leg->within, leg->last, AFXDP_LEG_SILENCE))
    leg->late = FALSE;
}

gboolean
afxdp_legs_is_silent (const AfxdpLegs *legs, guint leg, guint64 arrival)
{
  return arrival >= silent_at (legs, &legs->legs[leg]);
}

gboolean
afxdp_legs_is_present (const AfxdpLegs *legs, guint leg_number, guint64 arrival)
{
  const AfxdpLeg *leg = &legs->legs[leg_number];
  guint64 longest = MAX (PRESENT, AFXDP_LEG_INTERVALS * interval_of (leg));

  return leg->last && arrival < leg->last + longest;
}

AfxdpLegState
afxdp_legs_state (
    const AfxdpLegs *legs, guint leg_number, guint64 known, guint64 *since)
{
  const AfxdpLeg *leg = &legs->legs[leg_number];
  const AfxdpLeg *other = &legs->legs[!leg_number];

  *since = heard_at (legs, leg);
  if (!legs->begin)
    return AFXDP_LEG_ACTIVE;
  if ((known >= silent_at (legs, leg) &&
          other->last >= silent_at (legs, leg)) ||
      known >= paused_at (legs, leg))
    return AFXDP_LEG_SILENT;
  if (is_proof (&leg->unmatched, leg->last, AFXDP_LEG_STRANGE)) {
    *since = leg->unmatched.since;
    return AFXDP_LEG_OTHER_STREAM;
  }
  if (leg->late) {
    *since = leg->beyond.since;
    return AFXDP_LEG_LATE;
  }
  return AFXDP_LEG_ACTIVE;
}

guint64
afxdp_legs_due (const AfxdpLegs *legs, guint64 now)
{
  guint64 due = G_MAXUINT64;

  for (guint i = 0; legs->begin && i < AFXDP_LEGS; i++) {
    const AfxdpLeg *leg = &legs->legs[i];

    /* What is to be silent while the other one delivers shows when that does. */
    if (paused_at (legs, leg) > now)
      due = MIN (due, paused_at (legs, leg));
  }
  return due;
}
