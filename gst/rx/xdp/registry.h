/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The distributors of this process: one for each network interface, made with the
 * first stream that registers there, or who holds it (hold.h), and freed with the last.
 * Any thread.
 */
#pragma once

#include <pthread.h>

#include "grace.h"
#include "holding.h"
#include "interface.h"
#include "netcounters.h"
#include "requests.h"
#include "watchdog.h"

G_BEGIN_DECLS

typedef struct _AfxdpDistributor
{
  guint64 key;
  gint refs; /* the registry's lock */
  int wake;  /* eventfd */
  pthread_t thread;
  gboolean has_thread;
  AfxdpRequests requests;
  AfxdpHolding holding;

  /* The control thread's own. */
  gpointer (*run) (gpointer distributor); /* what it does */
  int monitor;
  AfxdpInterface interface;
  GPtrArray *registrations;
  AfxdpGrace grace;
  gboolean awaits_grace; /* one that streams have asked for */
  guint64 listen_at;
  guint64 rebalance_at; /* AFXDP_NEVER: everybody has what is due */
  guint64
      settle_at; /* AFXDP_NEVER: all have slots and flows, or no use of them */
  guint64 succession_at;
  AfxdpWatchdog watchdog;
  gchar *failed;          /* zero-copy did, and how; NULL: it has not */
  guint64 ask_at;         /* the interface what it dropped; not before */
  guint64 ask_interval;   /* longer, while it does not answer */
  guint64 drops_asked;    /* when it was asked and answered, */
  AfxdpNetdevDrops drops; /* and what it said */
} AfxdpDistributor;

/* The one of netdev, which is made when there is none, and its control thread begins
 * to run (distributor). Fails for want of descriptors or threads. */
AfxdpDistributor *afxdp_registry_get (const AfxdpNetdev *netdev,
    gpointer (*run) (gpointer distributor), GError **error);
void afxdp_registry_unref (AfxdpDistributor *distributor);

/* A registration of a stream on netdev, whose first snapshot has been published;
 * takes over the reference to distributor. wake is the streaming thread's eventfd. */
AfxdpRegistration *afxdp_registry_register (AfxdpDistributor *distributor,
    const AfxdpNetdev *netdev, const AfxdpRegistrationSettings *settings,
    int wake);

/* For a control thread that is about to leave its interface to another distributor:
 * the same as get(). From here on it is known how zero-copy failed on former's.
 * Returns FALSE when the registry is in use: whoever holds it may be waiting for
 * this thread to end, so it must not wait in turn. Otherwise successor is the new
 * one, or NULL when there could be none. */
gboolean afxdp_registry_try_to_succeed (const AfxdpDistributor *former,
    const AfxdpNetdev *netdev, AfxdpDistributor **successor);

G_END_DECLS
