/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Closes many AF_XDP sockets. */
#include "xskclose.h"

#include <stdatomic.h>

#include "thread.h"
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
  guint n = 0;

  while (n < CLOSERS && n + 1 < sockets->len &&
      afxdp_thread_start (
          &threads[n], "afxdp-close", close_some, &closing, NULL))
    n++;
  close_some (&closing);
  while (n)
    pthread_join (threads[--n], NULL);
  g_ptr_array_unref (sockets);
}
