/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One for each network interface and process: XDP program, queues, UMEM and
 * credits, shared by the streams that subscribe to it (DESIGN section 5).
 *
 * All that may wait (attaching, binding, grace periods, retries) is done by
 * the distributor's control thread. It publishes to each subscription what the
 * fast door is like now; the streaming thread reads that when version() moved,
 * and opens and closes the door itself, by words in mapped memory.
 *
 * subscribe(), wait() and free() are for the thread that changes state; frames()
 * for any; the rest for the one streaming thread of the subscription.
 */
#pragma once

#include <gio/gio.h>

#include "engine.h"
#include "netdev.h"

G_BEGIN_DECLS

/* RX queues that one stream can be received on at the same time. */
#define AFXDP_STREAM_QUEUES 64

typedef struct _AfxdpSubscription AfxdpSubscription;

typedef struct
{
  GInetAddress *address;
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
} AfxdpSubscriptionSettings;

typedef enum
{
  AFXDP_FAST_DOOR_FAILED,  /* error says why; may heal */
  AFXDP_FAST_DOOR_WAITING, /* for the flow to show on a queue */
  AFXDP_FAST_DOOR_READY,   /* may be opened */
} AfxdpFastDoorState;

/* A snapshot; it holds references, clear() drops them. */
typedef struct
{
  AfxdpFastDoorState state;
  GError *error; /* when not READY */
  AfxdpXdpMode xdp_mode;
  gboolean zero_copy;
  gboolean metadata;     /* packets carry struct afxdp_metadata */
  AfxdpUmem *umem;       /* NULL before the first success */
  AfxdpAccount *account; /* of this stream, owned by the subscription */
  guint share;           /* frames that the stream may lend downstream */
  guint n_rings;
  AfxdpRing rings[AFXDP_STREAM_QUEUES];
} AfxdpFastDoor;

/* Fails only for want of descriptors or threads: what is wrong with the fast
 * door is in the snapshot. wake is an eventfd, written when there is something
 * new to read. */
AfxdpSubscription *afxdp_distributor_subscribe (const AfxdpNetdev *netdev,
    const AfxdpSubscriptionSettings *settings, int wake, GError **error);
/* Closes the door for good, and takes home what was still in the rings. Returns
 * how many packets that were. */
guint afxdp_subscription_free (AfxdpSubscription *subscription);

/* Waits up to timeout_ms for the fast door to be READY or WAITING, if it may
 * still become so. Otherwise sets error. */
gboolean afxdp_subscription_wait (
    AfxdpSubscription *subscription, guint timeout_ms, GError **error);

guint afxdp_subscription_version (AfxdpSubscription *subscription);
void afxdp_subscription_read (
    AfxdpSubscription *subscription, AfxdpFastDoor *door);
void afxdp_fast_door_clear (AfxdpFastDoor *door);

/* Asks for a grace period: when it is over, every packet that the program saw
 * before this call is in its ring or socket. over() may be polled; wake is
 * written too. */
guint afxdp_subscription_request_grace (AfxdpSubscription *subscription);
gboolean afxdp_subscription_grace_over (
    AfxdpSubscription *subscription, guint ticket);

/* Packets come by the socket that the program should have redirected: is it
 * still attached? Does the flow arrive on a queue without a socket? */
void afxdp_subscription_suspect (AfxdpSubscription *subscription);

/* Frames of the interface's area, and those that are not with an application.
 * Both 0 before there is one. */
void afxdp_subscription_frames (
    AfxdpSubscription *subscription, guint *n_frames, guint *n_home);

G_END_DECLS
