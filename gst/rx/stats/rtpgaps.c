/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which numbers of an SSRC are missing, since when, and what is found out later. */
#include "rtpsource.h"

#include <string.h>

#include "log.h"

G_STATIC_ASSERT (AFXDP_RTP_PENDING > AFXDP_RTP_FINAL_PACKETS);
G_STATIC_ASSERT (AFXDP_RTP_WINDOW > AFXDP_PACE_MAX_DROPOUT);
G_STATIC_ASSERT (AFXDP_RTP_CYCLE % AFXDP_RTP_WINDOW == 0);

static void
window_remove (AfxdpRtpRun *run, guint64 first, guint64 n)
{
  if (n >= AFXDP_RTP_WINDOW)
    memset (run->window, 0, sizeof run->window);
  for (n = n < AFXDP_RTP_WINDOW ? n : 0; n;) {
    guint bit = first % AFXDP_RTP_WORD_BITS;
    guint bits = MIN (n, AFXDP_RTP_WORD_BITS - bit);
    guint64 mask = G_MAXUINT64 >> (AFXDP_RTP_WORD_BITS - bits) << bit;

    *afxdp_rtp_window_word (run, first) &= ~mask;
    first += bits;
    n -= bits;
  }
}

static inline AfxdpRtpGap *
nth_gap (const AfxdpRtpRun *run, guint n)
{
  return (AfxdpRtpGap *) &run->gaps[(run->first_gap + n) % AFXDP_RTP_PENDING];
}

/* As others are told it. */
static AfxdpRtpGap
describe_gap (const AfxdpRtpRun *run, const AfxdpRtpGap *gap)
{
  AfxdpRtpGap told = *gap;

  told.ssrc = run->ssrc;
  told.payload_type = run->payload_type;
  told.first -= AFXDP_RTP_FIRST_CYCLE;
  told.end -= AFXDP_RTP_FIRST_CYCLE;
  return told;
}

/* A gap's packets are missing for good. */
static void
count_gap (AfxdpRtpStats *stats, AfxdpRtpRun *run, const AfxdpRtpGap *gap)
{
  AfxdpRtpGap *final =
      &run->latest_gaps[run->n_final++ % AFXDP_RTP_LATEST_GAPS];

  run->counts.gaps++;
  run->counts.lost += gap->missing;
  run->max_gap = MAX (run->max_gap, gap->missing);
  *final = describe_gap (run, gap);
  if (stats->funcs)
    stats->funcs->gap (final, stats->user_data);
}

void
afxdp_rtp_settle_gaps (AfxdpRtpStats *stats, AfxdpRtpRun *run, guint64 now)
{
  while (run->n_gaps) {
    AfxdpRtpGap *gap = nth_gap (run, 0);

    if (gap->missing) {
      if (run->advances - run->gap_advances[run->first_gap] <
              AFXDP_RTP_FINAL_PACKETS &&
          now < gap->shown + AFXDP_RTP_FINAL_TIME)
        return;
      run->counts.pending -= gap->missing;
      count_gap (stats, run, gap);
    }
    run->first_gap = (run->first_gap + 1) % AFXDP_RTP_PENDING;
    run->n_gaps--;
    stats->n_gaps--;
  }
}

guint64
afxdp_rtp_first_pending (const AfxdpRtpRun *run)
{
  return nth_gap (run, 0)->first;
}

guint64
afxdp_rtp_gaps_due (const AfxdpRtpRun *run)
{
  return nth_gap (run, 0)->shown + AFXDP_RTP_FINAL_TIME;
}

/* Marks a packet as arrived that fell into a gap. */
static void
take_from_gap (AfxdpRtpRun *run, AfxdpRtpGap *gap, guint64 number)
{
  afxdp_rtp_window_add (run, number);
  gap->missing--;
  if (number == gap->first && gap->missing)
    while (afxdp_rtp_window_has (run, gap->first))
      gap->first++;
}

/* The gaps lie in the order of their numbers: the last one that begins no
 * later than number holds it. */
static AfxdpRtpGap *
find_gap (AfxdpRtpRun *run, guint64 number)
{
  guint low = 0, high = run->n_gaps;

  while (high - low > 1) {
    guint middle = (low + high) / 2;

    if (nth_gap (run, middle)->first <= number)
      low = middle;
    else
      high = middle;
  }
  return nth_gap (run, low);
}

void
afxdp_rtp_fill_gap (AfxdpRtpRun *run, guint64 number)
{
  take_from_gap (run, find_gap (run, number), number);
  run->counts.pending--;
}

/* Looks among the strays for packets that were only early: the reader of two
 * sockets can see one of the slow path thousands ahead of the fast one's. */
static void
take_early (AfxdpRtpRun *run, AfxdpRtpGap *gap, guint64 end, guint64 now)
{
  const guint64 first = gap->first;

  for (guint i = 0; i < AFXDP_RTP_EARLY; i++) {
    AfxdpRtpEarly *early = &run->early[i];
    guint64 number = first + (guint16) (early->seqnum - first);

    if (now >= early->until || number >= end ||
        end - number >= AFXDP_RTP_WINDOW)
      continue;
    early->until = 0;
    run->counts.strays--;
    if (afxdp_rtp_window_has (run, number)) {
      run->counts.duplicates++;
    } else {
      run->counts.reordered++;
      take_from_gap (run, gap, number);
    }
  }
}

static void
remember_uncertain_gap (AfxdpRtpRun *run, guint64 end, guint64 n)
{
  run->uncertain_gaps[run->n_uncertain_gaps++ % AFXDP_RTP_UNCERTAIN_GAPS] =
      (AfxdpRtpUncertainGap){ end, n / AFXDP_RTP_CYCLE, n > 0 };
}

AfxdpRtpGap
afxdp_rtp_gap_until (const AfxdpRtpRun *run, guint64 end, guint size,
    guint64 shown, const AfxdpOutage *outage)
{
  AfxdpRtpGap gap = {
    .first = run->highest + 1,
    .end = end,
    .missing = end - run->highest - 1,
    .before = run->last_advance,
    .shown = shown,
    .previous_size = run->size,
    .next_size = size,
    .previous_marker = run->marker,
  };

  if (outage) {
    gap.uncertain = outage->uncertain;
    gap.possible = outage->possible;
  }
  return gap;
}

void
afxdp_rtp_open_gap (AfxdpRtpStats *stats, AfxdpRtpRun *run, guint64 end,
    guint size, guint64 shown, const AfxdpOutage *outage)
{
  AfxdpRtpGap gap = afxdp_rtp_gap_until (run, end, size, shown, outage);

  if (gap.uncertain)
    remember_uncertain_gap (run, end, gap.missing);
  window_remove (run, gap.first, gap.missing);
  if (shown < run->early_until)
    take_early (run, &gap, end, shown);
  g_assert (run->n_gaps < AFXDP_RTP_PENDING);
  run->gap_advances[(run->first_gap + run->n_gaps) % AFXDP_RTP_PENDING] =
      run->advances;
  *nth_gap (run, run->n_gaps++) = gap;
  stats->n_gaps++;
  run->counts.pending += gap.missing;
}

void
afxdp_rtp_open_pause (AfxdpRtpStats *stats, AfxdpRtpRun *run, guint size,
    guint64 shown, const AfxdpOutage *outage)
{
  AfxdpRtpGap gap =
      afxdp_rtp_gap_until (run, run->highest + 1, size, shown, outage);
  AfxdpRtpGap told;

  if (!stats->funcs)
    return;
  remember_uncertain_gap (run, gap.end, 0);
  told = describe_gap (run, &gap);
  stats->funcs->gap (&told, stats->user_data);
}

/* What is found out later. */

/* The numbers of this run from end on are higher by shift. The window does not
 * mind: a cycle is a multiple of it. */
static void
move_numbers (AfxdpRtpRun *run, guint64 end, guint64 shift)
{
  run->highest += shift;
  afxdp_pace_move (&run->pace, end, shift);
  for (guint i = 0; i < run->n_gaps; i++) {
    AfxdpRtpGap *gap = nth_gap (run, i);

    if (gap->end >= end) {
      gap->first += gap->end > end ? shift : 0;
      gap->end += shift;
    }
  }
  for (guint i = 0; i < AFXDP_RTP_UNCERTAIN_GAPS; i++)
    if (run->uncertain_gaps[i].end >= end)
      run->uncertain_gaps[i].end += shift;
  for (guint64 i = run->n_final;
       i-- > run->n_former && run->n_final - i <= AFXDP_RTP_LATEST_GAPS;) {
    AfxdpRtpGap *gap = &run->latest_gaps[i % AFXDP_RTP_LATEST_GAPS];

    if (gap->end + AFXDP_RTP_FIRST_CYCLE < end)
      break;
    gap->first += gap->end + AFXDP_RTP_FIRST_CYCLE > end ? shift : 0;
    gap->end += shift;
  }
}

/* What the gap that ends at end is remembered by. */
static void
lengthen (AfxdpRtpRun *run, guint64 end, guint64 shift)
{
  for (guint i = 0; i < run->n_gaps; i++) {
    AfxdpRtpGap *gap = nth_gap (run, i);

    if (gap->end == end) {
      gap->missing += shift;
      run->counts.pending += shift;
      return;
    }
  }
  run->counts.lost += shift;
  for (guint i = 0; i < AFXDP_RTP_LATEST_GAPS; i++) {
    AfxdpRtpGap *gap = &run->latest_gaps[i];

    if (gap->uncertain && gap->end == end - AFXDP_RTP_FIRST_CYCLE) {
      gap->missing += shift;
      run->max_gap = MAX (run->max_gap, gap->missing);
    }
  }
}

static AfxdpRtpRun *
believed_source (AfxdpRtpStats *stats, guint32 ssrc)
{
  AfxdpRtpRun *run =
      g_hash_table_lookup (stats->sources, GUINT_TO_POINTER (ssrc));

  return run && run->believed ? run : NULL;
}

gboolean
afxdp_rtp_stats_correct (
    AfxdpRtpStats *stats, guint32 ssrc, guint64 end, gint64 cycles)
{
  AfxdpRtpRun *run = believed_source (stats, ssrc);
  guint64 shift = cycles * AFXDP_RTP_CYCLE;
  AfxdpRtpUncertainGap *gap = NULL;

  end += AFXDP_RTP_FIRST_CYCLE;
  for (guint i = 0; run && i < AFXDP_RTP_UNCERTAIN_GAPS; i++)
    if (run->uncertain_gaps[i].end == end)
      gap = &run->uncertain_gaps[i];
  if (!gap || gap->most_fewer + cycles < 0)
    return FALSE;
  AFXDP_DEBUG (AFXDP_LOG_STATS, NULL,
      "SSRC %08x: the gap up to number %" G_GUINT64_FORMAT
      " is longer by %" G_GINT64_FORMAT " packets, as drops say",
      ssrc, end - AFXDP_RTP_FIRST_CYCLE, (gint64) shift);
  gap->most_fewer += cycles;
  run->counts.gaps += !gap->counted && cycles;
  gap->counted |= cycles != 0;
  move_numbers (run, end, shift);
  lengthen (run, end + shift, shift);
  return TRUE;
}

gboolean
afxdp_rtp_stats_join (
    AfxdpRtpStats *stats, guint32 ssrc, guint64 shown, guint64 missing)
{
  AfxdpRtpRun *run = believed_source (stats, ssrc);
  const AfxdpRtpFormer *former = run ? &run->former : NULL;
  AfxdpRtpGap gap;

  if (!former || !former->known || former->gap.shown != shown ||
      (guint16) (former->gap.first + missing) != (guint16) former->first)
    return FALSE;
  AFXDP_DEBUG (AFXDP_LOG_STATS, NULL,
      "SSRC %08x: it did not begin anew, as drops say, but %" G_GUINT64_FORMAT
      " packets are missing",
      ssrc, missing);
  gap = former->gap;
  gap.end = gap.first + missing;
  gap.missing = missing;
  move_numbers (run, former->first, gap.end - former->first);
  run->base = former->base;
  run->counts.restarts--;
  run->former.known = FALSE;
  count_gap (stats, run, &gap);
  return TRUE;
}
