/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Packets of a leg of which it is not known whether they are the stream's: their numbers
 * and timestamps, and what they have in common with those of the stream. Pure.
 *
 * Cameras of one plant have the same timestamps, since they have the same clock, and all
 * packets of a frame have one. So that number and timestamp are the same proves little
 * by itself; that two packets in a row agree of which the timestamps differ, does: the
 * frame begins at the same number.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Of timestamps that stand still, so many in a row have to be the same, and for longer
 * than any frame lasts, ns. */
#define AFXDP_UNMATCHED_MANY 100
#define AFXDP_UNMATCHED_LONG G_GUINT64_CONSTANT (1000000000)

/* Packets that are the same in both, in a row. */
typedef struct
{
  guint n;
  guint16 seqnum;
  guint32 timestamp;
} AfxdpMatch;

/* All zeros is an empty one. */
typedef struct
{
  guint64 seen[65536 / 64]; /* a bit for each number */
  guint32 timestamps[65536];
  guint64 first, last; /* arrivals; 0: none yet */
  guint32 latest;      /* timestamp */
  gboolean moving;     /* not all are the same */
  AfxdpMatch ours, theirs;
} AfxdpUnmatched;

/* A packet of the leg came. */
void afxdp_unmatched_note (AfxdpUnmatched *unmatched, guint16 seqnum,
    guint32 timestamp, guint64 arrival);
/* A packet of the stream came, by another leg. Returns whether the leg is of it. */
gboolean afxdp_unmatched_compare (
    AfxdpUnmatched *unmatched, guint16 seqnum, guint32 timestamp);
/* A packet of the leg came, and the stream has had its number before, with that
 * timestamp. Returns the same. */
gboolean afxdp_unmatched_compare_former (AfxdpUnmatched *unmatched,
    guint16 seqnum, guint32 timestamp, guint32 former);

G_END_DECLS
