/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The network interface that packets are sent from: what it is, and what it has
 * counted. In the network namespace of the caller.
 *
 * Read-only once made, any thread.
 */
#pragma once

#include "rtpgen-options.h"

G_BEGIN_DECLS

typedef struct
{
  gchar *name;
  guint index;
  guint mtu;
  guint8 mac[6];
  gboolean is_veth;
  gboolean leaves_checksums; /* of sockets, to hardware that a veth has not */
} RtpgenInterface;

/*
 * The interface's counters. A veth counts for its peer too, so that its own
 * tell all that can happen between sendmsg() or XDP redirect and the peer's
 * NAPI (drivers/net/veth.c, Linux 6.18: veth_get_ethtool_stats(),
 * veth_get_stats64()).
 */
typedef struct
{
  guint64 xdp_xmit;        /* live frames put into the peer's receive ring */
  guint64 xdp_xmit_errors; /* live frames that found that ring full */
  guint64 tx_packets;      /* packets that the peer has taken from its ring */
  guint64 tx_dropped;      /* ring full, or no NAPI at the peer, of all kinds */
} RtpgenCounters;

/* Fails if there is no such interface, it is down, or has no Ethernet. */
RtpgenInterface *rtpgen_interface_new (const gchar *name, GError **error);
void rtpgen_interface_free (RtpgenInterface *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RtpgenInterface, rtpgen_interface_free)

/* Fills in the interface's own address for packets to the destination; its
 * port is left 0. */
gboolean rtpgen_interface_get_address (const RtpgenInterface *self,
    const RtpgenAddress *destination, RtpgenAddress *address, GError **error);

gboolean rtpgen_interface_read_counters (
    const RtpgenInterface *self, RtpgenCounters *counters, GError **error);

G_END_DECLS
