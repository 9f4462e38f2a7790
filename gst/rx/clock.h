/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel's clocks, in ns. */
#pragma once

#include <glib.h>
#include <time.h>

G_BEGIN_DECLS

/* In ns. */
#define AFXDP_US G_GUINT64_CONSTANT (1000)
#define AFXDP_MS (1000 * AFXDP_US)
#define AFXDP_S (1000 * AFXDP_MS)

static inline guint64
afxdp_clock (clockid_t id)
{
  struct timespec time;

  clock_gettime (id, &time);
  return time.tv_sec * AFXDP_S + time.tv_nsec;
}

/* The clock of all times in rx/ that do not say otherwise. */
static inline guint64
afxdp_now (void)
{
  return afxdp_clock (CLOCK_MONOTONIC);
}

G_END_DECLS
