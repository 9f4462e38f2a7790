/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How the frames of an interface are divided among its streams. */
#include "budget.h"

guint
afxdp_budget_frames (guint asked_for, guint ring_size)
{
  return asked_for ? MAX (asked_for, AFXDP_FEWEST_FRAMES)
                   : MAX (AFXDP_FRAMES_FOR_EACH_RING_PLACE * ring_size,
                         AFXDP_DEFAULT_FRAMES);
}

guint
afxdp_budget_slack (guint n_frames)
{
  return MIN (AFXDP_REFILL_STEP, n_frames / AFXDP_SLACK_PART);
}

AfxdpBudget
afxdp_budget (
    const AfxdpClaim *claim, guint n_frames, guint n_streams, guint n_queues)
{
  guint slack = MIN (n_frames, n_queues * afxdp_budget_slack (n_frames));
  guint part = (n_frames - slack) / MAX (1, n_streams);
  guint n_rings = MAX (1, claim->n_rings);
  /* Of each ring, the reader has no more in its hands than fits into it. */
  guint in_hands = MIN (claim->batch, part / AFXDP_IN_HANDS_PART / n_rings);
  guint credit = (part - in_hands * n_rings) / AFXDP_CREDIT_PART / n_rings;
  guint reserve = n_frames / AFXDP_RESERVED_PART / MAX (1, n_streams);
  AfxdpBudget budget;
  gint rest;

  if (in_hands < claim->batch)
    credit = in_hands;
  budget.credit = CLAMP (credit, 1, claim->ring_size);
  rest = part - (in_hands + budget.credit) * n_rings;
  reserve = MIN (reserve, part / AFXDP_RESERVED_OF_STREAM_PART);
  budget.share = MAX (1, rest - (gint) reserve);
  return budget;
}
