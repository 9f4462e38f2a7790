/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RTP packets in the order of their numbers, and each once: which packet has which
 * number of which run (reorderrun.h). */
#include "reorder.h"

#include "reorderrun.h"
#include "unmatched.h"

/* A leg of which nothing came for longer may have missed any number of packets. */
#define RESUMED G_GUINT64_CONSTANT (20000000)

/* An SSRC as a leg brings it. */
typedef struct
{
  gboolean in_use;
  guint leg;
  guint32 ssrc;
  AfxdpReorderRun *run; /* that it is part of; NULL: it matches none */
  guint64 highest;      /* that it brought, by the numbers of run */
  guint64 last_arrival;

  /* While there is no run. */
  AfxdpUnmatched *unmatched;
  gboolean doubted; /* it did not fit: the same SSRC is no proof */

  /* A number far from the others. */
  gboolean has_suspect;
  guint16 suspect_number;
  AfxdpReorderPlace suspect;
} Track;

/* What look() found, for put(). */
typedef enum
{
  FOUND_UNORDERED, /* not RTP, or of an SSRC too many */
  FOUND_FIRST,     /* of a new run */
  FOUND_NEAR,
  FOUND_SUSPECT, /* a number far from the others */
  FOUND_FOLLOWS, /* likewise, and right behind the suspect */
} Found;

#define RUNS (AFXDP_LEGS * AFXDP_REORDER_SOURCES)

struct _AfxdpReorder
{
  AfxdpReorderShared shared;
  guint n_legs;
  guint64 window, max_bytes;
  AfxdpLegs legs;

  guint64 known[AFXDP_LEGS]; /* all that arrived by it before has been put, */
  guint64 now;               /* and by all legs */
  guint64 cut_short;

  /* Of look(). */
  Found found;
  Track *track; /* that it is of */
  guint16 seqnum;
  guint32 timestamp;
  guint64 number; /* but for FOUND_FIRST */
  AfxdpReorderKnown first_copy;

  Track *latest[AFXDP_LEGS]; /* that a packet was of */
  Track tracks[AFXDP_LEGS][AFXDP_REORDER_SOURCES];
  guint n_unmatched;           /* of these */
  AfxdpReorderRun *runs[RUNS]; /* made when they are needed */
};

AfxdpReorder *
afxdp_reorder_new (guint n_legs, guint64 window, guint64 max_bytes,
    const AfxdpReorderFuncs *funcs, gpointer user_data)
{
  AfxdpReorder *reorder = g_new0 (AfxdpReorder, 1);

  reorder->n_legs = n_legs;
  reorder->window = reorder->legs.window = window;
  reorder->max_bytes = max_bytes;
  reorder->shared.funcs = funcs;
  reorder->shared.user_data = user_data;
  reorder->shared.past =
      n_legs > 1 ? AFXDP_REORDER_PAST_OF_TWO : AFXDP_REORDER_PAST;
  return reorder;
}

void
afxdp_reorder_free (AfxdpReorder *reorder)
{
  if (!reorder)
    return;
  g_assert (!reorder->shared.n_waiting);
  for (guint i = 0; i < RUNS; i++)
    if (reorder->runs[i])
      afxdp_reorder_run_free (reorder->runs[i]);
  g_free (reorder);
}

/* What waits, and for how long. */

static guint64
due_of (const AfxdpReorder *reorder, const AfxdpReorderEntry *entry)
{
  const AfxdpLegs *legs = &reorder->legs;

  /* Nobody else would bring what is missing. */
  if (reorder->n_legs > 1 &&
      afxdp_legs_is_silent (legs, !entry->leg, legs->legs[entry->leg].last))
    return entry->arrival;
  return entry->arrival < G_MAXUINT64 - reorder->window
      ? entry->arrival + reorder->window
      : G_MAXUINT64;
}

static guint64
due_of_oldest (const AfxdpReorder *reorder, const AfxdpReorderRun *run)
{
  return run->n
      ? due_of (reorder, &afxdp_reorder_run_place (run, run->oldest)->entry)
      : G_MAXUINT64;
}

/* Of all runs, the one whose packet has waited longest. */
static AfxdpReorderRun *
run_of_oldest (const AfxdpReorder *reorder)
{
  AfxdpReorderRun *oldest = NULL;

  for (guint i = 0; i < RUNS; i++) {
    AfxdpReorderRun *run = reorder->runs[i];

    if (run && run->n &&
        (!oldest ||
            due_of_oldest (reorder, run) < due_of_oldest (reorder, oldest)))
      oldest = run;
  }
  return oldest;
}

static void
make_room (AfxdpReorder *reorder)
{
  while (reorder->shared.n_bytes > reorder->max_bytes) {
    afxdp_reorder_run_give_up (run_of_oldest (reorder));
    reorder->cut_short++;
  }
}

/* How far ahead of the next number one may wait. */
static guint64
most_of (const AfxdpReorder *reorder, const AfxdpReorderRun *run)
{
  return reorder->n_legs > 1 && run->moving ? AFXDP_REORDER_MOST_OF_TWO
                                            : AFXDP_REORDER_MOST;
}

/* number is not behind, and has not come. */
static void
accept (AfxdpReorder *reorder, Track *track, guint64 number,
    const AfxdpReorderPlace *place)
{
  AfxdpReorderRun *run = track->run;

  while (G_UNLIKELY (number - run->next > most_of (reorder, run))) {
    if (run->n)
      afxdp_reorder_run_give_up (run);
    else
      afxdp_reorder_run_pass_over (run, number);
    reorder->cut_short++;
  }
  track->highest = MAX (track->highest, number);
  afxdp_reorder_run_put (run, number, place);
  if (G_UNLIKELY (run->n))
    make_room (reorder);
}

/* Tracks. */

static void
forget_suspect (AfxdpReorder *reorder, Track *track)
{
  if (G_LIKELY (!track->has_suspect))
    return;
  track->has_suspect = FALSE;
  reorder->shared.n_waiting--;
  reorder->shared.funcs->late (
      &track->suspect.entry, reorder->shared.user_data);
}

static Track *
track_of (AfxdpReorder *reorder, guint leg, const AfxdpReorderRun *run)
{
  for (guint i = 0; i < AFXDP_REORDER_SOURCES; i++) {
    Track *track = &reorder->tracks[leg][i];

    if (track->in_use && track->run == run)
      return track;
  }
  return NULL;
}

static gboolean
has_track (AfxdpReorder *reorder, const AfxdpReorderRun *run)
{
  for (guint leg = 0; leg < AFXDP_LEGS; leg++)
    if (track_of (reorder, leg, run))
      return TRUE;
  return FALSE;
}

/* It is part of its run no more. */
static void
leave_run (AfxdpReorder *reorder, Track *track)
{
  AfxdpReorderRun *run = track->run;

  forget_suspect (reorder, track);
  track->run = NULL;
  if (has_track (reorder, run))
    return;
  afxdp_reorder_run_give_up_all (run);
  run->in_use = FALSE;
}

static void
forget_unmatched (AfxdpReorder *reorder, Track *track)
{
  if (!track->unmatched)
    return;
  g_clear_pointer (&track->unmatched, g_free);
  reorder->n_unmatched--;
}

static void
end_track (AfxdpReorder *reorder, Track *track)
{
  if (track->run)
    leave_run (reorder, track);
  forget_unmatched (reorder, track);
  track->in_use = FALSE;
}

/* Its packets are not the stream's, until they prove to be. */
static void
doubt (AfxdpReorder *reorder, Track *track)
{
  if (track->run)
    leave_run (reorder, track);
  track->doubted = TRUE;
}

/* As far as has come, seqnum is number. */
static void
join_run (
    AfxdpReorder *reorder, Track *track, AfxdpReorderRun *run, guint64 number)
{
  forget_unmatched (reorder, track);
  track->run = run;
  track->highest = number;
  track->doubted = FALSE;
}

static Track *
find_track (AfxdpReorder *reorder, guint leg, guint32 ssrc)
{
  Track *track = reorder->latest[leg];

  if (G_LIKELY (track && track->in_use && track->ssrc == ssrc))
    return track;
  for (guint i = 0; i < AFXDP_REORDER_SOURCES; i++) {
    track = &reorder->tracks[leg][i];
    if (track->in_use && track->ssrc == ssrc)
      return reorder->latest[leg] = track;
  }
  return NULL;
}

/* For a new SSRC, or NULL. */
static Track *
add_track (AfxdpReorder *reorder, guint leg, guint32 ssrc, guint64 arrival)
{
  Track *silent = NULL;

  for (guint i = 0; i < AFXDP_REORDER_SOURCES; i++) {
    Track *track = &reorder->tracks[leg][i];

    if (!silent || !track->in_use ||
        (silent->in_use && track->last_arrival < silent->last_arrival))
      silent = track;
  }
  if (silent->in_use) {
    if (arrival < silent->last_arrival + AFXDP_REORDER_SILENT)
      return NULL;
    end_track (reorder, silent);
  }
  *silent = (Track){ .in_use = TRUE, .leg = leg, .ssrc = ssrc };
  silent->last_arrival = arrival;
  return reorder->latest[leg] = silent;
}

static AfxdpReorderRun *
add_run (AfxdpReorder *reorder)
{
  guint i = 0;

  /* There are as many as tracks: one is free, or of a leg that is not there any more. */
  while (reorder->runs[i] && reorder->runs[i]->in_use &&
      has_track (reorder, reorder->runs[i]))
    i++;
  if (!reorder->runs[i])
    reorder->runs[i] = afxdp_reorder_run_new (&reorder->shared);
  reorder->runs[i]->in_use = TRUE;
  return reorder->runs[i];
}

/* Runs that begin. */

/* The first leg has said where the stream is: the other one's packets are to prove that
 * they are of it. */
static void
doubt_others (AfxdpReorder *reorder, const Track *track)
{
  if (reorder->n_legs < 2)
    return;
  for (guint i = 0; i < AFXDP_REORDER_SOURCES; i++) {
    Track *other = &reorder->tracks[!track->leg][i];

    if (!other->in_use || !other->run)
      continue;
    /* It says so itself, when it comes again. */
    if (other->leg == 0 && other->run == track->run)
      other->last_arrival = 0;
    else if (other->leg &&
        (other->run == track->run || !track_of (reorder, 0, other->run)))
      doubt (reorder, other);
  }
}

static void
begin_run (AfxdpReorder *reorder, Track *track, guint16 seqnum,
    const AfxdpReorderPlace *place)
{
  afxdp_reorder_run_give_up_all (track->run);
  afxdp_reorder_run_begin (track->run, seqnum, place);
  track->highest = track->run->highest;
  doubt_others (reorder, track);
}

static guint64
align (const AfxdpReorder *reorder, const Track *track, guint16 seqnum,
    guint32 timestamp)
{
  return reorder->n_legs > 1
      ? afxdp_reorder_run_align (track->run, seqnum, timestamp)
      : afxdp_reorder_extend (track->run->highest, seqnum);
}

/* The sender has gone on there. */
static void
believe_suspect (AfxdpReorder *reorder, Track *track)
{
  const AfxdpReorderPlace suspect = track->suspect;
  guint64 number =
      align (reorder, track, track->suspect_number, suspect.timestamp);

  track->has_suspect = FALSE;
  reorder->shared.n_waiting--;
  if (number > track->run->highest)
    accept (reorder, track, number, &suspect);
  else
    begin_run (reorder, track, track->suspect_number, &suspect);
}

/* What a packet is. */

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
is_far (AfxdpReorder *reorder, const Track *track, guint64 number,
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
      return TRUE;
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

/* Whether what the second leg says, of a sender that has gone on elsewhere, is not to be
 * believed, since the first leg says otherwise. */
static gboolean
is_contradicted (const AfxdpReorder *reorder, guint leg, guint64 arrival)
{
  return leg && afxdp_legs_is_present (&reorder->legs, 0, arrival);
}

/* Whether leg may say what the stream is: the first one, or the second while nothing
 * is heard of the first. */
static gboolean
is_authority (const AfxdpReorder *reorder, guint leg, guint64 arrival)
{
  return !leg || !reorder->legs.legs[0].last ||
      afxdp_legs_is_silent (&reorder->legs, 0, arrival);
}

/* The packet's number, by those that came before. */
static guint64
number_of (const AfxdpReorder *reorder, const Track *track, const AfxdpRtp *rtp,
    guint64 arrival)
{
  if (G_LIKELY (
          reorder->n_legs == 1 || arrival < track->last_arrival + RESUMED))
    return afxdp_reorder_extend (track->highest, rtp->seqnum);
  return afxdp_reorder_run_align (track->run, rtp->seqnum, rtp->timestamp);
}

/* What came by the first leg as number may show that packets of the second are those of
 * the stream. */
static void
look_for_matches (
    AfxdpReorder *reorder, const Track *of, guint64 number, const AfxdpRtp *rtp)
{
  for (guint i = 0; i < AFXDP_REORDER_SOURCES; i++) {
    Track *track = &reorder->tracks[!of->leg][i];

    if (track->in_use && track->unmatched &&
        afxdp_unmatched_compare (
            track->unmatched, rtp->seqnum, rtp->timestamp) &&
        !track_of (reorder, track->leg, of->run))
      join_run (reorder, track, of->run,
          number + (guint16) (track->highest - number));
  }
}

static AfxdpReorderVerdict
look_in_run (AfxdpReorder *reorder, Track *track, guint64 number,
    const AfxdpRtp *rtp, guint64 arrival)
{
  AfxdpReorderVerdict verdict;

  reorder->number = number;
  if (G_UNLIKELY (is_far (reorder, track, number, rtp, arrival, &verdict))) {
    reorder->found = track->has_suspect &&
            rtp->seqnum == (guint16) (track->suspect_number + 1)
        ? FOUND_FOLLOWS
        : FOUND_SUSPECT;
    return AFXDP_REORDER_WANTED;
  }
  reorder->found = FOUND_NEAR;
  forget_suspect (reorder, track);
  track->highest = MAX (track->highest, number);
  if (G_UNLIKELY (reorder->n_unmatched && !track->leg))
    look_for_matches (reorder, track, number, rtp);
  return verdict;
}

/* Likewise of a track that does not belong to run yet. FALSE: the packet does not fit
 * there, and nothing has changed. */
static gboolean
try_run (AfxdpReorder *reorder, Track *track, AfxdpReorderRun *run,
    const AfxdpRtp *rtp, guint64 arrival, AfxdpReorderVerdict *verdict)
{
  guint64 number = afxdp_reorder_run_align (run, rtp->seqnum, rtp->timestamp);
  const Track tried = { .leg = track->leg, .run = run, .highest = number };

  if (is_far (reorder, &tried, number, rtp, arrival, verdict))
    return FALSE;
  join_run (reorder, track, run, number);
  *verdict = look_in_run (reorder, track, number, rtp, arrival);
  return TRUE;
}

static AfxdpReorderRun *
run_of_ssrc (AfxdpReorder *reorder, guint leg, guint32 ssrc)
{
  for (guint i = 0; i < RUNS; i++) {
    AfxdpReorderRun *run = reorder->runs[i];

    if (run && run->in_use && run->ssrc == ssrc &&
        !track_of (reorder, leg, run))
      return run;
  }
  return NULL;
}

static void
note_unmatched (
    AfxdpReorder *reorder, Track *track, const AfxdpRtp *rtp, guint64 arrival)
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
look_at_first (AfxdpReorder *reorder, Track *track, AfxdpReorderRun *run)
{
  forget_unmatched (reorder, track);
  track->run = run ? run : add_run (reorder);
  if (!run)
    track->run->ssrc = track->ssrc;
  reorder->found = FOUND_FIRST;
  return AFXDP_REORDER_WANTED;
}

/* Whether the packet's number has come, with the same timestamp; of its track, as often
 * as proves that it is of run. */
static gboolean
has_come (const AfxdpReorderRun *run, Track *track, const AfxdpRtp *rtp,
    guint64 *number)
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
find_match (
    AfxdpReorder *reorder, Track *track, const AfxdpRtp *rtp, guint64 *number)
{
  for (guint i = 0; i < RUNS; i++) {
    AfxdpReorderRun *run = reorder->runs[i];

    if (run && run->in_use && !track_of (reorder, track->leg, run) &&
        has_come (run, track, rtp, number))
      return run;
  }
  return NULL;
}

/* Which run is the track part of? */
static AfxdpReorderVerdict
look_without_run (
    AfxdpReorder *reorder, Track *track, const AfxdpRtp *rtp, guint64 arrival)
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
    join_run (reorder, track, run, number);
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
  if (verdict == AFXDP_REORDER_LATE && afxdp_reorder_was_wanted (reorder))
    afxdp_legs_note_late (legs, leg);
  else if (verdict == AFXDP_REORDER_REPEATED &&
      afxdp_reorder_first_copy (reorder, &first))
    afxdp_legs_note_skew (legs, leg, arrival - MIN (arrival, first));
}

static AfxdpReorderVerdict
look_at_numbered (
    AfxdpReorder *reorder, guint leg, const AfxdpRtp *rtp, guint64 arrival)
{
  Track *track = find_track (reorder, leg, rtp->ssrc);
  AfxdpReorderVerdict verdict;

  if (G_UNLIKELY (!track))
    track = add_track (reorder, leg, rtp->ssrc, arrival);
  if (G_UNLIKELY (!track))
    return leg ? AFXDP_REORDER_UNMATCHED : AFXDP_REORDER_WANTED;
  reorder->track = track;
  reorder->seqnum = rtp->seqnum;
  reorder->timestamp = rtp->timestamp;
  verdict = track->run
      ? look_in_run (reorder, track, number_of (reorder, track, rtp, arrival),
            rtp, arrival)
      : look_without_run (reorder, track, rtp, arrival);
  if (G_UNLIKELY (reorder->found == FOUND_FOLLOWS &&
          is_contradicted (reorder, leg, arrival))) {
    doubt (reorder, track);
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

  reorder->found = FOUND_UNORDERED;
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
  if (G_UNLIKELY (reorder->found == FOUND_UNORDERED))
    return FALSE;
  *ssrc = reorder->track->run->ssrc;
  return *ssrc != reorder->track->ssrc;
}

gboolean
afxdp_reorder_was_wanted (const AfxdpReorder *reorder)
{
  return reorder->number >= reorder->track->run->first;
}

gboolean
afxdp_reorder_first_copy (const AfxdpReorder *reorder, guint64 *arrival)
{
  *arrival = reorder->first_copy.arrival;
  return reorder->first_copy.leg != reorder->track->leg;
}

/* Putting. */

static void
put_by_number (AfxdpReorder *reorder, const AfxdpReorderEntry *entry)
{
  const AfxdpReorderPlace place = { .entry = *entry,
    .timestamp = reorder->timestamp };
  Track *track = reorder->track;

  switch (reorder->found) {
    case FOUND_FIRST:
      begin_run (reorder, track, reorder->seqnum, &place);
      break;
    case FOUND_SUSPECT:
      forget_suspect (reorder, track);
      track->suspect = place;
      track->suspect_number = reorder->seqnum;
      track->has_suspect = TRUE;
      reorder->shared.n_waiting++;
      break;
    case FOUND_FOLLOWS:
      believe_suspect (reorder, track);
      accept (reorder, track,
          afxdp_reorder_extend (track->run->highest, reorder->seqnum), &place);
      break;
    default:
      accept (reorder, track, reorder->number, &place);
      break;
  }
}

void
afxdp_reorder_put (AfxdpReorder *reorder, const AfxdpReorderEntry *entry)
{
  if (G_UNLIKELY (reorder->found == FOUND_UNORDERED))
    reorder->shared.funcs->out (entry, reorder->shared.user_data);
  else
    put_by_number (reorder, entry);
}

void
afxdp_reorder_advance (AfxdpReorder *reorder, guint leg, guint64 now)
{
  guint64 known = reorder->known[leg] = MAX (reorder->known[leg], now);

  if (reorder->n_legs > 1)
    known = MIN (known, reorder->known[!leg]);
  reorder->now = MAX (reorder->now, known);
  if (G_LIKELY (!reorder->shared.n_waiting))
    return;
  for (guint i = 0; i < reorder->n_legs; i++)
    for (guint j = 0; j < AFXDP_REORDER_SOURCES; j++) {
      Track *track = &reorder->tracks[i][j];

      if (G_UNLIKELY (track->has_suspect &&
              due_of (reorder, &track->suspect.entry) <= reorder->now))
        believe_suspect (reorder, track);
    }
  for (guint i = 0; i < RUNS && reorder->runs[i]; i++)
    while (due_of_oldest (reorder, reorder->runs[i]) <= reorder->now)
      afxdp_reorder_run_give_up (reorder->runs[i]);
}

guint64
afxdp_reorder_due (const AfxdpReorder *reorder)
{
  guint64 due = G_MAXUINT64;

  if (G_LIKELY (!reorder->shared.n_waiting))
    return due;
  for (guint i = 0; i < reorder->n_legs; i++)
    for (guint j = 0; j < AFXDP_REORDER_SOURCES; j++) {
      const Track *track = &reorder->tracks[i][j];

      if (track->has_suspect)
        due = MIN (due, due_of (reorder, &track->suspect.entry));
    }
  for (guint i = 0; i < RUNS && reorder->runs[i]; i++)
    due = MIN (due, due_of_oldest (reorder, reorder->runs[i]));
  return due;
}

static void
end_leg (AfxdpReorder *reorder, guint leg)
{
  for (guint i = 0; i < AFXDP_REORDER_SOURCES; i++)
    if (reorder->tracks[leg][i].in_use)
      end_track (reorder, &reorder->tracks[leg][i]);
}

void
afxdp_reorder_set_legs (AfxdpReorder *reorder, guint n_legs, guint64 now)
{
  /* The first leg may still bring copies of what the second one alone had brought: its
   * runs stay. */
  for (guint i = 0; i < AFXDP_REORDER_SOURCES; i++) {
    Track *track = &reorder->tracks[1][i];
    AfxdpReorderRun *run = track->in_use ? track->run : NULL;

    if (!track->in_use)
      continue;
    end_track (reorder, track);
    if (run)
      run->in_use = TRUE;
  }
  afxdp_legs_forget (&reorder->legs, 1, now);
  /* Nothing has come by it, and what comes has not arrived before. */
  reorder->known[1] = reorder->known[0];
  reorder->n_legs = n_legs;
}

void
afxdp_reorder_end (AfxdpReorder *reorder)
{
  for (guint i = 0; i < AFXDP_LEGS; i++) {
    end_leg (reorder, i);
    reorder->known[i] = 0;
  }
  for (guint i = 0; i < RUNS && reorder->runs[i]; i++)
    reorder->runs[i]->in_use = FALSE;
  reorder->legs = (AfxdpLegs){ .window = reorder->window };
  reorder->now = 0;
}

const AfxdpLegs *
afxdp_reorder_legs (const AfxdpReorder *reorder)
{
  return &reorder->legs;
}

guint64
afxdp_reorder_known (const AfxdpReorder *reorder, guint leg)
{
  return reorder->known[leg];
}

guint
afxdp_reorder_n_waiting (const AfxdpReorder *reorder)
{
  return reorder->shared.n_waiting;
}

guint64
afxdp_reorder_n_cut_short (const AfxdpReorder *reorder)
{
  return reorder->cut_short;
}
