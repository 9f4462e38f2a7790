/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The SSRCs that the legs bring, and the runs that they are part of. */
#include "reorderstate.h"

void
afxdp_reorder_forget_suspect (AfxdpReorder *reorder, AfxdpReorderTrack *track)
{
  if (G_LIKELY (!track->has_suspect))
    return;
  track->has_suspect = FALSE;
  reorder->shared.n_waiting--;
  reorder->shared.funcs->late (
      &track->suspect.entry, reorder->shared.user_data);
}

AfxdpReorderTrack *
afxdp_reorder_track_of (
    AfxdpReorder *reorder, guint leg, const AfxdpReorderRun *run)
{
  for (guint i = 0; i < AFXDP_REORDER_SOURCES; i++) {
    AfxdpReorderTrack *track = &reorder->tracks[leg][i];

    if (track->in_use && track->run == run)
      return track;
  }
  return NULL;
}

static gboolean
has_track (AfxdpReorder *reorder, const AfxdpReorderRun *run)
{
  for (guint leg = 0; leg < AFXDP_LEGS; leg++)
    if (afxdp_reorder_track_of (reorder, leg, run))
      return TRUE;
  return FALSE;
}

/* It is part of its run no more. */
static void
leave_run (AfxdpReorder *reorder, AfxdpReorderTrack *track)
{
  AfxdpReorderRun *run = track->run;

  afxdp_reorder_forget_suspect (reorder, track);
  track->run = NULL;
  if (has_track (reorder, run))
    return;
  afxdp_reorder_run_give_up_all (run);
  run->in_use = FALSE;
}

void
afxdp_reorder_forget_unmatched (AfxdpReorder *reorder, AfxdpReorderTrack *track)
{
  if (!track->unmatched)
    return;
  g_clear_pointer (&track->unmatched, g_free);
  reorder->n_unmatched--;
}

void
afxdp_reorder_end_track (AfxdpReorder *reorder, AfxdpReorderTrack *track)
{
  if (track->run)
    leave_run (reorder, track);
  afxdp_reorder_forget_unmatched (reorder, track);
  track->in_use = FALSE;
}

/* Its packets are not the stream's, until they prove to be. */
void
afxdp_reorder_doubt (AfxdpReorder *reorder, AfxdpReorderTrack *track)
{
  if (track->run)
    leave_run (reorder, track);
  track->doubted = TRUE;
}

/* As far as has come, seqnum is number. */
void
afxdp_reorder_join (AfxdpReorder *reorder, AfxdpReorderTrack *track,
    AfxdpReorderRun *run, guint64 number)
{
  afxdp_reorder_forget_unmatched (reorder, track);
  track->run = run;
  track->highest = number;
  track->doubted = FALSE;
}

AfxdpReorderTrack *
afxdp_reorder_find_track (AfxdpReorder *reorder, guint leg, guint32 ssrc)
{
  AfxdpReorderTrack *track = reorder->latest[leg];

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
AfxdpReorderTrack *
afxdp_reorder_add_track (
    AfxdpReorder *reorder, guint leg, guint32 ssrc, guint64 arrival)
{
  AfxdpReorderTrack *silent = NULL;

  for (guint i = 0; i < AFXDP_REORDER_SOURCES; i++) {
    AfxdpReorderTrack *track = &reorder->tracks[leg][i];

    if (!silent || !track->in_use ||
        (silent->in_use && track->last_arrival < silent->last_arrival))
      silent = track;
  }
  if (silent->in_use) {
    if (arrival < silent->last_arrival + AFXDP_REORDER_SILENT)
      return NULL;
    afxdp_reorder_end_track (reorder, silent);
  }
  *silent = (AfxdpReorderTrack){ .in_use = TRUE, .leg = leg, .ssrc = ssrc };
  silent->last_arrival = arrival;
  return reorder->latest[leg] = silent;
}

AfxdpReorderRun *
afxdp_reorder_add_run (AfxdpReorder *reorder)
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
