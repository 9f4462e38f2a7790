/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the stage that orders packets consists of, for its three files: which track and
 * which run there are (reordertracks.c), what a packet is (reorderlook.c), and what goes
 * out and when (reorder.c).
 */
#pragma once

#include "reorderrun.h"
#include "unmatched.h"

G_BEGIN_DECLS

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
} AfxdpReorderTrack;

/* What look() found, for put(). */
typedef enum
{
  AFXDP_REORDER_FOUND_UNORDERED, /* not RTP, or of an SSRC too many */
  AFXDP_REORDER_FOUND_FIRST,     /* of a new run */
  AFXDP_REORDER_FOUND_NEAR,
  AFXDP_REORDER_FOUND_SUSPECT, /* a number far from the others */
  AFXDP_REORDER_FOUND_FOLLOWS, /* likewise, and right behind the suspect */
} AfxdpReorderFound;

#define AFXDP_REORDER_RUNS (AFXDP_LEGS * AFXDP_REORDER_SOURCES)

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
  AfxdpReorderFound found;
  AfxdpReorderTrack *track; /* that it is of */
  guint16 seqnum;
  guint32 timestamp;
  guint64 number; /* but for AFXDP_REORDER_FOUND_FIRST */
  AfxdpReorderKnown first_copy;

  AfxdpReorderTrack *latest[AFXDP_LEGS]; /* that a packet was of */
  AfxdpReorderTrack tracks[AFXDP_LEGS][AFXDP_REORDER_SOURCES];
  guint n_unmatched;                         /* of these */
  AfxdpReorderRun *runs[AFXDP_REORDER_RUNS]; /* made when they are needed */
};

/* reordertracks.c. */

/* The track of leg that is part of run, or NULL. */
AfxdpReorderTrack *afxdp_reorder_track_of (
    AfxdpReorder *reorder, guint leg, const AfxdpReorderRun *run);
AfxdpReorderTrack *afxdp_reorder_find_track (
    AfxdpReorder *reorder, guint leg, guint32 ssrc);
/* For a new SSRC, or NULL. */
AfxdpReorderTrack *afxdp_reorder_add_track (
    AfxdpReorder *reorder, guint leg, guint32 ssrc, guint64 arrival);
void afxdp_reorder_end_track (AfxdpReorder *reorder, AfxdpReorderTrack *track);
/* As far as has come, its number is number, of run. */
void afxdp_reorder_join (AfxdpReorder *reorder, AfxdpReorderTrack *track,
    AfxdpReorderRun *run, guint64 number);
/* Its packets are not the stream's, until they prove to be. */
void afxdp_reorder_doubt (AfxdpReorder *reorder, AfxdpReorderTrack *track);
void afxdp_reorder_forget_unmatched (
    AfxdpReorder *reorder, AfxdpReorderTrack *track);
/* A suspect, if there is one, was a stray. */
void afxdp_reorder_forget_suspect (
    AfxdpReorder *reorder, AfxdpReorderTrack *track);
/* One that is free. */
AfxdpReorderRun *afxdp_reorder_add_run (AfxdpReorder *reorder);

/* reorderlook.c. */

/* Whether what leg says at arrival, of a sender that has gone on elsewhere, is not to be
 * believed, since it is the second leg and the first one says otherwise. */
gboolean afxdp_reorder_is_contradicted (
    const AfxdpReorder *reorder, guint leg, guint64 arrival);

G_END_DECLS
