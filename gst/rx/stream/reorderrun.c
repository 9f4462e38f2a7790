/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One sequence of numbers, as it leaves. */
#include "reorderrun.h"

#include <string.h>

/* Places at first; they double until they hold from next to highest. */
#define FEWEST_PLACES 64
/* Numbers from one sample to the next. */
#define SAMPLE_EVERY 1024
/* Samples by which it is judged how fast numbers rise: of a slow sender the timestamps of
 * all of them might wrap. */
#define RECENT 16

AfxdpReorderRun *
afxdp_reorder_run_new (AfxdpReorderShared *shared)
{
  AfxdpReorderRun *run = g_new0 (AfxdpReorderRun, 1);

  run->shared = shared;
  /* Of many of these nobody touches the end. */
  run->went = g_new0 (guint64, shared->past / 64);
  run->timestamps = g_new0 (guint32, shared->past);
  run->arrivals = g_new0 (guint64, shared->past);
  run->legs = g_new0 (guint8, shared->past);
  run->samples = g_new0 (AfxdpReorderSample, AFXDP_REORDER_SAMPLES);
  return run;
}

void
afxdp_reorder_run_free (AfxdpReorderRun *run)
{
  g_free (run->places);
  g_free (run->taken);
  g_free (run->went);
  g_free (run->timestamps);
  g_free (run->arrivals);
  g_free (run->legs);
  g_free (run->samples);
  g_free (run);
}

/* The past: what went out. */

static inline void
note_gone (AfxdpReorderRun *run, guint64 number, const AfxdpReorderEntry *entry,
    guint32 timestamp)
{
  guint i = number & (run->shared->past - 1);

  run->went[i / 64] |= G_GUINT64_CONSTANT (1) << (i % 64);
  run->timestamps[i] = timestamp;
  run->arrivals[i] = entry->arrival;
  run->legs[i] = entry->leg;
}

void
afxdp_reorder_run_pass_over (AfxdpReorderRun *run, guint64 number)
{
  if (number - run->next >= run->shared->past) {
    memset (run->went, 0, run->shared->past / 64 * sizeof *run->went);
    run->next = number;
  }
  while (run->next < number) {
    guint i = run->next & (run->shared->past - 1);
    guint n = MIN (number - run->next, 64 - i % 64);

    run->went[i / 64] &= ~(G_MAXUINT64 >> (64 - n) << (i % 64));
    run->next += n;
  }
}

gboolean
afxdp_reorder_run_knows (
    const AfxdpReorderRun *run, guint64 number, AfxdpReorderKnown *known)
{
  guint i = number & (run->shared->past - 1);

  if (number >= run->next) {
    const AfxdpReorderPlace *place;

    if (!afxdp_reorder_run_is_taken (run, number))
      return FALSE;
    place = afxdp_reorder_run_place (run, number);
    *known = (AfxdpReorderKnown){ place->timestamp, place->entry.arrival,
      place->entry.leg };
    return TRUE;
  }
  if (run->next - number > run->shared->past ||
      !afxdp_reorder_run_has_gone (run, number))
    return FALSE;
  *known =
      (AfxdpReorderKnown){ run->timestamps[i], run->arrivals[i], run->legs[i] };
  return TRUE;
}

/* Samples. */

static inline AfxdpReorderSample *
sample (const AfxdpReorderRun *run, guint i)
{
  return &run->samples[i % AFXDP_REORDER_SAMPLES];
}

static void
note_highest (
    AfxdpReorderRun *run, guint64 number, const AfxdpReorderPlace *place)
{
  run->highest = number;
  run->highest_timestamp = place->timestamp;
  run->highest_arrival = place->entry.arrival;
  if (G_LIKELY (run->n_samples &&
          number - sample (run, run->n_samples - 1)->number < SAMPLE_EVERY))
    return;
  *sample (run, run->n_samples++) =
      (AfxdpReorderSample){ number, place->timestamp };
}

static gboolean
is_later (guint32 timestamp, guint32 than)
{
  return (gint32) (timestamp - than) > 0;
}

/* About which number comes with a timestamp, on the line through two samples. */
static guint64
on_line (const AfxdpReorderSample *from, const AfxdpReorderSample *to,
    guint32 timestamp)
{
  guint32 ticks = to->timestamp - from->timestamp;

  return from->number +
      (guint64) (timestamp - from->timestamp) * (to->number - from->number) /
      ticks;
}

/* Likewise, of a timestamp behind those of all samples. */
static guint64
extrapolate (const AfxdpReorderRun *run, guint32 timestamp)
{
  const AfxdpReorderSample *oldest =
      sample (run, run->n_samples > RECENT ? run->n_samples - RECENT : 0);
  const AfxdpReorderSample *newest = sample (run, run->n_samples - 1);

  if (newest->timestamp == oldest->timestamp)
    return run->highest;
  return on_line (oldest, newest, timestamp);
}

static guint
first_sample (const AfxdpReorderRun *run)
{
  return run->n_samples > AFXDP_REORDER_SAMPLES
      ? run->n_samples - AFXDP_REORDER_SAMPLES
      : 0;
}

guint64
afxdp_reorder_run_align (
    const AfxdpReorderRun *run, guint16 seqnum, guint32 timestamp)
{
  guint first = first_sample (run), i = run->n_samples;

  if (!run->moving)
    return afxdp_reorder_extend (run->highest, seqnum);
  while (i > first && !is_later (timestamp, sample (run, i - 1)->timestamp))
    i--;
  if (i == run->n_samples)
    return afxdp_reorder_extend (extrapolate (run, timestamp), seqnum);
  if (i == first)
    return afxdp_reorder_extend (sample (run, first)->number, seqnum);
  return afxdp_reorder_extend (
      on_line (sample (run, i - 1), sample (run, i), timestamp), seqnum);
}

gboolean
afxdp_reorder_run_may_be_old (
    const AfxdpReorderRun *run, guint32 timestamp, guint64 arrival)
{
  const AfxdpReorderSample *oldest = sample (run, first_sample (run));
  const AfxdpReorderSample *newest = sample (run, run->n_samples - 1);
  guint32 span = newest->timestamp - oldest->timestamp;
  gint32 behind = newest->timestamp - timestamp;

  return run->moving && behind >= 0 && behind <= 2 * (gint64) span &&
      arrival <= run->highest_arrival + AFXDP_REORDER_SILENCE;
}

gboolean
afxdp_reorder_run_may_precede (
    const AfxdpReorderRun *run, guint64 number, guint32 timestamp)
{
  gint64 before = (gint32) (run->timestamp - timestamp);
  gint64 span = (gint32) (run->highest_timestamp - run->timestamp);
  gint64 expected;

  if (before < 0 || span <= 0)
    return before >= 0;
  expected = (run->first - number) * span / (run->highest - run->first);
  /* Timestamps rise in steps, of frames, and the run may have begun with one. */
  return before <= 4 * expected + 2 * span && expected <= 4 * before + 2 * span;
}

/* Places. */

static inline void
flip_taken (AfxdpReorderRun *run, guint64 number)
{
  guint i = number & (run->n_places - 1);

  run->taken[i / 64] ^= G_GUINT64_CONSTANT (1) << (i % 64);
}

/* The lowest number that waits; there is one. */
static guint64
lowest_taken (const AfxdpReorderRun *run)
{
  guint i = run->next & (run->n_places - 1);
  guint64 number = run->next;
  guint64 bits = run->taken[i / 64] >> (i % 64);

  if (bits)
    return number + __builtin_ctzll (bits);
  number += 64 - i % 64;
  while (!(bits = run->taken[(number & (run->n_places - 1)) / 64]))
    number += 64;
  return number + __builtin_ctzll (bits);
}

/* There is to be a place for number. */
static void
make_places (AfxdpReorderRun *run, guint64 number)
{
  g_autofree AfxdpReorderPlace *places = NULL;
  guint former = run->n_places;
  guint32 at = run->oldest;

  if (G_LIKELY (number - run->next < former))
    return;
  places = run->places;
  g_free (run->taken);
  run->n_places = MAX (former, FEWEST_PLACES);
  while (number - run->next >= run->n_places)
    run->n_places *= 2;
  run->places = g_new (AfxdpReorderPlace, run->n_places);
  run->taken = g_new0 (guint64, run->n_places / 64);
  for (guint i = 0; i < run->n; i++) {
    const AfxdpReorderPlace *place = &places[at & (former - 1)];

    *afxdp_reorder_run_place (run, at) = *place;
    flip_taken (run, at);
    at = place->later;
  }
}

static void
add_place (AfxdpReorderRun *run, guint64 number, const AfxdpReorderPlace *place)
{
  AfxdpReorderPlace *added;

  make_places (run, number);
  added = afxdp_reorder_run_place (run, number);
  *added = *place;
  flip_taken (run, number);
  added->former = run->newest;
  if (run->n)
    afxdp_reorder_run_place (run, run->newest)->later = number;
  else
    run->oldest = number;
  run->newest = number;
  run->n++;
  run->shared->n_waiting++;
  run->shared->n_bytes += place->entry.size;
}

static void
remove_place (AfxdpReorderRun *run, guint64 number)
{
  const AfxdpReorderPlace *place = afxdp_reorder_run_place (run, number);

  flip_taken (run, number);
  if ((guint32) number == run->oldest)
    run->oldest = place->later;
  else
    afxdp_reorder_run_place (run, place->former)->later = place->later;
  if ((guint32) number == run->newest)
    run->newest = place->former;
  else
    afxdp_reorder_run_place (run, place->later)->former = place->former;
  run->n--;
  run->shared->n_waiting--;
  run->shared->n_bytes -= place->entry.size;
}

/* Going out. */

static inline void
go_out (AfxdpReorderRun *run, const AfxdpReorderEntry *entry, guint32 timestamp)
{
  note_gone (run, run->next++, entry, timestamp);
  run->shared->funcs->out (entry, run->shared->user_data);
}

/* Those whose turn it is. */
static void
drain (AfxdpReorderRun *run)
{
  while (afxdp_reorder_run_is_taken (run, run->next)) {
    const AfxdpReorderPlace *place = afxdp_reorder_run_place (run, run->next);

    remove_place (run, run->next);
    go_out (run, &place->entry, place->timestamp);
  }
}

void
afxdp_reorder_run_give_up (AfxdpReorderRun *run)
{
  afxdp_reorder_run_pass_over (run, lowest_taken (run));
  drain (run);
}

void
afxdp_reorder_run_give_up_all (AfxdpReorderRun *run)
{
  while (run->n)
    afxdp_reorder_run_give_up (run);
}

void
afxdp_reorder_run_put (
    AfxdpReorderRun *run, guint64 number, const AfxdpReorderPlace *place)
{
  run->moving |= place->timestamp != run->timestamp;
  if (number > run->highest)
    note_highest (run, number, place);
  if (G_LIKELY (number == run->next)) {
    go_out (run, &place->entry, place->timestamp);
    if (G_UNLIKELY (run->n))
      drain (run);
    return;
  }
  add_place (run, number, place);
}

void
afxdp_reorder_run_begin (
    AfxdpReorderRun *run, guint16 number, const AfxdpReorderPlace *place)
{
  memset (run->went, 0, run->shared->past / 64 * sizeof *run->went);
  run->first = run->next = AFXDP_REORDER_BEGIN + number;
  run->timestamp = place->timestamp;
  run->moving = FALSE;
  run->n_samples = 0;
  note_highest (run, run->next, place);
  afxdp_reorder_run_put (run, run->next, place);
}
