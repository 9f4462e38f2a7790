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
/* A gap of the stream is judged when the window for its packets is over. By then each
 * leg has shown its own gap, unless it is silent, or behind by more than the window;
 * that gap is final AFXDP_RTP_FINAL_TIME later, and judged at the next look, which on a
 * busy machine comes when it can. */
#define LONGEST_FOR_LEGS (4 * AFXDP_RTP_FINAL_TIME)

/* With two legs: a verdict that is not posted yet. */
typedef struct
{
  AfxdpVerdict verdict;
  guint64 since;
} Waiting;

void
gst_afxdp_gaps_init (
    GstAfxdpGaps *gaps, GstElement *element, GstAfxdpReport *report)
{
  gaps->element = element;
  gaps->report = report;
  gaps->verdicts = g_array_new (FALSE, FALSE, sizeof (AfxdpVerdict));
  gaps->waiting = g_array_new (FALSE, FALSE, sizeof (Waiting));
}

void
gst_afxdp_gaps_clear (GstAfxdpGaps *gaps)
{
  gst_afxdp_outbox_empty (&gaps->outbox);
  g_array_unref (gaps->verdicts);
  g_array_unref (gaps->waiting);
}

void
gst_afxdp_gaps_reset (GstAfxdpGaps *gaps)
{
  gaps->judge_at = gaps->known = gaps->posted_at = gaps->suppressed = 0;
  g_array_set_size (gaps->waiting, 0);
  gst_afxdp_outbox_empty (&gaps->outbox);
}

/* Where the packets of gap were lost on each leg. */
static void
add_legs (
    const GstAfxdpGaps *gaps, const AfxdpRtpGap *gap, GstStructure *structure)
{
  GValue array = G_VALUE_INIT;

  g_value_init (&array, GST_TYPE_ARRAY);
  for (guint i = 0; i < GST_AFXDP_LEGS; i++) {
    GValue value = G_VALUE_INIT;
    AfxdpColumn column = AFXDP_COLUMN_UNKNOWN;

    afxdp_places_find (gaps->legs[i], gap, &column);
    g_value_init (&value, G_TYPE_STRING);
    g_value_set_static_string (&value, afxdp_column_where (column));
    gst_value_array_append_and_take_value (&array, &value);
  }
  gst_structure_take_value (structure, "legs", &array);
}

/* n packets of gap were lost at column, the first of them being number first: of
 * which they are nobody knows, when several columns share a gap. */
static GstStructure *
describe (const GstAfxdpGaps *gaps, const AfxdpRtpGap *gap, AfxdpColumn column,
    guint64 first, guint64 n, const GstAfxdpTiming *timing)
{
  gint64 time = (gint64) gap->shown + timing->offset;
  GstStructure *structure = gst_structure_new ("GstAfxdpSrcGap", "ssrc",
      G_TYPE_UINT, gap->ssrc, "payload-type", G_TYPE_UINT, gap->payload_type,
      "first-missing", G_TYPE_UINT, (guint) first, "missing", G_TYPE_UINT64, n,
      "running-time", G_TYPE_UINT64,
      timing->enabled ? (GstClockTime) MAX (time, 0) : GST_CLOCK_TIME_NONE,
      "where", G_TYPE_STRING, afxdp_column_where (column), "previous-size",
      G_TYPE_UINT, gap->previous_size, "next-size", G_TYPE_UINT, gap->next_size,
      "previous-marker", G_TYPE_BOOLEAN, gap->previous_marker, "suppressed",
      G_TYPE_UINT64, gaps->suppressed, NULL);

  if (gaps->legs[1])
    add_legs (gaps, gap, structure);
  return structure;
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

/* Whether all is known that a message tells of it. */
static gboolean
is_told_by_legs (const GstAfxdpGaps *gaps, const AfxdpRtpGap *gap)
{
  AfxdpColumn column;

  for (guint i = 0; i < GST_AFXDP_LEGS && gaps->legs[1]; i++)
    if (!afxdp_places_find (gaps->legs[i], gap, &column))
      return FALSE;
  return TRUE;
}

/* In their order. now: as for judge(). */
static void
post_waiting (GstAfxdpGaps *gaps, const GstAfxdpTiming *timing, guint64 now)
{
  guint n = 0;

  for (; n < gaps->waiting->len; n++) {
    const Waiting *waiting = &g_array_index (gaps->waiting, Waiting, n);

    if (now != G_MAXUINT64 && now - waiting->since < LONGEST_FOR_LEGS &&
        !is_told_by_legs (gaps, &waiting->verdict.gap))
      break;
    post (gaps, &waiting->verdict, timing);
  }
  g_array_remove_range (gaps->waiting, 0, n);
}

/* Another message may be posted, of the outbox those that wait will have. */
static gboolean
may_post (GstAfxdpGaps *gaps, guint64 interval, guint64 now)
{
  return (!gaps->posted_at || now - gaps->posted_at >= interval) &&
      gaps->waiting->len < GST_AFXDP_OUTBOX_UNREAD &&
      gst_afxdp_outbox_has_room (&gaps->outbox);
}

static void
post_all (GstAfxdpGaps *gaps, const GstAfxdpTiming *timing, guint64 interval,
    guint64 now)
{
  for (guint i = 0; i < gaps->verdicts->len; i++) {
    Waiting waiting = { g_array_index (gaps->verdicts, AfxdpVerdict, i), now };

    if (!waiting.verdict.gap.missing)
      continue; /* all of it came while it waited */
    if (!may_post (gaps, interval, now)) {
      gaps->suppressed += waiting.verdict.n_gaps;
      continue;
    }
    gaps->posted_at = now;
    if (gaps->also)
      g_array_append_val (gaps->waiting, waiting);
    else
      post (gaps, &waiting.verdict, timing);
  }
  g_array_set_size (gaps->verdicts, 0);
}

/* Of two moments; 0: never. */
static guint64
earlier (guint64 one, guint64 other)
{
  return one && other ? MIN (one, other) : MAX (one, other);
}

static void
take_drops (GstAfxdpGaps *gaps, AfxdpDrops *drops)
{
  if (G_UNLIKELY (gaps->owner)) {
    take_drops (gaps->owner, drops);
    return;
  }
  if (G_UNLIKELY (gaps->also && drops->n)) {
    AfxdpDrops copy = *drops;

    gst_afxdp_report_take_drops (gaps->also, &copy);
  }
  if (G_UNLIKELY (gaps->sharer && drops->n)) {
    AfxdpDrops copy = *drops;

    gst_afxdp_report_take_drops (gaps->sharer, &copy);
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

/* Makes old gaps final. Returns when the next one is due, or 0. */
static guint64
advance (GstAfxdpGaps *gaps, guint64 now, guint64 *wanted)
{
  guint64 due = gst_afxdp_report_advance (gaps->report, now, wanted);
  guint64 also_wanted, also_due;

  if (G_LIKELY (!gaps->also))
    return due;
  also_due = gst_afxdp_report_advance (gaps->also, now, &also_wanted);
  *wanted = MAX (*wanted, also_wanted);
  return earlier (due, also_due);
}

/* Verdicts of which nothing is posted. */
static void
note_places (GstAfxdpGaps *gaps)
{
  for (guint i = 0; gaps->places && i < gaps->verdicts->len; i++)
    afxdp_places_add (
        gaps->places, &g_array_index (gaps->verdicts, AfxdpVerdict, i));
  g_array_set_size (gaps->verdicts, 0);
}

/* now: G_MAXUINT64 when nobody will ask again. Returns whether some still wait. */
static gboolean
judge (GstAfxdpGaps *gaps, const GstAfxdpTiming *timing, guint64 interval,
    guint64 now)
{
  gboolean waiting = FALSE;

  if (gaps->also) {
    waiting = gst_afxdp_report_judge (
        gaps->also, gaps->known, now, timing, gaps->verdicts);
    note_places (gaps);
  }
  waiting |= gst_afxdp_report_judge (
      gaps->report, gaps->known, now, timing, gaps->verdicts);
  if (!gaps->element)
    note_places (gaps);
  post_all (gaps, timing, interval, now);
  return waiting;
}

static guint64
follow_gaps (GstAfxdpGaps *gaps, AfxdpStream *stream,
    const GstAfxdpTiming *timing, guint64 interval, guint64 now)
{
  guint64 wanted;
  guint64 due = advance (gaps, now, &wanted);

  take_drops (gaps, afxdp_stream_drops (stream));
  if (G_LIKELY (!wanted))
    return due;
  if (now >= gaps->judge_at) {
    gaps->judge_at = now + JUDGE_INTERVAL;
    look (gaps, stream, wanted);
    if (!judge (gaps, timing, interval, now))
      return due;
  }
  return earlier (due, gaps->judge_at);
}

guint64
gst_afxdp_gaps_follow (GstAfxdpGaps *gaps, AfxdpStream *stream,
    const GstAfxdpTiming *timing, guint64 interval, guint64 now)
{
  guint64 due = follow_gaps (gaps, stream, timing, interval, now);

  if (G_LIKELY (!gaps->waiting->len))
    return due;
  post_waiting (gaps, timing, now);
  if (!gaps->waiting->len)
    return due;
  return earlier (
      due, g_array_index (gaps->waiting, Waiting, 0).since + LONGEST_FOR_LEGS);
}

/* Until all is judged, or for LONGEST_END. */
static void
judge_at_end (GstAfxdpGaps *gaps, AfxdpStream *stream,
    const GstAfxdpTiming *timing, guint64 interval)
{
  guint64 until = afxdp_now () + LONGEST_END;
  guint64 now, wanted;

  advance (gaps, G_MAXUINT64, &wanted);
  do {
    look (gaps, stream, wanted);
    now = afxdp_now ();
    if (!judge (gaps, timing, interval, now))
      return;
    g_usleep (G_TIME_SPAN_MILLISECOND);
  } while (now < until);
  judge (gaps, timing, interval, G_MAXUINT64);
}

void
gst_afxdp_gaps_end (GstAfxdpGaps *gaps, AfxdpStream *stream,
    const GstAfxdpTiming *timing, guint64 interval)
{
  judge_at_end (gaps, stream, timing, interval);
  post_waiting (gaps, timing, G_MAXUINT64);
}

/* All that report has is final. */
static void
settle (
    GstAfxdpGaps *gaps, GstAfxdpReport *report, const GstAfxdpTiming *timing)
{
  gst_afxdp_report_judge (
      report, gaps->known, G_MAXUINT64, timing, gaps->verdicts);
  g_array_set_size (gaps->verdicts, 0);
  gst_afxdp_report_end (report);
}

void
gst_afxdp_gaps_close (
    GstAfxdpGaps *gaps, AfxdpDrops *drops, const GstAfxdpTiming *timing)
{
  guint64 wanted;

  take_drops (gaps, drops);
  advance (gaps, G_MAXUINT64, &wanted);
  settle (gaps, gaps->report, timing);
  if (gaps->also)
    settle (gaps, gaps->also, timing);
}
