/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Questions to the kernel about network interfaces, by netlink: sysfs shows
 * the network namespace it was mounted in, which need not be ours.
 *
 * Every function asks in the network namespace of the calling thread and may
 * wait for RTNL: not for streaming threads.
 */
#pragma once

#include <gio/gio.h>
#include <net/if.h>

G_BEGIN_DECLS

typedef struct
{
  int index;
  gchar name[IF_NAMESIZE];
  gchar kind[32];  /* "veth", "vlan", "bond", ...; "" for hardware */
  guint8 mac[6];   /* zeros where the interface has none */
  guint mtu;       /* bytes of IP packet */
  guint rx_queues; /* most that it can ever have, at least 1 */
  guint rx_active; /* that it uses now, at least 1 */
  gboolean up;     /* administratively */
  gboolean loopback;
} AfxdpNetdev;

/* Errors: AFXDP_ERROR_NOT_FOUND names the interface. */
gboolean afxdp_netdev_by_name (
    const gchar *name, AfxdpNetdev *netdev, GError **error);
gboolean afxdp_netdev_by_index (int index, AfxdpNetdev *netdev, GError **error);

/* Whether the driver may have zero-copy for AF_XDP: what it says of itself (Linux
 * 6.3 and later); before, only what has no NIC certainly has none. */
gboolean afxdp_netdev_may_have_zero_copy (const AfxdpNetdev *netdev);
/* Whether the driver may make more RX queues than are in use for an XDP program, and
 * remove them with it: virtio_net does (Linux 6.18, virtnet_xdp_set()). */
gboolean afxdp_netdev_may_add_queues (const AfxdpNetdev *netdev);
/* Packets that the NIC's own ring of one RX queue holds; 0: not known. */
guint afxdp_netdev_rx_ring (const AfxdpNetdev *netdev);

/* Whether it is promiscuous, a part of a bridge, a bond or a VRF, or there are VLANs,
 * macvlans or the like on top of it, in this network namespace. TRUE also when the
 * kernel could not be asked. */
gboolean afxdp_netdev_has_uppers (const AfxdpNetdev *netdev);

/* Identifies the calling thread's network namespace. */
guint64 afxdp_netdev_namespace (void);

G_END_DECLS
