/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One network interface, as far as the streams share it: the program on it, who gets
 * which flow, and what else there is: VLANs above it, somebody else's program.
 * Knows no streams.
 *
 * For the control thread; any thread may read n_queues and gone, and ask for the engine.
 */
#pragma once

#include <stdatomic.h>

#include "attachment.h"
#include "flows.h"
#include "foreign.h"
#include "netdev.h"
#include "netmonitor.h"

G_BEGIN_DECLS

typedef struct
{
  AfxdpNetdev netdev;
  guint n_queues; /* RX queues that it can ever have */
  AfxdpAttachment attachment;
  AfxdpNetdevEvents missed; /* nobody could be asked what they brought, */
  guint64 follow_at;    /* which is asked again then; AFXDP_NEVER: none were */
  AfxdpForeign foreign; /* while ours is not attached */
  guint64 foreign_at;   /* when it is looked for; AFXDP_NEVER: there is none */
  gchar *hidden_tags;   /* why VLANs cannot be told apart, or NULL */
  AfxdpFlows *flows;
  GError *flows_error; /* why not all flows are in the program, or NULL */
  gchar *left;         /* why zero-copy was left for copy mode, or NULL */
  /* For good: it was removed, or another distributor takes its place, in copy mode. */
  atomic_bool gone;
} AfxdpInterface;

/* Takes left. */
void afxdp_interface_init (
    AfxdpInterface *interface, const AfxdpNetdev *netdev, gchar *left);
/* Detaches the program. */
void afxdp_interface_clear (AfxdpInterface *interface);

/* Whether another process takes packets, while our program is not attached. Returns
 * whether it is another one than before, or none any more. */
gboolean afxdp_interface_look_for_foreign (AfxdpInterface *interface);
/* VLAN interfaces come and go, and so does the offload that hides their tags. */
void afxdp_interface_look_for_vlans (AfxdpInterface *interface);
/* Something of it changed, as events say. Returns those that were news, among them those
 * that follow_later() was told of; 0: none. */
AfxdpNetdevEvents afxdp_interface_follow (
    AfxdpInterface *interface, AfxdpNetdevEvents events);
/* What events brought could not be asked, for want of descriptors: again soon. */
void afxdp_interface_follow_later (
    AfxdpInterface *interface, AfxdpNetdevEvents events);

G_END_DECLS
