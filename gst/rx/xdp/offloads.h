/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Offloads of an interface, as ethtool -k shows them, and what follows from them for
 * AF_XDP.
 *
 * Asks in the network namespace of the calling thread, and may wait for RTNL.
 */
#pragma once

#include <glib.h>

#include "netdev.h"

G_BEGIN_DECLS

/* Names of those that are on. */
typedef GPtrArray AfxdpOffloads;

/* NULL: the kernel could not be asked. Free with g_ptr_array_unref(). */
AfxdpOffloads *afxdp_offloads_read (int index);
gboolean afxdp_offloads_are_on (
    const AfxdpOffloads *offloads, const gchar *name);

/* How several datagrams may come as one packet on an interface of this kind, with
 * this driver and these offloads, and what cures it; NULL: they cannot. Free it. */
gchar *afxdp_offloads_aggregate (const AfxdpOffloads *offloads,
    const gchar *interface, const gchar *kind, const gchar *driver);

/* The same of an interface as it is. */
gchar *afxdp_offloads_why_aggregated (const AfxdpNetdev *netdev);

/* Why packets of VLANs cannot be told from others on an interface with these VLAN
 * interfaces above it (words, "" if none), and what cures it; NULL: they can. Free
 * it. */
gchar *afxdp_offloads_hide_tags (
    const AfxdpOffloads *offloads, const gchar *interface, const gchar *vlans);

G_END_DECLS
