/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How fast the numbers of a sender rise. */
#include "pace.h"

/* Of what lasted longer, half may have been silence; of what was shorter, all may
 * have been a burst. */
#define LONGEST (2 * AFXDP_PACE_INTERVAL)
#define SHORTEST (AFXDP_PACE_INTERVAL / 10)

/* One of so many parts of what is expected may be wrong: less where only that speaks
 * against that nothing is missing, or where only one of the two speaks. */
#define TOLERANCE 2
#define STRICT_TOLERANCE 64

#define CYCLE ((guint64) 1 << 16)

/* One measure may have been taken in a burst: some of them together count. */
static gdouble
smooth (gdouble before, gdouble now)
{
  return before > 0 ? before + (now - before) / 4 : now;
}

static void
take (AfxdpPace *pace, const AfxdpPacePoint *latest)
{
  gdouble numbers = latest->number - pace->from.number;
  guint32 units = latest->timestamp - pace->from.timestamp;

  pace->by_time =
      smooth (pace->by_time, numbers / (latest->arrival - pace->from.arrival));
  if (units)
    pace->by_timestamp = smooth (pace->by_timestamp, numbers / units);
}

void
afxdp_pace_follow (AfxdpPace *pace, const AfxdpPacePoint *latest)
{
  if (latest->arrival - pace->from.arrival < LONGEST)
    take (pace, latest);
  afxdp_pace_start (pace, latest);
}

/* Of the numbers whose last 16 bits say ahead, the one that is nearest to
 * expected. */
static guint64
nearest (guint ahead, guint64 expected)
{
  guint64 half = expected + CYCLE / 2;

  return half < ahead ? ahead : ahead + (half - ahead) / CYCLE * CYCLE;
}

static gboolean
is_near (guint64 number, guint64 expected, guint tolerance)
{
  guint64 difference = MAX (number, expected) - MIN (number, expected);

  return difference <= AFXDP_PACE_MAX_DROPOUT + expected / tolerance;
}

guint64
afxdp_pace_ahead (AfxdpPace *pace, const AfxdpPacePoint *latest, guint ahead,
    guint32 timestamp, guint64 arrival)
{
  guint64 measured = latest->arrival - pace->from.arrival;
  gint32 step = timestamp - latest->timestamp;
  gboolean few = ahead < AFXDP_PACE_MAX_DROPOUT;
  guint tolerance = few ? STRICT_TOLERANCE : TOLERANCE;
  guint64 by_time, by_timestamp, really;

  if (!pace->by_time && measured >= SHORTEST && measured < LONGEST)
    take (pace, latest);
  by_time = (arrival - latest->arrival) * pace->by_time;
  by_timestamp = MAX (step, 0) * pace->by_timestamp;
  /* The very next number: the sender has paused. And after many wraps a pause of
   * any length looks like an outage of about that. */
  if (ahead == 1 || (few && by_time / tolerance > CYCLE / 8))
    return 0;
  really = nearest (ahead, by_time);
  if (!is_near (really, by_time, tolerance) ||
      !is_near (really, by_timestamp, tolerance)) {
    really = nearest (ahead, by_timestamp);
    if (few || !is_near (really, by_timestamp, STRICT_TOLERANCE))
      return 0;
  }
  return really < AFXDP_PACE_MAX_DROPOUT ? 0 : really;
}
