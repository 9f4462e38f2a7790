/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What other threads want of a control thread. */
#include "requests.h"

#include "wakeup.h"

void
afxdp_requests_init (AfxdpRequests *requests, int wake)
{
  requests->wake = wake;
  requests->pending = g_ptr_array_new ();
  pthread_mutex_init (&requests->lock, NULL);
  pthread_cond_init (&requests->served, NULL);
}

void
afxdp_requests_clear (AfxdpRequests *requests)
{
  g_ptr_array_unref (requests->pending);
  pthread_mutex_destroy (&requests->lock);
  pthread_cond_destroy (&requests->served);
}

void
afxdp_requests_make (AfxdpRequests *requests, AfxdpRegistration *registration,
    AfxdpRegistrationState state)
{
  pthread_mutex_lock (&requests->lock);
  registration->state = state;
  g_ptr_array_add (requests->pending, registration);
  afxdp_wakeup_signal (requests->wake);
  while (registration->state == state)
    pthread_cond_wait (&requests->served, &requests->lock);
  pthread_mutex_unlock (&requests->lock);
}

void
afxdp_requests_quit (AfxdpRequests *requests)
{
  atomic_store (&requests->quit, TRUE);
  afxdp_wakeup_signal (requests->wake);
}

GPtrArray *
afxdp_requests_take (AfxdpRequests *requests)
{
  GPtrArray *pending;

  pthread_mutex_lock (&requests->lock);
  pending = requests->pending;
  requests->pending = g_ptr_array_new ();
  pthread_mutex_unlock (&requests->lock);
  return pending;
}

void
afxdp_requests_are_served (AfxdpRequests *requests, GPtrArray *registrations,
    AfxdpRegistrationState state)
{
  AfxdpRegistrationState served = state == AFXDP_REGISTRATION_ENDS
      ? AFXDP_REGISTRATION_OVER
      : AFXDP_REGISTRATION_LASTS;

  pthread_mutex_lock (&requests->lock);
  for (guint i = 0; i < registrations->len; i++) {
    AfxdpRegistration *registration = registrations->pdata[i];

    if (registration->state == state)
      registration->state = served;
  }
  pthread_cond_broadcast (&requests->served);
  pthread_mutex_unlock (&requests->lock);
}
