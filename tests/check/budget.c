/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames divided among streams: never more than there are. */
#include "budget.h"

#include "suite.h"

static const guint frames[] = { 64, 100, 1024, 4096, 32768, 65536 };
static const guint streams[] = { 1, 2, 3, 7, 16, 64, 256 };
static const guint rings[] = { 1, 2, 4 };
static const guint batches[] = { 1, 64, 1024 };

/* All that a stream may have at the same time, of its part of the frames. */
static guint64
needed (const AfxdpClaim *claim, const AfxdpBudget *budget)
{
  guint in_hands = MIN (claim->batch, budget->credit);

  return (guint64) (budget->credit + in_hands) * claim->n_rings + budget->share;
}

TABLE_TEST (test_never_more_than_there_are, frames)
{
  guint n_frames = frames[__i__];
  guint slack = afxdp_budget_slack (n_frames);

  for (guint s = 0; s < G_N_ELEMENTS (streams); s++)
    for (guint r = 0; r < G_N_ELEMENTS (rings); r++)
      for (guint b = 0; b < G_N_ELEMENTS (batches); b++) {
        AfxdpClaim claim = {
          .n_rings = rings[r], .ring_size = 16384, .batch = batches[b]
        };
        guint part = (n_frames - rings[r] * slack) / streams[s];
        AfxdpBudget budget =
            afxdp_budget (&claim, n_frames, streams[s], rings[r]);

        fail_unless (budget.credit >= 1 && budget.share >= 1);
        fail_unless (budget.credit <= claim.ring_size);
        /* With fewer than 3 frames for each ring nothing can be promised. */
        if (part >= 3 * rings[r])
          fail_unless (needed (&claim, &budget) <= part,
              "%u frames, %u streams, %u rings, batch %u: credit %u, share %u",
              n_frames, streams[s], rings[r], batches[b], budget.credit,
              budget.share);
      }
}

/* 42 ms at 390,000 packets/s, less what is in hands. */
TEST (test_default)
{
  AfxdpClaim claim = { .n_rings = 1, .ring_size = 16384, .batch = 64 };
  AfxdpBudget budget = afxdp_budget (&claim, 32768, 1, 1);

  fail_unless_equals_int (afxdp_budget_slack (32768), 64);
  fail_unless (budget.credit > 16000);
  fail_unless (budget.share > 12000);
}

/* Whatever one stream holds, another one that comes finds something. */
TEST (test_reserve)
{
  AfxdpClaim claim = { .n_rings = 1, .ring_size = 16384, .batch = 64 };
  AfxdpBudget budget = afxdp_budget (&claim, 32768, 1, 1);

  fail_unless (needed (&claim, &budget) + 64 + 4096 <= 32768);
}

/* What a short ring leaves goes downstream. */
TEST (test_short_ring)
{
  AfxdpClaim claim = { .n_rings = 1, .ring_size = 256, .batch = 64 };
  AfxdpBudget budget = afxdp_budget (&claim, 32768, 1, 1);

  fail_unless_equals_int (budget.credit, 256);
  fail_unless_equals_int (budget.share, 32768 - 64 - 64 - 256 - 4096);
}

SUITE ("budget", 0, NULL, NULL)
