/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel's clocks, in ns. */
#pragma once

#include <glib.h>
#include <time.h>

G_BEGIN_DECLS

static inline guint64
afxdp_clock (clockid_t id)
{
  struct timespec time;

  clock_gettime (id, &time);
  return time.tv_sec * G_GUINT64_CONSTANT (1000000000) + time.tv_nsec;
}

#define AFXDP_MS G_GUINT64_CONSTANT (1000000) /* in ns */

/* The clock of all times in rx/ that do not say otherwise. */
static inline guint64
afxdp_now (void)
{
  return afxdp_clock (CLOCK_MONOTONIC);
}

G_END_DECLS
