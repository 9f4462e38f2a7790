/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An eventfd that one thread polls and others ring. */
#pragma once

#include <errno.h>
#include <glib.h>
#include <sys/eventfd.h>
#include <unistd.h>

G_BEGIN_DECLS

/* Returns -1 and errno when there is none to be had. */
static inline int
afxdp_wakeup_new (void)
{
  return eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
}

static inline void
afxdp_wakeup_signal (int wakeup)
{
  guint64 one = 1;

  if (write (wakeup, &one, sizeof one) < 0)
    g_assert (errno == EAGAIN); /* it has not been heard for 2^64 times */
}

/* So that it can ring again. */
static inline void
afxdp_wakeup_clear (int wakeup)
{
  guint64 rings;

  if (read (wakeup, &rings, sizeof rings) < 0)
    g_assert (errno == EAGAIN);
}

G_END_DECLS
