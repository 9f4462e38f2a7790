/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a stream noticed of packets that never came: how many were dropped where,
 * and between which moments. Kept until somebody takes it.
 */
#pragma once

#include "ledger.h"

G_BEGIN_DECLS

/* Between two packets, as a rule, of which one had been received before those
 * were dropped, and one after. */
typedef struct
{
  AfxdpColumn column;
  /* negative: so many of those told before came after all; 0 for a column without
   * a counter, of which only the time is known */
  gint64 n;
  guint64 from, until; /* ns of CLOCK_MONOTONIC */
} AfxdpDrop;

/* Most that wait. When there are nearly so many, those of one column are put
 * together. */
#define AFXDP_DROPS 64

typedef struct
{
  AfxdpDrop drops[AFXDP_DROPS];
  guint n;
} AfxdpDrops;

void afxdp_drops_add (AfxdpDrops *drops, AfxdpColumn column, gint64 n,
    guint64 from, guint64 until);

G_END_DECLS
