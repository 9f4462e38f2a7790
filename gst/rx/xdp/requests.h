/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What other threads want of a control thread: that a registration begins, changes or
 * ends, or that the thread itself does. They wait until it is done.
 */
#pragma once

#include <pthread.h>

#include "registration.h"

G_BEGIN_DECLS

typedef struct
{
  int wake; /* the control thread's eventfd */

  /* Inside the registry's, outside the locks of subscriptions, xsk and umem. Protects
   * pending, and the state of registrations. Never held in a call that may wait for
   * RTNL. */
  pthread_mutex_t lock;
  pthread_cond_t served;
  GPtrArray *pending; /* registrations that BEGIN, CHANGE or END */

  atomic_bool quit; /* the control thread reads it */
} AfxdpRequests;

void afxdp_requests_init (AfxdpRequests *requests, int wake);
void afxdp_requests_clear (AfxdpRequests *requests);

/* For any thread but the control thread. */

/* state: BEGINS, CHANGES or ENDS. Returns when the control thread has served the request. */
void afxdp_requests_make (AfxdpRequests *requests,
    AfxdpRegistration *registration, AfxdpRegistrationState state);
void afxdp_requests_quit (AfxdpRequests *requests);

/* For the control thread. */

/* Those that have been made since; free them. */
GPtrArray *afxdp_requests_take (AfxdpRequests *requests);
/* Of registrations, those that are in state, BEGINS, CHANGES or ENDS, are served: now
 * they LAST, or are OVER and may be freed at once. */
void afxdp_requests_are_served (AfxdpRequests *requests,
    GPtrArray *registrations, AfxdpRegistrationState state);

G_END_DECLS
