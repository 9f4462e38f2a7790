/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From which senders the XDP program gives packets to a slot, while it runs: how that
 * changes without a packet of those who are in both sets being given to the stack. The
 * program has a kind of filter with each flow, and a list with each slot, and sees
 * changes one by one.
 *
 * For the control thread.
 */
#pragma once

#include "flows.h"

G_BEGIN_DECLS

/* slot, which is taken, is received from sources from now on. For a while there may be
 * packets of others too: user space looks itself. May wait for a grace period. Errors:
 * AFXDP_ERROR_MEMORY, there are AFXDP_SOURCES already; then all is as before, or wider. */
gboolean afxdp_filter_change (AfxdpEngine *engine, AfxdpFlows *flows,
    guint slot, AfxdpSources *sources, GError **error);

G_END_DECLS
