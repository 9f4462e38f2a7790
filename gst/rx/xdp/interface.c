/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One network interface, as far as the streams share it. */
#include "interface.h"

#include "clock.h"
#include "error.h"
#include "log.h"
#include "offloads.h"
#include "vlans.h"

/* How often it is looked whether another process still takes packets. */
#define FOREIGN_INTERVAL AFXDP_S
/* How soon the interface is asked again when nobody could be asked. */
#define FOLLOW_INTERVAL (100 * AFXDP_MS)

void
afxdp_interface_init (
    AfxdpInterface *interface, const AfxdpNetdev *netdev, gchar *left)
{
  interface->netdev = *netdev;
  interface->n_queues = netdev->rx_queues;
  interface->left = left;
  interface->foreign_at = interface->follow_at = AFXDP_NEVER;
  afxdp_attachment_init (&interface->attachment, &interface->netdev);
  interface->flows = afxdp_flows_new ();
}

void
afxdp_interface_clear (AfxdpInterface *interface)
{
  afxdp_attachment_clear (&interface->attachment);
  afxdp_foreign_clear (&interface->foreign);
  g_free (interface->hidden_tags);
  afxdp_flows_free (interface->flows);
  g_clear_error (&interface->flows_error);
  g_free (interface->left);
}

gboolean
afxdp_interface_look_for_foreign (AfxdpInterface *interface)
{
  AfxdpForeign *foreign = &interface->foreign;
  gboolean changed = FALSE;

  if (interface->attachment.attached || atomic_load (&interface->gone))
    afxdp_foreign_clear (foreign);
  else
    changed = afxdp_foreign_look (foreign, interface->netdev.index);
  if (changed && afxdp_log_is_wanted (AFXDP_LOG_LEVEL_DEBUG)) {
    g_autofree gchar *what =
        foreign->id ? afxdp_foreign_describe (foreign) : NULL;

    AFXDP_DEBUG (AFXDP_LOG_XDP, interface->netdev.name,
        "attached instead of ours: %s", what ? what : "none");
  }
  interface->foreign_at =
      foreign->is_ours ? afxdp_now () + FOREIGN_INTERVAL : AFXDP_NEVER;
  return changed;
}

void
afxdp_interface_look_for_vlans (AfxdpInterface *interface)
{
  const AfxdpNetdev *netdev = &interface->netdev;
  g_autofree gchar *vlans = afxdp_vlans_find (netdev->index);
  g_autoptr (GPtrArray) offloads =
      *vlans ? afxdp_offloads_read (netdev->index) : NULL;

  g_free (interface->hidden_tags);
  interface->hidden_tags =
      afxdp_offloads_hide_tags (offloads, netdev->name, vlans);
}

void
afxdp_interface_follow_later (
    AfxdpInterface *interface, AfxdpNetdevEvents events)
{
  interface->missed |= events;
  interface->follow_at = afxdp_now () + FOLLOW_INTERVAL;
}

/* Those, and those missed before when it is time for them again. */
static AfxdpNetdevEvents
take_missed (AfxdpInterface *interface, AfxdpNetdevEvents events)
{
  if (!events && afxdp_now () < interface->follow_at)
    return 0;
  events |= interface->missed;
  interface->missed = 0;
  interface->follow_at = AFXDP_NEVER;
  return events;
}

AfxdpNetdevEvents
afxdp_interface_follow (AfxdpInterface *interface, AfxdpNetdevEvents events)
{
  AfxdpNetdev *netdev = &interface->netdev;
  AfxdpAttachment *attachment = &interface->attachment;
  g_autoptr (GError) error = NULL;
  AfxdpNetdev now;

  events = take_missed (interface, events);
  if (!events || atomic_load (&interface->gone))
    return 0;
  afxdp_netdev_by_index (netdev->index, &now, &error);
  /* Also gone: we missed the message, and the interface is not there. */
  if (events & AFXDP_NETDEV_GONE ||
      g_error_matches (error, AFXDP_ERROR, AFXDP_ERROR_NOT_FOUND)) {
    atomic_store (&interface->gone, TRUE);
    afxdp_attachment_interface_gone (attachment);
    return events;
  }
  if (error) { /* nobody could be asked, for want of descriptors */
    afxdp_interface_follow_later (interface, events);
    return 0;
  }
  if (attachment->engine)
    afxdp_xdpprog_set_mac (attachment->engine->prog, now.mac);
  if (now.up && !netdev->up)
    afxdp_attachment_interface_up (attachment);
  AFXDP_DEBUG (AFXDP_LOG_XDP, now.name,
      "changed: %s, MTU %u, %u RX queues in use", now.up ? "up" : "down",
      now.mtu, now.rx_active);
  *netdev = now;
  afxdp_interface_look_for_vlans (interface);
  return events;
}
