/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One stream in the distributor of its interface. */
#include "registration.h"

#include "competing.h"
#include "filter.h"
#include "log.h"
#include "netroutes.h"

#include <string.h>

AfxdpRegistration *
afxdp_registration_new (AfxdpInterface *interface, const AfxdpNetdev *netdev,
    const AfxdpRegistrationSettings *settings, int control, int wake)
{
  AfxdpRegistration *registration = g_new0 (AfxdpRegistration, 1);
  g_autofree gchar *address = g_inet_address_to_string (settings->address);
  guint n = interface->n_queues;

  registration->interface = interface;
  registration->name =
      g_strdup_printf ("%s, %s port %u", netdev->name, address, settings->port);
  registration->netdev = *netdev;
  registration->wake = wake;
  registration->settings = *settings;
  registration->settings.address = g_object_ref (settings->address);
  afxdp_sources_ref (settings->sources);
  afxdp_competing_note_own (settings->socket, netdev->index);
  registration->subscription = afxdp_subscription_new (control, wake);
  atomic_init (&registration->slot, -1);
  registration->n_queues = n;
  registration->base = g_aligned_alloc0 (
      n, sizeof *registration->base, _Alignof(struct afxdp_slot));
  registration->bound = g_new0 (atomic_bool, n);
  registration->napi_ids = g_new0 (atomic_uint, n);
  registration->before = g_new0 (AfxdpQueueCounts, n);
  registration->keys =
      g_array_new (FALSE, FALSE, sizeof (struct afxdp_flow_key));
  registration->sightings.n = g_new0 (guint64, n);
  registration->retries = g_new0 (AfxdpQueueRetry, n);
  registration->bind_at = AFXDP_NEVER;
  registration->sightings.elsewhere = -1;
  return registration;
}

void
afxdp_registration_free (AfxdpRegistration *registration)
{
  if (!registration)
    return;
  afxdp_competing_forget_own (
      registration->settings.socket, registration->netdev.index);
  afxdp_account_close (registration->path.account);
  afxdp_fast_path_clear (&registration->path);
  afxdp_subscription_free (registration->subscription);
  g_clear_error (&registration->error);
  g_clear_error (&registration->slot_error);
  g_clear_error (&registration->ailment);
  for (guint queue = 0; queue < registration->n_queues; queue++)
    g_clear_error (&registration->retries[queue].error);
  g_free (registration->retries);
  g_array_unref (registration->keys);
  g_object_unref (registration->settings.address);
  afxdp_sources_unref (registration->settings.sources);
  g_aligned_free (registration->base);
  g_free (registration->bound);
  g_free (registration->napi_ids);
  g_free (registration->before);
  g_free (registration->sightings.n);
  g_free (registration->name);
  g_free (registration);
}

void
afxdp_registration_queue_counts (const AfxdpRegistration *registration,
    guint queue, AfxdpQueueCounts *counts)
{
  const struct afxdp_slot *base = &registration->base[queue], *words;
  gint slot = atomic_load (&registration->slot);

  *counts = registration->before[queue];
  counts->queue = queue;
  if (slot < 0)
    return;
  words = afxdp_xdpprog_slot (
      afxdp_attachment_engine (&registration->interface->attachment)->prog,
      slot, queue);
  counts->bound = atomic_load (&registration->bound[queue]);
  counts->napi_id = atomic_load (&registration->napi_ids[queue]);
#define ADD(word) (counts->word += afxdp_ring_word (&words->word) - base->word)
  ADD (redirected);
  ADD (passed);
  ADD (too_long);
  ADD (no_frame);
  ADD (no_socket);
  ADD (dropped);
  ADD (filtered);
  ADD (cut);
#undef ADD
}

void
afxdp_registration_go_on_counting (
    AfxdpRegistration *registration, const AfxdpRegistration *former)
{
  for (guint i = 0; i < MIN (registration->n_queues, former->n_queues); i++) {
    registration->before[i] = former->before[i];
    registration->before[i].bound = FALSE;
    registration->before[i].napi_id = 0;
  }
}

void
afxdp_registration_frames (
    const AfxdpRegistration *registration, guint *n_frames, guint *n_home)
{
  AfxdpEngine *engine =
      afxdp_attachment_engine (&registration->interface->attachment);

  *n_frames = *n_home = 0;
  if (!engine)
    return;
  *n_frames = afxdp_umem_n_frames (engine->umem);
  *n_home =
      afxdp_umem_n_free (engine->umem) + afxdp_xsk_pool_n_frames (engine->pool);
  /* What another stream's thread moves just now may be in both. */
  *n_home = MIN (*n_home, *n_frames);
}

/* Flows. */

static void
add_key (AfxdpRegistration *registration, GInetAddress *address)
{
  GArray *keys = registration->keys;
  struct afxdp_flow_key key;

  afxdp_xdpprog_flow_key (&key, address, registration->settings.port);
  /* The same address may be there with two prefix lengths. */
  for (guint i = 0; i < keys->len; i++)
    if (!memcmp (
            &key, afxdp_registration_flow_key (registration, i), sizeof key))
      return;
  g_array_append_val (keys, key);
}

/* What the stream's socket is bound to, in addresses of this interface. */
void
afxdp_registration_find_keys (AfxdpRegistration *registration)
{
  GInetAddress *address = registration->settings.address;
  g_autoptr (GPtrArray) own = NULL;

  if (!g_inet_address_get_is_any (address)) {
    add_key (registration, address);
    return;
  }
  own = afxdp_netdev_addresses (registration->interface->netdev.index);
  if (!own) { /* as they were */
    afxdp_interface_follow_later (
        registration->interface, AFXDP_NETDEV_ADDRESSES);
    return;
  }
  g_array_set_size (registration->keys, 0);
  for (guint i = 0; i < own->len; i++)
    /* A socket bound to :: receives IPv4 as well. */
    if (g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV6 ||
        g_inet_address_get_family (own->pdata[i]) == G_SOCKET_FAMILY_IPV4)
      add_key (registration, own->pdata[i]);
}

void
afxdp_registration_claim_flows (AfxdpRegistration *registration)
{
  for (guint i = 0; i < registration->keys->len; i++)
    afxdp_flows_claim (registration->interface->flows,
        afxdp_registration_flow_key (registration, i),
        afxdp_registration_is_exact (registration), registration->slot);
}

/* Slot. */

/* A slot, and what the program has counted on it so far. */
static void
take_slot (AfxdpRegistration *registration)
{
  AfxdpEngine *engine = registration->interface->attachment.engine;
  gint slot;

  if (!engine || registration->slot >= 0 || registration->error ||
      registration->settings.socket_only)
    return;
  g_clear_error (&registration->slot_error);
  slot = afxdp_engine_take_slot (
      engine, registration->settings.sources, &registration->slot_error);
  if (slot < 0)
    return;
  for (guint queue = 0; queue < registration->n_queues; queue++)
    registration->base[queue] = *afxdp_xdpprog_slot (engine->prog, slot, queue);
  atomic_store (&registration->slot, slot);
  AFXDP_DEBUG (AFXDP_LOG_XDP, registration->name, "has slot %d", slot);
}

/* The stream's account cannot be opened before there is an area. */
static void
open_account (AfxdpRegistration *registration)
{
  AfxdpEngine *engine = registration->interface->attachment.engine;

  if (!engine || registration->path.account)
    return;
  registration->path.umem = afxdp_umem_ref (engine->umem);
  registration->path.account = afxdp_account_new (registration->path.umem);
}

void
afxdp_registration_settle_in (AfxdpRegistration *registration)
{
  take_slot (registration);
  open_account (registration);
}

void
afxdp_registration_change (AfxdpRegistration *registration)
{
  AfxdpInterface *interface = registration->interface;
  AfxdpRegistrationSettings *settings = &registration->settings;
  AfxdpRegistrationChange *change = &registration->change;

  change->done = registration->slot < 0 ||
      afxdp_filter_change (interface->attachment.engine, interface->flows,
          registration->slot, change->sources, &change->error);
  AFXDP_DEBUG (AFXDP_LOG_XDP, registration->name,
      "is to be received from other sources (kind: %u, listed: %u)%s%s",
      afxdp_sources_kind (change->sources), afxdp_sources_n (change->sources),
      change->done ? "" : ", and is not: ",
      change->done ? "" : change->error->message);
  if (!change->done)
    return;
  afxdp_sources_ref (change->sources);
  afxdp_sources_unref (settings->sources);
  settings->sources = change->sources;
}

gboolean
afxdp_registration_is_quiet (const AfxdpRegistration *registration)
{
  guint ticket = afxdp_subscription_grace_wanted (registration->subscription);

  for (guint i = 0; i < registration->path.n_rings; i++)
    if (afxdp_ring_redirect (&registration->path.rings[i]) !=
        AFXDP_REDIRECT_OFF)
      return FALSE;
  return !registration->path.n_rings ||
      (ticket &&
          afxdp_subscription_grace_over (registration->subscription, ticket));
}

void
afxdp_registration_give_up_slot (AfxdpRegistration *registration)
{
  AfxdpFastPath *path = &registration->path;

  if (registration->slot < 0)
    return;
  for (guint queue = 0; queue < registration->n_queues; queue++)
    afxdp_registration_queue_counts (
        registration, queue, &registration->before[queue]);
  registration->drained =
      afxdp_engine_free_slot (registration->interface->attachment.engine,
          registration->slot, path->rings, path->n_rings, &registration->lost);
  AFXDP_DEBUG (AFXDP_LOG_XDP, registration->name,
      "gave up slot %d (rings: %u, packets left in them: %u)",
      registration->slot, path->n_rings, registration->drained);
  path->n_rings = 0;
  registration->slot = -1;
}

/* What ails it. */

void
afxdp_registration_ail (
    AfxdpRegistration *registration, AfxdpWatchVerdict verdict, GError *error)
{
  g_clear_error (&registration->ailment);
  registration->ailment = error;
  registration->ails = verdict;
  registration->ails_since =
      registration->watch.silent.redirected + registration->watch.silent.passed;
}

gboolean
afxdp_registration_recover (
    AfxdpRegistration *registration, const AfxdpWatchCounts *counts)
{
  /* Whether the kernel still drops what is redirected only another packet would
   * show, that it drops. */
  if ((registration->ails != AFXDP_WATCH_CUT &&
          registration->ails != AFXDP_WATCH_CUT_HERE) ||
      counts->redirected + counts->passed == registration->ails_since)
    return FALSE;
  AFXDP_DEBUG (AFXDP_LOG_XDP, registration->name, "packets come whole again");
  g_clear_error (&registration->ailment);
  registration->ails = AFXDP_WATCH_WELL;
  return TRUE;
}
