/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the control thread of an interface and the streaming thread of one stream
 * tell each other. The control thread publishes what the fast path is like now;
 * the streaming thread reads that when version() moved, and opens and closes the
 * path itself, by words in mapped memory. In return it asks for grace periods,
 * and for rechecks.
 *
 * No call here but wait() waits. The functions for the streaming thread may
 * be called by any, those for the control thread by that one only.
 */
#pragma once

#include "engine.h"

G_BEGIN_DECLS

/* RX queues that one stream can be received on at the same time. */
#define AFXDP_STREAM_QUEUES 64

typedef enum
{
  AFXDP_FAST_PATH_FAILED,  /* error says why; may heal */
  AFXDP_FAST_PATH_WAITING, /* for the flow to show on a queue */
  AFXDP_FAST_PATH_READY,   /* may be opened */
} AfxdpFastPathState;

/* A snapshot; it holds references, clear() drops them. */
typedef struct
{
  AfxdpFastPathState state;
  GError *error; /* when not READY */
  gchar *note;   /* when READY: what the user should know besides, or NULL */
  guint
      n_competing; /* and sockets that miss what is redirected, see competing.h */
  AfxdpXdpMode xdp_mode;
  gboolean zero_copy;
  gboolean metadata;     /* packets carry struct afxdp_metadata */
  AfxdpUmem *umem;       /* NULL before the first success */
  AfxdpAccount *account; /* of this stream, owned by the distributor */
  guint n_rings;
  AfxdpRing rings[AFXDP_STREAM_QUEUES];
} AfxdpFastPath;

void afxdp_fast_path_clear (AfxdpFastPath *path);

typedef enum
{
  AFXDP_RECHECK_QUEUE = 1 << 0,   /* the flow comes on another queue */
  AFXDP_RECHECK_PROGRAM = 1 << 1, /* the program does not run */
} AfxdpRechecks;

typedef struct _AfxdpSubscription AfxdpSubscription;

/* control and wake are eventfds of the two threads, written when there is
 * something new for them. */
AfxdpSubscription *afxdp_subscription_new (int control, int wake);
void afxdp_subscription_free (AfxdpSubscription *subscription);

/* For the streaming thread. */

/* 0 before anything was published. */
guint afxdp_subscription_version (AfxdpSubscription *subscription);
void afxdp_subscription_read (
    AfxdpSubscription *subscription, AfxdpFastPath *path);
/* Waits up to timeout_ms for the fast path to be READY or WAITING, if it may
 * still become so. Otherwise sets error. */
gboolean afxdp_subscription_wait (
    AfxdpSubscription *subscription, guint timeout_ms, GError **error);
/* Frames that the stream may lend downstream. */
guint afxdp_subscription_share (AfxdpSubscription *subscription);
/* Asks for a grace period: whatever the XDP program has redirected or passed
 * before is visible when grace_over() says so of the ticket. */
guint afxdp_subscription_request_grace (AfxdpSubscription *subscription);
gboolean afxdp_subscription_grace_over (
    AfxdpSubscription *subscription, guint ticket);
void afxdp_subscription_ask_recheck (
    AfxdpSubscription *subscription, AfxdpRechecks rechecks);

/* What the interface itself dropped: how many packets when it was asked last, and
 * when that was, in ns of CLOCK_MONOTONIC; 0 when it never was. Asks again if it
 * was before wanted. */
guint64 afxdp_subscription_interface_drops (
    AfxdpSubscription *subscription, guint64 wanted, guint64 *n);

/* Whether nobody but the stream could get its packets, as of not long ago. Has it
 * looked up again when it is not known. */
gboolean afxdp_subscription_is_alone (
    AfxdpSubscription *subscription, guint64 now);

/* For the control thread. */

/* Takes a copy of path, and tells the stream if it is news. Returns whether it is. */
gboolean afxdp_subscription_publish (
    AfxdpSubscription *subscription, const AfxdpFastPath *path);
/* Whether the stream has read what was published last. */
gboolean afxdp_subscription_is_read (AfxdpSubscription *subscription);
void afxdp_subscription_set_share (
    AfxdpSubscription *subscription, guint share);
/* The last ticket given; end_grace() ends the wait for it and those before. */
guint afxdp_subscription_grace_wanted (AfxdpSubscription *subscription);
void afxdp_subscription_end_grace (
    AfxdpSubscription *subscription, guint ticket);
/* Rechecks asked for so far; take_rechecks() forgets them. */
AfxdpRechecks afxdp_subscription_rechecks (AfxdpSubscription *subscription);
AfxdpRechecks afxdp_subscription_take_rechecks (
    AfxdpSubscription *subscription);
/* The moment after which the interface is to be asked what it dropped. */
guint64 afxdp_subscription_drops_wanted (AfxdpSubscription *subscription);
/* Whether the stream wants to know if it is alone(); the answer is for the time
 * from now on. */
gboolean afxdp_subscription_asks_if_alone (AfxdpSubscription *subscription);
void afxdp_subscription_tell_if_alone (
    AfxdpSubscription *subscription, gboolean alone, guint64 now);
/* It had dropped n packets at asked or a little later. */
void afxdp_subscription_tell_drops (
    AfxdpSubscription *subscription, guint64 n, guint64 asked);

G_END_DECLS
