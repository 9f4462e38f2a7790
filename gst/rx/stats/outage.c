/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How many packets a sender can have sent, and did, while nothing came. */
#include "outage.h"

#include "clock.h"

#define CYCLE 65536

/* Fewer periods without one may be a single frame's. */
#define FEW_PERIODS 5
/* Before the first period is over: all of less may have been a burst. */
#define SHORTEST (2 * AFXDP_MS)

/* Part by which a steady sender's own pace may be off in a long silence, and by which
 * any sender's that is called steady. */
#define TIGHT_BY_TIMESTAMP 0.003
#define TIGHT_BY_TIME 0.01
#define STEADY 0.1
/* Nobody goes on faster than that in a silence. */
#define FASTEST 1.25

/* A sender that was held up sends at most so many times what the pace allows. */
#define HELD_UP 4

/* A timestamp may lie behind the one before it: video is not sent in the order in
 * which it is shown. */
#define BACK (500 * AFXDP_MS)
/* Timestamps no further apart may be of one run, where nothing else is known: 12
 * minutes at 90 kHz. */
#define MAX_TIME_STEP (1 << 26)

/* By time, as far as it is known at latest. */
static AfxdpPaceRatio
pace_at (const AfxdpPace *pace, const AfxdpPacePoint *latest)
{
  guint64 time = latest->arrival - pace->begin.arrival;
  AfxdpPaceRatio ratio = pace->by_time;

  if (!ratio.mean && latest->arrival >= pace->begin.arrival + SHORTEST)
    ratio = (AfxdpPaceRatio){ (gdouble) (latest->number - pace->begin.number) /
          time,
      AFXDP_PACE_UNSTEADY };
  return ratio;
}

/* By timestamp, likewise. */
static AfxdpPaceRatio
stamps_at (const AfxdpPace *pace, const AfxdpPacePoint *latest)
{
  gint32 units = latest->timestamp - pace->begin.timestamp;
  AfxdpPaceRatio ratio = pace->by_timestamp;

  if (!ratio.mean && units > 0 && latest->number > pace->begin.number)
    ratio = (AfxdpPaceRatio){ (gdouble) (latest->number - pace->begin.number) /
          units,
      AFXDP_PACE_UNSTEADY };
  return ratio;
}

/* The most numbers that come at once. Before a frame was seen whole, all were. */
static gdouble
frame_at (const AfxdpPace *pace, const AfxdpPacePoint *latest)
{
  return pace->by_time.mean ? pace->frame : latest->number - pace->begin.number;
}

/* Behind a stall what was held up comes faster than it was sent: the sender may be
 * where it would be without the stall. */
static gboolean
catches_up (const AfxdpPace *pace, const AfxdpPacePoint *latest, gdouble rate)
{
  return pace->resumed.number != pace->stopped.number &&
      latest->number >= pace->resumed.number +
          FASTEST * rate *
              afxdp_pace_elapsed (pace->resumed.arrival, latest->arrival);
}

/* A sender may have become faster than it was until now: what comes in a short time
 * more than by the pace. */
static gdouble
more_of_late (const AfxdpPace *pace, const AfxdpPacePoint *latest, gdouble rate,
    guint64 arrival)
{
  const AfxdpPacePoint *from = pace->measures ? &pace->from : &pace->begin;
  gdouble time = afxdp_pace_elapsed (from->arrival, latest->arrival), of_late;

  if (time < SHORTEST || latest->number < from->number)
    return 0;
  of_late = (latest->number - from->number) / time;
  return MAX (of_late - rate, 0) *
      (MIN (afxdp_pace_elapsed (latest->arrival, arrival), AFXDP_PACE_JITTER) +
          AFXDP_PACE_JITTER);
}

guint64
afxdp_outage_possible (
    const AfxdpPace *pace, const AfxdpPacePoint *latest, guint64 arrival)
{
  AfxdpPaceRatio pace_now = pace_at (pace, latest);
  gdouble rate = pace_now.mean, frame = frame_at (pace, latest);
  gdouble fastest = FASTEST, due = latest->number;

  if (!rate)
    return 0;
  if (pace->by_timestamp.spread > STEADY)
    frame *= 4;
  if (pace_now.spread >= AFXDP_PACE_UNSTEADY)
    fastest *= 2;
  due = MAX (due,
      pace->earliest.number +
          rate * afxdp_pace_elapsed (pace->earliest.arrival, latest->arrival));
  if (catches_up (pace, latest, rate))
    due = MAX (due,
        pace->stopped.number +
            rate * afxdp_pace_elapsed (pace->stopped.arrival, latest->arrival));
  return due - latest->number +
      fastest * rate * afxdp_pace_elapsed (latest->arrival, arrival) +
      rate * AFXDP_PACE_JITTER + more_of_late (pace, latest, rate, arrival) +
      frame + AFXDP_PACE_FEW;
}

/* Whether a packet with that timestamp can come at arrival. */
static gboolean
has_its_time (const AfxdpPace *pace, const AfxdpPacePoint *latest,
    guint32 timestamp, guint64 arrival, guint clock_rate)
{
  gint32 step = timestamp - latest->timestamp;
  AfxdpPaceRatio units = pace->units;
  guint64 since = latest->arrival;

  if (!step)
    return TRUE;
  /* Of a sender that is held up now and then less is measured. */
  units.mean = MAX (units.mean, clock_rate / 1e9);
  if (!units.mean)
    return (pace->moves || pace->n_periods < FEW_PERIODS) && step > 0 &&
        step < MAX_TIME_STEP;
  if (catches_up (pace, latest, pace_at (pace, latest).mean))
    since = pace->stopped.arrival;
  return step >= -(units.mean * BACK) &&
      step <=
      units.mean * (1.02 + units.spread) * afxdp_pace_elapsed (since, arrival) +
          units.mean * BACK;
}

gboolean
afxdp_outage_allows (const AfxdpPace *pace, const AfxdpPacePoint *latest,
    guint ahead, guint32 timestamp, guint64 arrival, guint clock_rate)
{
  guint64 possible = afxdp_outage_possible (pace, latest, arrival);

  return !possible ||
      (ahead <= possible &&
          has_its_time (pace, latest, timestamp, arrival, clock_rate));
}

/* An estimate of how far a packet is ahead. */
typedef struct
{
  gdouble least, most;
} Range;

static Range
around (gdouble expected, gdouble part, gdouble before, gdouble behind)
{
  gdouble off = MAX (expected, 0) * part;

  return (Range){ expected - off - before, expected + off + behind };
}

/* The first number in range whose last 16 bits say ahead; 0: none, or, if only one
 * will do, several. */
static guint64
fit (Range range, guint ahead, gboolean only)
{
  guint64 least = range.least > 1 ? (guint64) range.least + 1 : 1;
  guint64 first = least + (guint16) (ahead - least);

  if (range.most < first || (only && range.most >= first + CYCLE))
    return 0;
  return first;
}

static Range
both (Range one, Range other)
{
  return (Range){ MAX (one.least, other.least), MIN (one.most, other.most) };
}

typedef struct
{
  Range tight; /* if the sender goes on as in the mean, */
  Range wide;  /* as in its slowest or fastest period, */
  Range loose; /* or is steady at all */
} Estimate;

static Estimate
within (Estimate estimate, Range all)
{
  return (Estimate){ both (estimate.tight, all), both (estimate.wide, all),
    both (estimate.loose, all) };
}

static Estimate
by_timestamp (
    const AfxdpPace *pace, const AfxdpPacePoint *latest, guint32 timestamp)
{
  const AfxdpPacePoint *from = pace->measures ? &pace->from : &pace->begin;
  AfxdpPaceRatio ratio = stamps_at (pace, latest);
  gdouble expected = (gdouble) from->number - latest->number +
      ratio.mean * (gint32) (timestamp - from->timestamp);
  gdouble slack = AFXDP_PACE_FEW + ratio.mean;
  gdouble tight = MAX (ratio.spread / 4, TIGHT_BY_TIMESTAMP);
  gdouble before = slack + (pace->measures ? 0 : pace->frame);

  if (pace->n_periods < 3)
    tight = MAX (tight, TIGHT_BY_TIMESTAMP * 4);
  return (Estimate){
    around (expected, tight, before, slack + pace->frame),
    around (expected, MAX (ratio.spread, tight), before, slack + pace->frame),
    around (expected, MAX (ratio.spread, STEADY), slack + pace->frame,
        slack + pace->frame),
  };
}

static Estimate
by_time (const AfxdpPace *pace, const AfxdpPacePoint *latest, guint64 arrival)
{
  const AfxdpPacePoint *from = pace->measures ? &pace->from : &pace->begin;
  AfxdpPaceRatio ratio = pace_at (pace, latest);
  gdouble expected = (gdouble) from->number - latest->number +
      ratio.mean * afxdp_pace_elapsed (from->arrival, arrival);
  gdouble frame = frame_at (pace, latest);
  gdouble tight = MAX (ratio.spread / 4, TIGHT_BY_TIME);
  gdouble slack = AFXDP_PACE_FEW + ratio.mean * SHORTEST;
  gdouble before = slack + (pace->measures ? 0 : frame);

  if (pace->n_periods < 3)
    tight = MAX (tight, TIGHT_BY_TIME * 4);
  return (Estimate){
    around (expected, tight, before, slack + frame),
    around (expected, MAX (ratio.spread, tight), before, slack + frame),
    around (expected, MAX (ratio.spread, STEADY),
        AFXDP_PACE_FEW + ratio.mean * AFXDP_PACE_JITTER + frame,
        AFXDP_PACE_FEW + ratio.mean * AFXDP_PACE_JITTER + frame),
  };
}

/* How far a packet is ahead by the clock alone; 0: it does not say. */
static guint64
decide_by_time (const Estimate *time, guint ahead)
{
  guint64 really = fit (time->tight, ahead, TRUE);

  if (!really)
    really = fit (time->wide, ahead, TRUE);
  return really ? really : fit (time->loose, ahead, FALSE);
}

/* By timestamps, and by the clock where these leave it open. */
static guint64
decide_by_both (const Estimate *stamp, const Estimate *time, guint ahead)
{
  guint64 really = fit (stamp->tight, ahead, TRUE);

  if (!really)
    really = fit (both (stamp->tight, time->tight), ahead, TRUE);
  if (!really)
    really = fit (both (stamp->wide, time->wide), ahead, TRUE);
  if (!really)
    really = fit (both (stamp->tight, time->loose), ahead, FALSE);
  return really;
}

/* How far a packet is ahead that is no more than most ahead; 0: not at all. The
 * least, where nothing says more. */
static guint64
decide (const AfxdpPace *pace, const AfxdpPacePoint *latest, guint ahead,
    guint32 timestamp, guint64 arrival, guint64 most)
{
  const Range all = { 1, most };
  AfxdpPaceRatio stamps = stamps_at (pace, latest);
  Estimate time = by_time (pace, latest, arrival), stamp;
  guint64 really;

  time = within (time, all);
  if (pace->moves && stamps.mean) {
    /* Otherwise, where numbers do not go on with timestamps although they used to,
     * neither of them says anything. */
    gboolean varies = stamps.spread > STEADY / 2;

    stamp = by_timestamp (pace, latest, timestamp);
    if (!varies && stamp.tight.most < 1)
      return 0;
    /* has_its_time() found the timestamp in time: the sender was held up, then, and
     * has caught up. */
    really = varies
        ? 0
        : fit (both (stamp.tight, (Range){ 1, HELD_UP * (gdouble) most }),
              ahead, TRUE);
    if (really)
      return really;
    stamp = within (stamp, all);
    really = decide_by_both (&stamp, &time, ahead);
    if (!really && varies)
      really = fit (both (stamp.loose, time.loose), ahead, FALSE);
  } else {
    really = decide_by_time (&time, ahead);
  }
  return really ? really : fit (all, ahead, FALSE);
}

gboolean
afxdp_outage_judge (const AfxdpPace *pace, const AfxdpPacePoint *latest,
    guint ahead, guint32 timestamp, guint64 arrival, guint clock_rate,
    AfxdpOutage *outage)
{
  guint64 possible = afxdp_outage_possible (pace, latest, arrival);

  *outage = (AfxdpOutage){ .ahead = ahead, .possible = possible };
  /* The very next number: the sender has paused, or just goes on. */
  if (ahead == 1) {
    outage->uncertain = possible > CYCLE;
    return TRUE;
  }
  if (!has_its_time (pace, latest, timestamp, arrival, clock_rate))
    return FALSE;
  if (!possible) {
    outage->uncertain = TRUE;
    return ahead && ahead < AFXDP_PACE_MAX_DROPOUT;
  }
  outage->ahead = decide (pace, latest, ahead, timestamp, arrival, possible);
  outage->uncertain =
      outage->ahead > CYCLE || 2 * possible >= outage->ahead + CYCLE;
  return outage->ahead > 0;
}
