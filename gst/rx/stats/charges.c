/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where packets of judged gaps were lost. */
#include "charges.h"

/* The latest charge, if that is the gap's, too, or lies right before it: then what is
 * between them came. */
static AfxdpCharge *
charge_to_extend (
    AfxdpCharges *charges, const AfxdpRtpGap *gap, AfxdpColumn column)
{
  AfxdpCharge *charge =
      &charges->charges[(charges->n - 1) % AFXDP_CHARGES_MOST];

  return charges->n && charge->ssrc == gap->ssrc && charge->column == column &&
          charge->end <= gap->first
      ? charge
      : NULL;
}

void
afxdp_charges_add (AfxdpCharges *charges, const AfxdpVerdict *verdict)
{
  const AfxdpRtpGap *gap = &verdict->gap;

  for (guint i = AFXDP_FIRST_LOSS; i < AFXDP_N_COLUMNS; i++) {
    AfxdpCharge *charge;

    if (!verdict->lost[i])
      continue;
    charges->lost[i] += verdict->lost[i];
    charge = charge_to_extend (charges, gap, i);
    if (charge) {
      charge->end = gap->end;
      charge->n += verdict->lost[i];
    } else {
      charges->charges[charges->n++ % AFXDP_CHARGES_MOST] =
          (AfxdpCharge){ gap->ssrc, i, gap->first, gap->end, verdict->lost[i] };
    }
  }
}

void
afxdp_charges_move (AfxdpCharges *charges, guint32 ssrc, guint64 first,
    guint64 since, guint64 shift)
{
  since = MAX (since, charges->n - MIN (charges->n, AFXDP_CHARGES_MOST));
  for (; since < charges->n; since++) {
    AfxdpCharge *charge = &charges->charges[since % AFXDP_CHARGES_MOST];

    if (charge->ssrc == ssrc && charge->first >= first) {
      charge->first += shift;
      charge->end += shift;
    }
  }
}

static gboolean
holds (const AfxdpCharge *charge, guint32 ssrc, guint64 number)
{
  return charge->ssrc == ssrc && charge->first <= number &&
      number < charge->end;
}

/* Finds the charges of the latest gap that holds number, as far as something is left
 * of them: at most one for each column. They lie together. Returns how many there
 * are. */
static guint
find_charges (AfxdpCharges *charges, guint32 ssrc, guint64 number,
    AfxdpCharge *found[AFXDP_N_COLUMNS])
{
  guint most = MIN (charges->n, AFXDP_CHARGES_MOST), n = 0;

  for (guint i = 1; i <= most; i++) {
    AfxdpCharge *charge =
        &charges->charges[(charges->n - i) % AFXDP_CHARGES_MOST];

    if (!holds (charge, ssrc, number)) {
      if (n)
        break;
      continue;
    }
    if (!charge->n || !charges->lost[charge->column] || found[charge->column])
      continue;
    found[charge->column] = charge;
    n++;
  }
  return n;
}

static void
give_one_back (AfxdpCharges *charges, AfxdpCharge *charge)
{
  charge->n--;
  charges->lost[charge->column]--;
}

void
afxdp_lost_give_back (guint64 *lost)
{
  if (!lost[AFXDP_COLUMN_UNKNOWN])
    for (guint i = AFXDP_FIRST_LOSS; i < AFXDP_COLUMN_UNKNOWN; i++)
      if (lost[i]) {
        lost[i]--;
        lost[AFXDP_COLUMN_UNKNOWN]++;
      }
  lost[AFXDP_COLUMN_UNKNOWN]--;
}

void
afxdp_charges_give_back (AfxdpCharges *charges, guint32 ssrc, guint64 number)
{
  static const AfxdpColumn uncounted[] = { AFXDP_COLUMN_UNKNOWN,
    AFXDP_COLUMN_NETWORK };
  AfxdpCharge *found[AFXDP_N_COLUMNS] = { NULL };
  guint n = find_charges (charges, ssrc, number, found);

  if (!n) {
    afxdp_lost_give_back (charges->lost);
    return;
  }
  for (guint i = 0; i < G_N_ELEMENTS (uncounted); i++)
    if (found[uncounted[i]]) {
      give_one_back (charges, found[uncounted[i]]);
      return;
    }
  for (guint i = AFXDP_FIRST_LOSS; i < AFXDP_N_COLUMNS; i++)
    if (found[i])
      give_one_back (charges, found[i]);
  charges->lost[AFXDP_COLUMN_UNKNOWN] += n - 1;
}
