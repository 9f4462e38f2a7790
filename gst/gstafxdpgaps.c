/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What becomes of gaps. */
#include "gstafxdpgaps.h"

#include "clock.h"

#define MS G_GUINT64_CONSTANT (1000000)

/* Judging asks the kernel, and so is not done more often than this. */
#define JUDGE_INTERVAL (10 * MS)
/* At the end nobody waits longer for the counters. */
#define LONGEST_END (500 * MS)

void
gst_afxdp_gaps_init (
    GstAfxdpGaps *gaps, GstElement *element, GstAfxdpReport *report)
{
  gaps->element = element;
  gaps->report = report;
  gaps->verdicts = g_array_new (FALSE, FALSE, sizeof (AfxdpVerdict));
}

void
gst_afxdp_gaps_clear (GstAfxdpGaps *gaps)
{
  gst_afxdp_outbox_empty (&gaps->outbox);
  g_array_unref (gaps->verdicts);
}

void
gst_afxdp_gaps_reset (GstAfxdpGaps *gaps)
{
  gaps->judge_at = gaps->known = gaps->posted_at = gaps->suppressed = 0;
  gst_afxdp_outbox_empty (&gaps->outbox);
}

/* n packets of gap were lost at column, the first of them being number first: of
 * which they are nobody knows, when several columns share a gap. */
static GstStructure *
describe (const GstAfxdpGaps *gaps, const AfxdpRtpGap *gap, AfxdpColumn column,
    guint64 first, guint64 n, const GstAfxdpTiming *timing)
{
  gint64 time = (gint64) gap->shown + timing->offset;

  return gst_structure_new ("GstAfxdpSrcGap", "ssrc", G_TYPE_UINT, gap->ssrc,
      "payload-type", G_TYPE_UINT, gap->payload_type, "first-missing",
      G_TYPE_UINT, (guint) first, "missing", G_TYPE_UINT64, n, "running-time",
      G_TYPE_UINT64,
      timing->enabled ? (GstClockTime) MAX (time, 0) : GST_CLOCK_TIME_NONE,
      "where", G_TYPE_STRING, afxdp_column_where (column), "previous-size",
      G_TYPE_UINT, gap->previous_size, "next-size", G_TYPE_UINT, gap->next_size,
      "previous-marker", G_TYPE_BOOLEAN, gap->previous_marker, "suppressed",
      G_TYPE_UINT64, gaps->suppressed, NULL);
}

/* One message for each column. */
static void
post (GstAfxdpGaps *gaps, const AfxdpVerdict *verdict,
    const GstAfxdpTiming *timing)
{
  guint64 first = verdict->gap.first;

  /* Of some that are told as one, all others. */
  gaps->suppressed += verdict->n_gaps - 1;
  for (guint i = AFXDP_FIRST_LOSS; i < AFXDP_N_COLUMNS; i++) {
    guint64 n = verdict->lost[i];

    if (!n)
      continue;
    if (!gst_afxdp_outbox_has_room (&gaps->outbox)) {
      gaps->suppressed++;
      return;
    }
    gst_afxdp_outbox_post (&gaps->outbox, gaps->element,
        describe (gaps, &verdict->gap, i, first, n, timing));
    gaps->suppressed = 0;
    first += n;
  }
}

static void
post_all (GstAfxdpGaps *gaps, const GstAfxdpTiming *timing, guint64 interval,
    guint64 now)
{
  for (guint i = 0; i < gaps->verdicts->len; i++) {
    const AfxdpVerdict *verdict =
        &g_array_index (gaps->verdicts, AfxdpVerdict, i);

    if (!verdict->gap.missing)
      continue; /* all of it came while it waited */
    if ((gaps->posted_at && now - gaps->posted_at < interval) ||
        !gst_afxdp_outbox_has_room (&gaps->outbox)) {
      gaps->suppressed += verdict->n_gaps;
      continue;
    }
    post (gaps, verdict, timing);
    gaps->posted_at = now;
  }
  g_array_set_size (gaps->verdicts, 0);
}

static void
take_drops (GstAfxdpGaps *gaps, AfxdpDrops *drops)
{
  if (G_UNLIKELY (gaps->also && drops->n)) {
    AfxdpDrops copy = *drops;

    gst_afxdp_report_take_drops (gaps->also, &copy);
  }
  if (G_UNLIKELY (gaps->sum && drops->n))
    gst_afxdp_report_count_drops (gaps->sum, drops);
  gst_afxdp_report_take_drops (gaps->report, drops);
}

/* Asks the stream. */
static void
look (GstAfxdpGaps *gaps, AfxdpStream *stream, guint64 wanted)
{
  /* A stamp of the future is of another clock. */
  gaps->known =
      afxdp_stream_look_for_drops (stream, MIN (wanted, afxdp_now ()));
  take_drops (gaps, afxdp_stream_drops (stream));
}

/* Returns whether some still wait. */
static gboolean
judge (GstAfxdpGaps *gaps, const GstAfxdpTiming *timing, guint64 interval,
    guint64 now)
{
  gboolean waiting = FALSE;

  /* Of what is told also nothing is posted. */
  if (gaps->also) {
    waiting = gst_afxdp_report_judge (
        gaps->also, gaps->known, now, timing, gaps->verdicts);
    g_array_set_size (gaps->verdicts, 0);
  }
  waiting |= gst_afxdp_report_judge (
      gaps->report, gaps->known, now, timing, gaps->verdicts);
  if (!gaps->element)
    g_array_set_size (gaps->verdicts, 0);
  post_all (gaps, timing, interval, now);
  return waiting;
}

guint64
gst_afxdp_gaps_follow (GstAfxdpGaps *gaps, AfxdpStream *stream,
    const GstAfxdpTiming *timing, guint64 interval, guint64 now)
{
  guint64 wanted, also_wanted = 0, also_due = 0;
  guint64 due = gst_afxdp_report_advance (gaps->report, now, &wanted);

  if (G_UNLIKELY (gaps->also != NULL)) {
    also_due = gst_afxdp_report_advance (gaps->also, now, &also_wanted);
    wanted = MAX (wanted, also_wanted);
    due = due && also_due ? MIN (due, also_due) : MAX (due, also_due);
  }
  take_drops (gaps, afxdp_stream_drops (stream));
  if (G_LIKELY (!wanted))
    return due;
  if (now >= gaps->judge_at) {
    gaps->judge_at = now + JUDGE_INTERVAL;
    look (gaps, stream, wanted);
    if (!judge (gaps, timing, interval, now))
      return due;
  }
  return due ? MIN (due, gaps->judge_at) : gaps->judge_at;
}

void
gst_afxdp_gaps_end (GstAfxdpGaps *gaps, AfxdpStream *stream,
    const GstAfxdpTiming *timing, guint64 interval)
{
  guint64 until = afxdp_now () + LONGEST_END;
  guint64 now, wanted;

  gst_afxdp_report_advance (gaps->report, G_MAXUINT64, &wanted);
  do {
    look (gaps, stream, wanted);
    now = afxdp_now ();
    if (!judge (gaps, timing, interval, now))
      return;
    g_usleep (G_TIME_SPAN_MILLISECOND);
  } while (now < until);
  /* Nobody will ask again. */
  judge (gaps, timing, interval, G_MAXUINT64);
}

void
gst_afxdp_gaps_close (
    GstAfxdpGaps *gaps, AfxdpDrops *drops, const GstAfxdpTiming *timing)
{
  guint64 wanted;

  take_drops (gaps, drops);
  gst_afxdp_report_advance (gaps->report, G_MAXUINT64, &wanted);
  gst_afxdp_report_judge (
      gaps->report, gaps->known, G_MAXUINT64, timing, gaps->verdicts);
  g_array_set_size (gaps->verdicts, 0);
  gst_afxdp_report_end (gaps->report);
}
