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
#define FOREIGN_INTERVAL (1000 * AFXDP_MS)

void
afxdp_interface_init (
    AfxdpInterface *interface, const AfxdpNetdev *netdev, gchar *left)
{
  interface->netdev = *netdev;
  interface->n_queues = netdev->rx_queues;
  interface->left = left;
  interface->foreign_at = AFXDP_NEVER;
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

gboolean
afxdp_interface_follow (AfxdpInterface *interface, AfxdpNetdevEvents events)
{
  AfxdpNetdev *netdev = &interface->netdev;
  AfxdpAttachment *attachment = &interface->attachment;
  g_autoptr (GError) error = NULL;
  AfxdpNetdev now;

  if (!events || atomic_load (&interface->gone))
    return FALSE;
  afxdp_netdev_by_index (netdev->index, &now, &error);
  /* Also gone: we missed the message, and the interface is not there. */
  if (events & AFXDP_NETDEV_GONE ||
      g_error_matches (error, AFXDP_ERROR, AFXDP_ERROR_NOT_FOUND)) {
    atomic_store (&interface->gone, TRUE);
    afxdp_attachment_interface_gone (attachment);
    return TRUE;
  }
  if (error) /* nobody could be asked, for want of descriptors */
    return FALSE;
  if (attachment->engine)
    afxdp_xdpprog_set_mac (attachment->engine->prog, now.mac);
  if (now.up && !netdev->up)
    afxdp_attachment_interface_up (attachment);
  AFXDP_DEBUG (AFXDP_LOG_XDP, now.name,
      "changed: %s, MTU %u, %u RX queues in use", now.up ? "up" : "down",
      now.mtu, now.rx_active);
  *netdev = now;
  afxdp_interface_look_for_vlans (interface);
  return TRUE;
}
