/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which columns the packets of judged gaps are charged to, and which column gives a
 * packet back that comes after all. Pure; not thread-safe.
 *
 * A late packet takes exactly one loss back, so that the columns always sum up to
 * what is lost. It is taken from the column that the packet was charged to, and from
 * `unknown` where nobody knows which one that was:
 *
 *   1. The gap is remembered, and charged to one column: that has one less.
 *   2. A part of the gap is charged to `network` or `unknown`, of which no counter
 *      tells: that has one less. The counters of this host tell of packets that were
 *      dropped, and this one was not.
 *   3. The gap is charged to several columns, all of which have counters. One of
 *      these counted something else, nobody knows which: each has one less, and all
 *      of these packets but one become `unknown`.
 *   4. The gap is forgotten: `unknown` has one less. If nothing is unknown, any
 *      column may have had the packet, and it is as in 3.
 */
#pragma once

#include "verdict.h"

G_BEGIN_DECLS

/* Charges that are remembered, in case their packets come after all. Gaps that follow
 * each other and are charged to one column are one charge. */
#define AFXDP_CHARGES_MOST 1024

/* So many packets of a judged gap are charged to column. */
typedef struct
{
  guint32 ssrc;
  AfxdpColumn column;
  guint64 first, end; /* numbers: the gap's */
  guint64 n;
} AfxdpCharge;

typedef struct
{
  guint64 *lost; /* an array with an element for each column */
  AfxdpCharge charges[AFXDP_CHARGES_MOST]; /* a ring, overwritten */
  guint64 n;                               /* that there were so far */
} AfxdpCharges;

void afxdp_charges_add (AfxdpCharges *charges, const AfxdpVerdict *verdict);
/* The numbers of ssrc from first on, of what was charged when there had been since
 * charges, or later, are as many higher as shift is. */
void afxdp_charges_move (AfxdpCharges *charges, guint32 ssrc, guint64 first,
    guint64 since, guint64 shift);
/* A packet of a judged gap came after all. */
void afxdp_charges_give_back (
    AfxdpCharges *charges, guint32 ssrc, guint64 number);
/* A packet came after all that is one of those in lost, an array with an element for
 * each column; which column's is not known. */
void afxdp_lost_give_back (guint64 *lost);

G_END_DECLS
