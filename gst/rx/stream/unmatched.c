/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Packets of a leg of which it is not known whether they are the stream's. */
#include "unmatched.h"

void
afxdp_unmatched_note (AfxdpUnmatched *unmatched, guint16 seqnum,
    guint32 timestamp, guint64 arrival)
{
  /* Half a turn of the numbers is remembered: what is older is of another one. */
  unmatched->seen[(guint16) (seqnum + 32768) / 64] = 0;
  unmatched->seen[seqnum / 64] |= G_GUINT64_CONSTANT (1) << (seqnum % 64);
  unmatched->timestamps[seqnum] = timestamp;
  unmatched->moving |= unmatched->first && timestamp != unmatched->latest;
  unmatched->latest = timestamp;
  if (!unmatched->first)
    unmatched->first = arrival;
  unmatched->last = arrival;
}

static gboolean
stands_still (const AfxdpUnmatched *unmatched)
{
  return !unmatched->moving &&
      unmatched->last - unmatched->first >= AFXDP_UNMATCHED_LONG;
}

static gboolean
add_match (const AfxdpUnmatched *unmatched, AfxdpMatch *match, guint16 seqnum,
    guint32 timestamp, gboolean the_same)
{
  gboolean changes = match->n && seqnum == (guint16) (match->seqnum + 1) &&
      timestamp != match->timestamp;

  match->n = the_same ? match->n + 1 : 0;
  match->seqnum = seqnum;
  match->timestamp = timestamp;
  return the_same &&
      (changes ||
          (match->n >= AFXDP_UNMATCHED_MANY && stands_still (unmatched)));
}

gboolean
afxdp_unmatched_compare (
    AfxdpUnmatched *unmatched, guint16 seqnum, guint32 timestamp)
{
  if (!(unmatched->seen[seqnum / 64] >> (seqnum % 64) & 1))
    return FALSE;
  return add_match (unmatched, &unmatched->theirs, seqnum, timestamp,
      unmatched->timestamps[seqnum] == timestamp);
}

gboolean
afxdp_unmatched_compare_former (AfxdpUnmatched *unmatched, guint16 seqnum,
    guint32 timestamp, guint32 former)
{
  return add_match (
      unmatched, &unmatched->ours, seqnum, timestamp, timestamp == former);
}
