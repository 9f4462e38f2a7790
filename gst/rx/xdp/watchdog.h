/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Looks whether what comes to an interface reaches the streams that AF_XDP has
 * there, and says what is to be done when it does not: leave zero-copy, attach the
 * program again, give it up, or leave one stream to its socket.
 *
 * For the control thread. Times are in ns of CLOCK_MONOTONIC.
 */
#pragma once

#include "registration.h"

G_BEGIN_DECLS

typedef struct
{
  guint64 look_at;
  guint64 ask_at;      /* the interface; not before */
  guint64 asked_at;    /* when it was asked last, and */
  gboolean answered;   /* if so */
  guint64 arrived;     /* what it said */
  guint64 renewed_at;  /* the program was attached again, or is; 0: never */
  guint64 seen_before; /* packets that it had run for, in all */
  guint n_renewed;     /* times before, each soon after the other */
} AfxdpWatchdog;

typedef enum
{
  AFXDP_WATCHDOG_QUIET,
  AFXDP_WATCHDOG_CHANGED,         /* what streams are told */
  AFXDP_WATCHDOG_LEAVE_ZERO_COPY, /* for this reason */
} AfxdpWatchdogResult;

/* Looks at registrations (AfxdpRegistration) of interface, when it is time. */
AfxdpWatchdogResult afxdp_watchdog_look (AfxdpWatchdog *watchdog,
    AfxdpInterface *interface, GPtrArray *registrations, guint64 now,
    gchar **reason);
/* When it will be time; AFXDP_NEVER: there is nothing to look at. */
guint64 afxdp_watchdog_next_time (const AfxdpWatchdog *watchdog,
    const AfxdpInterface *interface, GPtrArray *registrations);

G_END_DECLS
