/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How long a gap is of which the numbers tell only the remainder. */
#include "gaplength.h"

#include <string.h>

/* What the network may well have lost beside, as a part of what was dropped. */
#define SMALL 16

AfxdpDropped
afxdp_dropped_in (const AfxdpRtpGap *gap, const AfxdpDropHistory *history,
    const GArray *waiting)
{
  AfxdpDropped dropped = { 0 };
  guint64 others = 0;
  guint i = afxdp_first_fit (history, gap, AFXDP_FITS_IN_TIME);

  for (; i < history->drops->len; i++) {
    const AfxdpDrop *drop = afxdp_drop_history_at (history, i);

    if (!afxdp_drop_fits (drop, gap, AFXDP_FITS_IN_TIME, 0))
      continue;
    dropped.n += drop->n;
    if (drop->from + AFXDP_FIT_SLACK >= gap->before &&
        drop->until <= gap->shown + AFXDP_FIT_SLACK)
      dropped.within += drop->n;
    if (dropped.n_records == AFXDP_DROPPED_RECORDS)
      memmove (dropped.records, dropped.records + 1,
          --dropped.n_records * sizeof *dropped.records);
    dropped.records[dropped.n_records++] = drop->n;
  }
  for (i = 0; dropped.n && i < waiting->len; i++) {
    const AfxdpVerdict *other = &g_array_index (waiting, AfxdpVerdict, i);

    if (&other->gap != gap && other->gap.before < gap->shown &&
        gap->before < other->gap.shown)
      others += other->gap.missing - afxdp_lost_sum (other->lost);
  }
  dropped.shared = others > 0;
  dropped.n -= MIN (dropped.n, others);
  dropped.within -= MIN (dropped.within, others);
  return dropped;
}

/* Of the lengths up to most, the one nearest to n. */
static guint64
nearest_length (const AfxdpRtpGap *gap, guint64 n, guint64 most)
{
  guint64 length = gap->missing % AFXDP_RTP_CYCLE;

  if (n + AFXDP_RTP_CYCLE / 2 >= length)
    length +=
        (n + AFXDP_RTP_CYCLE / 2 - length) / AFXDP_RTP_CYCLE * AFXDP_RTP_CYCLE;
  while (length > most && length >= AFXDP_RTP_CYCLE)
    length -= AFXDP_RTP_CYCLE;
  return length;
}

/* The length that n drops explain, or G_MAXUINT64: but for few packets that are not
 * RTP, or that the network lost, a part of the drops. */
static guint64
length_of (
    const AfxdpRtpGap *gap, guint64 n, guint64 most, guint few, guint part)
{
  guint64 length = nearest_length (gap, n, most);

  return n >= AFXDP_FIT_FEW && afxdp_fit_distance (length, n) <= few + n / part
      ? length
      : G_MAXUINT64;
}

/* What others leave need not be this gap's, and then time has a say. */
static guint64
most_missing (const AfxdpRtpGap *gap, const AfxdpDropped *dropped)
{
  return dropped->shared && gap->possible ? gap->possible : G_MAXUINT64;
}

guint64
afxdp_dropped_explain_length (
    const AfxdpRtpGap *gap, const AfxdpDropped *dropped, guint part)
{
  guint64 most = most_missing (gap, dropped);
  guint64 found = length_of (gap, dropped->n, most, AFXDP_FIT_FEW, part);

  for (guint i = 0; i < dropped->n_records && found != gap->missing; i++) {
    guint64 n = 0;

    for (guint j = i; j < dropped->n_records; j++) {
      guint64 length;

      n += dropped->records[j];
      length = length_of (gap, n, G_MAXUINT64, 1, 4096);
      if (length == gap->missing)
        return length;
      if (found == G_MAXUINT64)
        found = length;
    }
  }
  return found;
}

guint64
afxdp_dropped_length_between (
    const AfxdpRtpGap *gap, const AfxdpDropped *dropped)
{
  guint64 least = dropped->within, most = most_missing (gap, dropped);
  guint64 length = gap->missing % AFXDP_RTP_CYCLE;

  /* What may all belong to others says nothing. */
  if (dropped->n - least >= AFXDP_RTP_CYCLE || least < dropped->n / 2 ||
      least < AFXDP_FIT_FEW)
    return G_MAXUINT64;
  least -= AFXDP_FIT_FEW;
  if (length < least)
    length += (least - length + AFXDP_RTP_CYCLE - 1) / AFXDP_RTP_CYCLE *
        AFXDP_RTP_CYCLE;
  return length <= MIN (dropped->n + AFXDP_FIT_FEW, most) ? length
                                                          : G_MAXUINT64;
}

/* What was dropped within a gap is missing from it, whatever time says: as many, and
 * those more that the numbers ask for, if these are few, or time allows them. */
static guint64
longer_by_drops (const AfxdpRtpGap *gap, const AfxdpDropped *dropped)
{
  guint64 n = dropped->within, length = gap->missing;
  gboolean timed = dropped->shared && gap->possible;
  guint64 most = timed ? MIN (n, gap->possible) : n;

  if (most > length)
    length += (most - length) / AFXDP_RTP_CYCLE * AFXDP_RTP_CYCLE;
  if (length < n &&
      (length + AFXDP_RTP_CYCLE <= gap->possible ||
          (!timed && length + AFXDP_RTP_CYCLE - n <= n / SMALL)))
    length += AFXDP_RTP_CYCLE;
  return length;
}

/* Fewer were dropped than time asks for. The network may have lost the rest, unless that
 * is more than a turn of the numbers: then time was wrong (a sender that is late sends
 * faster afterwards), and the length that drops nearly explain is as good. */
static guint64
shorter_by_drops (const AfxdpRtpGap *gap, const AfxdpDropped *dropped)
{
  guint64 turns = (gap->missing - dropped->n) / AFXDP_RTP_CYCLE;
  guint64 length =
      length_of (gap, dropped->n, G_MAXUINT64, AFXDP_FIT_FEW, SMALL);

  if (turns && length != G_MAXUINT64)
    return length;
  return gap->missing - turns * AFXDP_RTP_CYCLE;
}

/* Whether the length by the pace lies between what was dropped within the gap and all
 * of its time. */
static gboolean
is_likely (const AfxdpRtpGap *gap, const AfxdpDropped *dropped)
{
  return gap->missing + AFXDP_FIT_FEW >= dropped->within &&
      gap->missing <= dropped->n + AFXDP_FIT_FEW;
}

guint64
afxdp_dropped_decide_length (
    const AfxdpRtpGap *gap, const AfxdpDropped *dropped)
{
  guint64 length = afxdp_dropped_explain_length (gap, dropped, 4096);

  /* A sum that is not so near to another length may be that by chance: one of 130 is. */
  if (length == G_MAXUINT64 && is_likely (gap, dropped))
    return gap->missing;
  if (length == G_MAXUINT64)
    length = afxdp_dropped_explain_length (gap, dropped, 1024);
  if (length != G_MAXUINT64)
    return length;
  length = gap->missing;
  if (!length || dropped->n < length / 2)
    return length;
  if (dropped->n < length)
    return shorter_by_drops (gap, dropped);
  return longer_by_drops (gap, dropped);
}
