/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where missing RTP packets were lost. */
#include "attribution.h"

/* Kernel and program stamp at different places, and the socket in another clock:
 * what lies no further apart than this may be the same, in ns. */
#define SLACK (1 * G_GUINT64_CONSTANT (1000000))

/* So many packets of a judged gap are charged to column. */
typedef struct
{
  guint32 ssrc;
  AfxdpColumn column;
  guint64 first, end; /* numbers: the gap's */
  guint64 n;
} Charge;

struct _AfxdpAttribution
{
  guint64 *lost;
  GArray *drops;           /* AfxdpDrop, the oldest first; n > 0 */
  guint64 forgotten_until; /* drops of before may have been forgotten */
  GArray *waiting;   /* AfxdpVerdict, in the order of their becoming final */
  guint64 n_waiting; /* missing from them */
  guint64 latest;    /* moment at which one of them showed */
  gboolean news;     /* drops have come since the last judgement */
  Charge charges[AFXDP_ATTRIBUTION_GAPS]; /* a ring, overwritten */
  guint64 n_charges;
};

AfxdpAttribution *
afxdp_attribution_new (guint64 *lost)
{
  AfxdpAttribution *attribution = g_new0 (AfxdpAttribution, 1);

  attribution->lost = lost;
  attribution->drops = g_array_new (FALSE, FALSE, sizeof (AfxdpDrop));
  attribution->waiting = g_array_new (FALSE, FALSE, sizeof (AfxdpVerdict));
  return attribution;
}

void
afxdp_attribution_free (AfxdpAttribution *attribution)
{
  if (!attribution)
    return;
  g_array_unref (attribution->drops);
  g_array_unref (attribution->waiting);
  g_free (attribution);
}

/* Drops. */

static AfxdpDrop *
drop_at (const AfxdpAttribution *attribution, guint i)
{
  return &g_array_index (attribution->drops, AfxdpDrop, i);
}

static void
forget_drop (AfxdpAttribution *attribution, guint i)
{
  g_array_remove_index (attribution->drops, i);
}

/* n packets that were told to be dropped came after all. */
static void
take_back (AfxdpAttribution *attribution, AfxdpColumn column, guint64 n)
{
  for (guint i = attribution->drops->len; i-- && n;) {
    AfxdpDrop *drop = drop_at (attribution, i);
    guint64 some = MIN (n, (guint64) drop->n);

    if (drop->column != column)
      continue;
    n -= some;
    drop->n -= some;
    if (!drop->n)
      forget_drop (attribution, i);
  }
}

void
afxdp_attribution_add_drop (
    AfxdpAttribution *attribution, const AfxdpDrop *drop)
{
  if (!drop->n)
    return;
  if (drop->n < 0) {
    take_back (attribution, drop->column, -drop->n);
    return;
  }
  if (attribution->drops->len == AFXDP_ATTRIBUTION_DROPS) {
    attribution->forgotten_until =
        MAX (attribution->forgotten_until, drop_at (attribution, 0)->until);
    forget_drop (attribution, 0);
  }
  g_array_append_val (attribution->drops, *drop);
  attribution->news = TRUE;
}

/* What is so old that hardly any gap can want it. */
static void
forget_old_drops (AfxdpAttribution *attribution, guint64 now)
{
  guint n = 0;

  while (n < attribution->drops->len &&
      now > drop_at (attribution, n)->until + AFXDP_ATTRIBUTION_MEMORY)
    n++;
  if (!n)
    return;
  attribution->forgotten_until =
      MAX (attribution->forgotten_until, drop_at (attribution, n - 1)->until);
  g_array_remove_range (attribution->drops, 0, n);
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
  return attribution->waiting->len ? attribution->latest : 0;
}

static guint64
explained (const AfxdpVerdict *verdict)
{
  guint64 sum = 0;

  for (guint i = AFXDP_FIRST_LOSS; i < AFXDP_N_COLUMNS; i++)
    sum += verdict->lost[i];
  return sum;
}

/* How a drop may belong to a gap. */
typedef enum
{
  FITS_EXACTLY, /* the same packet showed both */
  FITS_IN_TIME,
  FITS_THE_INTERFACE,
  N_FITS,
} Fit;

static gboolean
fits (const AfxdpDrop *drop, const AfxdpRtpGap *gap, Fit fit)
{
  if ((fit == FITS_THE_INTERFACE) != (drop->column == AFXDP_COLUMN_NIC))
    return FALSE;
  if (fit == FITS_EXACTLY)
    return drop->until == gap->shown;
  return drop->from < gap->shown + SLACK && gap->before < drop->until + SLACK;
}

static void
explain (AfxdpAttribution *attribution, AfxdpVerdict *verdict, Fit fit)
{
  guint64 missing = verdict->gap.missing - explained (verdict);

  for (guint i = 0; i < attribution->drops->len && missing;) {
    AfxdpDrop *drop = drop_at (attribution, i);
    guint64 n;

    if (!fits (drop, &verdict->gap, fit)) {
      i++;
      continue;
    }
    n = MIN (missing, (guint64) drop->n);
    verdict->lost[drop->column] += n;
    missing -= n;
    drop->n -= n;
    if (drop->n)
      i++;
    else
      forget_drop (attribution, i);
  }
}

static void
charge (AfxdpAttribution *attribution, const AfxdpVerdict *verdict)
{
  const AfxdpRtpGap *gap = &verdict->gap;

  for (guint i = AFXDP_FIRST_LOSS; i < AFXDP_N_COLUMNS; i++) {
    if (!verdict->lost[i])
      continue;
    attribution->lost[i] += verdict->lost[i];
    attribution->charges[attribution->n_charges++ % AFXDP_ATTRIBUTION_GAPS] =
        (Charge){ gap->ssrc, i, gap->first, gap->end, verdict->lost[i] };
  }
}

/* What no drop explains is charged to rest. */
static void
settle (AfxdpAttribution *attribution, AfxdpVerdict *verdict, AfxdpColumn rest)
{
  verdict->lost[rest] += verdict->gap.missing - explained (verdict);
  attribution->n_waiting -= verdict->gap.missing;
  charge (attribution, verdict);
}

static void
give_up_oldest (AfxdpAttribution *attribution)
{
  settle (attribution, waiting_at (attribution, 0), AFXDP_COLUMN_UNKNOWN);
  g_array_remove_index (attribution->waiting, 0);
}

void
afxdp_attribution_add_gap (
    AfxdpAttribution *attribution, const AfxdpRtpGap *gap)
{
  AfxdpVerdict verdict = { .gap = *gap };

  if (attribution->waiting->len == AFXDP_ATTRIBUTION_WAITING)
    give_up_oldest (attribution);
  g_array_append_val (attribution->waiting, verdict);
  attribution->n_waiting += gap->missing;
  attribution->latest = MAX (attribution->latest, gap->shown);
}

void
afxdp_attribution_judge (AfxdpAttribution *attribution, guint64 known,
    guint64 now, void (*judged) (const AfxdpVerdict *verdict, gpointer data),
    gpointer data)
{
  guint left = 0;

  /* All of them exactly first: none takes what belongs to another. */
  for (guint fit = 0; fit < N_FITS; fit++)
    for (guint i = 0; i < attribution->waiting->len; i++)
      if (attribution->news || !waiting_at (attribution, i)->tried)
        explain (attribution, waiting_at (attribution, i), fit);
  attribution->news = FALSE;

  for (guint i = 0; i < attribution->waiting->len; i++) {
    AfxdpVerdict *verdict = waiting_at (attribution, i);
    const AfxdpRtpGap *gap = &verdict->gap;
    gboolean open, patient;

    if (!verdict->tried)
      verdict->tried = now;
    patient = now != G_MAXUINT64 &&
        now - verdict->tried <= AFXDP_ATTRIBUTION_PATIENCE;
    /* A stamp of the future is of another clock. */
    open = known < MIN (gap->shown, verdict->tried);
    if (open && patient && explained (verdict) < gap->missing) {
      *waiting_at (attribution, left++) = *verdict;
      continue;
    }
    settle (attribution, verdict,
        open || gap->before < attribution->forgotten_until
            ? AFXDP_COLUMN_UNKNOWN
            : AFXDP_COLUMN_NETWORK);
    judged (verdict, data);
  }
  g_array_set_size (attribution->waiting, left);
  if (!left)
    attribution->latest = 0;
  if (now != G_MAXUINT64)
    forget_old_drops (attribution, now);
}

/* Packets that came after all. */

static gboolean
holds (guint32 ssrc, guint64 first, guint64 end, guint32 wanted, guint64 number)
{
  return ssrc == wanted && first <= number && number < end;
}

/* The column with the most. */
static AfxdpColumn
largest (const guint64 *lost)
{
  AfxdpColumn best = AFXDP_FIRST_LOSS;

  for (guint i = AFXDP_FIRST_LOSS; i < AFXDP_N_COLUMNS; i++)
    if (lost[i] > lost[best])
      best = i;
  return best;
}

static gboolean
leave_waiting_gap (AfxdpAttribution *attribution, guint32 ssrc, guint64 number)
{
  for (guint i = 0; i < attribution->waiting->len; i++) {
    AfxdpVerdict *verdict = waiting_at (attribution, i);
    const AfxdpRtpGap *gap = &verdict->gap;

    if (!holds (gap->ssrc, gap->first, gap->end, ssrc, number) || !gap->missing)
      continue;
    if (explained (verdict) == gap->missing)
      verdict->lost[largest (verdict->lost)]--;
    verdict->gap.missing--;
    attribution->n_waiting--;
    return TRUE;
  }
  return FALSE;
}

static Charge *
find_charge (AfxdpAttribution *attribution, guint32 ssrc, guint64 number)
{
  guint n = MIN (attribution->n_charges, AFXDP_ATTRIBUTION_GAPS);

  for (guint i = 1; i <= n; i++) {
    Charge *charge =
        &attribution
             ->charges[(attribution->n_charges - i) % AFXDP_ATTRIBUTION_GAPS];

    if (charge->n &&
        holds (charge->ssrc, charge->first, charge->end, ssrc, number))
      return charge;
  }
  return NULL;
}

void
afxdp_attribution_came (
    AfxdpAttribution *attribution, guint32 ssrc, guint64 number)
{
  AfxdpColumn column;
  Charge *charge;

  if (leave_waiting_gap (attribution, ssrc, number))
    return;
  charge = find_charge (attribution, ssrc, number);
  if (charge)
    charge->n--;
  /* So long ago that nobody knows, or one such took this column's loss back: the
   * sum must hold. */
  column = charge && attribution->lost[charge->column]
      ? charge->column
      : largest (attribution->lost);
  attribution->lost[column]--;
}

void
afxdp_attribution_end (AfxdpAttribution *attribution, guint64 last)
{
  for (guint i = 0; i < attribution->drops->len; i++) {
    const AfxdpDrop *drop = drop_at (attribution, i);

    if (drop->column != AFXDP_COLUMN_NIC &&
        drop->column != AFXDP_COLUMN_PAUSED && drop->until > last)
      attribution->lost[drop->column] += drop->n;
  }
  g_array_set_size (attribution->drops, 0);
}
