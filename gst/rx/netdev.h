/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Questions to the kernel about network interfaces, by rtnetlink: sysfs shows
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

/* The interface that the routing table gives for address, where the kernel
 * would join a multicast group too; for one of the host's own addresses the
 * interface that has it. Errors: AFXDP_ERROR_NOT_FOUND, no route. */
gboolean afxdp_netdev_by_route (
    GInetAddress *address, AfxdpNetdev *netdev, GError **error);

/* The addresses of interface index, of both families: GInetAddress. NULL when
 * the kernel could not be asked, for want of descriptors. */
GPtrArray *afxdp_netdev_addresses (int index);

/* Packets that interface index ever dropped before XDP or the stack saw them, for
 * want of room: what drivers tell as rx_missed_errors, rx_fifo_errors,
 * rx_over_errors and rx_dropped, less the failed redirects that veth counts
 * among them. (The kernel counts packets of a protocol that nobody handles as
 * rx_dropped too.) Errors: AFXDP_ERROR_NOT_FOUND. */
gboolean afxdp_netdev_drops (
    const AfxdpNetdev *netdev, guint64 *n, GError **error);

/* Identifies the calling thread's network namespace. */
guint64 afxdp_netdev_namespace (void);

/* A netlink socket that becomes readable when an interface or one of its
 * addresses comes, goes or changes, or -1. */
int afxdp_netdev_monitor_new (GError **error);
typedef enum
{
  AFXDP_NETDEV_CHANGED = 1 << 0,
  AFXDP_NETDEV_GONE = 1 << 1,
  AFXDP_NETDEV_ADDRESSES = 1 << 2,
} AfxdpNetdevEvents;
/* Reads all that waits. Returns what happened to interface index. */
AfxdpNetdevEvents afxdp_netdev_monitor_read (int monitor, int index);

G_END_DECLS
