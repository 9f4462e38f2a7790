/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which RTP numbers of each SSRC came, which are missing, and since when.
 *
 * Numbers are extended to 64 bits and begin at 1 << 16, so that those before
 * the first one are positive too. The window has a bit for each of the last
 * WINDOW numbers: that it came. Each missing number from the first of the
 * oldest pending gap on belongs to a pending gap; one before is lost.
 */
#include "rtpstats.h"

#include <string.h>

#include "pace.h"

/* RFC 3550 A.1: what is not further behind is late, whatever its timestamp. */
#define MAX_MISORDER 100

/* Numbers whose coming is remembered: what the default RX ring holds, which is
 * what a packet of the slow door can be late by. A power of two below 32768. */
#define WINDOW 16384
#define WORD_BITS 64

/* Timestamps no further apart may be of one run: 12 minutes at 90 kHz. Those
 * of two runs, which begin anywhere, are that near in 1 of 32 cases. */
#define MAX_TIME_STEP (1 << 26)

/* One packet opens a gap, and AFXDP_RTP_FINAL_PACKETS make it final, hence
 * there are never more. A power of two. */
#define GAPS 128

/* Strays that may turn out to have been early. */
#define EARLY 64

#define MS G_GUINT64_CONSTANT (1000000)

/* Half of the 16 bits of number take longer, at any rate. */
#define SHORTEST_OUTAGE (5 * MS)

#define FIRST_CYCLE ((guint64) 1 << 16)
#define NS_PER_SECOND G_GUINT64_CONSTANT (1000000000)

G_STATIC_ASSERT (GAPS > AFXDP_RTP_FINAL_PACKETS);
G_STATIC_ASSERT (WINDOW > AFXDP_PACE_MAX_DROPOUT);
G_STATIC_ASSERT (sizeof (AfxdpRtpCounts) % sizeof (guint64) == 0);

typedef struct
{
  guint64 first;    /* the first number that is still missing */
  guint64 end;      /* of the packet that skipped them */
  guint64 missing;  /* numbers, of which the window knows which */
  guint64 before;   /* arrival of the packet in front of them, */
  guint64 shown;    /* and of the one that skipped them */
  guint64 advances; /* of the source, before that packet */
  guint previous_size, next_size;
  gboolean previous_marker;
} Gap;

/* A number that nobody believes yet, and what speaks for it. */
typedef struct
{
  gboolean waiting; /* for the next number */
  guint16 seqnum;
  guint32 timestamp;
  guint64 arrival;
  guint size;
  gboolean marker;
} Candidate;

typedef struct
{
  guint16 seqnum;
  guint64 until; /* arrival at which it is forgotten */
} EarlyPacket;

typedef struct
{
  /* Hot: the path of a packet in order. */
  guint32 ssrc;
  gboolean believed;
  guint64 highest;      /* extended number */
  guint64 advances;     /* packets with a number higher than all before */
  guint64 last_advance; /* arrival of the latest of them, */
  guint32 timestamp;    /* its timestamp, */
  guint size;           /* bytes */
  gboolean marker;
  guint n_gaps;
  guint64 last_arrival;
  AfxdpPace pace;
  guint clock_rate;
  guint8 payload_type;
  gboolean transit_known;
  guint32 transit; /* RFC 3550 A.8 */
  guint64 jitter;  /* RFC 3550 A.8: times 16 */
  Candidate candidate;
  AfxdpRtpCounts counts;

  /* Cold. */
  guint64 base;        /* extended number, the first of the run */
  guint64 early_until; /* the last one of early is forgotten then */
  guint next_early;
  guint first_gap;
  guint64 max_gap;
  guint64 max_reorder;
  GList recent; /* link in stats->suspects, or in stats->recent if believed */
  GList listed; /* link in stats->listed, if believed */
  guint64 n_final;
  AfxdpRtpGap latest_gaps[AFXDP_RTP_LATEST_GAPS]; /* a ring, overwritten */

  EarlyPacket early[EARLY];           /* a ring, overwritten */
  Gap gaps[GAPS];                     /* a ring of n_gaps at first_gap */
  guint64 window[WINDOW / WORD_BITS]; /* a bit for each number, modulo */
} Source;

struct _AfxdpRtpStats
{
  Source *latest; /* the source of the latest packet, or NULL */
  guint n_gaps;   /* pending ones, of all sources */
  guint clock_rates[128];

  GHashTable *sources; /* owned, by SSRC */
  GQueue suspects;     /* not believed, the one silent for longest first */
  GQueue recent;       /* believed, likewise */
  GQueue listed;       /* believed, in the order in which they became that */
  AfxdpRtpCounts evicted;
  guint64 n_evicted;
  const AfxdpRtpFuncs *funcs; /* or NULL */
  gpointer user_data;
};

static inline guint64 *
window_word (Source *source, guint64 number)
{
  return &source->window[number % WINDOW / WORD_BITS];
}

static inline gboolean
window_has (Source *source, guint64 number)
{
  return *window_word (source, number) >> number % WORD_BITS & 1;
}

static inline void
window_add (Source *source, guint64 number)
{
  *window_word (source, number) |= G_GUINT64_CONSTANT (1) << number % WORD_BITS;
}

static void
window_remove (Source *source, guint64 first, guint64 n)
{
  if (n >= WINDOW)
    memset (source->window, 0, sizeof source->window);
  for (n = n < WINDOW ? n : 0; n;) {
    guint bit = first % WORD_BITS;
    guint bits = MIN (n, WORD_BITS - bit);
    guint64 mask = G_MAXUINT64 >> (WORD_BITS - bits) << bit;

    *window_word (source, first) &= ~mask;
    first += bits;
    n -= bits;
  }
}

static inline Gap *
nth_gap (Source *source, guint n)
{
  return &source->gaps[(source->first_gap + n) % GAPS];
}

static void
gap_is_final (AfxdpRtpStats *stats, Source *source, const Gap *gap)
{
  AfxdpRtpGap *final =
      &source->latest_gaps[source->n_final++ % AFXDP_RTP_LATEST_GAPS];

  source->counts.gaps++;
  source->counts.lost += gap->missing;
  source->counts.pending -= gap->missing;
  source->max_gap = MAX (source->max_gap, gap->missing);
  *final = (AfxdpRtpGap){
    .ssrc = source->ssrc,
    .payload_type = source->payload_type,
    .first = gap->first - FIRST_CYCLE,
    .end = gap->end - FIRST_CYCLE,
    .missing = gap->missing,
    .before = gap->before,
    .shown = gap->shown,
    .previous_size = gap->previous_size,
    .next_size = gap->next_size,
    .previous_marker = gap->previous_marker,
  };
  if (stats->funcs)
    stats->funcs->gap (final, stats->user_data);
}

/* Does away with the gaps that are filled or final at now, oldest first. */
static void
settle_gaps (AfxdpRtpStats *stats, Source *source, guint64 now)
{
  while (source->n_gaps) {
    Gap *gap = nth_gap (source, 0);

    if (gap->missing) {
      if (source->advances - gap->advances < AFXDP_RTP_FINAL_PACKETS &&
          now < gap->shown + AFXDP_RTP_FINAL_TIME)
        return;
      gap_is_final (stats, source, gap);
    }
    source->first_gap = (source->first_gap + 1) % GAPS;
    source->n_gaps--;
    stats->n_gaps--;
  }
}

/* Marks a packet as arrived that fell into a gap. */
static void
take_from_gap (Source *source, Gap *gap, guint64 number)
{
  window_add (source, number);
  gap->missing--;
  if (number == gap->first && gap->missing)
    while (window_has (source, gap->first))
      gap->first++;
}

/* Looks among the strays for packets that were only early: the reader of two
 * sockets can see one of the slow door thousands ahead of the fast one's. */
static void
take_early (Source *source, Gap *gap, guint64 end, guint64 now)
{
  const guint64 first = gap->first;

  for (guint i = 0; i < EARLY; i++) {
    EarlyPacket *early = &source->early[i];
    guint64 number = first + (guint16) (early->seqnum - first);

    if (now >= early->until || number >= end || end - number >= WINDOW)
      continue;
    early->until = 0;
    source->counts.strays--;
    if (window_has (source, number)) {
      source->counts.duplicates++;
    } else {
      source->counts.reordered++;
      take_from_gap (source, gap, number);
    }
  }
}

/* The numbers after the highest were skipped, up to end, which came with size
 * bytes. */
static void
open_gap (AfxdpRtpStats *stats, Source *source, guint64 end, guint size,
    guint64 shown)
{
  Gap gap = {
    .first = source->highest + 1,
    .end = end,
    .missing = end - source->highest - 1,
    .before = source->last_advance,
    .shown = shown,
    .advances = source->advances,
    .previous_size = source->size,
    .next_size = size,
    .previous_marker = source->marker,
  };

  window_remove (source, gap.first, gap.missing);
  if (shown < source->early_until)
    take_early (source, &gap, end, shown);
  g_assert (source->n_gaps < GAPS);
  *nth_gap (source, source->n_gaps++) = gap;
  stats->n_gaps++;
  source->counts.pending += gap.missing;
}

/* RFC 3550 A.8, in the order of arrival. */
static inline void
measure_jitter (Source *source, guint rate, guint32 timestamp, guint64 arrival)
{
  guint32 transit, difference;

  if (G_UNLIKELY (rate != source->clock_rate)) {
    source->clock_rate = rate;
    source->transit_known = FALSE;
    source->jitter = 0;
  }
  if (!rate)
    return;
  transit = arrival / NS_PER_SECOND * rate +
      arrival % NS_PER_SECOND * rate / NS_PER_SECOND - timestamp;
  if (G_LIKELY (source->transit_known)) {
    difference = transit - source->transit;
    if (difference > G_MAXINT32)
      difference = -difference;
    source->jitter += difference - ((source->jitter + 8) >> 4);
  }
  source->transit = transit;
  source->transit_known = TRUE;
}

static inline void
hear (const AfxdpRtpStats *stats, Source *source, const AfxdpRtp *rtp,
    guint64 arrival)
{
  guint8 payload_type = rtp->payload_type % G_N_ELEMENTS (stats->clock_rates);

  source->payload_type = payload_type;
  measure_jitter (
      source, stats->clock_rates[payload_type], rtp->timestamp, arrival);
}

static AfxdpPacePoint
latest (const Source *source)
{
  return (AfxdpPacePoint){ source->highest, source->last_advance,
    source->timestamp };
}

/* The pace is measured without a silence or a jump in it. */
static void
start_pace (Source *source)
{
  AfxdpPacePoint point = latest (source);

  afxdp_pace_start (&source->pace, &point);
}

static inline void
follow_pace (Source *source, guint64 arrival)
{
  AfxdpPacePoint point;

  if (G_LIKELY (!afxdp_pace_is_due (&source->pace, arrival)))
    return;
  point = latest (source);
  afxdp_pace_follow (&source->pace, &point);
}

/* A packet with the number ahead of the highest, 1 or more. */
static inline void
go_on (AfxdpRtpStats *stats, Source *source, const AfxdpRtp *rtp, guint64 ahead,
    guint64 arrival)
{
  guint64 number = source->highest + ahead;

  if (G_UNLIKELY (ahead > 1))
    open_gap (stats, source, number, rtp->size, arrival);
  window_add (source, number);
  source->highest = number;
  source->timestamp = rtp->timestamp;
  source->size = rtp->size;
  source->marker = rtp->marker;
  source->last_advance = arrival;
  source->advances++;
  source->candidate.waiting = FALSE;
  if (G_UNLIKELY (ahead >= AFXDP_PACE_MAX_DROPOUT))
    start_pace (source);
  hear (stats, source, rtp, arrival);
  if (G_UNLIKELY (source->n_gaps))
    settle_gaps (stats, source, arrival);
}

/* The gaps lie in the order of their numbers: the last one that begins no
 * later than number holds it. */
static Gap *
find_gap (Source *source, guint64 number)
{
  guint low = 0, high = source->n_gaps;

  while (high - low > 1) {
    guint middle = (low + high) / 2;

    if (nth_gap (source, middle)->first <= number)
      low = middle;
    else
      high = middle;
  }
  return nth_gap (source, low);
}

/* A packet whose number lies in the window, behind the highest. */
static void
come_late (AfxdpRtpStats *stats, Source *source, const AfxdpRtp *rtp,
    guint behind, guint64 arrival)
{
  guint64 number = source->highest - behind;

  settle_gaps (stats, source, arrival);
  if (window_has (source, number)) {
    source->counts.duplicates++;
    return;
  }
  source->counts.reordered++;
  source->max_reorder = MAX (source->max_reorder, behind);
  if (source->n_gaps && number >= nth_gap (source, 0)->first) {
    take_from_gap (source, find_gap (source, number), number);
    source->counts.pending--;
  } else {
    window_add (source, number);
    if (number >= source->base) {
      source->counts.lost--;
      if (stats->funcs)
        stats->funcs->came (
            source->ssrc, number - FIRST_CYCLE, stats->user_data);
    }
  }
  hear (stats, source, rtp, arrival);
}

/* Begins a run of numbers with a packet that is already counted. */
static void
start (Source *source, const Candidate *first)
{
  memset (source->window, 0, sizeof source->window);
  memset (source->early, 0, sizeof source->early);
  source->base = FIRST_CYCLE + first->seqnum;
  source->highest = source->base;
  source->timestamp = first->timestamp;
  source->size = first->size;
  source->marker = first->marker;
  source->last_advance = first->arrival;
  source->transit_known = FALSE;
  source->jitter = 0;
  source->early_until = 0;
  source->pace = (AfxdpPace){ 0 };
  start_pace (source);
  window_add (source, source->base);
}

/* Whether the candidate, which rtp follows, changes the numbers; and changes
 * them, up to the candidate. */
static gboolean
believe (AfxdpRtpStats *stats, Source *source, guint64 arrival)
{
  Candidate *candidate = &source->candidate;
  guint ahead = (guint16) (candidate->seqnum - source->highest);
  gint32 step = candidate->timestamp - source->timestamp;

  if (!source->believed) {
    source->believed = TRUE;
    source->counts.unvalidated--;
    g_queue_unlink (&stats->suspects, &source->recent);
    g_queue_push_tail_link (&stats->recent, &source->recent);
    g_queue_push_tail_link (&stats->listed, &source->listed);
    start (source, candidate);
    return TRUE;
  }

  if (ahead <= G_MAXINT16 && step >= 0 && step < MAX_TIME_STEP) {
    source->counts.strays--;
    open_gap (stats, source, source->highest + ahead, candidate->size,
        candidate->arrival);
    /* The latest early packet is the candidate, and no longer early. */
    source->early[(source->next_early - 1) % EARLY].until = 0;
    source->highest += ahead;
    source->timestamp = candidate->timestamp;
    source->last_advance = candidate->arrival;
    start_pace (source);
    source->advances++;
    window_add (source, source->highest);
    return TRUE;
  }

  /* Old in both, while the run goes on: that is no restart but packets later
   * than the window is long. Believed, they and the run would be taken for
   * restarts in turn. */
  if (ahead > G_MAXINT16 && step <= 0 && step > -MAX_TIME_STEP &&
      arrival < source->last_advance + AFXDP_RTP_FINAL_TIME)
    return FALSE;

  source->counts.strays--;
  source->counts.restarts++;
  settle_gaps (stats, source, G_MAXUINT64);
  start (source, candidate);
  return TRUE;
}

/* A packet with a number far off, or any of a source not yet believed. */
static void
suspect (
    AfxdpRtpStats *stats, Source *source, const AfxdpRtp *rtp, guint64 arrival)
{
  Candidate *candidate = &source->candidate;
  guint ahead = (guint16) (rtp->seqnum - source->highest);
  gint32 step = rtp->timestamp - source->timestamp;

  if (candidate->waiting) {
    if (rtp->seqnum == (guint16) (candidate->seqnum + 1) &&
        believe (stats, source, arrival)) {
      go_on (stats, source, rtp, 1, arrival);
      return;
    }
    if (source->believed && rtp->seqnum == candidate->seqnum) {
      source->counts.duplicates++;
      return;
    }
  }
  *candidate = (Candidate){ TRUE, rtp->seqnum, rtp->timestamp, arrival,
    rtp->size, rtp->marker };
  if (!source->believed) {
    source->counts.unvalidated++;
    return;
  }
  source->counts.strays++;
  if (ahead <= G_MAXINT16 && step >= 0 && step < MAX_TIME_STEP) {
    source->early_until = arrival + AFXDP_RTP_FINAL_TIME;
    source->early[source->next_early++ % EARLY] =
        (EarlyPacket){ rtp->seqnum, source->early_until };
  }
}

static void
add_counts (AfxdpRtpCounts *sum, const AfxdpRtpCounts *counts)
{
  guint64 *to = (guint64 *) sum;
  const guint64 *from = (const guint64 *) counts;

  for (guint i = 0; i < sizeof *sum / sizeof *to; i++)
    to[i] += from[i];
}

/* Returns an empty source: a new one, or that of the one evicted. */
static Source *
make_room (AfxdpRtpStats *stats)
{
  GList *oldest;
  Source *source;

  if (g_hash_table_size (stats->sources) < AFXDP_RTP_SOURCES)
    return g_new0 (Source, 1);
  oldest = stats->suspects.head ? stats->suspects.head : stats->recent.head;
  source = oldest->data;
  settle_gaps (stats, source, G_MAXUINT64);
  add_counts (&stats->evicted, &source->counts);
  if (source->believed) {
    stats->n_evicted++;
    g_queue_unlink (&stats->recent, &source->recent);
    g_queue_unlink (&stats->listed, &source->listed);
  } else {
    g_queue_unlink (&stats->suspects, &source->recent);
  }
  g_hash_table_steal (stats->sources, GUINT_TO_POINTER (source->ssrc));
  /* All but the large arrays: n_gaps is 0, and start clears the others. */
  memset (source, 0, G_STRUCT_OFFSET (Source, early));
  return source;
}

/* Returns the source of ssrc, and makes it the latest. */
static Source *
find_source (AfxdpRtpStats *stats, guint32 ssrc)
{
  Source *source =
      g_hash_table_lookup (stats->sources, GUINT_TO_POINTER (ssrc));
  GQueue *queue;

  if (!source) {
    source = make_room (stats);
    source->ssrc = ssrc;
    source->recent.data = source;
    source->listed.data = source;
    g_hash_table_insert (stats->sources, GUINT_TO_POINTER (ssrc), source);
    g_queue_push_tail_link (&stats->suspects, &source->recent);
  } else {
    queue = source->believed ? &stats->recent : &stats->suspects;
    g_queue_unlink (queue, &source->recent);
    g_queue_push_tail_link (queue, &source->recent);
  }
  stats->latest = source;
  return source;
}

/* After a silence, in which 16 bits of number may have wrapped: ahead is what they
 * say. */
static gboolean
go_on_after_outage (AfxdpRtpStats *stats, Source *source, const AfxdpRtp *rtp,
    guint ahead, guint64 arrival)
{
  AfxdpPacePoint point = latest (source);
  guint64 really =
      afxdp_pace_ahead (&source->pace, &point, ahead, rtp->timestamp, arrival);

  if (!really)
    return FALSE;
  go_on (stats, source, rtp, really, arrival);
  return TRUE;
}

void
afxdp_rtp_stats_packet (
    AfxdpRtpStats *stats, const AfxdpRtp *rtp, guint64 arrival)
{
  Source *source = stats->latest;
  guint ahead, behind;
  gint32 step;

  if (G_UNLIKELY (!source || source->ssrc != rtp->ssrc))
    source = find_source (stats, rtp->ssrc);
  source->last_arrival = arrival;
  source->counts.packets++;
  source->counts.octets += rtp->payload_size;
  if (G_UNLIKELY (!source->believed)) {
    suspect (stats, source, rtp, arrival);
    return;
  }

  ahead = (guint16) (rtp->seqnum - source->highest);
  behind = (guint16) -ahead;
  if (G_UNLIKELY (arrival > source->last_advance + SHORTEST_OUTAGE) &&
      go_on_after_outage (stats, source, rtp, ahead, arrival))
    return;
  if (G_LIKELY (ahead && ahead < AFXDP_PACE_MAX_DROPOUT)) {
    go_on (stats, source, rtp, ahead, arrival);
    follow_pace (source, arrival);
    return;
  }
  step = rtp->timestamp - source->timestamp;
  if (behind < MAX_MISORDER ||
      (behind < WINDOW && step > -MAX_TIME_STEP && step < MAX_TIME_STEP))
    come_late (stats, source, rtp, behind, arrival);
  else
    suspect (stats, source, rtp, arrival);
}

guint64
afxdp_rtp_stats_advance (AfxdpRtpStats *stats, guint64 now)
{
  guint64 next = G_MAXUINT64;

  if (!stats->n_gaps)
    return 0;
  for (GList *link = stats->listed.head; link; link = link->next) {
    Source *source = link->data;

    settle_gaps (stats, source, now);
    if (source->n_gaps)
      next = MIN (next, nth_gap (source, 0)->shown + AFXDP_RTP_FINAL_TIME);
  }
  return stats->n_gaps ? next : 0;
}

void
afxdp_rtp_stats_totals (const AfxdpRtpStats *stats, AfxdpRtpCounts *totals)
{
  *totals = stats->evicted;
  for (GList *link = stats->recent.head; link; link = link->next)
    add_counts (totals, &((Source *) link->data)->counts);
  for (GList *link = stats->suspects.head; link; link = link->next)
    add_counts (totals, &((Source *) link->data)->counts);
}

guint
afxdp_rtp_stats_n_sources (const AfxdpRtpStats *stats)
{
  return stats->listed.length;
}

guint64
afxdp_rtp_stats_n_evicted (const AfxdpRtpStats *stats)
{
  return stats->n_evicted;
}

static guint
copy_latest_gaps (const Source *source, AfxdpRtpGap *gaps)
{
  guint n = MIN (source->n_final, AFXDP_RTP_LATEST_GAPS);

  for (guint i = 0; i < n; i++)
    gaps[i] =
        source->latest_gaps[(source->n_final - n + i) % AFXDP_RTP_LATEST_GAPS];
  return n;
}

void
afxdp_rtp_stats_source (
    const AfxdpRtpStats *stats, guint number, AfxdpRtpSource *source)
{
  const Source *from = g_queue_peek_nth ((GQueue *) &stats->listed, number);

  *source = (AfxdpRtpSource){
    .counts = from->counts,
    .ssrc = from->ssrc,
    .payload_type = from->payload_type,
    .clock_rate = from->clock_rate,
    .seqnum_base = from->base,
    .extended_highest_seq = from->highest - FIRST_CYCLE,
    .max_gap = from->max_gap,
    .max_reorder = from->max_reorder,
    .jitter = from->jitter >> 4,
    .last_arrival = from->last_arrival,
  };
  source->n_latest_gaps = copy_latest_gaps (from, source->latest_gaps);
}

void
afxdp_rtp_stats_set_clock_rate (
    AfxdpRtpStats *stats, guint8 payload_type, guint clock_rate)
{
  g_return_if_fail (payload_type < G_N_ELEMENTS (stats->clock_rates));
  stats->clock_rates[payload_type] = clock_rate;
}

void
afxdp_rtp_stats_set_funcs (
    AfxdpRtpStats *stats, const AfxdpRtpFuncs *funcs, gpointer user_data)
{
  stats->funcs = funcs;
  stats->user_data = user_data;
}

AfxdpRtpStats *
afxdp_rtp_stats_new (void)
{
  AfxdpRtpStats *stats = g_new0 (AfxdpRtpStats, 1);

  stats->sources = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  return stats;
}

void
afxdp_rtp_stats_free (AfxdpRtpStats *stats)
{
  if (!stats)
    return;
  g_hash_table_unref (stats->sources);
  g_free (stats);
}
