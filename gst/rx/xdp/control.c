/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The control thread of one distributor. */
#include "control.h"

#include <poll.h>

#include "admission.h"
#include "clock.h"
#include "competing.h"
#include "log.h"
#include "onlookers.h"
#include "publication.h"
#include "queues.h"
#include "rebalance.h"
#include "registry.h"
#include "succession.h"
#include "wakeup.h"

/* How often rechecks are served. */
#define LISTEN_INTERVAL (20 * AFXDP_MS)
/* How often the interface is asked what it dropped: that takes RTNL; and how often
 * at least, when it does not answer. */
#define ASK_INTERVAL (10 * AFXDP_MS)
#define LONGEST_ASK_INTERVAL AFXDP_S
/* How often frames are divided anew while some stream has not got its part. */
#define REBALANCE_INTERVAL (50 * AFXDP_MS)
/* How often a slot or a flow is tried again that the kernel refused. */
#define SETTLE_INTERVAL AFXDP_S

static AfxdpRegistration *
registration_at (const AfxdpDistributor *distributor, guint i)
{
  return distributor->registrations->pdata[i];
}

static void
publish (AfxdpDistributor *distributor)
{
  afxdp_interface_look_for_foreign (&distributor->interface);
  for (guint i = 0; i < distributor->registrations->len; i++)
    afxdp_publication_renew (registration_at (distributor, i));
  afxdp_requests_are_served (&distributor->requests, distributor->registrations,
      AFXDP_REGISTRATION_BEGINS);
  afxdp_holding_tell (&distributor->holding, &distributor->interface);
}

static void
rebalance (AfxdpDistributor *distributor)
{
  AfxdpInterface *interface = &distributor->interface;
  gboolean again = distributor->rebalance_at != AFXDP_NEVER, all;

  distributor->rebalance_at = AFXDP_NEVER;
  /* Nothing comes home from the rings of an interface that is gone. */
  if (!interface->attachment.engine || atomic_load (&interface->gone))
    return;
  all = afxdp_rebalance (distributor->registrations,
      interface->attachment.engine, interface->n_queues);
  if (!all)
    distributor->rebalance_at = afxdp_now () + REBALANCE_INTERVAL;
  AFXDP_LOG_AT (again && !all ? AFXDP_LOG_LEVEL_LOG : AFXDP_LOG_LEVEL_DEBUG,
      AFXDP_LOG_XDP, interface->netdev.name, "rebalanced (streams: %u), %s",
      distributor->registrations->len,
      all ? "and each has what is due to it"
          : "but some frames are still with others");
}

/* Returns whether somebody has begun to hold the interface. */
static gboolean
serve_hold (AfxdpDistributor *distributor)
{
  AfxdpRegistrationSettings settings;

  if (!afxdp_holding_take (&distributor->holding, &settings))
    return FALSE;
  afxdp_admission_hold (distributor, &settings);
  return TRUE;
}

/* Returns whether there were any. Those that BEGIN are served when their first
 * snapshot has been published. */
static gboolean
serve_requests (AfxdpDistributor *distributor)
{
  g_autoptr (GPtrArray) requests = afxdp_requests_take (&distributor->requests);
  g_autoptr (GPtrArray) leaving = g_ptr_array_new ();

  for (guint i = 0; i < requests->len; i++) {
    AfxdpRegistration *registration = requests->pdata[i];

    if (registration->state == AFXDP_REGISTRATION_ENDS)
      g_ptr_array_add (leaving, registration);
    else if (registration->state == AFXDP_REGISTRATION_CHANGES)
      afxdp_registration_change (registration);
    else
      afxdp_admission_let_in (distributor, registration);
  }
  afxdp_requests_are_served (
      &distributor->requests, requests, AFXDP_REGISTRATION_CHANGES);
  if (leaving->len) {
    afxdp_admission_let_out (distributor, leaving);
    afxdp_requests_are_served (
        &distributor->requests, leaving, AFXDP_REGISTRATION_ENDS);
  }
  return requests->len > 0;
}

/* Returns whether anybody wants one. */
static gboolean
begin_grace (AfxdpDistributor *distributor)
{
  gboolean any = FALSE;

  for (guint i = 0; i < distributor->registrations->len; i++) {
    AfxdpRegistration *registration = registration_at (distributor, i);
    AfxdpSubscription *subscription = registration->subscription;

    registration->grace = afxdp_subscription_grace_wanted (subscription);
    any |= !afxdp_subscription_grace_over (subscription, registration->grace);
  }
  return any;
}

/* Those who have registered since have 0 in grace, which was over before. */
static void
end_grace (AfxdpDistributor *distributor)
{
  for (guint i = 0; i < distributor->registrations->len; i++) {
    AfxdpRegistration *registration = registration_at (distributor, i);

    afxdp_subscription_end_grace (
        registration->subscription, registration->grace);
  }
}

/* One grace period serves all who asked before it began. Others are served while it
 * runs. */
static void
serve_grace (AfxdpDistributor *distributor)
{
  AfxdpEngine *engine = distributor->interface.attachment.engine;

  if (afxdp_grace_runs (&distributor->grace))
    return;
  if (distributor->awaits_grace) {
    afxdp_engine_end_grace_period (engine);
    end_grace (distributor);
  }
  distributor->awaits_grace = begin_grace (distributor);
  if (!distributor->awaits_grace)
    return;
  afxdp_engine_begin_grace_period (engine);
  afxdp_grace_begin (&distributor->grace);
}

static guint64
drops_wanted (AfxdpDistributor *distributor)
{
  guint64 wanted = 0;

  for (guint i = 0; i < distributor->registrations->len; i++)
    wanted = MAX (wanted,
        afxdp_subscription_drops_wanted (
            registration_at (distributor, i)->subscription));
  return wanted;
}

/* Whether somebody wants to know what the interface dropped. One that is gone does
 * not answer any more. */
static gboolean
must_ask (AfxdpDistributor *distributor)
{
  return !atomic_load (&distributor->interface.gone) &&
      (drops_wanted (distributor) > distributor->drops_asked ||
          !distributor->drops_asked);
}

/* What the interface itself dropped, for streams that miss packets. One answer
 * serves all who asked before the question; who has registered since gets it too. */
static void
serve_drops (AfxdpDistributor *distributor)
{
  guint64 now = afxdp_now ();

  if (must_ask (distributor) && now >= distributor->ask_at) {
    if (afxdp_netdev_ask_drops (
            &distributor->interface.netdev, &distributor->drops, NULL)) {
      distributor->drops_asked = now;
      distributor->ask_interval = ASK_INTERVAL;
    } else {
      distributor->ask_interval =
          MIN (2 * distributor->ask_interval, LONGEST_ASK_INTERVAL);
    }
    distributor->ask_at = now + distributor->ask_interval;
  }
  for (guint i = 0; i < distributor->registrations->len; i++)
    afxdp_subscription_tell_drops (
        registration_at (distributor, i)->subscription, distributor->drops.n,
        distributor->drops_asked);
}

static gboolean
has_no_competitor (const AfxdpRegistration *registration)
{
  const AfxdpRegistrationSettings *settings = &registration->settings;
  guint n;

  return afxdp_competing_sockets_count (settings->address, settings->port,
             settings->socket, registration->netdev.index, &n) &&
      !n;
}

/* For streams that may be overloaded: whether what they drop could have reached
 * somebody else. */
static void
serve_alone (AfxdpDistributor *distributor)
{
  const AfxdpNetdev *netdev = &distributor->interface.netdev;
  guint64 now = afxdp_now ();
  gint alone = -1; /* not known */

  for (guint i = 0; i < distributor->registrations->len; i++) {
    AfxdpRegistration *registration = registration_at (distributor, i);

    if (!afxdp_subscription_asks_if_alone (registration->subscription))
      continue;
    if (alone < 0)
      alone = !afxdp_onlookers_are_there (netdev);
    afxdp_subscription_tell_if_alone (registration->subscription,
        alone && has_no_competitor (registration), now);
  }
}

/* Returns whether there was news of the interface. */
static gboolean
serve_monitor (AfxdpDistributor *distributor)
{
  AfxdpInterface *interface = &distributor->interface;
  AfxdpNetdevEvents events =
      afxdp_netdev_monitor_read (distributor->monitor, interface->netdev.index);

  events = afxdp_interface_follow (interface, events);
  if (events & AFXDP_NETDEV_ADDRESSES && !atomic_load (&interface->gone))
    for (guint i = 0; i < distributor->registrations->len; i++)
      afxdp_registration_find_keys (registration_at (distributor, i));
  return events != 0;
}

static AfxdpRechecks
all_rechecks (AfxdpDistributor *distributor)
{
  AfxdpRechecks rechecks = 0;

  for (guint i = 0; i < distributor->registrations->len; i++)
    rechecks |= afxdp_subscription_rechecks (
        registration_at (distributor, i)->subscription);
  return rechecks;
}

/* Looks where streams are that ask for a recheck. Returns whether anything changed,
 * and in rechecks what they ask for. Not to be done too often: a flow that shows on
 * another queue wakes us for each batch. */
static gboolean
serve_rechecks (AfxdpDistributor *distributor, AfxdpRechecks *rechecks)
{
  guint64 now = afxdp_now ();
  gboolean changed = FALSE;

  *rechecks = 0;
  if (now < distributor->listen_at || !all_rechecks (distributor))
    return FALSE;
  distributor->listen_at = now + LISTEN_INTERVAL;
  for (guint i = 0; i < distributor->registrations->len; i++) {
    AfxdpRegistration *registration = registration_at (distributor, i);
    AfxdpRechecks said =
        afxdp_subscription_take_rechecks (registration->subscription);

    *rechecks |= said;
    if (!(said & AFXDP_RECHECK_QUEUE) || registration->slot < 0)
      continue;
    changed |= afxdp_queues_bind (registration, now);
    changed |= afxdp_queues_look (registration, now);
  }
  return changed;
}

/* Returns whether anything changed. */
static gboolean
serve_attachment (AfxdpDistributor *distributor, AfxdpRechecks rechecks)
{
  AfxdpAttachment *attachment = &distributor->interface.attachment;
  gboolean swaps = attachment->swapping;
  gboolean changed = afxdp_attachment_work (
      attachment, rechecks & AFXDP_RECHECK_PROGRAM, afxdp_now ());

  /* Those that have read that the program will change open no path before they
   * read that it has. */
  if (swaps && !attachment->swapping)
    for (guint i = 0; i < distributor->registrations->len; i++) {
      AfxdpRegistration *registration = registration_at (distributor, i);

      registration->belated =
          !afxdp_subscription_is_read (registration->subscription);
    }
  return changed;
}

/* Returns whether anything changed. */
static gboolean
serve_watchdog (AfxdpDistributor *distributor)
{
  gchar *reason = NULL;

  switch (afxdp_watchdog_look (&distributor->watchdog, &distributor->interface,
      distributor->registrations, afxdp_now (), &reason)) {
    case AFXDP_WATCHDOG_QUIET:
      return FALSE;
    case AFXDP_WATCHDOG_LEAVE_ZERO_COPY:
      afxdp_succession_leave_zero_copy (distributor, reason);
      return TRUE;
    case AFXDP_WATCHDOG_CHANGED:
    default:
      return TRUE;
  }
}

/* Gives streams a slot, and rings where they show. Returns whether anything
 * changed. */
static gboolean
serve_registrations (AfxdpDistributor *distributor, gboolean changed)
{
  for (guint i = 0; i < distributor->registrations->len; i++) {
    AfxdpRegistration *registration = registration_at (distributor, i);

    if (changed)
      afxdp_registration_settle_in (registration);
    if (changed || afxdp_now () >= registration->bind_at)
      changed |= afxdp_queues_bind (registration, afxdp_now ());
  }
  return changed;
}

static void
settle_flows (AfxdpDistributor *distributor)
{
  afxdp_admission_settle_flows (distributor);
  distributor->settle_at = afxdp_admission_lacks_something (distributor) &&
          !atomic_load (&distributor->interface.gone)
      ? afxdp_now () + SETTLE_INTERVAL
      : AFXDP_NEVER;
}

static guint64
next_time (AfxdpDistributor *distributor)
{
  const AfxdpInterface *interface = &distributor->interface;
  const AfxdpAttachment *attachment = &interface->attachment;
  guint64 next = MIN (distributor->rebalance_at, distributor->settle_at);

  next = MIN (next, interface->foreign_at);
  next = MIN (next, interface->follow_at);
  next = MIN (next, afxdp_attachment_next_time (attachment));
  next = MIN (next,
      afxdp_watchdog_next_time (
          &distributor->watchdog, interface, distributor->registrations));
  next = MIN (next, afxdp_succession_next_time (distributor));
  for (guint i = 0; i < distributor->registrations->len; i++)
    if (attachment->attached)
      next = MIN (next, registration_at (distributor, i)->bind_at);
  if (all_rechecks (distributor))
    next = MIN (next, distributor->listen_at);
  if (must_ask (distributor))
    next = MIN (next, distributor->ask_at);
  return next;
}

static void
wait_for_work (AfxdpDistributor *distributor)
{
  struct pollfd fds[] = {
    { .fd = distributor->wake, .events = POLLIN },
    { .fd = distributor->monitor, .events = POLLIN },
  };
  guint64 next = next_time (distributor), now = afxdp_now ();
  struct timespec timeout = { 0 };

  if (next > now) {
    timeout.tv_sec = (next - now) / AFXDP_S;
    timeout.tv_nsec = (next - now) % AFXDP_S;
  }
  /* Refused memory must not make us run for nothing. */
  if (ppoll (fds, G_N_ELEMENTS (fds), next == AFXDP_NEVER ? NULL : &timeout,
          NULL) < 0)
    g_usleep (1000);
  afxdp_wakeup_clear (distributor->wake);
}

gpointer
afxdp_control_run (gpointer data)
{
  AfxdpDistributor *distributor = data;
  AfxdpInterface *interface = &distributor->interface;

  distributor->rebalance_at = distributor->settle_at = AFXDP_NEVER;
  distributor->ask_interval = ASK_INTERVAL;
  afxdp_interface_look_for_vlans (interface);
  while (!atomic_load (&distributor->requests.quit)) {
    /* First, so that a stream finds the program attached. */
    gboolean changed = serve_hold (distributor);
    AfxdpRechecks rechecks;

    changed |= serve_requests (distributor);
    changed |= serve_monitor (distributor);
    changed |= serve_rechecks (distributor, &rechecks);
    changed |= serve_attachment (distributor, rechecks);
    changed |= serve_watchdog (distributor);
    changed |= afxdp_now () >= distributor->settle_at;
    if (afxdp_now () >= interface->foreign_at)
      changed |= afxdp_interface_look_for_foreign (interface);
    changed |= serve_registrations (distributor, changed);
    if (changed)
      settle_flows (distributor);
    if (changed || afxdp_now () >= distributor->rebalance_at)
      rebalance (distributor);
    if (changed)
      publish (distributor);
    serve_grace (distributor);
    serve_drops (distributor);
    serve_alone (distributor);
    afxdp_succession_work (distributor);
    wait_for_work (distributor);
  }
  return NULL;
}
