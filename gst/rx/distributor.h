/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One for each network interface and process: XDP program, queues, UMEM and
 * credits, shared by the streams that are its members (DESIGN section 5).
 *
 * All that may wait (attaching, binding, grace periods, retries) is done by
 * the distributor's control thread, which speaks to the streaming thread of each
 * member through its subscription.
 *
 * For the thread that changes state.
 */
#pragma once

#include "member.h"

G_BEGIN_DECLS

/* Returns when the stream's first snapshot has been published. Fails only for
 * want of descriptors or threads: what is wrong with the fast door is in the
 * snapshot. wake is the streaming thread's eventfd. */
AfxdpMember *afxdp_distributor_join (const AfxdpNetdev *netdev,
    const AfxdpMemberSettings *settings, int wake, GError **error);
/* Closes the door for good and takes home what was still in the rings; no
 * streaming thread may run. How many packets that were, and what was lost on its
 * way there, is in the member, as what it counted, until forget(). */
void afxdp_distributor_leave (AfxdpMember *member);
void afxdp_distributor_forget (AfxdpMember *member);

G_END_DECLS
