/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One RX queue: its fill ring, the frames in there, and its driver's sleep. */
#include "xskqueue.h"

#include <sys/socket.h>

#include "budget.h"
#include "clock.h"
#include "fork.h"
#include "log.h"

void
afxdp_xsk_owner_close (AfxdpXskOwner *owner)
{
  afxdp_xskfd_unmap (&owner->mapping);
  if (owner->fd >= 0)
    afxdp_fork_close (owner->fd);
  owner->fd = -1;
}

guint
afxdp_xsk_owner_fill (AfxdpXskOwner *owner, AfxdpUmem *umem, guint n)
{
  guint shift = g_bit_nth_lsf (afxdp_umem_frame_size (umem), -1);
  guint32 frames[AFXDP_REFILL_STEP];
  guint done = 0;

  while (done < n) {
    guint want = MIN (n - done, AFXDP_REFILL_STEP);
    guint got = afxdp_umem_take (umem, frames, want, TRUE);
    guint32 at = 0;

    if (got && !xsk_ring_prod__reserve (&owner->fill, got, &at))
      g_assert_not_reached ();
    for (guint i = 0; i < got; i++)
      *xsk_ring_prod__fill_addr (&owner->fill, at + i) = (guint64) frames[i]
          << shift;
    owner->filled += got; /* before they can arrive */
    if (got)
      xsk_ring_prod__submit (&owner->fill, got);
    done += got;
    if (got < want)
      break;
  }
  return done;
}

void
afxdp_xsk_owner_empty (AfxdpXskOwner *owner, AfxdpUmem *umem)
{
  for (guint64 i = 0; i < owner->filled; i++) {
    guint32 frame =
        afxdp_umem_frame_at (umem, *xsk_ring_prod__fill_addr (&owner->fill, i));

    afxdp_umem_reclaim (umem, &frame, 1);
  }
  owner->filled = 0;
  owner->fill.cached_prod = 0;
  __atomic_store_n (owner->fill.producer, 0, __ATOMIC_RELAXED);
}

void
afxdp_xsk_queue_init (
    AfxdpXskQueue *queue, guint number, const gchar *interface, AfxdpUmem *umem)
{
  queue->number = number;
  queue->interface = interface;
  queue->umem = umem;
  queue->owner.fd = -1;
  pthread_mutex_init (&queue->lock, NULL);
}

void
afxdp_xsk_queue_clear (AfxdpXskQueue *queue)
{
  afxdp_xsk_owner_close (&queue->owner);
  pthread_mutex_destroy (&queue->lock);
}

guint
afxdp_xsk_queue_n_frames (const AfxdpXskQueue *queue)
{
  guint64 arrived =
      atomic_load_explicit (&queue->arrived, memory_order_relaxed);

  return atomic_load_explicit (&queue->owner.filled, memory_order_relaxed) -
      arrived;
}

static guint
shortage (const AfxdpXskQueue *queue, guint target)
{
  guint inside = afxdp_xsk_queue_n_frames (queue);

  return inside < target ? target - inside : 0;
}

void
afxdp_xsk_queue_wake_driver (AfxdpXskQueue *queue, gboolean at_once)
{
  const struct xsk_ring_prod *fill = &queue->owner.fill;
  guint64 now, before;

  if (!queue->zero_copy || !xsk_ring_prod__needs_wakeup (fill) ||
      __atomic_load_n (fill->consumer, __ATOMIC_RELAXED) ==
          __atomic_load_n (fill->producer, __ATOMIC_RELAXED))
    return;
  now = afxdp_now ();
  before = atomic_load_explicit (&queue->woken_at, memory_order_relaxed);
  if (!at_once && now - before < AFXDP_XSK_WAKE_INTERVAL)
    return;
  atomic_store_explicit (&queue->woken_at, now, memory_order_relaxed);
  recvfrom (queue->owner.fd, NULL, 0, MSG_DONTWAIT, NULL, NULL);
}

void
afxdp_xsk_queue_refill (AfxdpXskQueue *queue, guint step)
{
  guint target = atomic_load_explicit (&queue->target, memory_order_relaxed);
  guint missing, n;

  /* Again: who came while we had the lock went away without. */
  while (shortage (queue, target) >= step &&
      !pthread_mutex_trylock (&queue->lock)) {
    missing = shortage (queue, target);
    n = afxdp_xsk_owner_fill (&queue->owner, queue->umem, missing);
    __atomic_fetch_add (queue->told, n, __ATOMIC_RELEASE);
    pthread_mutex_unlock (&queue->lock);
    afxdp_xsk_queue_wake_driver (queue, TRUE);
    if (n < missing) {
      AFXDP_LOG (AFXDP_LOG_XDP, queue->interface,
          "RX queue %u lacks %u frames, and none is free", queue->number,
          missing - n);
      afxdp_umem_set_hungry (queue->umem, TRUE);
      return;
    }
  }
}

void
afxdp_xsk_queue_refill_in_steps (AfxdpXskQueue *queue)
{
  afxdp_xsk_queue_refill (queue,
      afxdp_budget_refill_step (
          atomic_load_explicit (&queue->target, memory_order_relaxed)));
}
