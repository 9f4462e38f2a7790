/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who else on this host may get a packet of an interface that its XDP program
 * passes, besides UDP sockets (competing.h): devices on top of it, packet sockets, and
 * whoever it is forwarded to.
 *
 * Any thread of the network namespace in question. Waits for RTNL and reads /proc.
 */
#pragma once

#include "netdev.h"

G_BEGIN_DECLS

/* TRUE also when it cannot be found out. A device on top of the interface that was
 * moved to another network namespace is not seen. */
gboolean afxdp_onlookers_are_there (const AfxdpNetdev *netdev);

G_END_DECLS
