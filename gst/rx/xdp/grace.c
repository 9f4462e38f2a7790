/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Waiting for grace periods of the kernel. */
#include "grace.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "thread.h"
#include "wakeup.h"

void
afxdp_grace_wait (const gchar *interface, const gchar *cause)
{
  guint64 begin = afxdp_now ();

  /* membarrier is synchronize_rcu(), which waits for softirqs to end (Linux
   * 6.18, kernel/sched/membarrier.c). nohz_full kernels refuse it; there 100 ms
   * are many polls. */
  if (syscall (SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
    g_usleep (100000);
  AFXDP_DEBUG (AFXDP_LOG_XDP, interface,
      "grace period of %" G_GUINT64_FORMAT " us: %s",
      (afxdp_now () - begin) / 1000, cause);
}

/* Called with the lock. */
static void
wait_unlocked (AfxdpGrace *grace)
{
  guint begun = grace->n_begun;

  pthread_mutex_unlock (&grace->lock);
  afxdp_grace_wait (NULL, "paths open or close");
  pthread_mutex_lock (&grace->lock);
  grace->n_over = begun;
  afxdp_wakeup_signal (grace->wake);
}

static gpointer
run (gpointer data)
{
  AfxdpGrace *grace = data;

  pthread_mutex_lock (&grace->lock);
  while (!grace->quit)
    if (grace->n_over == grace->n_begun)
      pthread_cond_wait (&grace->asked, &grace->lock);
    else
      wait_unlocked (grace);
  pthread_mutex_unlock (&grace->lock);
  return NULL;
}

void
afxdp_grace_init (AfxdpGrace *grace, int wake)
{
  grace->wake = wake;
  pthread_mutex_init (&grace->lock, NULL);
  pthread_cond_init (&grace->asked, NULL);
}

void
afxdp_grace_clear (AfxdpGrace *grace)
{
  if (grace->has_thread) {
    pthread_mutex_lock (&grace->lock);
    grace->quit = TRUE;
    pthread_cond_signal (&grace->asked);
    pthread_mutex_unlock (&grace->lock);
    pthread_join (grace->thread, NULL);
  }
  pthread_mutex_destroy (&grace->lock);
  pthread_cond_destroy (&grace->asked);
}

void
afxdp_grace_begin (AfxdpGrace *grace)
{
  if (!grace->has_thread)
    grace->has_thread =
        afxdp_thread_start (&grace->thread, "afxdp-grace", run, grace, NULL);
  pthread_mutex_lock (&grace->lock);
  grace->n_begun++;
  if (grace->has_thread)
    pthread_cond_signal (&grace->asked);
  else
    wait_unlocked (grace);
  pthread_mutex_unlock (&grace->lock);
}

gboolean
afxdp_grace_runs (AfxdpGrace *grace)
{
  gboolean runs;

  pthread_mutex_lock (&grace->lock);
  runs = grace->n_over != grace->n_begun;
  pthread_mutex_unlock (&grace->lock);
  return runs;
}
