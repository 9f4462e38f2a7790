/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kernel tells of changes to interfaces, in the network namespace of the
 * thread that made the monitor. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

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
