/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Starts threads that get no signals. */
#include "thread.h"

#include <errno.h>
#include <signal.h>

#include "error.h"

gboolean
afxdp_thread_start (pthread_t *thread, const gchar *name,
    gpointer (*run) (gpointer), gpointer data, GError **error)
{
  sigset_t all, former;
  int errnum;

  sigfillset (&all);
  pthread_sigmask (SIG_SETMASK, &all, &former);
  errnum = pthread_create (thread, NULL, run, data);
  pthread_sigmask (SIG_SETMASK, &former, NULL);
  if (errnum)
    return afxdp_error_set (error, errnum, "Could not start the thread %s%s",
        name,
        errnum == EAGAIN ? ", since there may be no more threads: raise "
                           "RLIMIT_NPROC (ulimit -u), TasksMax= of systemd or "
                           "pids.max of the cgroup"
                         : "");
  pthread_setname_np (*thread, name);
  return TRUE;
}
