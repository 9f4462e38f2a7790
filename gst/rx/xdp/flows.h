/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which stream of an interface gets which flow. XDP takes a flow away from every
 * socket of the host, and gives it to one stream: a flow that several want goes
 * to none by the fast path, and to all of them by the stack.
 *
 * The control thread claims every flow that a stream wants, anew whenever
 * anything changed, and then makes the XDP program's table so:
 *
 *   afxdp_flows_begin (flows);
 *   for each stream and flow: afxdp_flows_claim (flows, key, exact, slot);
 *   afxdp_flows_apply (flows, engine, &error);
 *
 * As in the kernel, a stream bound to just this address comes before one that is
 * bound to any.
 */
#pragma once

#include "engine.h"

G_BEGIN_DECLS

typedef struct _AfxdpFlows AfxdpFlows;

AfxdpFlows *afxdp_flows_new (void);
void afxdp_flows_free (AfxdpFlows *flows);

void afxdp_flows_begin (AfxdpFlows *flows);
/* slot is -1 for a stream that wants the flow, but not by the fast path. exact:
 * the stream's socket is bound to this address. */
void afxdp_flows_claim (AfxdpFlows *flows, const struct afxdp_flow_key *key,
    gboolean exact, gint slot);
/* Fails when the program's table is full; the flows that it holds are right. */
gboolean afxdp_flows_apply (
    AfxdpFlows *flows, AfxdpEngine *engine, GError **error);

/* Tells the program again of the flows that it gives to slot, whose filter has changed.
 * Fails when it does not take one. */
gboolean afxdp_flows_renew (
    AfxdpFlows *flows, AfxdpEngine *engine, gint slot, GError **error);

/* Whether the program gives the flow to slot. */
gboolean afxdp_flows_is_installed (
    AfxdpFlows *flows, const struct afxdp_flow_key *key, gint slot);
/* Whether another stream claims the same with the same right. */
gboolean afxdp_flows_is_contested (
    AfxdpFlows *flows, const struct afxdp_flow_key *key, gboolean exact);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AfxdpFlows, afxdp_flows_free)

G_END_DECLS
