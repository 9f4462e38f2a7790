/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The frames of an interface, divided among its streams. */
#include "rebalance.h"

#include "budget.h"
#include "log.h"

/* What the rings of one queue need, and have. */
typedef struct
{
  guint n_rings;
  guint64 due; /* sum of the credits that are due to them */
  /* by rings that hold more than is due to them now: they had it before others
   * came */
  guint64 held;
} QueueNeed;

/* The NIC's own are nobody's. */
static guint
n_frames_of (AfxdpEngine *engine, guint n_queues)
{
  guint n_frames = afxdp_umem_n_frames (engine->umem);

  return n_frames -
      afxdp_budget_of_nic (
          n_queues * afxdp_xsk_pool_nic_frames (engine->pool), n_frames);
}

/* What a queue has besides the credits of its rings. */
static guint
queue_slack (AfxdpEngine *engine)
{
  return afxdp_budget_slack (afxdp_umem_n_frames (engine->umem)) +
      afxdp_xsk_pool_nic_frames (engine->pool);
}

static AfxdpBudget
budget_of (const AfxdpRegistration *registration, AfxdpEngine *engine,
    guint n_streams, guint n_queues)
{
  AfxdpClaim claim = {
    .n_rings = registration->path.n_rings,
    .ring_size = registration->settings.ring_size,
    .batch = registration->settings.batch,
  };

  return afxdp_budget (
      &claim, n_frames_of (engine, n_queues), n_streams, n_queues);
}

/* Returns how many streams divide the frames; counts the rings of each queue. */
static guint
count_claims (GPtrArray *registrations, QueueNeed *needs)
{
  guint n_streams = 0;

  for (guint i = 0; i < registrations->len; i++) {
    const AfxdpRegistration *registration = registrations->pdata[i];

    n_streams += registration->slot >= 0;
    for (guint j = 0; j < registration->path.n_rings; j++)
      needs[registration->path.rings[j].queue].n_rings++;
  }
  return n_streams;
}

/* Whether nothing is to be redirected to registration: it would take what comes without
 * metadata for what comes with it. Its path is closed by its own thread, which may be
 * caught downstream. */
static gboolean
must_get_nothing (AfxdpRegistration *registration)
{
  if (registration->interface->attachment.swapping)
    return TRUE;
  if (afxdp_subscription_is_read (registration->subscription))
    registration->belated = FALSE;
  return registration->belated;
}

/* Gives a ring its credit: what is due to it, or its part of what its queue
 * really has. Returns whether it is all that is due. */
static gboolean
give_credit (AfxdpEngine *engine, const AfxdpRing *ring, guint due,
    const QueueNeed *need)
{
  guint slack = queue_slack (engine);
  guint64 inside = afxdp_xsk_pool_queue_frames (engine->pool, ring->queue);
  guint64 there = inside > need->held + slack ? inside - need->held - slack : 0;
  guint credit = due;

  if (afxdp_ring_outstanding (ring) <= due && there < need->due)
    credit = MAX (1, due * there / need->due);
  afxdp_ring_set_credit (ring, credit);
  return credit == due && !need->held;
}

gboolean
afxdp_rebalance (GPtrArray *registrations, AfxdpEngine *engine, guint n_queues)
{
  guint slack = queue_slack (engine);
  g_autofree QueueNeed *needs = g_new0 (QueueNeed, n_queues);
  guint n_streams = count_claims (registrations, needs), n_used = 0;
  gboolean all = TRUE;

  for (guint queue = 0; queue < n_queues; queue++)
    n_used += needs[queue].n_rings > 0;
  for (guint i = 0; i < registrations->len; i++) {
    const AfxdpRegistration *registration = registrations->pdata[i];
    AfxdpBudget budget = budget_of (registration, engine, n_streams, n_used);

    afxdp_subscription_set_share (registration->subscription, budget.share);
    AFXDP_LOG (AFXDP_LOG_XDP, registration->name,
        "due: %u packets in each of %u rings, %u frames downstream",
        budget.credit, registration->path.n_rings, budget.share);
    for (guint j = 0; j < registration->path.n_rings; j++) {
      const AfxdpRing *ring = &registration->path.rings[j];
      guint out = afxdp_ring_outstanding (ring);

      if (out > budget.credit)
        needs[ring->queue].held += out;
      else
        needs[ring->queue].due += budget.credit;
    }
  }
  for (guint queue = 0; queue < n_queues; queue++)
    if (needs[queue].n_rings)
      afxdp_xsk_pool_set_frames (
          engine->pool, queue, needs[queue].due + needs[queue].held + slack);
  for (guint i = 0; i < registrations->len; i++) {
    AfxdpRegistration *registration = registrations->pdata[i];
    AfxdpBudget budget = budget_of (registration, engine, n_streams, n_used);

    for (guint j = 0; j < registration->path.n_rings; j++) {
      const AfxdpRing *ring = &registration->path.rings[j];

      if (must_get_nothing (registration)) {
        afxdp_ring_set_credit (ring, 0);
        all = FALSE;
      } else {
        all &= give_credit (engine, ring, budget.credit, &needs[ring->queue]);
      }
    }
  }
  return all;
}
