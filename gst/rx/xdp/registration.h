/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One stream in the distributor of its interface: its slot, its flows, and what was
 * counted for it. Its rings on the RX queues are the business of queues.h, what it is
 * told that of publication.h, its coming and going that of admission.h.
 *
 * The functions for the control thread may wait for RTNL. Those for any thread
 * may be called between register() and forget() of distributor.h.
 */
#pragma once

#include <gio/gio.h>
#include <stdatomic.h>

#include "interface.h"
#include "subscription.h"
#include "watch.h"

G_BEGIN_DECLS

typedef struct
{
  GInetAddress *address; /* any: all addresses that the interface has */
  guint16 port;
  AfxdpSources *sources; /* that it is received from, NULL = any */
  /* takes the flow, but not by the fast path: then nobody else of this process
   * may either */
  gboolean socket_only;
  AfxdpXdpMode xdp_mode;    /* of the whole interface: the first stream's */
  AfxdpZeroCopy zero_copy;  /* likewise */
  guint umem_frames;        /* likewise; 0 = automatic */
  AfxdpUmemPrepare prepare; /* likewise; or NULL */
  gint queue;               /* -1: whichever the flow arrives on */
  guint ring_size;          /* a power of two */
  guint batch;              /* packets that are read at once from each ring */
  gboolean busy_poll;       /* see afxdp_xsk_set_busy_poll() */
  guint64 socket;           /* the kernel's number of the one that it has too */
} AfxdpRegistrationSettings;

/* What the program saw of the stream on one RX queue. */
typedef struct
{
  guint queue;
  gboolean bound; /* there is an AF_XDP socket */
  guint napi_id;  /* see afxdp_xsk_napi_id() */
  guint64 redirected;
  guint64 passed;
  guint64 too_long, no_frame, no_socket; /* of these, see afxdp.h */
  guint64 dropped;  /* neither: see AFXDP_REDIRECT_OVERLOADED */
  guint64 filtered; /* from sources that the stream is not received from */
  guint64 cut;      /* packets that came without their end */
} AfxdpQueueCounts;

/* In this order, but that it may change often. */
typedef enum
{
  AFXDP_REGISTRATION_BEGINS, /* nothing is published yet */
  AFXDP_REGISTRATION_LASTS,
  AFXDP_REGISTRATION_CHANGES, /* its sources; then it lasts */
  AFXDP_REGISTRATION_ENDS, /* something may still be on its way to its rings */
  AFXDP_REGISTRATION_OVER,
} AfxdpRegistrationState;

/* A queue that could not be had. */
typedef struct
{
  GError *error;  /* why not, or NULL */
  guint64 at;     /* not again before; ns of CLOCK_MONOTONIC */
  guint attempts; /* to get it while it was busy */
} AfxdpQueueRetry;

/* Where the program has seen the stream's packets; see queues.h. */
typedef struct
{
  guint64 *n;         /* packets on each queue at the last look */
  guint64 at;         /* when that was */
  guint64 none_since; /* looks have found no more since then; 0: they have */
  gboolean none;      /* for long: the program does not see them */
  /* A queue that some arrive on, although the setting queue is another; or -1. */
  gint elsewhere;
  gboolean only_elsewhere;
} AfxdpSightings;

/* What somebody wants who waits while it CHANGES, and what became of it. */
typedef struct
{
  AfxdpSources *sources;
  gboolean done;
  GError *error; /* why not */
} AfxdpRegistrationChange;

/* See succession.h. */
typedef struct
{
  gboolean done; /* there has been a successor; the control thread's own */
  gboolean keeps_groups; /* of its former, which was on the same interface */
  /* Not yet taken over, or NULL. */
  struct _AfxdpRegistration *_Atomic successor;
} AfxdpSuccession;

typedef struct _AfxdpRegistration
{
  struct _AfxdpDistributor *distributor;
  AfxdpInterface *interface;
  gchar *name;        /* "eth1, 239.1.1.1 port 5000", for the log */
  AfxdpNetdev netdev; /* as it was when the stream registered */
  AfxdpRegistrationSettings settings;
  int wake;
  AfxdpSubscription *subscription;

  AfxdpRegistrationState state; /* the lock of requests.h */
  /* Whoever makes the request has it until then, and afterwards. */
  AfxdpRegistrationChange change;
  /* What became of packets on their way, when it is OVER. */
  guint drained;     /* were left in the rings */
  AfxdpXskLoss lost; /* never came there */

  AfxdpSuccession succession;

  /* Written by the control thread, slot last; read by any. */
  atomic_int slot; /* -1: none */
  guint n_queues;
  struct afxdp_slot *base; /* for each queue, when the slot was taken */
  atomic_bool *bound;
  atomic_uint *napi_ids;
  /* What was counted before the slot was taken, or until it was given up. */
  AfxdpQueueCounts *before;

  /* The control thread's own. */
  AfxdpFastPath path; /* its rings are the stream's; published when news */
  GArray *keys;       /* struct afxdp_flow_key */
  GError *error;      /* its settings and the others' do not go together */
  GError *slot_error; /* why there is no slot, or NULL; tried again */
  AfxdpQueueRetry *retries; /* for each queue */
  guint64 bind_at; /* when the first of them is due; ns of CLOCK_MONOTONIC */
  AfxdpSightings sightings;
  guint grace; /* ticket that the grace period which runs is for */
  AfxdpWatch watch;
  guint n_watched; /* rings; watch begins anew when they are others */
  GError *ailment; /* why nothing comes by the rings that it has, or NULL */
  AfxdpWatchVerdict ails;
  guint64 ails_since; /* packets that the program had seen whole */
  gboolean belated;   /* may not yet know that packets carry no metadata now */
} AfxdpRegistration;

/* control and wake are eventfds, see subscription.h. */
AfxdpRegistration *afxdp_registration_new (AfxdpInterface *interface,
    const AfxdpNetdev *netdev, const AfxdpRegistrationSettings *settings,
    int control, int wake);
void afxdp_registration_free (AfxdpRegistration *registration);

/* For any thread. */

/* Queues 0 to n_queues - 1 are there to be asked for. */
void afxdp_registration_queue_counts (const AfxdpRegistration *registration,
    guint queue, AfxdpQueueCounts *counts);
/* Begins with what former, which has left, counted in the end. The caller's
 * business that nobody reads meanwhile. */
void afxdp_registration_go_on_counting (
    AfxdpRegistration *registration, const AfxdpRegistration *former);
/* Frames of the interface, and how many are not with an application. */
void afxdp_registration_frames (
    const AfxdpRegistration *registration, guint *n_frames, guint *n_home);

/* For the control thread. */

/* The i-th of the keys of the flows that the stream wants. */
static inline const struct afxdp_flow_key *
afxdp_registration_flow_key (const AfxdpRegistration *registration, guint i)
{
  return &g_array_index (registration->keys, struct afxdp_flow_key, i);
}

/* Whether its socket is bound to one address, and not to any. */
static inline gboolean
afxdp_registration_is_exact (const AfxdpRegistration *registration)
{
  return !g_inet_address_get_is_any (registration->settings.address);
}

/* Finds out which flows the stream wants: again when addresses changed. */
void afxdp_registration_find_keys (AfxdpRegistration *registration);
void afxdp_registration_claim_flows (AfxdpRegistration *registration);
/* Takes what there is to take once there is an engine: slot and account. */
void afxdp_registration_settle_in (AfxdpRegistration *registration);
/* Does what change says. May wait for a grace period. */
void afxdp_registration_change (AfxdpRegistration *registration);
/* Its rings get nothing, while it ails so. Takes error. */
void afxdp_registration_ail (
    AfxdpRegistration *registration, AfxdpWatchVerdict verdict, GError *error);
/* Returns whether it does so no more. */
gboolean afxdp_registration_recover (
    AfxdpRegistration *registration, const AfxdpWatchCounts *counts);
/* Whether nothing can be on its way to the stream's rings: it closed its path
 * itself, and a grace period has passed since. */
gboolean afxdp_registration_is_quiet (const AfxdpRegistration *registration);
/* Gives slot and rings back, once nothing can be. */
void afxdp_registration_give_up_slot (AfxdpRegistration *registration);

G_END_DECLS
