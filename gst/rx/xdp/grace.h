/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Waiting for grace periods of the kernel: after one, every run of the XDP program that
 * was under way at its beginning has ended, and all that it passed or redirected is in
 * a socket or ring. It takes 10 to 30 ms, in which a control thread has better things
 * to do: hundreds of streams that register one by one each open a path, and ask for
 * one. So a thread of its own waits for it, which is made with the first one. Where there may
 * be no more threads the control thread waits itself.
 *
 * All but afxdp_grace_wait() is for the control thread.
 */
#pragma once

#include <glib.h>
#include <pthread.h>

G_BEGIN_DECLS

typedef struct
{
  int wake; /* the control thread's eventfd */
  pthread_t thread;
  gboolean has_thread;

  pthread_mutex_t lock; /* innermost; protects the rest */
  pthread_cond_t asked;
  guint n_begun, n_over;
  gboolean quit;
} AfxdpGrace;

/* Waits for one. interface: for the log, or NULL. Any thread. */
void afxdp_grace_wait (const gchar *interface, const gchar *cause);

/* wake is signalled when one is over. */
void afxdp_grace_init (AfxdpGrace *grace, int wake);
/* Waits for the one that runs. */
void afxdp_grace_clear (AfxdpGrace *grace);

/* Begins one, while none runs. */
void afxdp_grace_begin (AfxdpGrace *grace);
/* Whether one has begun and is not over. */
gboolean afxdp_grace_runs (AfxdpGrace *grace);

G_END_DECLS
