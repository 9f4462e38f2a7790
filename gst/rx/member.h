/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One stream in the distributor of its interface: its slot, its flows, its rings
 * on the RX queues, and what is to be told of its fast door.
 *
 * The functions for the control thread may wait for RTNL. Those for any thread
 * may be called between join() and forget() of distributor.h.
 */
#pragma once

#include <gio/gio.h>
#include <stdatomic.h>

#include "attachment.h"
#include "flows.h"
#include "netdev.h"
#include "subscription.h"

G_BEGIN_DECLS

typedef struct
{
  GInetAddress *address; /* any: all addresses that the interface has */
  guint16 port;
  AfxdpSources *sources;   /* that it is received from, NULL = any */
  gboolean socket_only;    /* takes the flow, but not by the fast door: then
                              nobody else of this process may either */
  AfxdpXdpMode xdp_mode;   /* of the whole interface: the first stream's */
  AfxdpZeroCopy zero_copy; /* likewise */
  guint umem_frames;       /* likewise; 0 = automatic */
  gint queue;              /* -1: whichever the flow arrives on */
  guint ring_size;         /* a power of two */
  guint batch;             /* packets that are read at once from each ring */
  gboolean busy_poll;      /* see afxdp_xsk_set_busy_poll() */
} AfxdpMemberSettings;

/* What the program saw of the stream on one RX queue. */
typedef struct
{
  guint queue;
  gboolean bound; /* there is an AF_XDP socket */
  guint napi_id;  /* see afxdp_xsk_napi_id() */
  guint64 redirected;
  guint64 passed;
  guint64 too_long, no_frame, no_socket; /* of these, see afxdp.h */
  guint64 filtered; /* from sources that the stream is not received from */
} AfxdpQueueCounts;

/* What the streams of an interface share. */
typedef struct
{
  AfxdpNetdev netdev; /* the control thread's own, as all but n_queues */
  guint n_queues;     /* RX queues that it can ever have */
  AfxdpAttachment attachment;
  AfxdpFlows *flows;
  GError *flows_error; /* why not all flows are in the program, or NULL */
} AfxdpInterface;

typedef enum
{
  AFXDP_MEMBER_JOINING,
  AFXDP_MEMBER_JOINED,
  AFXDP_MEMBER_LEAVING,
  AFXDP_MEMBER_LEFT,
} AfxdpMembership;

/* A queue that could not be had. */
typedef struct
{
  GError *error;  /* why not, or NULL */
  guint64 at;     /* not again before; ns of CLOCK_MONOTONIC */
  guint attempts; /* to get it while it was busy */
} AfxdpQueueRetry;

typedef struct _AfxdpMember
{
  struct _AfxdpDistributor *distributor;
  AfxdpInterface *interface;
  AfxdpNetdev netdev; /* as it was when the stream joined */
  AfxdpMemberSettings settings;
  int wake;
  AfxdpSubscription *subscription;

  AfxdpMembership membership; /* the distributor's lock */
  guint drained;              /* packets left in the rings; the same */
  AfxdpXskLoss lost;          /* on their way there; the same */

  /* On the interface that came after this one; see distributor.h. */
  struct _AfxdpMember *_Atomic successor;

  /* Written by the control thread, slot last; read by any. */
  atomic_int slot; /* -1: none */
  guint n_queues;
  struct afxdp_slot *base; /* for each queue, when the slot was taken */
  atomic_bool *bound;
  atomic_uint *napi_ids;
  AfxdpQueueCounts *before; /* before the slot was taken, or until it was given
                               up */

  /* The control thread's own. */
  AfxdpFastDoor door; /* its rings are the stream's; published when news */
  GArray *keys;       /* struct afxdp_flow_key */
  GError *error;      /* its settings and the others' do not go together */
  GError *slot_error; /* why there is no slot, or NULL; tried again */
  AfxdpQueueRetry *retries; /* for each queue */
  guint64 bind_at;    /* when the first of them is due; ns of CLOCK_MONOTONIC */
  gboolean succeeded; /* there has been a successor */
  guint64 *seen;      /* packets on each queue at the last look */
  guint64 seen_at;    /* when that was */
  guint64 unseen_since; /* looks have found no more since then; 0: they have */
  gboolean unseen;      /* for long: the program does not see them */
  gint elsewhere; /* a queue that some arrive on, although queue is another */
  gboolean only_elsewhere;
} AfxdpMember;

/* control and wake are eventfds, see subscription.h. */
AfxdpMember *afxdp_member_new (AfxdpInterface *interface,
    const AfxdpNetdev *netdev, const AfxdpMemberSettings *settings, int control,
    int wake);
void afxdp_member_free (AfxdpMember *member);

/* For any thread. */

static inline AfxdpSubscription *
afxdp_member_subscription (const AfxdpMember *member)
{
  return member->subscription;
}

/* Queues 0 to n_queues - 1 are there to be asked for. */
void afxdp_member_queue_counts (
    const AfxdpMember *member, guint queue, AfxdpQueueCounts *counts);
/* Begins with what former, which has left, counted in the end. The caller's
 * business that nobody reads meanwhile. */
void afxdp_member_go_on_counting (
    AfxdpMember *member, const AfxdpMember *former);
/* Frames of the interface, and how many are not with an application. */
void afxdp_member_frames (
    const AfxdpMember *member, guint *n_frames, guint *n_home);

/* For the control thread. */

/* Finds out which flows the stream wants: again when addresses changed. */
void afxdp_member_find_keys (AfxdpMember *member);
void afxdp_member_claim_flows (AfxdpMember *member);
/* Takes what there is to take once there is an engine: slot and account. */
void afxdp_member_settle_in (AfxdpMember *member);
/* Adds a ring on each queue where the stream shows, when it is time. Returns
 * whether anything changed. */
gboolean afxdp_member_bind (AfxdpMember *member, guint64 now);
/* Packets come by the socket: where does the program see them, if it does? Returns
 * whether the answer is another one than before. */
gboolean afxdp_member_look (AfxdpMember *member, guint64 now);
/* Tells the stream what its fast door is like, if that is news. */
void afxdp_member_publish (AfxdpMember *member);
/* Whether nothing can be on its way to the stream's rings: it closed its door
 * itself, and a grace period has passed since. */
gboolean afxdp_member_is_quiet (const AfxdpMember *member);
/* Gives slot and rings back, once nothing can be. */
void afxdp_member_give_up_slot (AfxdpMember *member);

G_END_DECLS
