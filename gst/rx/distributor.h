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

/* An interface that was removed does not come back: one of its name that is there
 * later is another, with a distributor of its own. The stream is made a member of
 * that too, within a second or so, and its owner takes that member over and lets
 * the former one leave. */
static inline gboolean
afxdp_distributor_has_successor (const AfxdpMember *member)
{
  return atomic_load_explicit (&member->successor, memory_order_acquire) !=
      NULL;
}

/* Takes it. Any thread. */
static inline AfxdpMember *
afxdp_distributor_take_successor (AfxdpMember *member)
{
  return atomic_exchange (&member->successor, NULL);
}

G_END_DECLS
