/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looks whether packets reach the streams that AF_XDP has on an interface. */
#include "watchdog.h"

#include "clock.h"
#include "error.h"
#include "log.h"
#include "netcounters.h"
#include "queues.h"

/* Reads mapped memory alone. */
#define LOOK_INTERVAL (150 * AFXDP_MS)
/* While some stream is silent; takes RTNL. */
#define ASK_INTERVAL (290 * AFXDP_MS)
/* A program that was attached again, and is not run within this either, is given up. If
 * it was run, it is attached again, each time after twice as long; MTU or link changes
 * stop it in some drivers (vmxnet3). */
#define PROBATION (60000 * AFXDP_MS)
#define MOST_DOUBLED 7

static gboolean
is_watched (
    const AfxdpInterface *interface, const AfxdpRegistration *registration)
{
  return interface->attachment.attached && !interface->attachment.swapping &&
      registration->slot >= 0 && registration->path.n_rings;
}

/* Packets that the rings of all streams got; another number too when one comes or
 * goes. */
static guint64
count_delivered (GPtrArray *registrations)
{
  guint64 n = 0;

  for (guint i = 0; i < registrations->len; i++) {
    const AfxdpRegistration *registration = registrations->pdata[i];

    for (guint j = 0; j < registration->path.n_rings; j++)
      n += afxdp_xsk_n_produced (registration->path.rings[j].xsk);
  }
  return n;
}

static void
count (const AfxdpRegistration *registration, AfxdpEngine *engine,
    guint64 delivered_anywhere, AfxdpWatchCounts *counts)
{
  const AfxdpFastPath *path = &registration->path;

  *counts = (AfxdpWatchCounts){
    .seen_anywhere = afxdp_engine_n_seen (engine),
    .delivered_anywhere = delivered_anywhere,
  };
  for (guint i = 0; i < path->n_rings; i++) {
    const AfxdpRing *ring = &path->rings[i];

    counts->redirected += afxdp_ring_word (&ring->words->redirected);
    counts->passed += afxdp_ring_word (&ring->words->passed);
    counts->cut += afxdp_ring_word (&ring->words->cut);
    counts->seen += afxdp_ring_word (&ring->queue_words->seen);
    counts->delivered += afxdp_xsk_n_produced (ring->xsk);
    counts->waiting |= !afxdp_xsk_is_empty (ring->xsk);
  }
}

/* What is wrong, with n packets. */
static gchar *
describe (const AfxdpInterface *interface, AfxdpWatchVerdict verdict, guint64 n)
{
  const gchar *name = interface->netdev.name;
  const gchar *how =
      afxdp_xsk_pool_is_zero_copy (interface->attachment.engine->pool)
      ? "zero-copy"
      : "copy";

  switch (verdict) {
    case AFXDP_WATCH_CUT:
    case AFXDP_WATCH_CUT_HERE:
      return g_strdup_printf ("%" G_GUINT64_FORMAT
                              " packets of the stream arrived on %s (%s "
                              "mode) with their end cut off, and none whole",
          n, name, how);
    case AFXDP_WATCH_UNSEEN:
      return g_strdup_printf ("%s counted %" G_GUINT64_FORMAT
                              " packets, but its driver ran the XDP program "
                              "for none of them (%s mode)",
          name, n, how);
    case AFXDP_WATCH_UNDELIVERED:
    default:
      return g_strdup_printf (
          "The XDP program on %s redirected %" G_GUINT64_FORMAT
          " packets, but the kernel dropped them all on the way to the "
          "AF_XDP socket (%s mode)",
          name, n, how);
  }
}

/* Takes what. */
static GError *
advise (gchar *what, const gchar *advice)
{
  g_autofree gchar *owned = what;

  return g_error_new (
      AFXDP_ERROR, AFXDP_ERROR_UNSUPPORTED, "%s. %s", owned, advice);
}

static void
forget_unseen (GPtrArray *registrations)
{
  for (guint i = 0; i < registrations->len; i++)
    afxdp_queues_forget_unseen (registrations->pdata[i]);
}

static gboolean
is_on_probation (const AfxdpWatchdog *watchdog, guint64 now)
{
  return watchdog->renewed_at && now < watchdog->renewed_at + PROBATION;
}

/* The others get theirs. */
static void
leave_to_socket (const AfxdpInterface *interface,
    AfxdpRegistration *registration, AfxdpWatchVerdict verdict, guint64 n)
{
  afxdp_registration_ail (registration, verdict,
      advise (describe (interface, verdict, n),
          verdict == AFXDP_WATCH_UNDELIVERED
              ? "Packets come through the socket until the stream is started "
                "again"
              : "Check the sender and the MTU of the network; AF_XDP is used "
                "again when whole ones arrive"));
}

/* In copy mode packets come as they do without AF_XDP. */
static void
act_in_copy_mode (AfxdpWatchdog *watchdog, AfxdpInterface *interface,
    AfxdpRegistration *registration, AfxdpWatchVerdict verdict, guint64 n,
    guint64 now)
{
  gchar *what;

  if (verdict != AFXDP_WATCH_UNSEEN) {
    leave_to_socket (interface, registration, verdict, n);
    return;
  }
  what = describe (interface, verdict, n);
  if (is_on_probation (watchdog, now) &&
      afxdp_engine_n_seen (interface->attachment.engine) ==
          watchdog->seen_before) {
    afxdp_attachment_give_up (&interface->attachment,
        advise (what,
            "Attaching it again has not helped, so the streams come through "
            "their sockets until they are started again. Set mode=socket, or "
            "update the driver"));
  } else {
    watchdog->n_renewed =
        is_on_probation (watchdog, now) ? watchdog->n_renewed + 1 : 0;
    watchdog->renewed_at = now +
        ((guint64) AFXDP_TIME_TO_TELL
            << MIN (watchdog->n_renewed, MOST_DOUBLED));
    watchdog->seen_before = afxdp_engine_n_seen (interface->attachment.engine);
    afxdp_attachment_renew (&interface->attachment,
        advise (what, "The program is attached again"), watchdog->renewed_at);
  }
}

static AfxdpWatchdogResult
act (AfxdpWatchdog *watchdog, AfxdpInterface *interface,
    AfxdpRegistration *registration, AfxdpWatchVerdict verdict, guint64 n,
    guint64 now, gchar **reason)
{
  if (!afxdp_xsk_pool_is_zero_copy (interface->attachment.engine->pool)) {
    act_in_copy_mode (watchdog, interface, registration, verdict, n, now);
    return AFXDP_WATCHDOG_CHANGED;
  }
  /* Not the driver's doing: who sends a stream cut packets must not cost the others
   * their zero-copy. */
  if (verdict == AFXDP_WATCH_CUT_HERE) {
    leave_to_socket (interface, registration, verdict, n);
    return AFXDP_WATCHDOG_CHANGED;
  }
  if (interface->attachment.settings.zero_copy == AFXDP_ZERO_COPY_REQUIRE) {
    afxdp_attachment_give_up (&interface->attachment,
        advise (describe (interface, verdict, n),
            "zero-copy=require excludes copy mode, so the streams come "
            "through their sockets until they are started again. Set "
            "zero-copy=never, or update the driver"));
    return AFXDP_WATCHDOG_CHANGED;
  }
  *reason = describe (interface, verdict, n);
  return AFXDP_WATCHDOG_LEAVE_ZERO_COPY;
}

/* Whether it is not just that somebody detached the program, which is the
 * attachment's business, and in copy mode not a stream that nobody sends. */
static gboolean
holds (AfxdpInterface *interface, const AfxdpRegistration *registration,
    AfxdpWatchVerdict verdict)
{
  AfxdpAttachment *attachment = &interface->attachment;

  if (verdict != AFXDP_WATCH_UNSEEN)
    return TRUE;
  if (!afxdp_xdpprog_is_attached (attachment->engine->prog)) {
    AFXDP_DEBUG (AFXDP_LOG_XDP, registration->name,
        "nothing comes: the program is detached");
    attachment->check_at = 0;
    return FALSE;
  }
  return afxdp_xsk_pool_is_zero_copy (attachment->engine->pool) ||
      afxdp_queues_have_seen (registration);
}

/* What the interface counted, once for all registrations that a look is for. */
static void
ask (AfxdpWatchdog *watchdog, const AfxdpInterface *interface,
    const AfxdpRegistration *registration, AfxdpWatchCounts *counts,
    guint64 now)
{
  /* In generic mode the stack puts packets together before the program runs. */
  if (afxdp_xdpprog_mode (interface->attachment.engine->prog) ==
          AFXDP_XDP_MODE_GENERIC ||
      !afxdp_watch_wants_interface (&registration->watch, counts))
    return;
  if (now >= watchdog->ask_at) {
    watchdog->ask_at = now + ASK_INTERVAL;
    watchdog->asked_at = now;
    watchdog->answered =
        afxdp_netdev_arrivals (&interface->netdev, &watchdog->arrived, NULL);
    AFXDP_LOG (AFXDP_LOG_XDP, registration->name,
        "the program sees nothing; the interface counted %" G_GUINT64_FORMAT
        " packets",
        watchdog->arrived);
  }
  counts->asked = watchdog->asked_at == now && watchdog->answered;
  counts->arrived = watchdog->arrived;
}

/* Whether a stream is watched on although AF_XDP delivers nothing to it: when nothing
 * comes to the others either any more, it may be the driver after all. */
static gboolean
may_be_the_driver (
    const AfxdpInterface *interface, const AfxdpRegistration *registration)
{
  return registration->ails == AFXDP_WATCH_CUT_HERE &&
      afxdp_xsk_pool_is_zero_copy (interface->attachment.engine->pool);
}

/* Returns whether there is news of registration, and in verdict what. */
static gboolean
look_at_registration (AfxdpWatchdog *watchdog, AfxdpInterface *interface,
    AfxdpRegistration *registration, guint64 delivered, guint64 now,
    AfxdpWatchVerdict *verdict, guint64 *n)
{
  AfxdpWatchCounts counts;

  *verdict = AFXDP_WATCH_WELL;
  if (!is_watched (interface, registration) ||
      registration->n_watched != registration->path.n_rings) {
    registration->n_watched = registration->path.n_rings;
    registration->watch = (AfxdpWatch){ 0 };
    return FALSE;
  }
  count (registration, interface->attachment.engine, delivered, &counts);
  if (registration->ailment) {
    if (afxdp_registration_recover (registration, &counts))
      return TRUE;
    if (!may_be_the_driver (interface, registration))
      return FALSE;
  }
  ask (watchdog, interface, registration, &counts, now);
  *verdict = afxdp_watch_look (&registration->watch, &counts, now, n);
  if (*verdict == AFXDP_WATCH_WELL)
    return FALSE;
  registration->watch = (AfxdpWatch){ .silent = counts };
  return *verdict != registration->ails &&
      holds (interface, registration, *verdict);
}

AfxdpWatchdogResult
afxdp_watchdog_look (AfxdpWatchdog *watchdog, AfxdpInterface *interface,
    GPtrArray *registrations, guint64 now, gchar **reason)
{
  AfxdpWatchdogResult result = AFXDP_WATCHDOG_QUIET;
  guint64 delivered;

  if (now < watchdog->look_at || !interface->attachment.attached)
    return AFXDP_WATCHDOG_QUIET;
  watchdog->look_at = now + LOOK_INTERVAL;
  afxdp_xsk_pool_wake_driver (interface->attachment.engine->pool);
  delivered = count_delivered (registrations);
  for (guint i = 0; i < registrations->len; i++) {
    AfxdpRegistration *registration = registrations->pdata[i];
    AfxdpWatchVerdict verdict;
    guint64 n;

    if (!look_at_registration (
            watchdog, interface, registration, delivered, now, &verdict, &n))
      continue;
    result = AFXDP_WATCHDOG_CHANGED;
    if (verdict != AFXDP_WATCH_WELL)
      result = act (watchdog, interface, registration, verdict, n, now, reason);
    if (!interface->attachment.attached)
      forget_unseen (registrations);
    /* The interface is not as it was. */
    if (result == AFXDP_WATCHDOG_LEAVE_ZERO_COPY ||
        !interface->attachment.attached)
      break;
  }
  return result;
}

guint64
afxdp_watchdog_next_time (const AfxdpWatchdog *watchdog,
    const AfxdpInterface *interface, GPtrArray *registrations)
{
  for (guint i = 0; i < registrations->len; i++)
    if (is_watched (interface, registrations->pdata[i]))
      return watchdog->look_at;
  return AFXDP_NEVER;
}
