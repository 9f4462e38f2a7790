/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The RX queues where a stream shows, and its rings on them. */
#include "queues.h"

#include "clock.h"
#include "error.h"
#include "log.h"

/* Between two attempts to bind to a queue. */
#define BIND_INTERVAL AFXDP_S
/* The kernel releases a queue some time after its socket was closed. */
#define BUSY_INTERVAL (50 * AFXDP_MS)
#define BUSY_ATTEMPTS 20
/* What was counted longer ago says nothing of where packets come now. */
#define RECENT (100 * AFXDP_MS)
/* When packets come by the socket, and the program has seen none for so long, that
 * is told. A program that was detached is found out earlier. */
#define LONG_UNSEEN (300 * AFXDP_MS)

static gboolean
has_ring (const AfxdpRegistration *registration, guint queue)
{
  for (guint i = 0; i < registration->path.n_rings; i++)
    if (registration->path.rings[i].queue == queue)
      return TRUE;
  return FALSE;
}

/* Packets of the stream that the program has seen on queue, be it without their end. */
static guint64
n_seen (const AfxdpRegistration *registration, guint queue)
{
  const struct afxdp_slot *base = &registration->base[queue], *words;

  if (registration->slot < 0)
    return 0;
  words = afxdp_xdpprog_slot (registration->interface->attachment.engine->prog,
      registration->slot, queue);
  return afxdp_ring_word (&words->passed) - base->passed +
      afxdp_ring_word (&words->redirected) - base->redirected +
      afxdp_ring_word (&words->dropped) - base->dropped +
      afxdp_ring_word (&words->cut) - base->cut;
}

/* Why the stream should be received on queue, or NULL. */
static const gchar *
why_on (const AfxdpRegistration *registration, guint queue)
{
  if (registration->settings.queue >= 0)
    return queue == (guint) registration->settings.queue ? "as queue asks"
                                                         : NULL;
  if (queue == 0 && registration->interface->netdev.rx_active == 1)
    return "which is the only one in use";
  return n_seen (registration, queue) ? "where the program saw it" : NULL;
}

/* What the program has seen since the last look. */
typedef struct
{
  guint64 here;   /* packets on queues where AF_XDP is used */
  guint64 most;   /* on the queue, of the others, with the most packets, */
  gint elsewhere; /* which is this one; -1: none */
} Seen;

static Seen
count_seen (AfxdpRegistration *registration)
{
  gint own = registration->settings.queue;
  Seen seen = { .elsewhere = -1 };

  for (guint queue = 0; queue < registration->n_queues; queue++) {
    guint64 n = n_seen (registration, queue);
    guint64 more = n - registration->sightings.n[queue];

    registration->sightings.n[queue] = n;
    if (own < 0 || queue == (guint) own) {
      seen.here += more;
    } else if (more > seen.most) {
      seen.most = more;
      seen.elsewhere = queue;
    }
  }
  return seen;
}

gboolean
afxdp_queues_look (AfxdpRegistration *registration, guint64 now)
{
  AfxdpSightings *sightings = &registration->sightings;
  AfxdpSightings former = *sightings;
  Seen seen = count_seen (registration);

  sightings->at = now;
  if (now - former.at >= RECENT) {
    afxdp_subscription_ask_recheck (
        registration->subscription, AFXDP_RECHECK_QUEUE);
    sightings->none_since = 0;
    return FALSE;
  }
  if (seen.here || seen.most) {
    sightings->none_since = 0;
    sightings->elsewhere = seen.elsewhere;
    sightings->only_elsewhere = !seen.here;
  } else if (!sightings->none_since) {
    /* Nothing seen says nothing of where it comes. */
    sightings->none_since = now;
  }
  sightings->none =
      sightings->none_since && now - sightings->none_since >= LONG_UNSEEN;
  return sightings->elsewhere != former.elsewhere ||
      sightings->only_elsewhere != former.only_elsewhere ||
      sightings->none != former.none;
}

void
afxdp_queues_forget_unseen (AfxdpRegistration *registration)
{
  registration->sightings.none_since = 0;
  registration->sightings.none = FALSE;
}

static gboolean
add_ring (AfxdpRegistration *registration, guint queue, GError **error)
{
  const AfxdpRegistrationSettings *settings = &registration->settings;
  AfxdpFastPath *path = &registration->path;
  AfxdpRing *ring = &path->rings[path->n_rings];

  if (!afxdp_engine_add_ring (registration->interface->attachment.engine,
          registration->slot, queue, settings->ring_size, ring, error))
    return FALSE;
  afxdp_xsk_set_busy_poll (ring->xsk, settings->busy_poll);
  /* Divided before it is published: no credit but what it gets then. */
  afxdp_ring_set_credit (ring, 0);
  path->n_rings++;
  atomic_store (&registration->bound[queue], TRUE);
  return TRUE;
}

/* Takes error: why there is no ring on queue. Busy for a second is the kernel's
 * doing; after that, somebody else's. */
static void
put_off (
    AfxdpRegistration *registration, guint queue, GError *error, guint64 now)
{
  AfxdpQueueRetry *retry = &registration->retries[queue];
  gboolean soon =
      g_error_matches (error, AFXDP_ERROR, AFXDP_ERROR_QUEUE_BUSY) &&
      retry->attempts++ < BUSY_ATTEMPTS;

  if (soon) {
    g_clear_error (&error);
    error = g_error_new (AFXDP_ERROR, AFXDP_ERROR_QUEUE_BUSY,
        "The kernel has not yet released RX queue %u of %s from its former "
        "user, or another process has it; trying again",
        queue, registration->interface->netdev.name);
  }
  g_clear_error (&retry->error);
  retry->error = error;
  retry->at = afxdp_attachment_may_heal (error)
      ? now + (soon ? BUSY_INTERVAL : BIND_INTERVAL)
      : AFXDP_NEVER;
  AFXDP_DEBUG (AFXDP_LOG_XDP, registration->name,
      "no ring on RX queue %u, %s: %s", queue,
      retry->at == AFXDP_NEVER ? "for good" : "for now", error->message);
}

const GError *
afxdp_queues_error (const AfxdpRegistration *registration)
{
  for (guint queue = 0; queue < registration->n_queues; queue++)
    if (registration->retries[queue].error)
      return registration->retries[queue].error;
  return NULL;
}

static void
read_napi_ids (AfxdpRegistration *registration)
{
  const AfxdpFastPath *path = &registration->path;

  for (guint i = 0; i < path->n_rings; i++)
    atomic_store (&registration->napi_ids[path->rings[i].queue],
        afxdp_xsk_napi_id (path->rings[i].xsk));
}

/* Returns whether there was anything to do. */
static gboolean
bind_queue (AfxdpRegistration *registration, guint queue, guint64 now)
{
  AfxdpQueueRetry *retry = &registration->retries[queue];
  const gchar *why =
      has_ring (registration, queue) ? NULL : why_on (registration, queue);
  GError *error = NULL;

  if (!why || now < retry->at)
    return FALSE;
  if (add_ring (registration, queue, &error)) {
    AFXDP_DEBUG (AFXDP_LOG_XDP, registration->name,
        "has a ring of %u packets on RX queue %u, %s",
        registration->settings.ring_size, queue, why);
    g_clear_error (&retry->error);
  } else {
    put_off (registration, queue, error, now);
  }
  return TRUE;
}

gboolean
afxdp_queues_bind (AfxdpRegistration *registration, guint64 now)
{
  gboolean changed = FALSE;

  if (registration->settings.busy_poll)
    read_napi_ids (registration);
  registration->bind_at = AFXDP_NEVER;
  if (!registration->interface->attachment.attached || registration->slot < 0)
    return FALSE;
  for (guint queue = 0; queue < registration->n_queues; queue++) {
    const AfxdpQueueRetry *retry = &registration->retries[queue];

    if (registration->path.n_rings == AFXDP_STREAM_QUEUES)
      break;
    changed |= bind_queue (registration, queue, now);
    if (retry->error)
      registration->bind_at = MIN (registration->bind_at, retry->at);
  }
  return changed;
}

gboolean
afxdp_queues_have_seen (const AfxdpRegistration *registration)
{
  for (guint queue = 0; queue < registration->n_queues; queue++)
    if (n_seen (registration, queue))
      return TRUE;
  return FALSE;
}
