/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The thread that receives for many elements, where a system call is missing. */
#include "element-fixture.h"

#include <errno.h>
#include <sys/epoll.h>

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

ELEMENT_SUITE ("element-served", NULL)
