/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What control thread and streaming thread tell each other. */
#include "subscription.h"

#include <pthread.h>
#include <stdatomic.h>

#include "attachment.h"
#include "wakeup.h"
#include "clock.h"

/* How long it holds that a stream is alone, and how often that is asked, at most. */
#define ALONE (100 * AFXDP_MS)
#define ALONE_INTERVAL (50 * AFXDP_MS)

struct _AfxdpSubscription
{
  int control, wake;

  /* Protects path. The locks of queues and of the UMEM, to which path has references,
   * are inside; no other is held when this one is taken. */
  pthread_mutex_t lock;
  pthread_cond_t published;
  AfxdpFastPath path;

  atomic_uint version, read; /* the version that was read last */
  atomic_uint share;
  atomic_uint grace_wanted, grace_over;
  atomic_uint rechecks;
  _Atomic guint64 drops_wanted, drops_asked; /* moments */
  _Atomic guint64 drops;                     /* written before drops_asked */
  atomic_bool asks_if_alone;
  _Atomic guint64 alone_asked; /* when that was asked last, */
  _Atomic guint64 alone_until; /* and how long a good answer holds */
};

static void
copy_path (AfxdpFastPath *to, const AfxdpFastPath *from)
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
afxdp_fast_path_clear (AfxdpFastPath *path)
{
  g_clear_error (&path->error);
  g_clear_pointer (&path->note, g_free);
  g_clear_pointer (&path->umem, afxdp_umem_unref);
  while (path->n_rings)
    afxdp_xsk_unref (path->rings[--path->n_rings].xsk);
}

static gboolean
same_path (const AfxdpFastPath *one, const AfxdpFastPath *other)
{
  /* Rings are only ever added. */
  return one->state == other->state && one->n_rings == other->n_rings &&
      one->xdp_mode == other->xdp_mode && one->zero_copy == other->zero_copy &&
      one->metadata == other->metadata &&
      one->n_competing == other->n_competing && one->umem == other->umem &&
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
  afxdp_fast_path_clear (&subscription->path);
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
afxdp_subscription_read (AfxdpSubscription *subscription, AfxdpFastPath *path)
{
  pthread_mutex_lock (&subscription->lock);
  copy_path (path, &subscription->path);
  atomic_store (&subscription->read, atomic_load (&subscription->version));
  pthread_mutex_unlock (&subscription->lock);
}

gboolean
afxdp_subscription_is_read (AfxdpSubscription *subscription)
{
  return atomic_load (&subscription->read) ==
      atomic_load (&subscription->version);
}

gboolean
afxdp_subscription_wait (
    AfxdpSubscription *subscription, guint timeout_ms, GError **error)
{
  const AfxdpFastPath *path = &subscription->path;
  guint64 deadline = afxdp_now () + timeout_ms * AFXDP_MS;
  struct timespec until = { deadline / AFXDP_S, deadline % AFXDP_S };
  gboolean done;

  pthread_mutex_lock (&subscription->lock);
  for (;;) {
    done = atomic_load (&subscription->version) &&
        path->state != AFXDP_FAST_PATH_FAILED;
    if (done || afxdp_now () >= deadline ||
        (path->error && !afxdp_attachment_may_heal (path->error)))
      break;
    pthread_cond_timedwait (
        &subscription->published, &subscription->lock, &until);
  }
  if (!done && path->error && error)
    *error = g_error_copy (path->error);
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

  afxdp_wakeup_signal (subscription->control);
  return ticket;
}

gboolean
afxdp_subscription_grace_over (AfxdpSubscription *subscription, guint ticket)
{
  return (gint) (atomic_load (&subscription->grace_over) - ticket) >= 0;
}

void
afxdp_subscription_ask_recheck (
    AfxdpSubscription *subscription, AfxdpRechecks rechecks)
{
  if (rechecks & ~atomic_fetch_or (&subscription->rechecks, rechecks))
    afxdp_wakeup_signal (subscription->control);
}

gboolean
afxdp_subscription_publish (
    AfxdpSubscription *subscription, const AfxdpFastPath *path)
{
  gboolean news;

  pthread_mutex_lock (&subscription->lock);
  news = !atomic_load (&subscription->version) ||
      !same_path (&subscription->path, path);
  if (news) {
    afxdp_fast_path_clear (&subscription->path);
    copy_path (&subscription->path, path);
    atomic_fetch_add (&subscription->version, 1);
    pthread_cond_broadcast (&subscription->published);
  }
  pthread_mutex_unlock (&subscription->lock);
  if (news)
    afxdp_wakeup_signal (subscription->wake);
  return news;
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
    afxdp_wakeup_signal (subscription->wake);
}

AfxdpRechecks
afxdp_subscription_rechecks (AfxdpSubscription *subscription)
{
  return atomic_load (&subscription->rechecks);
}

AfxdpRechecks
afxdp_subscription_take_rechecks (AfxdpSubscription *subscription)
{
  return atomic_exchange (&subscription->rechecks, 0);
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
    afxdp_wakeup_signal (subscription->control);
  }
  return asked;
}

gboolean
afxdp_subscription_is_alone (AfxdpSubscription *subscription, guint64 now)
{
  guint64 asked = atomic_load (&subscription->alone_asked);

  if (now - asked >= ALONE_INTERVAL) {
    atomic_store (&subscription->alone_asked, now);
    atomic_store (&subscription->asks_if_alone, TRUE);
    afxdp_wakeup_signal (subscription->control);
  }
  return now < atomic_load (&subscription->alone_until);
}

gboolean
afxdp_subscription_asks_if_alone (AfxdpSubscription *subscription)
{
  return atomic_exchange (&subscription->asks_if_alone, FALSE);
}

void
afxdp_subscription_tell_if_alone (
    AfxdpSubscription *subscription, gboolean alone, guint64 now)
{
  atomic_store (&subscription->alone_until, alone ? now + ALONE : 0);
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
