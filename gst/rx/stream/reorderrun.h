/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One sequence of numbers, as it leaves: the next number that goes out, what waits
 * behind a gap, and what is remembered of those that went. Numbers are extended; how
 * they are found is reorder.c's. Within it alone this file is used.
 */
#pragma once

#include "reorder.h"

G_BEGIN_DECLS

/* Where a run's numbers begin, so that earlier ones are not below 0. */
#define AFXDP_REORDER_BEGIN (G_GUINT64_CONSTANT (1) << 32)

/* What all runs of a stage have in common. */
typedef struct
{
  const AfxdpReorderFuncs *funcs;
  gpointer user_data;
  guint past;      /* numbers that are remembered, a power of 2 */
  guint n_waiting; /* of all runs */
  guint64 n_bytes;
} AfxdpReorderShared;

/* A packet that waits. Those of a run are a list, in the order in which they were put:
 * the links are the low bits of numbers. */
typedef struct
{
  AfxdpReorderEntry entry;
  guint32 timestamp;
  guint32 former, later;
} AfxdpReorderPlace;

/* One number of some, and its timestamp. */
typedef struct
{
  guint64 number;
  guint32 timestamp;
} AfxdpReorderSample;

#define AFXDP_REORDER_SAMPLES 256

typedef struct
{
  AfxdpReorderShared *shared;
  gboolean in_use;
  guint32 ssrc;
  guint64 last_arrival; /* of any of its packets */
  guint32 timestamp;    /* of the first */
  gboolean moving;      /* not all have the same */

  /* Extended numbers. */
  guint64 first;
  guint64 next;    /* that goes out */
  guint64 highest; /* that has come, */
  guint32 highest_timestamp;
  guint64 highest_arrival;

  /* What waits, at number % n_places. */
  guint n;
  guint32 oldest, newest;
  guint n_places; /* a power of 2 */
  AfxdpReorderPlace *places;
  guint64 *taken; /* a bit for each place */

  /* What went out, at number % past. */
  guint64 *went; /* a bit for each; 0: it never came */
  guint32 *timestamps;
  guint64 *arrivals;
  guint8 *legs;

  /* Of numbers that came, at growing distance: a ring. */
  guint n_samples;
  AfxdpReorderSample *samples;
} AfxdpReorderRun;

AfxdpReorderRun *afxdp_reorder_run_new (AfxdpReorderShared *shared);
void afxdp_reorder_run_free (AfxdpReorderRun *run);

/* Begins anew with place, which goes out. Nothing waits. */
void afxdp_reorder_run_begin (
    AfxdpReorderRun *run, guint16 number, const AfxdpReorderPlace *place);
/* Takes place, whose number has not come and is not behind the next one: it goes out
 * now, with those that waited for it, or it waits. */
void afxdp_reorder_run_put (
    AfxdpReorderRun *run, guint64 number, const AfxdpReorderPlace *place);
/* Those from next on to number - 1 go without having come. Nothing waits. */
void afxdp_reorder_run_pass_over (AfxdpReorderRun *run, guint64 number);
/* Goes on behind the gap in front. Something waits there. */
void afxdp_reorder_run_give_up (AfxdpReorderRun *run);
void afxdp_reorder_run_give_up_all (AfxdpReorderRun *run);

/* The number whose low 16 bits are seqnum, and which is nearest to near. */
static inline guint64
afxdp_reorder_extend (guint64 near, guint16 seqnum)
{
  return near + (gint16) (seqnum - (guint16) near);
}
/* Likewise, where what came before does not say which it is near to: by the timestamps
 * of the run, as far as they tell. */
guint64 afxdp_reorder_run_align (
    const AfxdpReorderRun *run, guint16 seqnum, guint32 timestamp);

/* Whether a packet that is further behind than is remembered is of the run all the same,
 * and no sender's that has begun anew: the run has gone on not long before it, and its
 * timestamp is one of the time that is remembered by samples, or of as long before. */
gboolean afxdp_reorder_run_may_be_old (
    const AfxdpReorderRun *run, guint32 timestamp, guint64 arrival);

/* Whether a packet of before the first one may have that number, by its timestamp: as far
 * in front as the numbers of the run let expect, about. */
gboolean afxdp_reorder_run_may_precede (
    const AfxdpReorderRun *run, guint64 number, guint32 timestamp);

static inline AfxdpReorderPlace *
afxdp_reorder_run_place (const AfxdpReorderRun *run, guint64 number)
{
  return &run->places[number & (run->n_places - 1)];
}

/* Whether number waits. */
static inline gboolean
afxdp_reorder_run_is_taken (const AfxdpReorderRun *run, guint64 number)
{
  guint i = number & (run->n_places - 1);

  return run->n && number >= run->next && number - run->next < run->n_places &&
      (run->taken[i / 64] >> (i % 64) & 1);
}

/* Whether number, of not longer ago than is remembered, went out. */
static inline gboolean
afxdp_reorder_run_has_gone (const AfxdpReorderRun *run, guint64 number)
{
  guint i = number & (run->shared->past - 1);

  return run->went[i / 64] >> (i % 64) & 1;
}

/* What came as number; leg: by which. */
typedef struct
{
  guint32 timestamp;
  guint64 arrival;
  guint leg;
} AfxdpReorderKnown;

/* FALSE: nothing came as that, or it is forgotten. */
gboolean afxdp_reorder_run_knows (
    const AfxdpReorderRun *run, guint64 number, AfxdpReorderKnown *known);

G_END_DECLS
