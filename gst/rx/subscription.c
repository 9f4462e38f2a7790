/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What control thread and streaming thread tell each other. */
#include "subscription.h"

#include <pthread.h>
#include <stdatomic.h>

#include "attachment.h"
#include "bell.h"
#include "clock.h"

#define MS G_GUINT64_CONSTANT (1000000)

struct _AfxdpSubscription
{
  int control, wake;

  /* Inside the distributor's lock. Protects door. */
  pthread_mutex_t lock;
  pthread_cond_t published;
  AfxdpFastDoor door;

  atomic_uint version;
  atomic_uint share;
  atomic_uint grace_wanted, grace_over;
  atomic_uint doubts;
  _Atomic guint64 drops_wanted, drops_asked; /* moments */
  _Atomic guint64 drops;                     /* written before drops_asked */
};

static void
copy_door (AfxdpFastDoor *to, const AfxdpFastDoor *from)
{
  *to = *from;
  to->error = from->error ? g_error_copy (from->error) : NULL;
  to->note = g_strdup (from->note);
  if (to->umem)
    afxdp_umem_ref (to->umem);
  for (guint i = 0; i < to->n_rings; i++)
    afxdp_xsk_ref (to->rings[i].xsk);
}

void
afxdp_fast_door_clear (AfxdpFastDoor *door)
{
  g_clear_error (&door->error);
  g_clear_pointer (&door->note, g_free);
  g_clear_pointer (&door->umem, afxdp_umem_unref);
  while (door->n_rings)
    afxdp_xsk_unref (door->rings[--door->n_rings].xsk);
}

static gboolean
same_door (const AfxdpFastDoor *one, const AfxdpFastDoor *other)
{
  /* Rings are only ever added. */
  return one->state == other->state && one->n_rings == other->n_rings &&
      one->xdp_mode == other->xdp_mode && one->zero_copy == other->zero_copy &&
      one->metadata == other->metadata && one->umem == other->umem &&
      !g_strcmp0 (one->note, other->note) && !one->error == !other->error &&
      (!one->error ||
          (one->error->code == other->error->code &&
              g_str_equal (one->error->message, other->error->message)));
}

AfxdpSubscription *
afxdp_subscription_new (int control, int wake)
{
  AfxdpSubscription *subscription = g_new0 (AfxdpSubscription, 1);
  pthread_condattr_t condition;

  subscription->control = control;
  subscription->wake = wake;
  pthread_mutex_init (&subscription->lock, NULL);
  pthread_condattr_init (&condition);
  pthread_condattr_setclock (&condition, CLOCK_MONOTONIC);
  pthread_cond_init (&subscription->published, &condition);
  pthread_condattr_destroy (&condition);
  return subscription;
}

void
afxdp_subscription_free (AfxdpSubscription *subscription)
{
  if (!subscription)
    return;
  afxdp_fast_door_clear (&subscription->door);
  pthread_mutex_destroy (&subscription->lock);
  pthread_cond_destroy (&subscription->published);
  g_free (subscription);
}

guint
afxdp_subscription_version (AfxdpSubscription *subscription)
{
  return atomic_load_explicit (&subscription->version, memory_order_acquire);
}

void
afxdp_subscription_read (AfxdpSubscription *subscription, AfxdpFastDoor *door)
{
  pthread_mutex_lock (&subscription->lock);
  copy_door (door, &subscription->door);
  pthread_mutex_unlock (&subscription->lock);
}

gboolean
afxdp_subscription_wait (
    AfxdpSubscription *subscription, guint timeout_ms, GError **error)
{
  const AfxdpFastDoor *door = &subscription->door;
  guint64 deadline = afxdp_now () + timeout_ms * MS;
  struct timespec until = { deadline / (1000 * MS), deadline % (1000 * MS) };
  gboolean done;

  pthread_mutex_lock (&subscription->lock);
  for (;;) {
    done = atomic_load (&subscription->version) &&
        door->state != AFXDP_FAST_DOOR_FAILED;
    if (done || afxdp_now () >= deadline ||
        (door->error && !afxdp_attachment_may_heal (door->error)))
      break;
    pthread_cond_timedwait (
        &subscription->published, &subscription->lock, &until);
  }
  if (!done && door->error && error)
    *error = g_error_copy (door->error);
  pthread_mutex_unlock (&subscription->lock);
  return done;
}

guint
afxdp_subscription_share (AfxdpSubscription *subscription)
{
  return atomic_load_explicit (&subscription->share, memory_order_relaxed);
}

guint
afxdp_subscription_request_grace (AfxdpSubscription *subscription)
{
  guint ticket = atomic_fetch_add (&subscription->grace_wanted, 1) + 1;

  afxdp_bell_ring (subscription->control);
  return ticket;
}

gboolean
afxdp_subscription_grace_over (AfxdpSubscription *subscription, guint ticket)
{
  return (gint) (atomic_load (&subscription->grace_over) - ticket) >= 0;
}

void
afxdp_subscription_doubt (AfxdpSubscription *subscription, AfxdpDoubts doubts)
{
  if (doubts & ~atomic_fetch_or (&subscription->doubts, doubts))
    afxdp_bell_ring (subscription->control);
}

void
afxdp_subscription_publish (
    AfxdpSubscription *subscription, const AfxdpFastDoor *door)
{
  gboolean news;

  pthread_mutex_lock (&subscription->lock);
  news = !atomic_load (&subscription->version) ||
      !same_door (&subscription->door, door);
  if (news) {
    afxdp_fast_door_clear (&subscription->door);
    copy_door (&subscription->door, door);
    atomic_fetch_add (&subscription->version, 1);
    pthread_cond_broadcast (&subscription->published);
  }
  pthread_mutex_unlock (&subscription->lock);
  if (news)
    afxdp_bell_ring (subscription->wake);
}

void
afxdp_subscription_set_share (AfxdpSubscription *subscription, guint share)
{
  atomic_store_explicit (&subscription->share, share, memory_order_relaxed);
}

guint
afxdp_subscription_grace_wanted (AfxdpSubscription *subscription)
{
  return atomic_load (&subscription->grace_wanted);
}

void
afxdp_subscription_end_grace (AfxdpSubscription *subscription, guint ticket)
{
  if (atomic_exchange (&subscription->grace_over, ticket) != ticket)
    afxdp_bell_ring (subscription->wake);
}

AfxdpDoubts
afxdp_subscription_doubts (AfxdpSubscription *subscription)
{
  return atomic_load (&subscription->doubts);
}

AfxdpDoubts
afxdp_subscription_take_doubts (AfxdpSubscription *subscription)
{
  return atomic_exchange (&subscription->doubts, 0);
}

guint64
afxdp_subscription_interface_drops (
    AfxdpSubscription *subscription, guint64 wanted, guint64 *n)
{
  guint64 asked =
      atomic_load_explicit (&subscription->drops_asked, memory_order_acquire);

  *n = atomic_load_explicit (&subscription->drops, memory_order_relaxed);
  if (asked < wanted &&
      atomic_load_explicit (&subscription->drops_wanted, memory_order_relaxed) <
          wanted) {
    atomic_store (&subscription->drops_wanted, wanted);
    afxdp_bell_ring (subscription->control);
  }
  return asked;
}

guint64
afxdp_subscription_drops_wanted (AfxdpSubscription *subscription)
{
  return atomic_load (&subscription->drops_wanted);
}

void
afxdp_subscription_tell_drops (
    AfxdpSubscription *subscription, guint64 n, guint64 asked)
{
  atomic_store_explicit (&subscription->drops, n, memory_order_relaxed);
  atomic_store_explicit (
      &subscription->drops_asked, asked, memory_order_release);
}
