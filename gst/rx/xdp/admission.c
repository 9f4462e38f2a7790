/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who is let in at a distributor and out again. */
#include "admission.h"

#include "budget.h"
#include "clock.h"
#include "error.h"
#include "log.h"

void
afxdp_admission_settle_flows (AfxdpDistributor *distributor)
{
  AfxdpInterface *interface = &distributor->interface;
  AfxdpEngine *engine = interface->attachment.engine;

  afxdp_flows_begin (interface->flows);
  for (guint i = 0; i < distributor->registrations->len; i++)
    afxdp_registration_claim_flows (distributor->registrations->pdata[i]);
  g_clear_error (&interface->flows_error);
  if (engine)
    afxdp_flows_apply (interface->flows, engine, &interface->flows_error);
  if (interface->flows_error)
    AFXDP_DEBUG (AFXDP_LOG_XDP, interface->netdev.name,
        "not all flows are in the program: %s",
        interface->flows_error->message);
}

gboolean
afxdp_admission_lacks_something (const AfxdpDistributor *distributor)
{
  gboolean lacks = distributor->interface.flows_error != NULL;

  for (guint i = 0; !lacks && i < distributor->registrations->len; i++) {
    const AfxdpRegistration *registration =
        distributor->registrations->pdata[i];

    lacks = registration->slot_error != NULL;
  }
  return lacks;
}

/* What a stream's settings demand of the interface. */
static AfxdpEngineSettings
engine_settings (
    const AfxdpInterface *interface, const AfxdpRegistrationSettings *settings)
{
  gboolean copies =
      interface->left && settings->zero_copy == AFXDP_ZERO_COPY_AUTO;

  return (AfxdpEngineSettings){
    .xdp_mode = settings->xdp_mode,
    .zero_copy = copies ? AFXDP_ZERO_COPY_NEVER : settings->zero_copy,
    .n_frames =
        afxdp_budget_frames (settings->umem_frames, settings->ring_size),
    .automatic = !settings->umem_frames,
    .prepare = settings->prepare,
  };
}

/* The first stream sets what holds for the interface. A later one that demands
 * another is refused; "auto" and umem-frames=0 demand none. */
static gboolean
check_settings (const AfxdpInterface *interface,
    const AfxdpRegistration *registration, GError **error)
{
  const AfxdpEngineSettings *first = &interface->attachment.settings;
  const AfxdpRegistrationSettings *mine = &registration->settings;
  const gchar *name = NULL;

  if (mine->queue >= (gint) interface->n_queues) {
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_SETTINGS,
        "queue is %d, but %s has RX queues 0 to %u", mine->queue,
        interface->netdev.name, interface->n_queues - 1);
    return FALSE;
  }
  if (mine->xdp_mode != AFXDP_XDP_MODE_AUTO &&
      mine->xdp_mode != first->xdp_mode)
    name = "xdp-mode";
  else if (mine->zero_copy != AFXDP_ZERO_COPY_AUTO &&
      mine->zero_copy != first->zero_copy)
    name = "zero-copy";
  else if (mine->umem_frames &&
      engine_settings (interface, mine).n_frames != first->n_frames)
    name = "umem-frames";
  if (!name)
    return TRUE;
  g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_SETTINGS,
      "%s differs from that of the first afxdpsrc on %s, which holds for the "
      "whole interface: set the same value, or none",
      name, interface->netdev.name);
  return FALSE;
}

/* What the first one who comes demands holds for the interface. */
static void
set_first (AfxdpInterface *interface, const AfxdpRegistrationSettings *settings)
{
  AfxdpAttachment *attachment = &interface->attachment;

  if (!attachment->has_settings)
    attachment->settings = engine_settings (interface, settings);
  attachment->has_settings = TRUE;
}

static void
attach (AfxdpInterface *interface)
{
  if (!interface->attachment.attached && !atomic_load (&interface->gone))
    afxdp_attachment_try (&interface->attachment, afxdp_now ());
}

void
afxdp_admission_let_in (
    AfxdpDistributor *distributor, AfxdpRegistration *registration)
{
  const AfxdpRegistrationSettings *settings = &registration->settings;
  AfxdpInterface *interface = &distributor->interface;

  g_ptr_array_add (distributor->registrations, registration);
  afxdp_registration_find_keys (registration);
  AFXDP_DEBUG (AFXDP_LOG_XDP, registration->name,
      "registered as number %u on the interface (flows: %u)%s",
      distributor->registrations->len, registration->keys->len,
      settings->socket_only ? ", for its socket alone" : "");
  if (settings->socket_only)
    return;
  set_first (interface, settings);
  if (check_settings (interface, registration, &registration->error))
    attach (interface);
}

void
afxdp_admission_hold (
    AfxdpDistributor *distributor, const AfxdpRegistrationSettings *settings)
{
  AfxdpInterface *interface = &distributor->interface;

  AFXDP_DEBUG (AFXDP_LOG_XDP, interface->netdev.name, "is held%s",
      settings->socket_only ? ", without a program" : "");
  if (settings->socket_only)
    return;
  set_first (interface, settings);
  attach (interface);
}

void
afxdp_admission_let_out (AfxdpDistributor *distributor, GPtrArray *leaving)
{
  AfxdpEngine *engine = distributor->interface.attachment.engine;
  gboolean quiet = TRUE;

  for (guint i = 0; i < leaving->len; i++) {
    AfxdpRegistration *registration = leaving->pdata[i];

    g_ptr_array_remove (distributor->registrations, registration);
    if (registration->slot < 0)
      continue;
    quiet &= afxdp_registration_is_quiet (registration);
    afxdp_engine_disconnect (engine, registration->slot,
        registration->path.rings, registration->path.n_rings);
  }
  afxdp_admission_settle_flows (distributor);
  if (!quiet)
    afxdp_engine_wait_for_grace_period (engine, "streams leave");
  for (guint i = 0; i < leaving->len; i++)
    afxdp_registration_give_up_slot (leaving->pdata[i]);
}
