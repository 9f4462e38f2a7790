/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A wake-up: an eventfd that one thread polls, and that others signal. */
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
    g_assert (errno == EAGAIN); /* nobody has cleared it for 2^64 signals */
}

/* To be called before what it was signalled for is looked at: what comes later signals
 * it again. */
static inline void
afxdp_wakeup_clear (int wakeup)
{
  guint64 n;

  if (read (wakeup, &n, sizeof n) < 0)
    g_assert (errno == EAGAIN); /* nobody has signalled it */
}

G_END_DECLS
