/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RTP packets in the order of their numbers, and each once. */
#include "reorder.h"

#include <string.h>

/* Where a run's numbers begin, so that earlier ones are not below 0. */
#define BEGIN (G_GUINT64_CONSTANT (1) << 32)
/* Places at first; they double until they hold from next to highest. */
#define FEWEST_PLACES 64

/* A packet that waits. Those of a run are a list, in the order in which they were put:
 * the links are the low bits of numbers. */
typedef struct
{
  AfxdpReorderEntry entry;
  guint32 timestamp;
  guint16 former, later;
} Place;

/* An SSRC whose numbers rise. */
typedef struct
{
  guint32 ssrc;
  gboolean in_use;
  guint64 last_arrival; /* of any of its packets */
  guint32 timestamp;    /* of the one that went out last */
  gboolean moving;      /* not all have the same */

  /* Extended numbers. */
  guint64 first;
  guint64 next;    /* that goes out */
  guint64 highest; /* that has come */

  /* What waits, at number % n_places. */
  guint n;
  guint16 oldest, newest;
  guint n_places; /* a power of 2 */
  Place *places;
  guint64 *taken; /* a bit for each place */

  /* A number far from the others. */
  gboolean has_suspect;
  guint16 suspect_number;
  Place suspect;

  /* What went out, at number % AFXDP_REORDER_PAST. */
  guint64 went[AFXDP_REORDER_PAST / 64]; /* a bit for each; 0: it never came */
  guint32 timestamps[AFXDP_REORDER_PAST];
  guint64 arrivals[AFXDP_REORDER_PAST];
  guint8 tags[AFXDP_REORDER_PAST];
} Run;

/* What look() found, for put(). */
typedef enum
{
  FOUND_UNORDERED, /* not RTP, or of an SSRC too many */
  FOUND_FIRST,     /* of a new SSRC */
  FOUND_NEAR,
  FOUND_SUSPECT, /* a number far from the others */
  FOUND_FOLLOWS, /* likewise, and right behind the suspect */
} Found;

struct _AfxdpReorder
{
  guint64 window, max_bytes;
  const AfxdpReorderFuncs *funcs;
  gpointer user_data;

  guint64 now;     /* all that arrived before has been put */
  guint n_waiting; /* of all runs, suspects included */
  guint64 n_bytes; /* suspects not included */
  guint64 cut_short;

  /* Of look(). */
  Found found;
  Run *run; /* that it is of; stays for the next packet */
  guint32 ssrc, timestamp;
  guint16 number;

  Run *runs[AFXDP_REORDER_SOURCES]; /* made when they are needed */
};

AfxdpReorder *
afxdp_reorder_new (guint64 window, guint64 max_bytes,
    const AfxdpReorderFuncs *funcs, gpointer user_data)
{
  AfxdpReorder *reorder = g_new0 (AfxdpReorder, 1);

  reorder->window = window;
  reorder->max_bytes = max_bytes;
  reorder->funcs = funcs;
  reorder->user_data = user_data;
  return reorder;
}

void
afxdp_reorder_free (AfxdpReorder *reorder)
{
  if (!reorder)
    return;
  g_assert (!reorder->n_waiting);
  for (guint i = 0; i < AFXDP_REORDER_SOURCES; i++) {
    if (!reorder->runs[i])
      continue;
    g_free (reorder->runs[i]->places);
    g_free (reorder->runs[i]->taken);
    g_free (reorder->runs[i]);
  }
  g_free (reorder);
}

/* The past: what went out. */

static inline gboolean
has_gone (const Run *run, guint64 number)
{
  guint i = number % AFXDP_REORDER_PAST;

  return run->went[i / 64] >> (i % 64) & 1;
}

static inline void
note_gone (
    Run *run, guint64 number, const AfxdpReorderEntry *entry, guint32 timestamp)
{
  guint i = number % AFXDP_REORDER_PAST;

  run->went[i / 64] |= G_GUINT64_CONSTANT (1) << (i % 64);
  run->timestamps[i] = timestamp;
  run->arrivals[i] = entry->arrival;
  run->tags[i] = entry->tag;
  run->moving |= timestamp != run->timestamp;
  run->timestamp = timestamp;
}

/* Those from next on to number - 1 go without having come. */
static void
pass_over (Run *run, guint64 number)
{
  if (number - run->next >= AFXDP_REORDER_PAST) {
    memset (run->went, 0, sizeof run->went);
    run->next = number;
  }
  while (run->next < number) {
    guint i = run->next % AFXDP_REORDER_PAST;
    guint n = MIN (number - run->next, 64 - i % 64);

    run->went[i / 64] &= ~(G_MAXUINT64 >> (64 - n) << (i % 64));
    run->next += n;
  }
}

/* Places. */

static inline Place *
place_of (const Run *run, guint64 number)
{
  return &run->places[number & (run->n_places - 1)];
}

static inline gboolean
is_taken (const Run *run, guint64 number)
{
  guint i = number & (run->n_places - 1);

  return run->n && number >= run->next && number - run->next < run->n_places &&
      (run->taken[i / 64] >> (i % 64) & 1);
}

static inline void
flip_taken (Run *run, guint64 number)
{
  guint i = number & (run->n_places - 1);

  run->taken[i / 64] ^= G_GUINT64_CONSTANT (1) << (i % 64);
}

/* The lowest number that waits; there is one. */
static guint64
lowest_taken (const Run *run)
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

/* There is to be a place for number, which is at most AFXDP_REORDER_MOST ahead. */
static void
make_places (Run *run, guint64 number)
{
  g_autofree Place *places = NULL;
  guint former = run->n_places;
  guint16 at = run->oldest;

  if (G_LIKELY (number - run->next < former))
    return;
  places = run->places;
  g_free (run->taken);
  run->n_places = MAX (former, FEWEST_PLACES);
  while (number - run->next >= run->n_places)
    run->n_places *= 2;
  run->places = g_new (Place, run->n_places);
  run->taken = g_new0 (guint64, run->n_places / 64);
  for (guint i = 0; i < run->n; i++) {
    const Place *place = &places[at & (former - 1)];

    *place_of (run, at) = *place;
    flip_taken (run, at);
    at = place->later;
  }
}

static void
add_place (AfxdpReorder *reorder, Run *run, guint64 number, const Place *place)
{
  Place *added;

  make_places (run, number);
  added = place_of (run, number);
  *added = *place;
  flip_taken (run, number);
  added->former = run->newest;
  if (run->n)
    place_of (run, run->newest)->later = number;
  else
    run->oldest = number;
  run->newest = number;
  run->n++;
  reorder->n_waiting++;
  reorder->n_bytes += place->entry.size;
}

static void
remove_place (AfxdpReorder *reorder, Run *run, guint64 number)
{
  const Place *place = place_of (run, number);

  flip_taken (run, number);
  if ((guint16) number == run->oldest)
    run->oldest = place->later;
  else
    place_of (run, place->former)->later = place->later;
  if ((guint16) number == run->newest)
    run->newest = place->former;
  else
    place_of (run, place->later)->former = place->former;
  run->n--;
  reorder->n_waiting--;
  reorder->n_bytes -= place->entry.size;
}

/* Going out. */

static inline void
go_out (AfxdpReorder *reorder, Run *run, const AfxdpReorderEntry *entry,
    guint32 timestamp)
{
  note_gone (run, run->next++, entry, timestamp);
  reorder->funcs->out (entry, reorder->user_data);
}

/* Those whose turn it is. */
static void
drain (AfxdpReorder *reorder, Run *run)
{
  while (is_taken (run, run->next)) {
    const Place *place = place_of (run, run->next);

    remove_place (reorder, run, run->next);
    go_out (reorder, run, &place->entry, place->timestamp);
  }
}

/* Goes on behind the gap in front. Something waits there. */
static void
give_up_gap (AfxdpReorder *reorder, Run *run)
{
  pass_over (run, lowest_taken (run));
  drain (reorder, run);
}

static void
give_up_all (AfxdpReorder *reorder, Run *run)
{
  while (run->n)
    give_up_gap (reorder, run);
}

static guint64
due_of (const AfxdpReorder *reorder, guint64 arrival)
{
  return arrival < G_MAXUINT64 - reorder->window ? arrival + reorder->window
                                                 : G_MAXUINT64;
}

static guint64
due_of_oldest (const AfxdpReorder *reorder, const Run *run)
{
  return run->n ? due_of (reorder, place_of (run, run->oldest)->entry.arrival)
                : G_MAXUINT64;
}

/* Of all runs, the one whose packet has waited longest. */
static Run *
run_of_oldest (const AfxdpReorder *reorder)
{
  Run *oldest = NULL;

  for (guint i = 0; i < AFXDP_REORDER_SOURCES; i++) {
    Run *run = reorder->runs[i];

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
  while (reorder->n_bytes > reorder->max_bytes) {
    Run *run = run_of_oldest (reorder);

    give_up_gap (reorder, run);
    reorder->cut_short++;
  }
}

/* number is not behind, and has not come. */
static void
accept (AfxdpReorder *reorder, Run *run, guint64 number, const Place *place)
{
  while (G_UNLIKELY (number - run->next > AFXDP_REORDER_MOST)) {
    if (run->n)
      give_up_gap (reorder, run);
    else
      pass_over (run, number);
    reorder->cut_short++;
  }
  run->highest = MAX (run->highest, number);
  if (G_LIKELY (number == run->next)) {
    go_out (reorder, run, &place->entry, place->timestamp);
    if (G_UNLIKELY (run->n))
      drain (reorder, run);
    return;
  }
  add_place (reorder, run, number, place);
  make_room (reorder);
}

/* Runs. */

/* The number's low 16 bits are known, and that it is not far from the highest. */
static inline guint64
extend (const Run *run, guint16 number)
{
  return run->highest + (gint16) (number - (guint16) run->highest);
}

/* Begins with place, which goes out. Nothing waits. */
static void
begin_run (AfxdpReorder *reorder, Run *run, guint16 number, const Place *place)
{
  memset (run->went, 0, sizeof run->went);
  run->first = run->next = run->highest = BEGIN + number;
  run->timestamp = place->timestamp;
  run->moving = FALSE;
  accept (reorder, run, run->next, place);
}

static void
forget_suspect (AfxdpReorder *reorder, Run *run)
{
  if (G_LIKELY (!run->has_suspect))
    return;
  run->has_suspect = FALSE;
  reorder->n_waiting--;
  reorder->funcs->late (&run->suspect.entry, reorder->user_data);
}

/* The sender has gone on there. */
static void
believe_suspect (AfxdpReorder *reorder, Run *run)
{
  const Place suspect = run->suspect;
  guint64 number = extend (run, run->suspect_number);

  run->has_suspect = FALSE;
  reorder->n_waiting--;
  if (number > run->highest) {
    accept (reorder, run, number, &suspect);
    return;
  }
  give_up_all (reorder, run);
  begin_run (reorder, run, run->suspect_number, &suspect);
}

static void
end_run (AfxdpReorder *reorder, Run *run)
{
  forget_suspect (reorder, run);
  give_up_all (reorder, run);
  run->in_use = FALSE;
}

/* For a new SSRC, or NULL. */
static Run *
find_room (AfxdpReorder *reorder, guint64 arrival)
{
  Run *silent = NULL;

  for (guint i = 0; i < AFXDP_REORDER_SOURCES; i++) {
    Run *run = reorder->runs[i];

    if (!run)
      return reorder->runs[i] = g_new0 (Run, 1);
    if (!run->in_use)
      return run;
    if (!silent || run->last_arrival < silent->last_arrival)
      silent = run;
  }
  if (arrival < silent->last_arrival + AFXDP_REORDER_SILENT)
    return NULL;
  end_run (reorder, silent);
  return silent;
}

static Run *
find_run (AfxdpReorder *reorder, guint32 ssrc)
{
  if (G_LIKELY (
          reorder->run && reorder->run->in_use && reorder->run->ssrc == ssrc))
    return reorder->run;
  for (guint i = 0; i < AFXDP_REORDER_SOURCES; i++) {
    Run *run = reorder->runs[i];

    if (run && run->in_use && run->ssrc == ssrc)
      return run;
  }
  return NULL;
}

/* What a packet is. */

/* Whether a number that has come, with timestamp former, is another packet's now: one
 * with another timestamp; or, where all are the same and say nothing, one after a
 * silence. */
static gboolean
is_another (
    const Run *run, guint32 former, const AfxdpRtp *rtp, guint64 arrival)
{
  return rtp->timestamp != former ||
      (!run->moving && run->next > run->first + 1 &&
          arrival > run->last_arrival + AFXDP_REORDER_SILENCE);
}

/* Whether the packet is far from the others of its run. Otherwise sets verdict. */
static gboolean
is_far (const Run *run, guint64 number, const AfxdpRtp *rtp, guint64 arrival,
    AfxdpReorderVerdict *verdict)
{
  *verdict = AFXDP_REORDER_WANTED;
  if (number > run->highest)
    return number - run->highest > AFXDP_REORDER_JUMP;
  if (number >= run->next) {
    if (!is_taken (run, number))
      return FALSE;
    *verdict = AFXDP_REORDER_REPEATED;
    return is_another (run, place_of (run, number)->timestamp, rtp, arrival);
  }
  *verdict = AFXDP_REORDER_LATE;
  if (run->next - number > AFXDP_REORDER_PAST)
    return TRUE;
  if (number < run->first)
    return run->first - number > AFXDP_REORDER_EARLY;
  if (!has_gone (run, number))
    return FALSE;
  *verdict = AFXDP_REORDER_REPEATED;
  return is_another (
      run, run->timestamps[number % AFXDP_REORDER_PAST], rtp, arrival);
}

AfxdpReorderVerdict
afxdp_reorder_look (AfxdpReorder *reorder, const AfxdpRtp *rtp, guint64 arrival)
{
  AfxdpReorderVerdict verdict;
  Run *run;

  reorder->found = FOUND_UNORDERED;
  if (!afxdp_rtp_is_numbered (rtp))
    return AFXDP_REORDER_WANTED;
  reorder->ssrc = rtp->ssrc;
  reorder->timestamp = rtp->timestamp;
  reorder->number = rtp->seqnum;
  run = find_run (reorder, rtp->ssrc);
  if (G_UNLIKELY (!run)) {
    run = find_room (reorder, arrival);
    if (!run)
      return AFXDP_REORDER_WANTED;
    reorder->found = FOUND_FIRST;
    reorder->run = run;
    run->last_arrival = arrival;
    return AFXDP_REORDER_WANTED;
  }
  reorder->run = run;
  if (G_UNLIKELY (
          is_far (run, extend (run, rtp->seqnum), rtp, arrival, &verdict))) {
    reorder->found =
        run->has_suspect && rtp->seqnum == (guint16) (run->suspect_number + 1)
        ? FOUND_FOLLOWS
        : FOUND_SUSPECT;
    verdict = AFXDP_REORDER_WANTED;
  } else {
    reorder->found = FOUND_NEAR;
    forget_suspect (reorder, run);
  }
  run->last_arrival = MAX (run->last_arrival, arrival);
  return verdict;
}

/* Putting. */

static void
put_by_number (AfxdpReorder *reorder, const AfxdpReorderEntry *entry)
{
  const Place place = { .entry = *entry, .timestamp = reorder->timestamp };
  Run *run = reorder->run;

  switch (reorder->found) {
    case FOUND_FIRST:
      run->ssrc = reorder->ssrc;
      run->in_use = TRUE;
      begin_run (reorder, run, reorder->number, &place);
      break;
    case FOUND_SUSPECT:
      forget_suspect (reorder, run);
      run->suspect = place;
      run->suspect_number = reorder->number;
      run->has_suspect = TRUE;
      reorder->n_waiting++;
      break;
    case FOUND_FOLLOWS:
      believe_suspect (reorder, run);
      accept (reorder, run, extend (run, reorder->number), &place);
      break;
    default:
      accept (reorder, run, extend (run, reorder->number), &place);
      break;
  }
}

void
afxdp_reorder_put (AfxdpReorder *reorder, const AfxdpReorderEntry *entry)
{
  if (G_UNLIKELY (reorder->found == FOUND_UNORDERED))
    reorder->funcs->out (entry, reorder->user_data);
  else
    put_by_number (reorder, entry);
}

void
afxdp_reorder_first_copy (
    const AfxdpReorder *reorder, guint64 *arrival, guint *tag)
{
  const Run *run = reorder->run;
  guint64 number = extend (run, reorder->number);
  guint i = number % AFXDP_REORDER_PAST;

  if (number >= run->next) {
    const Place *place = place_of (run, number);

    *arrival = place->entry.arrival;
    *tag = place->entry.tag;
    return;
  }
  *arrival = run->arrivals[i];
  *tag = run->tags[i];
}

void
afxdp_reorder_advance (AfxdpReorder *reorder, guint64 now)
{
  reorder->now = MAX (reorder->now, now);
  if (G_LIKELY (!reorder->n_waiting))
    return;
  for (guint i = 0; i < AFXDP_REORDER_SOURCES; i++) {
    Run *run = reorder->runs[i];

    if (!run)
      continue;
    if (G_UNLIKELY (run->has_suspect &&
            due_of (reorder, run->suspect.entry.arrival) <= reorder->now))
      believe_suspect (reorder, run);
    while (due_of_oldest (reorder, run) <= reorder->now)
      give_up_gap (reorder, run);
  }
}

guint64
afxdp_reorder_due (const AfxdpReorder *reorder)
{
  guint64 due = G_MAXUINT64;

  for (guint i = 0; reorder->n_waiting && i < AFXDP_REORDER_SOURCES; i++) {
    const Run *run = reorder->runs[i];

    if (!run)
      continue;
    due = MIN (due, due_of_oldest (reorder, run));
    if (run->has_suspect)
      due = MIN (due, due_of (reorder, run->suspect.entry.arrival));
  }
  return due;
}

void
afxdp_reorder_end (AfxdpReorder *reorder)
{
  for (guint i = 0; i < AFXDP_REORDER_SOURCES; i++)
    if (reorder->runs[i])
      end_run (reorder, reorder->runs[i]);
  reorder->run = NULL;
  reorder->now = 0;
}

guint
afxdp_reorder_n_waiting (const AfxdpReorder *reorder)
{
  return reorder->n_waiting;
}

guint64
afxdp_reorder_n_cut_short (const AfxdpReorder *reorder)
{
  return reorder->cut_short;
}
