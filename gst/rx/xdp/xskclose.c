/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Closes many AF_XDP sockets. */
#include "xskclose.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "xsk.h"

/* Threads that close sockets, besides the one that waits for them. */
#define CLOSERS 31

typedef struct
{
  GPtrArray *sockets;
  atomic_uint next;
} Closing;

static gpointer
close_some (gpointer data)
{
  Closing *closing = data;
  guint i;

  while ((i = atomic_fetch_add (&closing->next, 1)) < closing->sockets->len)
    afxdp_xsk_unref (closing->sockets->pdata[i]);
  return NULL;
}

void
afxdp_xsk_close_all (GPtrArray *sockets)
{
  Closing closing = { .sockets = sockets };
  pthread_t threads[CLOSERS];
  sigset_t all, former;
  guint n = 0;

  /* Signals are the application's. */
  sigfillset (&all);
  pthread_sigmask (SIG_SETMASK, &all, &former);
  while (n < CLOSERS && n + 1 < sockets->len &&
      !pthread_create (&threads[n], NULL, close_some, &closing))
    n++;
  pthread_sigmask (SIG_SETMASK, &former, NULL);
  close_some (&closing);
  while (n)
    pthread_join (threads[--n], NULL);
  g_ptr_array_unref (sockets);
}
