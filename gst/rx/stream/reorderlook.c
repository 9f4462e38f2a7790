/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a packet is to the stage that orders packets: which number of which run. */
#include "reorderstate.h"

/* A leg of which nothing came for longer may have missed any number of packets. */
#define RESUMED G_GUINT64_CONSTANT (20000000)

/* Whether a number that has come is another packet's now: one with another timestamp;
 * or, where all are the same and say nothing, one after a silence. */
static gboolean
is_another (const AfxdpReorderRun *run, const AfxdpReorderKnown *known,
    guint leg, const AfxdpRtp *rtp, guint64 arrival)
{
  return rtp->timestamp != known->timestamp ||
      (!run->moving && known->leg == leg && run->next > run->first + 1 &&
          arrival > run->last_arrival + AFXDP_REORDER_SILENCE);
}

/* Whether the packet is far from the others of its run. Otherwise sets verdict. */
static gboolean
is_far (AfxdpReorder *reorder, const AfxdpReorderTrack *track, guint64 number,
    const AfxdpRtp *rtp, guint64 arrival, AfxdpReorderVerdict *verdict)
{
  const AfxdpReorderRun *run = track->run;
  AfxdpReorderKnown *known = &reorder->first_copy;

  *verdict = AFXDP_REORDER_WANTED;
  if (number > run->highest)
    return number - run->highest > AFXDP_REORDER_JUMP;
  if (G_UNLIKELY (number < run->next)) {
    *verdict = AFXDP_REORDER_LATE;
    if (run->next - number > reorder->shared.past)
      return !afxdp_reorder_run_may_be_old (run, rtp->timestamp, arrival);
    /* A leg that is behind comes to it later. */
    if (number < run->first)
      return run->first - number > AFXDP_REORDER_EARLY &&
          !(reorder->n_legs > 1 && track->highest < run->first &&
              number + AFXDP_REORDER_EARLY >= track->highest);
  }
  if (!afxdp_reorder_run_knows (run, number, known))
    return FALSE;
  *verdict = AFXDP_REORDER_REPEATED;
  return is_another (run, known, track->leg, rtp, arrival);
}

gboolean
afxdp_reorder_is_contradicted (
    const AfxdpReorder *reorder, guint leg, guint64 arrival)
{
  return leg && afxdp_legs_is_present (&reorder->legs, 0, arrival);
}

/* Whether leg may say what the stream is: the first one, or the second while nothing
 * is heard of the first. */
static gboolean
is_authority (const AfxdpReorder *reorder, guint leg, guint64 arrival)
{
  return !leg || !reorder->legs.legs[0].last ||
      afxdp_legs_is_silent (
          &reorder->legs, 0, MIN (arrival, reorder->known[0]));
}

/* The packet's number, by those that came before; and by timestamps where these may be
 * too far away to tell: behind a silence, or while the leg's ring and its socket, read in
 * turns, hold what has arrived during a stall. */
static guint64
number_of (const AfxdpReorder *reorder, const AfxdpReorderTrack *track,
    const AfxdpRtp *rtp, guint64 arrival)
{
  gint16 ahead = rtp->seqnum - (guint16) track->highest;

  if (G_LIKELY (reorder->n_legs == 1 ||
          (arrival < track->last_arrival + RESUMED &&
              ABS (ahead) <= AFXDP_REORDER_JUMP)))
    return track->highest + ahead;
  return afxdp_reorder_run_align (track->run, rtp->seqnum, rtp->timestamp);
}

/* What came by the first leg as number may show that packets of the second are those of
 * the stream. */
static void
look_for_matches (AfxdpReorder *reorder, const AfxdpReorderTrack *of,
    guint64 number, const AfxdpRtp *rtp)
{
  for (guint i = 0; i < AFXDP_REORDER_SOURCES; i++) {
    AfxdpReorderTrack *track = &reorder->tracks[!of->leg][i];

    if (track->in_use && track->unmatched &&
        afxdp_unmatched_compare (
            track->unmatched, rtp->seqnum, rtp->timestamp) &&
        !afxdp_reorder_track_of (reorder, track->leg, of->run))
      afxdp_reorder_join (reorder, track, of->run,
          number + (guint16) (track->highest - number));
  }
}

static AfxdpReorderVerdict
look_in_run (AfxdpReorder *reorder, AfxdpReorderTrack *track, guint64 number,
    const AfxdpRtp *rtp, guint64 arrival)
{
  AfxdpReorderVerdict verdict;

  reorder->number = number;
  if (G_UNLIKELY (is_far (reorder, track, number, rtp, arrival, &verdict))) {
    reorder->found = track->has_suspect &&
            rtp->seqnum == (guint16) (track->suspect_number + 1)
        ? AFXDP_REORDER_FOUND_FOLLOWS
        : AFXDP_REORDER_FOUND_SUSPECT;
    return AFXDP_REORDER_WANTED;
  }
  reorder->found = AFXDP_REORDER_FOUND_NEAR;
  if (G_UNLIKELY (track->has_suspect))
    afxdp_reorder_forget_suspect (reorder, track);
  track->highest = MAX (track->highest, number);
  if (G_UNLIKELY (reorder->n_unmatched && !track->leg))
    look_for_matches (reorder, track, number, rtp);
  return verdict;
}

/* Likewise of a track that does not belong to run yet. FALSE: the packet does not fit
 * there, and nothing has changed. */
static gboolean
try_run (AfxdpReorder *reorder, AfxdpReorderTrack *track, AfxdpReorderRun *run,
    const AfxdpRtp *rtp, guint64 arrival, AfxdpReorderVerdict *verdict)
{
  guint64 number = afxdp_reorder_run_align (run, rtp->seqnum, rtp->timestamp);
  const AfxdpReorderTrack tried = {
    .leg = track->leg, .run = run, .highest = number
  };

  if (is_far (reorder, &tried, number, rtp, arrival, verdict) ||
      (number < run->first &&
          !afxdp_reorder_run_may_precede (run, number, rtp->timestamp)))
    return FALSE;
  afxdp_reorder_join (reorder, track, run, number);
  *verdict = look_in_run (reorder, track, number, rtp, arrival);
  return TRUE;
}

static AfxdpReorderRun *
run_of_ssrc (AfxdpReorder *reorder, guint leg, guint32 ssrc)
{
  for (guint i = 0; i < AFXDP_REORDER_RUNS; i++) {
    AfxdpReorderRun *run = reorder->runs[i];

    if (run && run->in_use && run->ssrc == ssrc &&
        !afxdp_reorder_track_of (reorder, leg, run))
      return run;
  }
  return NULL;
}

static void
note_unmatched (AfxdpReorder *reorder, AfxdpReorderTrack *track,
    const AfxdpRtp *rtp, guint64 arrival)
{
  if (!track->unmatched) {
    track->unmatched = g_new0 (AfxdpUnmatched, 1);
    track->highest = AFXDP_REORDER_BEGIN + rtp->seqnum;
    reorder->n_unmatched++;
  }
  track->highest =
      MAX (track->highest, afxdp_reorder_extend (track->highest, rtp->seqnum));
  afxdp_unmatched_note (track->unmatched, rtp->seqnum, rtp->timestamp, arrival);
}

/* Begins a run with the packet, or run anew. */
static AfxdpReorderVerdict
look_at_first (
    AfxdpReorder *reorder, AfxdpReorderTrack *track, AfxdpReorderRun *run)
{
  afxdp_reorder_forget_unmatched (reorder, track);
  track->run = run ? run : afxdp_reorder_add_run (reorder);
  if (!run)
    track->run->ssrc = track->ssrc;
  reorder->found = AFXDP_REORDER_FOUND_FIRST;
  return AFXDP_REORDER_WANTED;
}

/* Whether the packet's number has come, with the same timestamp; of its track, as often
 * as proves that it is of run. */
static gboolean
has_come (const AfxdpReorderRun *run, AfxdpReorderTrack *track,
    const AfxdpRtp *rtp, guint64 *number)
{
  AfxdpReorderKnown known;

  *number = afxdp_reorder_run_align (run, rtp->seqnum, rtp->timestamp);
  return afxdp_reorder_run_knows (run, *number, &known) &&
      (track->unmatched ? afxdp_unmatched_compare_former (track->unmatched,
                              rtp->seqnum, rtp->timestamp, known.timestamp)
                        : rtp->timestamp == known.timestamp);
}

/* A run that is only the other leg's, and has had the packet. */
static AfxdpReorderRun *
find_match (AfxdpReorder *reorder, AfxdpReorderTrack *track,
    const AfxdpRtp *rtp, guint64 *number)
{
  for (guint i = 0; i < AFXDP_REORDER_RUNS; i++) {
    AfxdpReorderRun *run = reorder->runs[i];

    if (run && run->in_use &&
        !afxdp_reorder_track_of (reorder, track->leg, run) &&
        has_come (run, track, rtp, number))
      return run;
  }
  return NULL;
}

/* Which run is the track part of? */
static AfxdpReorderVerdict
look_without_run (AfxdpReorder *reorder, AfxdpReorderTrack *track,
    const AfxdpRtp *rtp, guint64 arrival)
{
  gboolean is_believed = is_authority (reorder, track->leg, arrival);
  AfxdpReorderRun *same, *run;
  AfxdpReorderVerdict verdict;
  guint64 number;

  same = run_of_ssrc (reorder, track->leg, rtp->ssrc);
  if (same && !track->doubted &&
      try_run (reorder, track, same, rtp, arrival, &verdict))
    return verdict;
  if (!is_believed)
    note_unmatched (reorder, track, rtp, arrival);
  /* With one leg: of the one that was there before. */
  run = find_match (reorder, track, rtp, &number);
  if (run) {
    afxdp_reorder_join (reorder, track, run, number);
    return look_in_run (reorder, track, number, rtp, arrival);
  }
  if (is_believed)
    return look_at_first (reorder, track, same);
  track->doubted |= same != NULL;
  return AFXDP_REORDER_UNMATCHED;
}

/* What the legs are to each other by that. */
static void
note_verdict (AfxdpReorder *reorder, guint leg, AfxdpReorderVerdict verdict,
    guint64 arrival)
{
  AfxdpLegs *legs = &reorder->legs;
  guint64 first;

  afxdp_legs_note_matched (legs, leg, verdict != AFXDP_REORDER_UNMATCHED);
  if (verdict == AFXDP_REORDER_REPEATED &&
      afxdp_reorder_first_copy (reorder, &first))
    afxdp_legs_note_skew (legs, leg, arrival - MIN (arrival, first));
}

static AfxdpReorderVerdict
look_at_numbered (
    AfxdpReorder *reorder, guint leg, const AfxdpRtp *rtp, guint64 arrival)
{
  AfxdpReorderTrack *track = afxdp_reorder_find_track (reorder, leg, rtp->ssrc);
  AfxdpReorderVerdict verdict;

  if (G_UNLIKELY (!track))
    track = afxdp_reorder_add_track (reorder, leg, rtp->ssrc, arrival);
  if (G_UNLIKELY (!track))
    return leg ? AFXDP_REORDER_UNMATCHED : AFXDP_REORDER_WANTED;
  reorder->track = track;
  reorder->seqnum = rtp->seqnum;
  reorder->timestamp = rtp->timestamp;
  verdict = track->run
      ? look_in_run (reorder, track, number_of (reorder, track, rtp, arrival),
            rtp, arrival)
      : look_without_run (reorder, track, rtp, arrival);
  if (G_UNLIKELY (reorder->found == AFXDP_REORDER_FOUND_FOLLOWS &&
          afxdp_reorder_is_contradicted (reorder, leg, arrival))) {
    afxdp_reorder_doubt (reorder, track);
    note_unmatched (reorder, track, rtp, arrival);
    verdict = AFXDP_REORDER_UNMATCHED;
  }
  track->last_arrival = MAX (track->last_arrival, arrival);
  if (track->run)
    track->run->last_arrival = MAX (track->run->last_arrival, arrival);
  return verdict;
}

AfxdpReorderVerdict
afxdp_reorder_look (
    AfxdpReorder *reorder, guint leg, const AfxdpRtp *rtp, guint64 arrival)
{
  AfxdpReorderVerdict verdict =
      leg ? AFXDP_REORDER_UNMATCHED : AFXDP_REORDER_WANTED;

  reorder->found = AFXDP_REORDER_FOUND_UNORDERED;
  if (reorder->n_legs > 1)
    afxdp_legs_note_arrival (&reorder->legs, leg, arrival);
  if (afxdp_rtp_is_numbered (rtp))
    verdict = look_at_numbered (reorder, leg, rtp, arrival);
  if (reorder->n_legs > 1 && afxdp_rtp_is_numbered (rtp))
    note_verdict (reorder, leg, verdict, arrival);
  return verdict;
}

gboolean
afxdp_reorder_has_other_ssrc (const AfxdpReorder *reorder, guint32 *ssrc)
{
  if (G_UNLIKELY (reorder->found == AFXDP_REORDER_FOUND_UNORDERED))
    return FALSE;
  *ssrc = reorder->track->run->ssrc;
  return *ssrc != reorder->track->ssrc;
}

gboolean
afxdp_reorder_was_wanted (const AfxdpReorder *reorder, guint64 *behind)
{
  *behind = reorder->track->run->next - reorder->number;
  return reorder->number >= reorder->track->run->first;
}

gboolean
afxdp_reorder_first_copy (const AfxdpReorder *reorder, guint64 *arrival)
{
  *arrival = reorder->first_copy.arrival;
  return reorder->first_copy.leg != reorder->track->leg;
}
