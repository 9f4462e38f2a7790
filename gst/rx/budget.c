/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How the frames of an interface are divided among its streams. */
#include "budget.h"

#include "xsk.h"

/* Of all frames, one of so many is promised to nobody. */
#define RESERVED_PART 8

guint
afxdp_budget_slack (guint n_frames)
{
  return MIN (AFXDP_XSK_REFILL_STEP, n_frames / 8);
}

AfxdpBudget
afxdp_budget (
    const AfxdpClaim *claim, guint n_frames, guint n_streams, guint n_queues)
{
  guint slack = MIN (n_frames, n_queues * afxdp_budget_slack (n_frames));
  guint part = (n_frames - slack) / MAX (1, n_streams);
  guint n_rings = MAX (1, claim->n_rings);
  /* Of each ring, the reader has no more in its hands than fits into it. */
  guint in_hands = MIN (claim->batch, part / 3 / n_rings);
  guint credit = (part - in_hands * n_rings) / 2 / n_rings;
  guint reserve = n_frames / RESERVED_PART / MAX (1, n_streams);
  AfxdpBudget budget;
  gint rest;

  if (in_hands < claim->batch)
    credit = in_hands;
  budget.credit = CLAMP (credit, 1, claim->ring_size);
  rest = part - (in_hands + budget.credit) * n_rings;
  budget.share = MAX (1, rest - (gint) MIN (reserve, part / 4));
  return budget;
}
