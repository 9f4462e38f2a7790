/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Streams register at the distributor of an interface, and leave it. */
#include "distributor.h"

#include "control.h"
#include "registry.h"

AfxdpRegistration *
afxdp_distributor_register (const AfxdpNetdev *netdev,
    const AfxdpRegistrationSettings *settings, int wake, GError **error)
{
  AfxdpDistributor *distributor =
      afxdp_registry_get (netdev, afxdp_control_run, error);

  return distributor
      ? afxdp_registry_register (distributor, netdev, settings, wake)
      : NULL;
}

gboolean
afxdp_distributor_set_sources (
    AfxdpRegistration *registration, AfxdpSources *sources, GError **error)
{
  registration->change = (AfxdpRegistrationChange){ .sources = sources };
  afxdp_requests_make (&registration->distributor->requests, registration,
      AFXDP_REGISTRATION_CHANGES);
  if (registration->change.error)
    g_propagate_error (error, g_steal_pointer (&registration->change.error));
  return registration->change.done;
}

void
afxdp_distributor_unregister (AfxdpRegistration *registration)
{
  AfxdpRegistration *successor;

  afxdp_requests_make (&registration->distributor->requests, registration,
      AFXDP_REGISTRATION_ENDS);
  successor = afxdp_registration_take_successor (registration);
  if (!successor)
    return;
  afxdp_distributor_unregister (successor);
  afxdp_distributor_forget (successor);
}

void
afxdp_distributor_forget (AfxdpRegistration *registration)
{
  AfxdpDistributor *distributor;

  if (!registration)
    return;
  distributor = registration->distributor;
  afxdp_registration_free (registration);
  afxdp_registry_unref (distributor);
}
