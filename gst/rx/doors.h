/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The two doors of a stream: which of them is open, what is told of it, and
 * which of their packets comes next while they change places (law 1).
 *
 * For the streaming thread, which does this again and again:
 *
 *   afxdp_doors_follow (doors);                 open or close, as things are now
 *   grace_over = afxdp_doors_grace_over (doors);
 *   read the lanes that are empty
 *   if (afxdp_doors_follow_program (doors))     closed meanwhile?
 *     grace_over = FALSE;
 *   afxdp_doors_try_to_settle (doors, grace_over);
 *   lane = afxdp_doors_next_lane (doors);
 */
#pragma once

#include "doorchange.h"
#include "lane.h"

G_BEGIN_DECLS

typedef enum
{
  AFXDP_SLOW_SIDE,
  AFXDP_FAST_SIDE,
  AFXDP_NO_SIDE, /* the doors changed places again before the order was certain */
} AfxdpSide;

typedef struct
{
  /* Set by the owner. */
  AfxdpSubscription *subscription; /* NULL: there is only the socket, */
  gchar *slow_reason;              /* and this is why; owned */
  const gchar *interface;
  guint batch;
  AfxdpDrops *drops; /* where the lanes tell theirs */

  AfxdpFastDoor fast;
  guint version; /* of fast */
  gchar *others; /* who else wants what fast takes; owned */
  AfxdpLane lanes[1 + AFXDP_STREAM_QUEUES]; /* the first is the socket's */
  guint n_lanes;

  gboolean open;      /* our word on it; the program may know better */
  gboolean exhausted; /* closed because the credit was used up, */
  gboolean no_frame;  /* or the frames were */
  guint64 no_frames;  /* the program's count of that, at the opening */
  gboolean settling;  /* the doors change places: the order is not certain */
  AfxdpSide first;    /* whose packets are older, while settling */
  guint grace;        /* ticket: after it, first has got all it will get */
  guint64 settle_by;
  guint64 tell_exhausted_at; /* not again before */
  gboolean has_last;
  AfxdpRtp last; /* of the packet handed out last; set by the owner */

  AfxdpDoorChange change; /* what was told, or is to be, */
  gboolean changed;       /* if so */
} AfxdpDoors;

/* doors is all zeros. Socket and drops must outlive it. */
void afxdp_doors_init (
    AfxdpDoors *doors, AfxdpSocket *socket, guint batch, AfxdpDrops *drops);
/* Drops what had been read and not handed out. Returns how many packets. */
guint afxdp_doors_discard (AfxdpDoors *doors);
void afxdp_doors_clear (AfxdpDoors *doors);
/* Goes over to the fast door of another interface, since the former one was
 * removed. The socket's side stays as it is. Returns how many packets of the former
 * door were dropped, that had been read and not handed out. */
guint afxdp_doors_change_interface (
    AfxdpDoors *doors, AfxdpSubscription *subscription, const gchar *interface);
/* Tells of drops that counters know and no packet has shown. Returns until when
 * all are known, in ns of CLOCK_MONOTONIC. */
guint64 afxdp_doors_look_for_drops (AfxdpDoors *doors);

/* Opens or closes the fast door as the distributor and the program say. */
void afxdp_doors_follow (AfxdpDoors *doors);
/* Closes the door behind the program, when that has closed it. Asked again after
 * looking: what it passed since may be in the socket before what it redirected is
 * in the ring, since the stack gets its packets in the midst of a poll and rings
 * at its end (Linux 6.18, veth_poll()). */
gboolean afxdp_doors_follow_program (AfxdpDoors *doors);
void afxdp_doors_close (AfxdpDoors *doors);

/* Whether the older side has got all it will get. To be asked before looking:
 * what comes after the answer is not older. */
static inline gboolean
afxdp_doors_grace_over (const AfxdpDoors *doors)
{
  return doors->settling &&
      afxdp_subscription_grace_over (doors->subscription, doors->grace);
}

/* Ends the settling when it is time: whatever the older side had on the way has
 * been handed out, or nobody can wait any longer. */
void afxdp_doors_try_to_settle (AfxdpDoors *doors, gboolean grace_over);
/* The lane whose first packet is next, or NULL: there is none, or it must wait
 * for older ones of the other side, since it does not continue what was handed
 * out last. */
AfxdpLane *afxdp_doors_next_lane (AfxdpDoors *doors);

G_END_DECLS
