/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where missing RTP packets were lost. */
#include "attribution.h"

#include "charges.h"
#include "gaplength.h"
#include "log.h"

/* Where many wait, gaps of one SSRC become one if they lie in so many ns. */
#define TOGETHER (10 * G_GUINT64_CONSTANT (1000000))
/* What is left of a memory that was full: most of it must be filled again before
 * that is looked through again. */
#define ROOMY(most) ((most) / 4 * 3)

/* Restarts that wait to be judged, the latest of each SSRC. */
#define RESTARTS 16

/* A sender began anew. */
typedef struct
{
  AfxdpRtpEvent event;
  guint64 n_charges; /* so many were there before */
} Restart;

struct _AfxdpAttribution
{
  const AfxdpAttributionFuncs *funcs;
  gpointer user_data;
  AfxdpDropHistory history;
  GArray *waiting;   /* AfxdpVerdict, in the order of their becoming final */
  guint64 n_waiting; /* missing from them */
  guint64 latest;    /* moment at which one of them showed */
  AfxdpCharges charges;
  Restart restarts[RESTARTS];
  guint n_restarts;
};

AfxdpAttribution *
afxdp_attribution_new (
    guint64 *lost, const AfxdpAttributionFuncs *funcs, gpointer user_data)
{
  AfxdpAttribution *attribution = g_new0 (AfxdpAttribution, 1);

  attribution->charges.lost = lost;
  attribution->funcs = funcs;
  attribution->user_data = user_data;
  afxdp_drop_history_init (&attribution->history);
  attribution->waiting = g_array_new (FALSE, FALSE, sizeof (AfxdpVerdict));
  return attribution;
}

void
afxdp_attribution_free (AfxdpAttribution *attribution)
{
  if (!attribution)
    return;
  afxdp_drop_history_clear (&attribution->history);
  g_array_unref (attribution->waiting);
  g_free (attribution);
}

/* Gaps. */

static AfxdpVerdict *
waiting_at (const AfxdpAttribution *attribution, guint i)
{
  return &g_array_index (attribution->waiting, AfxdpVerdict, i);
}

guint64
afxdp_attribution_n_waiting (const AfxdpAttribution *attribution)
{
  return attribution->n_waiting;
}

guint64
afxdp_attribution_wants (const AfxdpAttribution *attribution)
{
  return attribution->waiting->len || attribution->n_restarts
      ? attribution->latest
      : 0;
}

guint64
afxdp_attribution_n_known (
    const AfxdpAttribution *attribution, guint64 since, guint64 last)
{
  guint64 n = 0;

  for (guint i = 0; i < attribution->waiting->len; i++)
    n += afxdp_lost_sum (waiting_at (attribution, i)->lost);
  for (guint i = afxdp_drop_history_first_until (&attribution->history, since);
       i < attribution->history.drops->len; i++) {
    const AfxdpDrop *drop = afxdp_drop_history_at (&attribution->history, i);

    if (drop->until > last)
      break;
    if (drop->column != AFXDP_COLUMN_NIC)
      n += drop->n;
  }
  return n;
}

/* Those that are just as many, and all of them exactly, first: none takes what
 * belongs to another. Of a gap for which all were looked at, only what has come since
 * can be news. */
static void
explain_all (AfxdpAttribution *attribution)
{
  if (!attribution->history.drops->len)
    return;
  for (guint fit = 0; fit < AFXDP_N_FITS; fit++)
    for (guint i = 0; i < attribution->waiting->len; i++) {
      AfxdpVerdict *verdict = waiting_at (attribution, i);

      /* It may not yet have the length that it gets. */
      if (verdict->gap.uncertain && !verdict->decided)
        continue;
      afxdp_verdict_explain (verdict, &attribution->history, fit,
          verdict->looked ? attribution->history.news : 0);
      verdict->looked |= fit == AFXDP_N_FITS - 1;
    }
  afxdp_drop_history_forget_used (&attribution->history);
}

static void
log_verdict (const AfxdpVerdict *verdict)
{
  const AfxdpRtpGap *gap = &verdict->gap;
  g_autoptr (GString) places = g_string_new (NULL);

  for (guint i = AFXDP_FIRST_LOSS; i < AFXDP_N_COLUMNS; i++)
    if (verdict->lost[i])
      g_string_append_printf (places, ", %s %" G_GUINT64_FORMAT,
          afxdp_column_where (i), verdict->lost[i]);
  AFXDP_DEBUG (AFXDP_LOG_STATS, NULL,
      "SSRC %08x: %" G_GUINT64_FORMAT " packets are missing from number "
      "%" G_GUINT64_FORMAT " on, in %" G_GUINT64_FORMAT " us and %u gaps%s",
      gap->ssrc, gap->missing, gap->first,
      (gap->shown - MIN (gap->before, gap->shown)) / 1000, verdict->n_gaps,
      places->str);
}

/* What no drop explains is charged to rest, unless it was dropped where nobody could
 * count it. */
static void
settle (AfxdpAttribution *attribution, AfxdpVerdict *verdict, AfxdpColumn rest)
{
  rest = afxdp_drop_history_uncounted (&attribution->history,
      verdict->gap.before, verdict->gap.shown, AFXDP_FIT_SLACK, rest);
  verdict->lost[rest] += verdict->gap.missing - afxdp_lost_sum (verdict->lost);
  attribution->n_waiting -= verdict->gap.missing;
  afxdp_charges_add (&attribution->charges, verdict);
  if (afxdp_log_is_wanted (AFXDP_LOG_LEVEL_DEBUG))
    log_verdict (verdict);
}

/* So that many can wait: those of one SSRC that lie together become one. */
static void
join_gaps (AfxdpAttribution *attribution)
{
  g_autoptr (GHashTable) latest = g_hash_table_new (NULL, NULL);
  guint left = 0;

  for (guint i = 0; i < attribution->waiting->len; i++) {
    const AfxdpVerdict *verdict = waiting_at (attribution, i);
    gpointer ssrc = GUINT_TO_POINTER (verdict->gap.ssrc);
    guint number = GPOINTER_TO_UINT (g_hash_table_lookup (latest, ssrc));
    AfxdpVerdict *former = number ? waiting_at (attribution, number - 1) : NULL;

    if (former && !former->gap.uncertain && !verdict->gap.uncertain &&
        former->gap.end <= verdict->gap.first &&
        verdict->gap.shown - former->gap.before <= TOGETHER) {
      former->gap.end = verdict->gap.end;
      former->gap.missing += verdict->gap.missing;
      former->gap.shown = MAX (former->gap.shown, verdict->gap.shown);
      former->gap.next_size = verdict->gap.next_size;
      former->n_gaps += verdict->n_gaps;
      former->tried = MIN (former->tried, verdict->tried);
      former->looked &= verdict->looked;
      for (guint j = AFXDP_FIRST_LOSS; j < AFXDP_N_COLUMNS; j++)
        former->lost[j] += verdict->lost[j];
      continue;
    }
    *waiting_at (attribution, left++) = *verdict;
    g_hash_table_insert (latest, ssrc, GUINT_TO_POINTER (left));
  }
  g_array_set_size (attribution->waiting, left);
}

static void
give_up_oldest (AfxdpAttribution *attribution, guint n)
{
  for (guint i = 0; i < n; i++)
    settle (attribution, waiting_at (attribution, i), AFXDP_COLUMN_UNKNOWN);
  g_array_remove_range (attribution->waiting, 0, n);
}

static void
make_room_for_gaps (AfxdpAttribution *attribution)
{
  join_gaps (attribution);
  if (attribution->waiting->len > ROOMY (AFXDP_ATTRIBUTION_WAITING))
    give_up_oldest (attribution,
        attribution->waiting->len - ROOMY (AFXDP_ATTRIBUTION_WAITING));
}

void
afxdp_attribution_add_drop (
    AfxdpAttribution *attribution, const AfxdpDrop *drop)
{
  afxdp_drop_history_add (&attribution->history, drop);
}

void
afxdp_attribution_add_gap (
    AfxdpAttribution *attribution, const AfxdpRtpGap *gap)
{
  AfxdpVerdict verdict = { .gap = *gap, .n_gaps = 1 };

  if (attribution->waiting->len == AFXDP_ATTRIBUTION_WAITING)
    make_room_for_gaps (attribution);
  g_array_append_val (attribution->waiting, verdict);
  attribution->n_waiting += gap->missing;
  attribution->latest = MAX (attribution->latest, gap->shown);
}

void
afxdp_attribution_add_restart (
    AfxdpAttribution *attribution, const AfxdpRtpEvent *event)
{
  guint i = 0;

  while (i < attribution->n_restarts &&
      attribution->restarts[i].event.ssrc != event->ssrc)
    i++;
  if (i == RESTARTS)
    return; /* so many at once were no drops */
  attribution->restarts[i] = (Restart){ *event, attribution->charges.n };
  attribution->n_restarts = MAX (attribution->n_restarts, i + 1);
  attribution->latest = MAX (attribution->latest, event->shown);
}

/* Whether drops may become known that belong to what showed then. */
static gboolean
is_open (guint64 shown, guint64 tried, guint64 known)
{
  /* A stamp of the future is of another clock. */
  return known < MIN (shown, tried);
}

static gboolean
is_patient (guint64 tried, guint64 now)
{
  return now != G_MAXUINT64 && now - tried <= AFXDP_ATTRIBUTION_PATIENCE;
}

/* How long an uncertain gap is. */

/* The numbers of ssrc from first on, of what was told after n_charges charges and
 * showed after since, are as many higher as shift is. */
static void
move_numbers (AfxdpAttribution *attribution, guint32 ssrc, guint64 first,
    guint64 since, guint64 n_charges, guint64 shift)
{
  for (guint i = 0; i < attribution->waiting->len; i++) {
    AfxdpRtpGap *gap = &waiting_at (attribution, i)->gap;

    if (gap->ssrc == ssrc && gap->first >= first && gap->shown > since) {
      gap->first += shift;
      gap->end += shift;
    }
  }
  afxdp_charges_move (&attribution->charges, ssrc, first, n_charges, shift);
}

static void
decide_length (AfxdpAttribution *attribution, AfxdpVerdict *verdict)
{
  AfxdpRtpGap *gap = &verdict->gap;
  AfxdpDropped dropped =
      afxdp_dropped_in (gap, &attribution->history, attribution->waiting);
  guint64 shift = dropped.n_records
      ? afxdp_dropped_decide_length (gap, &dropped) - gap->missing
      : 0;

  verdict->decided = TRUE;
  if (!shift || !attribution->funcs ||
      !attribution->funcs->correct (gap->ssrc, gap->end,
          (gint64) shift / AFXDP_RTP_CYCLE, attribution->user_data))
    return;
  move_numbers (attribution, gap->ssrc, gap->end, gap->shown, 0, shift);
  gap->end += shift;
  gap->missing += shift;
  attribution->n_waiting += shift;
}

static void
decide_lengths (AfxdpAttribution *attribution, guint64 known, guint64 now)
{
  for (guint i = 0; i < attribution->waiting->len; i++) {
    AfxdpVerdict *verdict = waiting_at (attribution, i);
    guint64 tried = verdict->tried ? verdict->tried : now;

    if (verdict->gap.uncertain && !verdict->decided &&
        (!is_open (verdict->gap.shown, tried, known) ||
            !is_patient (tried, now)))
      decide_length (attribution, verdict);
  }
}

/* What seemed to be a restart was a gap, if just as many were dropped. */
static void
decide_restart (AfxdpAttribution *attribution, const Restart *restart)
{
  const AfxdpRtpEvent *event = &restart->event;
  const AfxdpRtpGap seeming = {
    .missing = (guint16) (event->first - event->last - 1),
    .before = event->before,
    .shown = event->shown,
  };
  AfxdpDropped dropped =
      afxdp_dropped_in (&seeming, &attribution->history, attribution->waiting);
  guint64 length = afxdp_dropped_explain_length (&seeming, &dropped, 256);
  guint n_waiting = attribution->waiting->len;
  guint64 end;

  /* A length that has so many drops is no more than what they cost, whatever the sender
   * did. */
  if (length == G_MAXUINT64)
    length = afxdp_dropped_length_between (&seeming, &dropped);
  if (!length || length == G_MAXUINT64 || !attribution->funcs)
    return;
  if (attribution->waiting->len == AFXDP_ATTRIBUTION_WAITING ||
      !attribution->funcs->join (
          event->ssrc, event->shown, length, attribution->user_data) ||
      attribution->waiting->len == n_waiting)
    return;
  end = waiting_at (attribution, n_waiting)->gap.end;
  move_numbers (attribution, event->ssrc, 0, event->shown, restart->n_charges,
      end - event->first);
}

static void
decide_restarts (AfxdpAttribution *attribution, guint64 known, guint64 now)
{
  guint left = 0;

  for (guint i = 0; i < attribution->n_restarts; i++) {
    const Restart restart = attribution->restarts[i];

    if (is_open (restart.event.shown, now, known) &&
        is_patient (restart.event.shown, now))
      attribution->restarts[left++] = restart;
    else
      decide_restart (attribution, &restart);
  }
  attribution->n_restarts = left;
}

void
afxdp_attribution_judge (AfxdpAttribution *attribution, guint64 known,
    guint64 now, void (*judged) (const AfxdpVerdict *verdict, gpointer data),
    gpointer data)
{
  guint left = 0;

  decide_restarts (attribution, known, now);
  decide_lengths (attribution, known, now);
  explain_all (attribution);
  attribution->history.news = G_MAXUINT64;

  for (guint i = 0; i < attribution->waiting->len; i++) {
    AfxdpVerdict *verdict = waiting_at (attribution, i);
    const AfxdpRtpGap *gap = &verdict->gap;
    gboolean open, patient;

    if (!verdict->tried)
      verdict->tried = now;
    patient = is_patient (verdict->tried, now);
    open = is_open (gap->shown, verdict->tried, known);
    if (open && patient &&
        (afxdp_lost_sum (verdict->lost) < gap->missing ||
            (gap->uncertain && !verdict->decided))) {
      *waiting_at (attribution, left++) = *verdict;
      continue;
    }
    settle (attribution, verdict,
        open || gap->before < attribution->history.forgotten_until
            ? AFXDP_COLUMN_UNKNOWN
            : AFXDP_COLUMN_NETWORK);
    judged (verdict, data);
  }
  g_array_set_size (attribution->waiting, left);
  if (!left && !attribution->n_restarts)
    attribution->latest = 0;
  if (now != G_MAXUINT64)
    afxdp_drop_history_forget_old (&attribution->history, now);
}

/* Packets that came after all. */

static gboolean
leave_waiting_gap (AfxdpAttribution *attribution, guint32 ssrc, guint64 number)
{
  for (guint i = 0; i < attribution->waiting->len; i++) {
    AfxdpVerdict *verdict = waiting_at (attribution, i);
    const AfxdpRtpGap *gap = &verdict->gap;

    if (gap->ssrc != ssrc || number < gap->first || number >= gap->end ||
        !gap->missing)
      continue;
    if (afxdp_lost_sum (verdict->lost) == gap->missing)
      afxdp_lost_give_back (verdict->lost);
    verdict->gap.missing--;
    attribution->n_waiting--;
    return TRUE;
  }
  return FALSE;
}

void
afxdp_attribution_came (
    AfxdpAttribution *attribution, guint32 ssrc, guint64 number)
{
  if (!leave_waiting_gap (attribution, ssrc, number))
    afxdp_charges_give_back (&attribution->charges, ssrc, number);
}

void
afxdp_attribution_add_after (
    const AfxdpAttribution *attribution, guint64 last, guint64 *n)
{
  guint i = afxdp_drop_history_first_until (&attribution->history, last + 1);

  for (; i < attribution->history.drops->len; i++) {
    const AfxdpDrop *drop = afxdp_drop_history_at (&attribution->history, i);

    if (drop->column != AFXDP_COLUMN_NIC && drop->column != AFXDP_COLUMN_PAUSED)
      n[drop->column] += drop->n;
  }
}

void
afxdp_attribution_end (AfxdpAttribution *attribution, guint64 last)
{
  afxdp_attribution_add_after (attribution, last, attribution->charges.lost);
  g_array_set_size (attribution->history.drops, 0);
}
