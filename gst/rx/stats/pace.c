/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How fast the numbers of a sender rise. */
#include "pace.h"

#include <math.h>
#include <stdlib.h>

#include "clock.h"

/* A period without a change of timestamp: it is one of a sender whose timestamps
 * never change, or of one of less than a frame a second. */
#define LONGEST_CONSTANT AFXDP_PACE_INTERVAL
/* Pauses further apart do not tell frames. */
#define LONGEST_BURST (250 * AFXDP_MS)
#define LONGEST_FRAME AFXDP_S

/* Periods whose pace is no further off the median, as a factor, count. */
#define OUTLIER 1.5

static int
compare (gconstpointer a, gconstpointer b)
{
  gdouble one = *(const gdouble *) a, other = *(const gdouble *) b;

  return one < other ? -1 : one > other;
}

/* The ratio of two measures of periods. A unit more or less is rounding. */
static AfxdpPaceRatio
ratio_of (
    const AfxdpPace *pace, AfxdpPaceMeasure dividend, AfxdpPaceMeasure divisor)
{
  guint n = MIN (pace->n_periods, AFXDP_PACE_PERIODS);
  gdouble ratios[AFXDP_PACE_PERIODS], sorted[AFXDP_PACE_PERIODS] = { 0 };
  gdouble sum = 0, of = 0, all = 0, of_all = 0, median;
  AfxdpPaceRatio ratio = { 0 };
  guint n_alike = 0;

  if (!n)
    return ratio;
  for (guint i = 0; i < n; i++) {
    gdouble over = pace->periods[i][dividend];
    gdouble under = pace->periods[i][divisor];

    ratios[i] = sorted[i] = under > 0 && over > 0 ? over / under : 0;
    all += over;
    of_all += under;
  }
  if (all <= 0 || of_all <= 0)
    return ratio;
  qsort (sorted, n, sizeof *sorted, compare);
  median = sorted[n / 2];
  if (median <= 0)
    return (AfxdpPaceRatio){ all / of_all, AFXDP_PACE_UNSTEADY };
  for (guint i = 0; i < n; i++) {
    if (ratios[i] * OUTLIER < median || ratios[i] > median * OUTLIER)
      continue;
    sum += pace->periods[i][dividend];
    of += pace->periods[i][divisor];
    n_alike++;
  }
  if (n_alike * 3 < n * 2 || of <= 0)
    return (AfxdpPaceRatio){ all / of_all, AFXDP_PACE_UNSTEADY };
  ratio.mean = sum / of;
  for (guint i = 0; i < n; i++) {
    gdouble off = fabs (ratios[i] / ratio.mean - 1) -
        1 / (1 + fabs (pace->periods[i][divisor]));

    if (ratios[i] * OUTLIER >= median && ratios[i] <= median * OUTLIER)
      ratio.spread = MAX (ratio.spread, off);
  }
  return ratio;
}

static void
add_period (AfxdpPace *pace, const AfxdpPacePoint *until)
{
  gdouble *period = pace->periods[pace->n_periods++ % AFXDP_PACE_PERIODS];

  period[AFXDP_PACE_NUMBERS] = until->number - pace->from.number;
  period[AFXDP_PACE_TIME] = until->arrival - pace->from.arrival;
  period[AFXDP_PACE_UNITS] = (gint32) (until->timestamp - pace->from.timestamp);
  pace->by_time = ratio_of (pace, AFXDP_PACE_NUMBERS, AFXDP_PACE_TIME);
  if (!pace->moves)
    return;
  pace->by_timestamp = ratio_of (pace, AFXDP_PACE_NUMBERS, AFXDP_PACE_UNITS);
  pace->units = ratio_of (pace, AFXDP_PACE_UNITS, AFXDP_PACE_TIME);
}

static void
measure_from (AfxdpPace *pace, const AfxdpPacePoint *point)
{
  const AfxdpPacePoint *earliest = &pace->earliest;
  gdouble time = afxdp_pace_elapsed (earliest->arrival, point->arrival);

  if (time > LONGEST_FRAME ||
      point->number >= earliest->number + time * pace->by_time.mean)
    pace->earliest = *point;
  pace->from = *point;
  pace->measures = TRUE;
  pace->in_frame = TRUE;
  /* The first change of timestamp is waited for, whatever there is of pauses. */
  pace->due =
      pace->by_pause && pace->moves ? point->arrival + LONGEST_BURST : 0;
  pace->overdue = point->arrival +
      (pace->moves             ? LONGEST_FRAME
              : pace->by_pause ? LONGEST_BURST
                               : LONGEST_CONSTANT);
}

void
afxdp_pace_begin (AfxdpPace *pace, const AfxdpPacePoint *latest)
{
  pace->begin = pace->earliest = pace->stopped = pace->resumed = *latest;
  pace->measures = pace->by_pause = FALSE;
  /* It need not be the first of its frame. */
  pace->due = latest->arrival + 1;
  pace->overdue =
      latest->arrival + (pace->moves ? LONGEST_FRAME : LONGEST_CONSTANT);
}

void
afxdp_pace_move (AfxdpPace *pace, guint64 end, guint64 shift)
{
  AfxdpPacePoint *points[] = { &pace->begin, &pace->from, &pace->earliest,
    &pace->stopped, &pace->resumed };

  for (guint i = 0; i < G_N_ELEMENTS (points); i++)
    if (points[i]->number >= end)
      points[i]->number += shift;
}

/* What may begin a period has come: a change of timestamp, or the end of a pause, or
 * neither, but it is time. */
static void
take (AfxdpPace *pace, const AfxdpPacePoint *point, gboolean is_frame)
{
  if (pace->measures) {
    if (is_frame && pace->in_frame) {
      gdouble frame = point->number - pace->from.number;

      /* The largest of late: key frames are rare. */
      pace->frame = MAX (frame, pace->frame * 63 / 64);
      pace->in_frame = FALSE;
    }
    if (point->arrival < pace->from.arrival + AFXDP_PACE_INTERVAL) {
      if (!pace->by_pause)
        pace->due = pace->from.arrival + AFXDP_PACE_INTERVAL;
      return;
    }
    add_period (pace, point);
  }
  measure_from (pace, point);
}

/* Until now it looked as if timestamps never changed. */
static void
find_moving (AfxdpPace *pace)
{
  pace->moves = TRUE;
  pace->n_periods = 0;
  pace->frame = 0;
  pace->by_pause = pace->measures = FALSE;
}

void
afxdp_pace_take (AfxdpPace *pace, const AfxdpPacePoint *point, gboolean changed)
{
  if (changed && !pace->moves) {
    find_moving (pace);
    measure_from (pace, point);
    return;
  }
  if (pace->by_pause) {
    /* No pause has come for long: there are none any more. */
    pace->by_pause = FALSE;
    measure_from (pace, point);
    return;
  }
  take (pace, point, changed);
}

void
afxdp_pace_resume (
    AfxdpPace *pace, const AfxdpPacePoint *latest, const AfxdpPacePoint *next)
{
  gdouble silence = afxdp_pace_elapsed (latest->arrival, next->arrival);
  gint32 step = next->timestamp - latest->timestamp;
  gboolean rested = pace->by_time.mean * (silence * 3 / 4 - AFXDP_PACE_JITTER) >
      pace->frame + AFXDP_PACE_FEW;

  if (!rested) {
    if (step && !pace->moves)
      find_moving (pace);
    if (pace->moves && !step)
      return;
    if (pace->by_pause) {
      take (pace, next, TRUE);
    } else {
      pace->by_pause = TRUE;
      measure_from (pace, next);
    }
    return;
  }
  afxdp_pace_begin (pace, next);
  if (!pace->moves || step < pace->units.mean * silence / 2)
    pace->stopped = *latest;
}
