/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The frames of an interface, divided among its streams. */
#include "division.h"

#include "budget.h"

/* What the rings of one queue need, and have. */
typedef struct
{
  guint n_rings;
  guint64 due;  /* sum of the credits that are due to them */
  guint64 held; /* by rings that hold more than is due to them now: they had it
                   before others came */
} QueueNeed;

static AfxdpBudget
budget_of (const AfxdpMember *member, AfxdpEngine *engine, guint n_streams,
    guint n_queues)
{
  AfxdpClaim claim = {
    .n_rings = member->door.n_rings,
    .ring_size = member->settings.ring_size,
    .batch = member->settings.batch,
  };

  return afxdp_budget (&claim, afxdp_umem_n_frames (afxdp_engine_umem (engine)),
      n_streams, n_queues);
}

/* Returns how many streams divide the frames; counts the rings of each queue. */
static guint
count_claims (GPtrArray *members, QueueNeed *needs)
{
  guint n_streams = 0;

  for (guint i = 0; i < members->len; i++) {
    const AfxdpMember *member = members->pdata[i];

    n_streams += member->slot >= 0;
    for (guint j = 0; j < member->door.n_rings; j++)
      needs[member->door.rings[j].queue].n_rings++;
  }
  return n_streams;
}

/* Gives a ring its credit: what is due to it, or its part of what its queue
 * really has. Returns whether it is all that is due. */
static gboolean
give_credit (AfxdpEngine *engine, const AfxdpRing *ring, guint due,
    const QueueNeed *need)
{
  guint slack =
      afxdp_budget_slack (afxdp_umem_n_frames (afxdp_engine_umem (engine)));
  guint64 inside = afxdp_engine_queue_frames (engine, ring->queue);
  guint64 there = inside > need->held + slack ? inside - need->held - slack : 0;
  guint credit = due;

  if (afxdp_ring_outstanding (ring) <= due && there < need->due)
    credit = MAX (1, due * there / need->due);
  afxdp_ring_set_credit (ring, credit);
  return credit == due && !need->held;
}

gboolean
afxdp_division_make (GPtrArray *members, AfxdpEngine *engine, guint n_queues)
{
  guint slack =
      afxdp_budget_slack (afxdp_umem_n_frames (afxdp_engine_umem (engine)));
  g_autofree QueueNeed *needs = g_new0 (QueueNeed, n_queues);
  guint n_streams = count_claims (members, needs), n_used = 0;
  gboolean all = TRUE;

  for (guint queue = 0; queue < n_queues; queue++)
    n_used += needs[queue].n_rings > 0;
  for (guint i = 0; i < members->len; i++) {
    const AfxdpMember *member = members->pdata[i];
    AfxdpBudget budget = budget_of (member, engine, n_streams, n_used);

    afxdp_subscription_set_share (member->subscription, budget.share);
    for (guint j = 0; j < member->door.n_rings; j++) {
      const AfxdpRing *ring = &member->door.rings[j];
      guint out = afxdp_ring_outstanding (ring);

      if (out > budget.credit)
        needs[ring->queue].held += out;
      else
        needs[ring->queue].due += budget.credit;
    }
  }
  for (guint queue = 0; queue < n_queues; queue++)
    if (needs[queue].n_rings)
      afxdp_engine_set_frames (
          engine, queue, needs[queue].due + needs[queue].held + slack);
  for (guint i = 0; i < members->len; i++) {
    const AfxdpMember *member = members->pdata[i];
    AfxdpBudget budget = budget_of (member, engine, n_streams, n_used);

    for (guint j = 0; j < member->door.n_rings; j++) {
      const AfxdpRing *ring = &member->door.rings[j];

      all &= give_credit (engine, ring, budget.credit, &needs[ring->queue]);
    }
  }
  return all;
}
