/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a stream goes over to another distributor while it plays. */
#include "succession.h"

#include "clock.h"
#include "error.h"
#include "log.h"
#include "registry.h"
#include "wakeup.h"

/* How often it is looked for what came in place of a removed interface, */
#define SUCCESSION_INTERVAL AFXDP_S
/* and how soon again when the registry is in use. */
#define REGISTRY_INTERVAL (20 * AFXDP_MS)

void
afxdp_succession_leave_zero_copy (AfxdpDistributor *distributor, gchar *reason)
{
  AfxdpInterface *interface = &distributor->interface;

  distributor->failed = reason;
  atomic_store (&interface->gone, TRUE);
  afxdp_attachment_give_up (&interface->attachment,
      g_error_new (AFXDP_ERROR, AFXDP_ERROR_UNSUPPORTED,
          "%s. All streams of the interface switch to copy mode; set "
          "zero-copy=never to use it from the start",
          reason));
  distributor->succession_at = afxdp_now () + AFXDP_TIME_TO_TELL;
}

/* By the name that it had in the end; or the one that the stream knows it by, if it
 * was renamed in between. */
static gboolean
find_interface (const AfxdpDistributor *former,
    const AfxdpRegistration *registration, AfxdpNetdev *netdev)
{
  return afxdp_netdev_by_name (former->interface.netdev.name, netdev, NULL) ||
      afxdp_netdev_by_name (registration->netdev.name, netdev, NULL);
}

/* Registers the stream at the distributor of netdev, too. Returns FALSE when that
 * cannot be just now. */
static gboolean
make_successor (const AfxdpDistributor *former, AfxdpRegistration *registration,
    const AfxdpNetdev *netdev)
{
  AfxdpDistributor *distributor;
  AfxdpRegistration *successor;

  if (!afxdp_registry_try_to_succeed (former, netdev, &distributor))
    return FALSE;
  if (!distributor)
    return TRUE; /* until the next time */
  registration->succession.done = TRUE;
  AFXDP_DEBUG (AFXDP_LOG_XDP, registration->name,
      "goes over to interface %s, number %d, in place of number %d",
      netdev->name, netdev->index, former->interface.netdev.index);
  successor = afxdp_registry_register (
      distributor, netdev, &registration->settings, registration->wake);
  successor->succession.keeps_groups =
      former->failed && netdev->index == former->interface.netdev.index;
  atomic_store (&registration->succession.successor, successor);
  afxdp_wakeup_signal (registration->wake);
  return TRUE;
}

static gboolean
awaits_successor (const AfxdpDistributor *distributor, guint i)
{
  const AfxdpRegistration *registration = distributor->registrations->pdata[i];

  return !registration->succession.done;
}

guint64
afxdp_succession_next_time (const AfxdpDistributor *distributor)
{
  if (atomic_load (&distributor->interface.gone))
    for (guint i = 0; i < distributor->registrations->len; i++)
      if (awaits_successor (distributor, i))
        return distributor->succession_at;
  return AFXDP_NEVER;
}

void
afxdp_succession_work (AfxdpDistributor *distributor)
{
  guint64 now = afxdp_now ();
  AfxdpNetdev netdev;

  if (now < afxdp_succession_next_time (distributor))
    return;
  distributor->succession_at = now + SUCCESSION_INTERVAL;
  for (guint i = 0; i < distributor->registrations->len; i++) {
    AfxdpRegistration *registration = distributor->registrations->pdata[i];

    if (awaits_successor (distributor, i) &&
        find_interface (distributor, registration, &netdev) &&
        !make_successor (distributor, registration, &netdev))
      distributor->succession_at = now + REGISTRY_INTERVAL;
  }
}
