/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether a stream that AF_XDP should deliver comes to nothing although packets
 * come: the arithmetic of it. An idle stream, other streams and other queues are no
 * reason for a verdict. Knows no streams, only what was counted.
 *
 * afxdp_watch_look() again and again, every 150 ms or so; a verdict comes within
 * 600 ms of the packet with which the trouble began, if there are some dozens of
 * packets in a second.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What was counted until now, on the RX queues where the stream has a ring. */
typedef struct
{
  guint64 redirected, passed; /* of the stream, by the program */
  guint64 delivered;          /* packets that its rings got */
  gboolean waiting;           /* some wait there: the reader is late */
  guint64 cut;                /* packets of the stream without their end */
  guint64 seen;               /* packets of any kind that the program ran for */
  /* Of the interface. */
  guint64 seen_anywhere;      /* on all of its queues */
  guint64 delivered_anywhere; /* packets that all rings got, of any stream */
  guint64 arrived; /* packets that it counted, dropped ones included, */
  gboolean asked;  /* if it was asked */
} AfxdpWatchCounts;

typedef enum
{
  AFXDP_WATCH_WELL,
  /* All packets come without their end, and no ring of the interface got any; or those
   * of the stream alone do: */
  AFXDP_WATCH_CUT,
  AFXDP_WATCH_CUT_HERE,
  AFXDP_WATCH_UNSEEN,      /* the program does not run for what arrives */
  AFXDP_WATCH_UNDELIVERED, /* what it redirects does not come */
} AfxdpWatchVerdict;

typedef struct
{
  /* The last looks that showed nothing of each trouble, and when they were. */
  AfxdpWatchCounts silent; /* no packet without its end */
  guint64 silent_at;       /* 0: nobody has looked */
  AfxdpWatchCounts asked;  /* none that only the interface counted */
  guint64 asked_at;        /* 0: it was not asked */
  AfxdpWatchCounts empty;  /* none that was redirected and did not come */
  guint64 empty_at;
} AfxdpWatch;

/* Whether an answer of the interface would help. Ask seldom: it takes RTNL. */
gboolean afxdp_watch_wants_interface (
    const AfxdpWatch *watch, const AfxdpWatchCounts *counts);
/* at: ns of CLOCK_MONOTONIC. n: how many packets say so. */
AfxdpWatchVerdict afxdp_watch_look (
    AfxdpWatch *watch, const AfxdpWatchCounts *counts, guint64 at, guint64 *n);

G_END_DECLS
