/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a packet is to the run of numbers of its SSRC: the next, late, lost ones'
 * end, or nothing that can be believed yet. */
#include "rtpsource.h"

#include <string.h>

/* RFC 3550 A.1: what is not further behind is late, whatever its timestamp. */
#define MAX_MISORDER 100

/* Timestamps no further apart may be of one run: 12 minutes at 90 kHz. Those
 * of two runs, which begin anywhere, are that near in 1 of 32 cases. */
#define MAX_TIME_STEP (1 << 26)

/* The first packet of a frame may be missing, but not many, for the pace to be
 * measured from the next. */
#define MAX_ROW 8

/* Packets of an SSRC after which it is told that it has no sequence. */
#define NOT_BELIEVABLE 100

#define NS_PER_SECOND G_GUINT64_CONSTANT (1000000000)

/* RFC 3550 A.8, in the order of arrival. */
static inline void
measure_jitter (
    AfxdpRtpRun *run, guint rate, guint32 timestamp, guint64 arrival)
{
  guint32 transit, difference;

  if (G_UNLIKELY (rate != run->clock_rate)) {
    run->clock_rate = rate;
    run->transit_known = FALSE;
    run->jitter = 0;
  }
  if (!rate)
    return;
  transit = arrival / NS_PER_SECOND * rate +
      arrival % NS_PER_SECOND * rate / NS_PER_SECOND - timestamp;
  if (G_LIKELY (run->transit_known)) {
    difference = transit - run->transit;
    if (difference > G_MAXINT32)
      difference = -difference;
    run->jitter += difference - ((run->jitter + 8) >> 4);
  }
  run->transit = transit;
  run->transit_known = TRUE;
}

static inline void
hear (const AfxdpRtpStats *stats, AfxdpRtpRun *run, const AfxdpRtp *rtp,
    guint64 arrival)
{
  guint8 payload_type = rtp->payload_type % G_N_ELEMENTS (stats->clock_rates);

  run->payload_type = payload_type;
  measure_jitter (
      run, stats->clock_rates[payload_type], rtp->timestamp, arrival);
}

/* The latest packet is the first of those that the pace is measured with. */
static void
begin_pace (AfxdpRtpRun *run)
{
  AfxdpPacePoint point = afxdp_rtp_latest (run);

  afxdp_pace_begin (&run->pace, &point);
}

/* A packet with the number ahead of the highest, 1 or more. */
static inline void
go_on (AfxdpRtpStats *stats, AfxdpRtpRun *run, const AfxdpRtp *rtp,
    guint64 ahead, guint64 arrival, const AfxdpOutage *outage)
{
  guint64 number = run->highest + ahead;
  gboolean changed = rtp->timestamp != run->timestamp;

  if (G_UNLIKELY (ahead > 1))
    afxdp_rtp_open_gap (stats, run, number, rtp->size, arrival, outage);
  afxdp_rtp_window_add (run, number);
  run->highest = number;
  run->timestamp = rtp->timestamp;
  run->size = rtp->size;
  run->marker = rtp->marker;
  run->last_advance = arrival;
  run->advances++;
  run->n_suspects = 0;
  if (G_UNLIKELY (afxdp_pace_is_due (&run->pace, arrival, changed)) &&
      ahead <= MAX_ROW) {
    AfxdpPacePoint point = afxdp_rtp_latest (run);

    afxdp_pace_take (&run->pace, &point, changed);
  }
  hear (stats, run, rtp, arrival);
  if (G_UNLIKELY (run->n_gaps))
    afxdp_rtp_settle_gaps (stats, run, arrival);
}

/* A packet whose number lies in the window, behind the highest. */
static void
come_late (AfxdpRtpStats *stats, AfxdpRtpRun *run, const AfxdpRtp *rtp,
    guint behind, guint64 arrival)
{
  guint64 number = run->highest - behind;

  afxdp_rtp_settle_gaps (stats, run, arrival);
  if (afxdp_rtp_window_has (run, number)) {
    run->counts.duplicates++;
    return;
  }
  run->counts.reordered++;
  run->max_reorder = MAX (run->max_reorder, behind);
  if (run->n_gaps && number >= afxdp_rtp_first_pending (run)) {
    afxdp_rtp_fill_gap (run, number);
  } else {
    afxdp_rtp_window_add (run, number);
    if (number >= run->base) {
      run->counts.lost--;
      if (stats->funcs)
        stats->funcs->came (
            run->ssrc, number - AFXDP_RTP_FIRST_CYCLE, stats->user_data);
    }
  }
  hear (stats, run, rtp, arrival);
}

void
afxdp_rtp_run_late (AfxdpRtpStats *stats, AfxdpRtpRun *run, const AfxdpRtp *rtp,
    guint64 behind, guint64 arrival)
{
  guint64 number = run->highest - behind;

  if (G_LIKELY (behind < AFXDP_RTP_WINDOW)) {
    come_late (stats, run, rtp, behind, arrival);
    return;
  }
  /* Further than is remembered of it, but it did not come. */
  afxdp_rtp_settle_gaps (stats, run, G_MAXUINT64);
  run->counts.reordered++;
  run->max_reorder = MAX (run->max_reorder, behind);
  if (number < run->base || !run->counts.lost)
    return;
  run->counts.lost--;
  if (stats->funcs)
    stats->funcs->came (
        run->ssrc, number - AFXDP_RTP_FIRST_CYCLE, stats->user_data);
}

/* Beginnings. */

/* Begins a run of numbers with a packet that is already counted. */
static void
start (AfxdpRtpRun *run, const AfxdpRtpSuspect *first)
{
  memset (run->window, 0, sizeof run->window);
  memset (run->early, 0, sizeof run->early);
  memset (run->uncertain_gaps, 0, sizeof run->uncertain_gaps);
  run->base = AFXDP_RTP_FIRST_CYCLE + first->rtp.seqnum;
  run->highest = run->base;
  run->timestamp = first->rtp.timestamp;
  run->size = first->rtp.size;
  run->marker = first->rtp.marker;
  run->last_advance = first->arrival;
  run->transit_known = FALSE;
  run->jitter = 0;
  run->early_until = 0;
  run->n_suspects = 0;
  run->pace = (AfxdpPace){ 0 };
  begin_pace (run);
  afxdp_rtp_window_add (run, run->base);
}

static void
tell (const AfxdpRtpStats *stats, const AfxdpRtpRun *run,
    AfxdpRtpSourceState state, const AfxdpRtp *rtp, guint64 arrival)
{
  afxdp_rtp_tell (stats,
      &(AfxdpRtpEvent){
          .state = state,
          .ssrc = run->ssrc,
          .payload_type = rtp->payload_type,
          .first = rtp->seqnum,
          .shown = arrival,
      });
}

static void
validate (AfxdpRtpStats *stats, AfxdpRtpRun *run, const AfxdpRtpSuspect *first)
{
  run->believed = TRUE;
  g_queue_unlink (&stats->suspects, &run->recent);
  g_queue_push_tail_link (&stats->recent, &run->recent);
  g_queue_push_tail_link (&stats->listed, &run->listed);
  start (run, first);
  tell (stats, run, AFXDP_RTP_SOURCE_NEW, &first->rtp, first->arrival);
}

static void
restart (AfxdpRtpStats *stats, AfxdpRtpRun *run, const AfxdpRtpSuspect *first)
{
  AfxdpPacePoint point = afxdp_rtp_latest (run);
  AfxdpRtpFormer former = {
    .known = TRUE,
    .base = run->base,
    .first = AFXDP_RTP_FIRST_CYCLE + first->rtp.seqnum,
    .gap = afxdp_rtp_gap_until (run, 0, first->rtp.size, first->arrival, NULL),
  };

  former.gap.possible =
      afxdp_outage_possible (&run->pace, &point, first->arrival);
  run->counts.restarts++;
  afxdp_rtp_settle_gaps (stats, run, G_MAXUINT64);
  run->former = former;
  run->rival = run->highest;
  run->n_former = run->n_final;
  start (run, first);
  afxdp_rtp_tell (stats,
      &(AfxdpRtpEvent){
          .state = AFXDP_RTP_SOURCE_RESTARTED,
          .ssrc = run->ssrc,
          .payload_type = first->rtp.payload_type,
          .first = first->rtp.seqnum,
          .shown = first->arrival,
          .last = former.gap.first - 1,
          .before = former.gap.before,
          .possible = former.gap.possible,
      });
}

/* Suspects: packets whose number is not to be believed on one packet. */

static AfxdpRtpSuspect *
latest_suspect (AfxdpRtpRun *run)
{
  return &run->suspects[(run->n_suspects - 1) % AFXDP_RTP_SUSPECTS];
}

static guint64 *
counted_as (AfxdpRtpRun *run, const AfxdpRtpSuspect *suspect)
{
  switch (suspect->as) {
    case AFXDP_RTP_AS_DUPLICATE:
      return &run->counts.duplicates;
    case AFXDP_RTP_AS_STRAY:
      return &run->counts.strays;
    default:
      return &run->counts.unvalidated;
  }
}

static gboolean
is_ahead (const AfxdpRtpRun *run, const AfxdpRtp *rtp)
{
  gint32 step = rtp->timestamp - run->timestamp;

  return (guint16) (rtp->seqnum - run->highest) <= G_MAXINT16 && step >= 0 &&
      step < MAX_TIME_STEP;
}

/* Whether a suspect that others confirm, at arrival, is of the present run, and
 * what was between is missing. */
static gboolean
ends_a_gap (
    const AfxdpRtpRun *run, const AfxdpRtpSuspect *suspect, AfxdpOutage *outage)
{
  guint ahead = (guint16) (suspect->rtp.seqnum - run->highest);
  AfxdpPacePoint point = afxdp_rtp_latest (run);

  if (suspect->as == AFXDP_RTP_AS_DUPLICATE)
    return FALSE;
  if (afxdp_outage_judge (&run->pace, &point, ahead, suspect->rtp.timestamp,
          suspect->arrival, run->clock_rate, outage))
    return TRUE;
  /* Nothing is known of its pace. */
  if (outage->possible || !is_ahead (run, &suspect->rtp))
    return FALSE;
  outage->ahead = ahead;
  outage->uncertain =
      suspect->arrival > run->last_advance + AFXDP_RTP_SHORTEST_OUTAGE;
  return ahead > 0;
}

/* Others confirm the first of some suspects, the latest of them at arrival. Returns
 * whether that is believed; then it is the latest of its run. */
static gboolean
believe (AfxdpRtpStats *stats, AfxdpRtpRun *run, const AfxdpRtpSuspect *first,
    guint64 arrival)
{
  guint ahead = (guint16) (first->rtp.seqnum - run->highest);
  gint32 step = first->rtp.timestamp - run->timestamp;
  AfxdpOutage outage;

  if (!run->believed) {
    validate (stats, run, first);
    return TRUE;
  }
  if (ends_a_gap (run, first, &outage)) {
    /* The latest early packet is the first suspect, and no longer early. */
    run->early[(run->next_early - 1) % AFXDP_RTP_EARLY].until = 0;
    go_on (stats, run, &first->rtp, outage.ahead, first->arrival, &outage);
    return TRUE;
  }
  /* Old in both, while the run goes on: that is no restart but packets later
   * than the window is long. Believed, they and the run would be taken for
   * restarts in turn. */
  if (ahead > G_MAXINT16 && step <= 0 && step > -MAX_TIME_STEP &&
      arrival < run->last_advance + AFXDP_RTP_FINAL_TIME)
    return FALSE;
  restart (stats, run, first);
  return TRUE;
}

/* Whether the suspects can be a sequence with gaps: most numbers of a short range,
 * no three out of four missing, once each, upwards from the first. What follows the
 * numbers of other SSRCs is a counter that several share. */
static gboolean
are_a_sequence (const AfxdpRtpRun *run)
{
  const gint n = AFXDP_RTP_SUSPECTS;
  guint16 first = run->suspects[run->n_suspects % n].rtp.seqnum;
  gint least = 0, most = 0, latest = 0, n_shared = 0, n_numbers;
  guint64 came = 0;

  for (gint i = 0; i < n; i++) {
    const AfxdpRtpSuspect *suspect = &run->suspects[(run->n_suspects + i) % n];

    latest = (gint16) (suspect->rtp.seqnum - first);
    if (ABS (latest) > 3 * n)
      return FALSE;
    least = MIN (least, latest);
    most = MAX (most, latest);
    n_shared += suspect->shares;
    came |= G_GUINT64_CONSTANT (1) << (latest & 63);
  }
  n_numbers = __builtin_popcountll (came);
  return n_numbers >= n * 3 / 4 && most - least < 3 * n_numbers &&
      latest > most - n / 2 && least > -n / 2 && n_shared < n / 2;
}

static void
take_as_sequence (AfxdpRtpStats *stats, AfxdpRtpRun *run)
{
  AfxdpRtpSuspect suspects[AFXDP_RTP_SUSPECTS];
  guint64 arrival = latest_suspect (run)->arrival;

  memset (run->early, 0, sizeof run->early);
  for (guint i = 0; i < AFXDP_RTP_SUSPECTS; i++)
    suspects[i] = run->suspects[(run->n_suspects + i) % AFXDP_RTP_SUSPECTS];
  if (!believe (stats, run, &suspects[0], arrival))
    return;
  for (guint i = 0; i < AFXDP_RTP_SUSPECTS; i++) {
    const AfxdpRtp *rtp = &suspects[i].rtp;
    guint ahead = (guint16) (rtp->seqnum - run->highest);

    (*counted_as (run, &suspects[i]))--;
    if (!i)
      continue;
    if (ahead && ahead <= G_MAXINT16)
      go_on (stats, run, rtp, ahead, suspects[i].arrival, NULL);
    else
      come_late (stats, run, rtp, (guint16) -ahead, suspects[i].arrival);
  }
}

static void
remember_early (AfxdpRtpRun *run, const AfxdpRtp *rtp, guint64 arrival)
{
  run->early_until = arrival + AFXDP_RTP_FINAL_TIME;
  run->early[run->next_early++ % AFXDP_RTP_EARLY] =
      (AfxdpRtpEarly){ rtp->seqnum, run->early_until };
}

static void
suspect (AfxdpRtpStats *stats, AfxdpRtpRun *run, const AfxdpRtp *rtp,
    guint64 arrival, AfxdpRtpCountedAs as, gboolean shares)
{
  AfxdpRtpSuspect *before = latest_suspect (run);
  AfxdpRtpSuspect now = { *rtp, arrival, as, shares };

  if (run->n_suspects) {
    if (rtp->seqnum == (guint16) (before->rtp.seqnum + 1)) {
      AfxdpRtpSuspect first = *before;

      if (believe (stats, run, &first, arrival)) {
        (*counted_as (run, &first))--;
        go_on (stats, run, rtp, 1, arrival, NULL);
        return;
      }
    } else if (run->believed && rtp->seqnum == before->rtp.seqnum) {
      run->counts.duplicates++;
      return;
    }
  }
  (*counted_as (run, &now))++;
  run->n_suspects++;
  *latest_suspect (run) = now;
  if (as == AFXDP_RTP_AS_STRAY && is_ahead (run, rtp))
    remember_early (run, rtp, arrival);
  if (run->n_suspects >= AFXDP_RTP_SUSPECTS && run->n_suspects % 4 == 0 &&
      are_a_sequence (run)) {
    take_as_sequence (stats, run);
  } else if (as == AFXDP_RTP_AS_UNVALIDATED && !run->not_believable &&
      run->n_suspects >= NOT_BELIEVABLE) {
    run->not_believable = TRUE;
    tell (stats, run, AFXDP_RTP_SOURCE_UNVALIDATED, rtp, arrival);
  }
}

/* Packets. */

/* After a silence: packets are missing that were sent meanwhile, or the sender has
 * paused. Returns whether the packet is of this run and ahead. */
static gboolean
go_on_after_silence (AfxdpRtpStats *stats, AfxdpRtpRun *run,
    const AfxdpRtp *rtp, guint64 arrival)
{
  AfxdpPacePoint point = afxdp_rtp_latest (run), next;
  guint ahead = (guint16) (rtp->seqnum - run->highest);
  AfxdpOutage outage;

  if (!afxdp_outage_judge (&run->pace, &point, ahead, rtp->timestamp, arrival,
          run->clock_rate, &outage))
    return FALSE;
  next =
      (AfxdpPacePoint){ run->highest + outage.ahead, arrival, rtp->timestamp };
  if (outage.ahead == 1 && outage.uncertain)
    afxdp_rtp_open_pause (stats, run, rtp->size, arrival, &outage);
  if (outage.ahead < AFXDP_PACE_MAX_DROPOUT)
    afxdp_pace_resume (&run->pace, &point, &next);
  else
    afxdp_pace_begin (&run->pace, &next);
  go_on (stats, run, rtp, outage.ahead, arrival, &outage);
  return TRUE;
}

static gboolean
is_possible (
    const AfxdpRtpRun *run, guint ahead, const AfxdpRtp *rtp, guint64 arrival)
{
  AfxdpPacePoint point = afxdp_rtp_latest (run);

  if (!ahead || ahead >= AFXDP_PACE_MAX_DROPOUT)
    return FALSE;
  return ahead <= MAX_ROW ||
      afxdp_outage_allows (
          &run->pace, &point, ahead, rtp->timestamp, arrival, run->clock_rate);
}

/* The run before this one goes on beside it: two senders have one SSRC. */
static gboolean
is_of_rival (AfxdpRtpRun *run, const AfxdpRtp *rtp)
{
  guint ahead = (guint16) (rtp->seqnum - run->rival);

  if (!run->former.known || !ahead || ahead >= MAX_MISORDER)
    return FALSE;
  run->rival = rtp->seqnum;
  return TRUE;
}

void
afxdp_rtp_run_take (AfxdpRtpStats *stats, AfxdpRtpRun *run, const AfxdpRtp *rtp,
    guint64 arrival, gboolean shares)
{
  guint ahead = (guint16) (rtp->seqnum - run->highest);
  guint behind = (guint16) -ahead;
  gint32 step = rtp->timestamp - run->timestamp;
  gboolean near = step > -MAX_TIME_STEP && step < MAX_TIME_STEP;
  gboolean rested = arrival > run->last_advance + AFXDP_RTP_FINAL_TIME;

  if (G_UNLIKELY (!run->believed)) {
    suspect (stats, run, rtp, arrival, AFXDP_RTP_AS_UNVALIDATED, shares);
    return;
  }
  if (G_UNLIKELY (run->gone)) {
    run->gone = FALSE;
    tell (stats, run, AFXDP_RTP_SOURCE_NEW, rtp, arrival);
  }
  if (arrival > run->last_advance + AFXDP_RTP_SHORTEST_OUTAGE) {
    if (go_on_after_silence (stats, run, rtp, arrival))
      return;
  } else if (is_possible (run, ahead, rtp, arrival)) {
    go_on (stats, run, rtp, ahead, arrival, NULL);
    return;
  }
  if (behind < AFXDP_RTP_WINDOW) {
    guint64 number = run->highest - behind;
    gboolean came = afxdp_rtp_window_has (run, number);

    /* A sender that begins anew from a number that it had before, unless packets are
     * that late in this stream. */
    if (rested && came && behind > run->max_reorder) {
      suspect (stats, run, rtp, arrival, AFXDP_RTP_AS_DUPLICATE, FALSE);
      return;
    }
    if (rested ? near && number >= run->base : near || behind < MAX_MISORDER) {
      come_late (stats, run, rtp, behind, arrival);
      return;
    }
  }
  if (!rested && is_of_rival (run, rtp))
    run->counts.strays++;
  else
    suspect (stats, run, rtp, arrival, AFXDP_RTP_AS_STRAY, FALSE);
}

void
afxdp_rtp_run_go_on (AfxdpRtpStats *stats, AfxdpRtpRun *run,
    const AfxdpRtp *rtp, guint64 arrival)
{
  go_on (stats, run, rtp, 1, arrival, NULL);
}
