/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RTP packets in the order of their numbers, and each once: what goes out, and when. */
#include "reorderstate.h"

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
  for (guint i = 0; i < AFXDP_REORDER_RUNS; i++)
    if (reorder->runs[i])
      afxdp_reorder_run_free (reorder->runs[i]);
  g_free (reorder);
}

/* What waits, and for how long. */

static guint64
due_of (const AfxdpReorder *reorder, const AfxdpReorderEntry *entry)
{
  const AfxdpLegs *legs = &reorder->legs;
  guint other = !entry->leg;

  /* Nobody else would bring what is missing: as far as is known, since what has arrived by
   * that leg may not have been put yet. */
  if (reorder->n_legs > 1 &&
      afxdp_legs_is_silent (legs, other,
          MIN (legs->legs[entry->leg].last, reorder->known[other])))
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

  for (guint i = 0; i < AFXDP_REORDER_RUNS; i++) {
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
accept (AfxdpReorder *reorder, AfxdpReorderTrack *track, guint64 number,
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

/* Runs that begin. */

/* The first leg has said where the stream is: the other one's packets are to prove that
 * they are of it. */
static void
doubt_others (AfxdpReorder *reorder, const AfxdpReorderTrack *track)
{
  if (reorder->n_legs < 2)
    return;
  for (guint i = 0; i < AFXDP_REORDER_SOURCES; i++) {
    AfxdpReorderTrack *other = &reorder->tracks[!track->leg][i];

    if (!other->in_use || !other->run)
      continue;
    /* It says so itself, when it comes again. */
    if (other->leg == 0 && other->run == track->run)
      other->last_arrival = 0;
    else if (other->leg &&
        (other->run == track->run ||
            !afxdp_reorder_track_of (reorder, 0, other->run)))
      afxdp_reorder_doubt (reorder, other);
  }
}

static void
begin_run (AfxdpReorder *reorder, AfxdpReorderTrack *track, guint16 seqnum,
    const AfxdpReorderPlace *place)
{
  afxdp_reorder_run_give_up_all (track->run);
  afxdp_reorder_run_begin (track->run, seqnum, place);
  track->highest = track->run->highest;
  doubt_others (reorder, track);
}

static guint64
align (const AfxdpReorder *reorder, const AfxdpReorderTrack *track,
    guint16 seqnum, guint32 timestamp)
{
  return reorder->n_legs > 1
      ? afxdp_reorder_run_align (track->run, seqnum, timestamp)
      : afxdp_reorder_extend (track->run->highest, seqnum);
}

/* The sender has gone on there. */
static void
believe_suspect (AfxdpReorder *reorder, AfxdpReorderTrack *track)
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

/* Its time is over, and none followed it. */
static void
settle_suspect (AfxdpReorder *reorder, AfxdpReorderTrack *track)
{
  if (afxdp_reorder_is_contradicted (
          reorder, track->leg, track->suspect.entry.arrival))
    afxdp_reorder_doubt (reorder, track);
  else
    believe_suspect (reorder, track);
}

/* Putting. */

static void
put_by_number (AfxdpReorder *reorder, const AfxdpReorderEntry *entry)
{
  const AfxdpReorderPlace place = { .entry = *entry,
    .timestamp = reorder->timestamp };
  AfxdpReorderTrack *track = reorder->track;

  switch (reorder->found) {
    case AFXDP_REORDER_FOUND_FIRST:
      begin_run (reorder, track, reorder->seqnum, &place);
      break;
    case AFXDP_REORDER_FOUND_SUSPECT:
      afxdp_reorder_forget_suspect (reorder, track);
      track->suspect = place;
      track->suspect_number = reorder->seqnum;
      track->has_suspect = TRUE;
      reorder->shared.n_waiting++;
      break;
    case AFXDP_REORDER_FOUND_FOLLOWS:
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
  if (G_UNLIKELY (reorder->found == AFXDP_REORDER_FOUND_UNORDERED))
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
      AfxdpReorderTrack *track = &reorder->tracks[i][j];

      if (G_UNLIKELY (track->has_suspect &&
              due_of (reorder, &track->suspect.entry) <= reorder->now))
        settle_suspect (reorder, track);
    }
  for (guint i = 0; i < AFXDP_REORDER_RUNS && reorder->runs[i]; i++)
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
      const AfxdpReorderTrack *track = &reorder->tracks[i][j];

      if (track->has_suspect)
        due = MIN (due, due_of (reorder, &track->suspect.entry));
    }
  for (guint i = 0; i < AFXDP_REORDER_RUNS && reorder->runs[i]; i++)
    due = MIN (due, due_of_oldest (reorder, reorder->runs[i]));
  return due;
}

static void
end_leg (AfxdpReorder *reorder, guint leg)
{
  for (guint i = 0; i < AFXDP_REORDER_SOURCES; i++)
    if (reorder->tracks[leg][i].in_use)
      afxdp_reorder_end_track (reorder, &reorder->tracks[leg][i]);
}

void
afxdp_reorder_set_legs (AfxdpReorder *reorder, guint n_legs, guint64 now)
{
  /* The first leg may still bring copies of what the second one alone had brought: its
   * runs stay. */
  for (guint i = 0; i < AFXDP_REORDER_SOURCES; i++) {
    AfxdpReorderTrack *track = &reorder->tracks[1][i];
    AfxdpReorderRun *run = track->in_use ? track->run : NULL;

    if (!track->in_use)
      continue;
    afxdp_reorder_end_track (reorder, track);
    if (run)
      run->in_use = TRUE;
  }
  /* While it was alone nobody noted when it was heard of: it would look silent. */
  if (reorder->n_legs == 1)
    afxdp_legs_forget (&reorder->legs, 0, now);
  afxdp_legs_forget (&reorder->legs, 1, now);
  /* Nothing has come by it, and what comes has not arrived before. */
  reorder->known[1] = reorder->known[0];
  reorder->n_legs = n_legs;
}

void
afxdp_reorder_flush (AfxdpReorder *reorder)
{
  for (guint i = 0; i < AFXDP_LEGS; i++)
    for (guint j = 0; j < AFXDP_REORDER_SOURCES; j++)
      afxdp_reorder_forget_suspect (reorder, &reorder->tracks[i][j]);
  for (guint i = 0; i < AFXDP_REORDER_RUNS && reorder->runs[i]; i++)
    afxdp_reorder_run_give_up_all (reorder->runs[i]);
}

void
afxdp_reorder_end (AfxdpReorder *reorder)
{
  for (guint i = 0; i < AFXDP_LEGS; i++) {
    end_leg (reorder, i);
    reorder->known[i] = 0;
  }
  for (guint i = 0; i < AFXDP_REORDER_RUNS && reorder->runs[i]; i++)
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
