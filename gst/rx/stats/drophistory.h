/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The drops that were told, by the moments at which they ended, until gaps are found
 * for them. Pure; not thread-safe.
 */
#pragma once

#include "drops.h"

G_BEGIN_DECLS

/* Most drops that are remembered. When there are so many, those of one column that
 * lie in 10 ms become one, and then the oldest are forgotten. Those of packets that
 * are not RTP never find a gap. */
#define AFXDP_DROP_HISTORY_MOST 512
/* Drops older than this (ns) are forgotten: hardly any gap can want them. */
#define AFXDP_DROP_HISTORY_TIME (10 * G_GUINT64_CONSTANT (1000000000))

/* Most times of uncounted drops that are remembered, the latest. */
#define AFXDP_DROP_HISTORY_UNCOUNTED 16

typedef struct
{
  GArray *drops;           /* AfxdpDrop, by their ends; n > 0 */
  guint64 forgotten_until; /* drops of before may have been forgotten */
  /* The earliest end of a drop that has come since the owner set this to
   * G_MAXUINT64. */
  guint64 news;
  AfxdpDrop uncounted[AFXDP_DROP_HISTORY_UNCOUNTED];
  guint n_uncounted; /* ever */
} AfxdpDropHistory;

void afxdp_drop_history_init (AfxdpDropHistory *history);
void afxdp_drop_history_clear (AfxdpDropHistory *history);

/* A negative n takes back what was told before. Of a column without a
 * counter only the time is remembered. */
void afxdp_drop_history_add (AfxdpDropHistory *history, const AfxdpDrop *drop);

static inline AfxdpDrop *
afxdp_drop_history_at (const AfxdpDropHistory *history, guint i)
{
  return &g_array_index (history->drops, AfxdpDrop, i);
}

/* The first drop that did not end before then. */
guint afxdp_drop_history_first_until (
    const AfxdpDropHistory *history, guint64 until);

/* The column of drops that nobody could count and that were, at least in part, within
 * slack of the time from since until; or else. */
AfxdpColumn afxdp_drop_history_uncounted (const AfxdpDropHistory *history,
    guint64 since, guint64 until, guint64 slack, AfxdpColumn otherwise);

/* Forgets those of which nothing is left. */
void afxdp_drop_history_forget_used (AfxdpDropHistory *history);
void afxdp_drop_history_forget_old (AfxdpDropHistory *history, guint64 now);

G_END_DECLS
