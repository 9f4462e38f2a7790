/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Addresses of the host, and the interfaces that its routes lead to.
 *
 * Every function asks in the network namespace of the calling thread and may
 * wait for RTNL: not for streaming threads.
 */
#pragma once

#include "netdev.h"

G_BEGIN_DECLS

/* The interface that the routing table gives for address, where the kernel
 * would join a multicast group too; for one of the host's own addresses the
 * interface that has it. Errors: AFXDP_ERROR_NOT_FOUND, no route. */
gboolean afxdp_netdev_by_route (
    GInetAddress *address, AfxdpNetdev *netdev, GError **error);

/* The addresses of interface index, of both families: GInetAddress. NULL when
 * the kernel could not be asked, for want of descriptors. */
GPtrArray *afxdp_netdev_addresses (int index);

G_END_DECLS
