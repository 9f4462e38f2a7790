/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an interface and its driver count: packets that came, and that were dropped.
 *
 * Every function asks in the network namespace of the calling thread and may
 * wait for RTNL: not for streaming threads.
 */
#pragma once

#include "netdev.h"

G_BEGIN_DECLS

/* Packets that an interface dropped before XDP or the stack saw them, for want of
 * room: what drivers tell as rx_missed_errors, rx_fifo_errors, rx_over_errors and
 * rx_dropped, less the failed redirects that veth counts among them. (The kernel
 * counts packets of a protocol that nobody handles as rx_dropped too.) All 0 at
 * first; n rises from 0 on. */
typedef struct
{
  guint64 n;
  guint64 left_out; /* what the kernel says more */
  /* Counters of the driver that were asked. With the queues, they come and go: what
   * that adds is left out. */
  guint n_counters;
  gboolean asked;
} AfxdpNetdevDrops;

/* Errors: any of AFXDP_ERROR; then drops is as before. */
gboolean afxdp_netdev_ask_drops (
    const AfxdpNetdev *netdev, AfxdpNetdevDrops *drops, GError **error);

/* Packets that came to the interface, those that it dropped included, as far as its
 * driver counts them: some of them twice. */
gboolean afxdp_netdev_arrivals (
    const AfxdpNetdev *netdev, guint64 *n, GError **error);

G_END_DECLS
