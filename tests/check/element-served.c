/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The thread that receives for many elements, where a system call is missing, or
 * where there may be no more threads. */
#include "element-fixture.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PACKETS 100

static gint errnum;
static gint n_calls;

/* In the C library's place, for the plugin too. Kernels before Linux 5.11 do not have
 * it, nor qemu-user, and old filters of system calls (seccomp) forbid it. */
__attribute__ ((visibility ("default"))) int
epoll_pwait2 (int poll, struct epoll_event *events, int n,
    const struct timespec *timeout, const sigset_t *signals)
{
  g_atomic_int_inc (&n_calls);
  errno = errnum;
  return -1;
}

typedef void *(*ThreadFunc) (void *);

static gint refuses; /* the plugin's own threads */

static gboolean
is_plugins (ThreadFunc run)
{
  Dl_info info;

  return dladdr ((gpointer) run, &info) && strstr (info.dli_fname, "gstafxdp");
}

/* In the C library's place, likewise. */
__attribute__ ((visibility ("default"))) int
pthread_create (pthread_t *thread, const pthread_attr_t *attributes,
    ThreadFunc run, void *data)
{
  static int (*next) (pthread_t *, const pthread_attr_t *, ThreadFunc, void *);

  if (g_atomic_int_get (&refuses) && is_plugins (run))
    return EAGAIN;
  if (!next)
    next = dlsym (RTLD_NEXT, "pthread_create");
  return next (thread, attributes, run, data);
}

static gint n_sleeps, longest_sleep; /* ns */

/* In the C library's place, likewise: how threads sleep that gather a batch. */
__attribute__ ((visibility ("default"))) int
clock_nanosleep (clockid_t clock, int flags, const struct timespec *until,
    struct timespec *left)
{
  struct timespec now;
  gint64 length;

  clock_gettime (clock, &now);
  length = (until->tv_sec - now.tv_sec) * G_GINT64_CONSTANT (1000000000) +
      until->tv_nsec - now.tv_nsec;
  g_atomic_int_inc (&n_sleeps);
  longest_sleep = MAX (longest_sleep, length);
  return -syscall (SYS_clock_nanosleep, clock, flags, until, left);
}

static const gint errnums[] = { ENOSYS, EPERM };

/* It is asked for once, and what does the same is taken. */
TABLE_TEST (test_no_epoll_pwait2, errnums)
{
  errnum = errnums[__i__];
  /* Tests may share a process. */
  n_calls = 0;
  element_play ("receiver=one", "fakesink");
  for (guint i = 0; i < PACKETS; i++) {
    loopback_send_pattern (loopback, i, 100 + i);
    tap_wait (tap, i + 1);
  }
  element_wait (PACKETS);
  fail_unless_equals_int (g_atomic_int_get (&n_calls), 1);
}

/* Nothing has come to one of the streams yet, whose buffer is soon full: a burst must find
 * room there, however long the others would let their thread sleep. */
TEST (test_small_buffer_beside_others)
{
  Loopback *other = loopback_new ();
  g_autofree gchar *properties = g_strdup_printf (
      "%s mode=socket receiver=one buffer-size=9216", other->properties);
  Receiver *small;

  errnum = ENOSYS;
  element_play ("receiver=one coalesce=5000000", "fakesink");
  small = receiver_new (properties, "fakesink");
  receiver_play (small);
  n_sleeps = longest_sleep = 0;
  for (guint i = 0; i < 100; i++)
    element_pass (33, i * PACKETS, PACKETS, (i + 1) * PACKETS);
  fail_unless (g_atomic_int_get (&n_sleeps) > 0);
  /* Twice 9216 bytes are four packets, of which one may come each µs. */
  g_assert_cmpint (longest_sleep, <=, 4000);
  receiver_free (small);
  loopback_free (other);
}

/* The element says so; the process lives, and the next one gets its receiver. */
TEST (test_no_thread)
{
  errnum = ENOSYS;
  g_atomic_int_set (&refuses, TRUE);
  element_new ("receiver=one", "fakesink");
  fail_unless_equals_int (
      gst_element_set_state (receiver->pipeline, GST_STATE_READY),
      GST_STATE_CHANGE_FAILURE);
  g_atomic_int_set (&refuses, FALSE);
  fail_unless_equals_string (receiver_wait_error (receiver),
      "The receiver \"one\": Could not start the thread afxdp-receiver, since "
      "there may be no more threads: raise RLIMIT_NPROC (ulimit -u), TasksMax= "
      "of systemd or pids.max of the cgroup: Resource temporarily unavailable.");
  fail_unless_equals_int (receiver->n_errors, 1);
  element_end ();
  element_play ("receiver=one", "fakesink");
  element_receive (33, 0, PACKETS);
}

/* The thread that watches for stalls: the stream does without. */
TEST (test_no_thread_that_watches)
{
  element_new ("", "fakesink");
  receiver_set_state (receiver, GST_STATE_READY);
  g_atomic_int_set (&refuses, TRUE);
  receiver_play (receiver);
  element_receive (33, 0, PACKETS);
  g_atomic_int_set (&refuses, FALSE);
}

ELEMENT_SUITE ("element-served", NULL)
