/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the element counts, and how it tells. */
#include "gstafxdpreport.h"

#include "gstafxdpenums.h"
#include "gstafxdpoutbox.h"
#include "latency.h"
#include "rtpstats.h"

/* Counters of the stats structure, all guint64. */
typedef struct
{
  guint64 packets;
  guint64 bytes;
  guint64 copied;
  guint64 not_rtp;
  guint64 lost, pending;
  guint64 sources_evicted;
  AfxdpLedger ledger;
  AfxdpRtpCounts rtp;
} Totals;

static const struct
{
  const gchar *name;
  gsize offset;
} counters[] = {
  { "packets", G_STRUCT_OFFSET (Totals, packets) },
  { "bytes", G_STRUCT_OFFSET (Totals, bytes) },
  { "gaps", G_STRUCT_OFFSET (Totals, rtp.gaps) },
  { "lost", G_STRUCT_OFFSET (Totals, lost) },
  { "pending", G_STRUCT_OFFSET (Totals, pending) },
  { "reordered", G_STRUCT_OFFSET (Totals, rtp.reordered) },
  { "duplicates", G_STRUCT_OFFSET (Totals, rtp.duplicates) },
  { "restarts", G_STRUCT_OFFSET (Totals, rtp.restarts) },
  { "strays", G_STRUCT_OFFSET (Totals, rtp.strays) },
  { "sources-evicted", G_STRUCT_OFFSET (Totals, sources_evicted) },
  { "copied", G_STRUCT_OFFSET (Totals, copied) },
  { "not-rtp", G_STRUCT_OFFSET (Totals, not_rtp) },
};

/* Rates of one SSRC. */
typedef struct
{
  guint64 octets; /* at the last tick */
  guint64 bitrate;
} SourceRate;

struct _GstAfxdpReport
{
  GstElement *element; /* which owns us */

  GMutex lock; /* innermost; protects all down to rates */
  AfxdpRtpStats *rtp;
  AfxdpAttribution *attribution;
  Totals totals; /* all but what is asked for when needed, see sum_up() */
  Totals posted; /* at the last message */
  AfxdpLatency latency;
  guint64 last_arrival; /* of the packets counted */
  gint64 offset;        /* of running time to an arrival, */
  gboolean has_offset;  /* if that is known */
  guint n_frames, n_frames_free;
  GArray *queues; /* AfxdpQueueCounts, or NULL */
  AfxdpDoor door;
  AfxdpXdpMode xdp_mode;
  gboolean zero_copy;
  guint64 ticked_at;
  guint64 ticked_packets, ticked_bytes;
  gdouble packets_per_second, bitrate;
  GHashTable *rates; /* SSRC to SourceRate */

  /* The streaming thread's own. */
  GstAfxdpOutbox outbox;
};

static guint64
counter (const Totals *totals, guint i)
{
  return G_STRUCT_MEMBER (guint64, totals, counters[i].offset);
}

void
gst_afxdp_report_forget_messages (GstAfxdpReport *report)
{
  gst_afxdp_outbox_empty (&report->outbox);
}

/* Called in the sequence statistics, and so with the lock. */

static void
note_gap (const AfxdpRtpGap *gap, gpointer user_data)
{
  GstAfxdpReport *report = user_data;

  afxdp_attribution_add_gap (report->attribution, gap);
}

static void
note_return (guint32 ssrc, guint64 number, gpointer user_data)
{
  GstAfxdpReport *report = user_data;

  afxdp_attribution_came (report->attribution, ssrc, number);
}

static void
start_counting (GstAfxdpReport *report)
{
  static const AfxdpRtpFuncs funcs = { note_gap, note_return };

  report->rtp = afxdp_rtp_stats_new ();
  report->attribution = afxdp_attribution_new (report->totals.ledger.lost);
  afxdp_rtp_stats_set_funcs (report->rtp, &funcs, report);
}

GstAfxdpReport *
gst_afxdp_report_new (GstElement *element)
{
  GstAfxdpReport *report = g_new0 (GstAfxdpReport, 1);

  report->element = element;
  g_mutex_init (&report->lock);
  start_counting (report);
  report->rates = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  return report;
}

void
gst_afxdp_report_free (GstAfxdpReport *report)
{
  gst_afxdp_report_forget_messages (report);
  g_hash_table_unref (report->rates);
  g_clear_pointer (&report->queues, g_array_unref);
  afxdp_attribution_free (report->attribution);
  afxdp_rtp_stats_free (report->rtp);
  g_mutex_clear (&report->lock);
  g_free (report);
}

void
gst_afxdp_report_reset (GstAfxdpReport *report, guint64 now)
{
  static const Totals none;

  gst_afxdp_report_forget_messages (report);
  g_mutex_lock (&report->lock);
  afxdp_attribution_free (report->attribution);
  afxdp_rtp_stats_free (report->rtp);
  start_counting (report);
  report->totals = report->posted = none;
  memset (&report->latency, 0, sizeof report->latency);
  report->last_arrival = 0;
  report->has_offset = FALSE;
  report->n_frames = report->n_frames_free = 0;
  g_clear_pointer (&report->queues, g_array_unref);
  report->door = AFXDP_DOOR_NONE;
  report->ticked_at = now;
  report->ticked_packets = report->ticked_bytes = 0;
  report->packets_per_second = report->bitrate = 0;
  g_hash_table_remove_all (report->rates);
  g_mutex_unlock (&report->lock);
}

void
gst_afxdp_report_set_clock_rate (
    GstAfxdpReport *report, guint8 payload_type, guint clock_rate)
{
  g_mutex_lock (&report->lock);
  afxdp_rtp_stats_set_clock_rate (report->rtp, payload_type, clock_rate);
  g_mutex_unlock (&report->lock);
}

guint
gst_afxdp_report_count (GstAfxdpReport *report, const AfxdpBatch *batch)
{
  guint not_rtp = 0;

  g_mutex_lock (&report->lock);
  for (guint i = 0; i < batch->n; i++) {
    const AfxdpPacket *packet = &batch->packets[i];

    if (packet->rtp.kind == AFXDP_RTP_DATA)
      afxdp_rtp_stats_packet (report->rtp, &packet->rtp, packet->arrival);
    else if (packet->rtp.kind == AFXDP_RTP_NONE)
      not_rtp++;
  }
  report->totals.not_rtp += not_rtp;
  report->last_arrival =
      MAX (report->last_arrival, batch->packets[batch->n - 1].arrival);
  g_mutex_unlock (&report->lock);
  return not_rtp;
}

void
gst_afxdp_report_handing_over (
    GstAfxdpReport *report, const AfxdpBatch *batch, guint64 now)
{
  g_mutex_lock (&report->lock);
  for (guint i = 0; i < batch->n; i++) {
    guint64 arrival = batch->packets[i].arrival;

    afxdp_latency_add (&report->latency, now - MIN (now, arrival));
  }
  g_mutex_unlock (&report->lock);
}

void
gst_afxdp_report_delivered (
    GstAfxdpReport *report, AfxdpDoor door, const GstAfxdpYield *yield)
{
  AfxdpColumn column = door == AFXDP_DOOR_FAST ? AFXDP_COLUMN_DELIVERED_XDP
                                               : AFXDP_COLUMN_DELIVERED_SOCKET;

  g_mutex_lock (&report->lock);
  report->totals.ledger.packets[column] += yield->n;
  report->totals.packets += yield->n;
  report->totals.bytes += yield->bytes;
  report->totals.copied += yield->copied;
  g_mutex_unlock (&report->lock);
}

void
gst_afxdp_report_dropped (GstAfxdpReport *report, AfxdpColumn column, guint n)
{
  g_mutex_lock (&report->lock);
  report->totals.ledger.packets[column] += n;
  g_mutex_unlock (&report->lock);
}

void
gst_afxdp_report_set_door (
    GstAfxdpReport *report, const AfxdpDoorChange *change)
{
  g_mutex_lock (&report->lock);
  report->door = change->door;
  report->xdp_mode = change->xdp_mode;
  report->zero_copy = change->zero_copy;
  g_mutex_unlock (&report->lock);
}

void
gst_afxdp_report_set_stream_counts (
    GstAfxdpReport *report, AfxdpStreamCounts *counts)
{
  AfxdpLedger *ledger = &report->totals.ledger;

  g_mutex_lock (&report->lock);
  g_clear_pointer (&report->queues, g_array_unref);
  report->queues = g_steal_pointer (&counts->queues);
  ledger->packets[AFXDP_COLUMN_MALFORMED] = counts->malformed;
  report->n_frames = counts->n_frames;
  report->n_frames_free = counts->n_frames_free;
  g_mutex_unlock (&report->lock);
}

/* Drops and gaps. */

void
gst_afxdp_report_take_drops (GstAfxdpReport *report, AfxdpDrops *drops)
{
  if (G_LIKELY (!drops->n))
    return;
  g_mutex_lock (&report->lock);
  for (guint i = 0; i < drops->n; i++) {
    const AfxdpDrop *drop = &drops->drops[i];

    report->totals.ledger.packets[drop->column] += drop->n;
    afxdp_attribution_add_drop (report->attribution, drop);
  }
  g_mutex_unlock (&report->lock);
  drops->n = 0;
}

guint64
gst_afxdp_report_advance (GstAfxdpReport *report, guint64 now, guint64 *wanted)
{
  guint64 due;

  g_mutex_lock (&report->lock);
  due = afxdp_rtp_stats_advance (report->rtp, now);
  *wanted = afxdp_attribution_wants (report->attribution);
  g_mutex_unlock (&report->lock);
  return due;
}

static void
note_verdict (const AfxdpVerdict *verdict, gpointer user_data)
{
  g_array_append_val ((GArray *) user_data, *verdict);
}

gboolean
gst_afxdp_report_judge (GstAfxdpReport *report, guint64 known, guint64 now,
    const GstAfxdpTiming *timing, GArray *verdicts)
{
  gboolean waiting;

  g_mutex_lock (&report->lock);
  report->has_offset = timing->enabled;
  report->offset = timing->offset;
  afxdp_attribution_judge (
      report->attribution, known, now, note_verdict, verdicts);
  waiting = afxdp_attribution_n_waiting (report->attribution) > 0;
  g_mutex_unlock (&report->lock);
  return waiting;
}

void
gst_afxdp_report_end (GstAfxdpReport *report)
{
  AfxdpRtpCounts rtp;

  g_mutex_lock (&report->lock);
  afxdp_rtp_stats_totals (report->rtp, &rtp);
  if (rtp.packets)
    afxdp_attribution_end (report->attribution, report->last_arrival);
  g_mutex_unlock (&report->lock);
}

static SourceRate *
rate_of (GstAfxdpReport *report, guint32 ssrc)
{
  SourceRate *rate =
      g_hash_table_lookup (report->rates, GUINT_TO_POINTER (ssrc));

  if (!rate) {
    rate = g_new0 (SourceRate, 1);
    g_hash_table_insert (report->rates, GUINT_TO_POINTER (ssrc), rate);
  }
  return rate;
}

/* SSRCs that are not known any more must not pile up. */
static void
tick_sources (GstAfxdpReport *report, gdouble seconds)
{
  g_autoptr (GHashTable) old = g_steal_pointer (&report->rates);

  report->rates = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  for (guint i = 0; i < afxdp_rtp_stats_n_sources (report->rtp); i++) {
    AfxdpRtpSource source;
    SourceRate *rate, *before;

    afxdp_rtp_stats_source (report->rtp, i, &source);
    rate = rate_of (report, source.ssrc);
    before = g_hash_table_lookup (old, GUINT_TO_POINTER (source.ssrc));
    rate->octets = source.counts.octets;
    rate->bitrate =
        (rate->octets - (before ? before->octets : 0)) * 8 / seconds;
  }
}

void
gst_afxdp_report_tick (GstAfxdpReport *report, guint64 now)
{
  gdouble seconds;

  g_mutex_lock (&report->lock);
  seconds = (now - report->ticked_at) / 1e9;
  if (seconds > 0) {
    const Totals *totals = &report->totals;

    report->packets_per_second =
        (totals->packets - report->ticked_packets) / seconds;
    report->bitrate = (totals->bytes - report->ticked_bytes) * 8 / seconds;
    report->ticked_packets = totals->packets;
    report->ticked_bytes = totals->bytes;
    report->ticked_at = now;
    tick_sources (report, seconds);
  }
  g_mutex_unlock (&report->lock);
}

/* RTCP's field is 24 bits of a signed number; rtpsession has gint. */
static gint
packets_lost (const AfxdpRtpCounts *counts)
{
  gint64 lost = (gint64) counts->lost - (gint64) counts->duplicates;

  return CLAMP (lost, G_MININT, G_MAXINT);
}

/* The jitter in ns. */
static guint64
jitter_time (const AfxdpRtpSource *source)
{
  return source->clock_rate
      ? gst_util_uint64_scale (source->jitter, GST_SECOND, source->clock_rate)
      : 0;
}

static void
append_structure (GValue *array, GstStructure *structure)
{
  GValue value = G_VALUE_INIT;

  g_value_init (&value, GST_TYPE_STRUCTURE);
  g_value_take_boxed (&value, structure);
  gst_value_array_append_and_take_value (array, &value);
}

static void
add_latest_gaps (GstAfxdpReport *report, const AfxdpRtpSource *source,
    GstStructure *structure)
{
  GValue gaps = G_VALUE_INIT;

  g_value_init (&gaps, GST_TYPE_ARRAY);
  for (guint i = 0; i < source->n_latest_gaps; i++) {
    const AfxdpRtpGap *gap = &source->latest_gaps[i];
    gint64 time = (gint64) gap->shown + report->offset;

    append_structure (&gaps,
        gst_structure_new ("application/x-afxdp-gap", "first-missing",
            G_TYPE_UINT, (guint) gap->first, "missing", G_TYPE_UINT64,
            gap->missing, "running-time", G_TYPE_UINT64,
            report->has_offset ? (guint64) MAX (time, 0) : GST_CLOCK_TIME_NONE,
            NULL));
  }
  gst_structure_take_value (structure, "latest-gaps", &gaps);
}

static GstStructure *
source_stats (GstAfxdpReport *report, guint i)
{
  AfxdpRtpSource source;
  GstStructure *structure;

  afxdp_rtp_stats_source (report->rtp, i, &source);
  structure = gst_structure_new ("application/x-rtp-source-stats", "ssrc",
      G_TYPE_UINT, source.ssrc, "payload-type", G_TYPE_UINT,
      source.payload_type, "clock-rate", G_TYPE_INT,
      source.clock_rate ? (gint) source.clock_rate : -1, "packets-received",
      G_TYPE_UINT64, source.counts.packets, "octets-received", G_TYPE_UINT64,
      source.counts.octets, "bitrate", G_TYPE_UINT64,
      rate_of (report, source.ssrc)->bitrate, "packets-lost", G_TYPE_INT,
      packets_lost (&source.counts), "lost", G_TYPE_UINT64, source.counts.lost,
      "pending", G_TYPE_UINT64, source.counts.pending, "jitter", G_TYPE_UINT,
      source.jitter, "jitter-time", G_TYPE_UINT64, jitter_time (&source),
      "seqnum-base", G_TYPE_INT, (gint) source.seqnum_base,
      "extended-highest-seq", G_TYPE_UINT, source.extended_highest_seq, "gaps",
      G_TYPE_UINT64, source.counts.gaps, "max-gap", G_TYPE_UINT64,
      source.max_gap, "reordered", G_TYPE_UINT64, source.counts.reordered,
      "max-reorder", G_TYPE_UINT64, source.max_reorder, "duplicates",
      G_TYPE_UINT64, source.counts.duplicates, "restarts", G_TYPE_UINT64,
      source.counts.restarts, "strays", G_TYPE_UINT64, source.counts.strays,
      NULL);
  add_latest_gaps (report, &source, structure);
  return structure;
}

static void
add_sources (GstAfxdpReport *report, GstStructure *structure)
{
  GValue sources = G_VALUE_INIT;

  g_value_init (&sources, GST_TYPE_ARRAY);
  for (guint i = 0; i < afxdp_rtp_stats_n_sources (report->rtp); i++)
    append_structure (&sources, source_stats (report, i));
  gst_structure_take_value (structure, "sources", &sources);
}

static void
add_queues (GstAfxdpReport *report, GstStructure *structure)
{
  GValue queues = G_VALUE_INIT;

  g_value_init (&queues, GST_TYPE_ARRAY);
  for (guint i = 0; report->queues && i < report->queues->len; i++) {
    const AfxdpQueueCounts *counts =
        &g_array_index (report->queues, AfxdpQueueCounts, i);

    append_structure (&queues,
        gst_structure_new ("application/x-afxdp-queue-stats", "queue",
            G_TYPE_UINT, counts->queue, "bound", G_TYPE_BOOLEAN, counts->bound,
            "napi-id", G_TYPE_UINT, counts->napi_id, "redirected",
            G_TYPE_UINT64, counts->redirected, "passed", G_TYPE_UINT64,
            counts->passed, "too-long", G_TYPE_UINT64, counts->too_long,
            "no-frame", G_TYPE_UINT64, counts->no_frame, "no-socket",
            G_TYPE_UINT64, counts->no_socket, "filtered", G_TYPE_UINT64,
            counts->filtered, NULL));
  }
  gst_structure_take_value (structure, "queues", &queues);
}

/**
 * GstAfxdpSrc:stats:
 *
 * Totals since READY, kept after stop. A #GstStructure
 * `application/x-afxdp-stats` with these fields, guint64 unless said:
 *
 * * `mode` (string): as #GstAfxdpSrc:current-mode
 * * `xdp-mode` (string): "native", "generic" or "none"
 * * `zero-copy` (boolean)
 * * `packets`, `bytes`: went downstream; bytes of UDP payload
 * * `packets-per-second`, `bitrate` (double, bits per second): during the
 *   last interval
 * * `delivered-xdp`, `delivered-socket`: of packets, by which way
 * * `copied`: of packets, copied since frames ran low, or since the packet was
 *   longer than a frame
 * * `gaps`: final gaps of the RTP sequence numbers (RFC 3550 A.1): after 100
 *   later packets or 100 ms
 * * `lost`: packets missing from them, less those that came late: the sum of
 *   `lost-network`, `lost-nic`, `lost-rx-ring`, `lost-fill-ring`,
 *   `lost-redirect`, `lost-socket-buffer`, `lost-paused`, `lost-unknown`
 * * `pending`: missing from gaps that are not final yet
 * * `dropped-nic`, `dropped-rx-ring`, `dropped-fill-ring`, `dropped-redirect`,
 *   `dropped-socket-buffer`, `dropped-paused`: packets, RTP or not, that counters
 *   of this host tell of
 * * `latency-min`, `latency-avg`, `latency-p50`, `latency-p99`, `latency-max`: ns
 *   from the XDP program, or the kernel's socket, to the next element
 * * `reordered`, `duplicates`: came after a later number; came twice
 * * `restarts`, `strays`: the sender began its numbers anew; a number far off
 *   that nothing confirmed
 * * `sources-evicted`: SSRCs, of which 256 are told apart, that made room
 * * `not-rtp`: neither RTP nor RTCP, whether delivered or not
 * * `kept-back`: of these, not delivered since the caps say RTP
 * * `malformed`: not of this stream, or not from one of its sources
 * * `discarded`: had arrived when the element was stopped
 * * `frames`, `frames-free`: of the memory that the stream receives into, and
 *   those of them that are not with the application
 * * `sources` (GST_TYPE_ARRAY): for each SSRC a structure
 *   `application/x-rtp-source-stats` with `ssrc` (guint), `payload-type`
 *   (guint), `clock-rate` (gint, -1 when not known), `packets-received`,
 *   `octets-received` (RTP payload), `bitrate`, `packets-lost` (gint,
 *   RFC 3550 A.3: negative with duplicates), `lost`, `pending`, `jitter`
 *   (guint, RFC 3550 A.8, RTP units), `seqnum-base` (gint),
 *   `extended-highest-seq` (guint), `gaps`, `max-gap`, `reordered`,
 *   `duplicates`, `restarts`, `strays`, `jitter-time` (ns), `max-reorder`, and
 *   `latest-gaps` (GST_TYPE_ARRAY), the last ten gaps
 * * `queues` (GST_TYPE_ARRAY): for each RX queue on which the XDP program saw
 *   the stream, or that has an AF_XDP socket for it, a structure
 *   `application/x-afxdp-queue-stats` with `queue` (guint), `bound` (gboolean:
 *   there is an AF_XDP socket), `napi-id` (guint: what
 *   #GstAfxdpSrc:busy-poll-usecs has the kernel poll; 0: only rings are looked
 *   at), `redirected`, `passed` (packets of the stream
 *   that the program redirected, or gave to the kernel's socket), `too-long`,
 *   `no-frame`, `no-socket` (of these, why), and `filtered` (from sources that
 *   #GstAfxdpSrc:multicast-source leaves out)
 *
 * docs/statistics.md says where each is read, and what it proves.
 */
/* Called with the lock. */
static void
sum_up (GstAfxdpReport *report)
{
  Totals *totals = &report->totals;

  afxdp_rtp_stats_totals (report->rtp, &totals->rtp);
  totals->lost = afxdp_ledger_lost (&totals->ledger);
  totals->pending =
      totals->rtp.pending + afxdp_attribution_n_waiting (report->attribution);
  totals->sources_evicted = afxdp_rtp_stats_n_evicted (report->rtp);
}

static void
add_latency (const AfxdpLatency *latency, GstStructure *structure)
{
  gst_structure_set (structure, "latency-min", G_TYPE_UINT64, latency->shortest,
      "latency-avg", G_TYPE_UINT64, afxdp_latency_average (latency),
      "latency-p50", G_TYPE_UINT64, afxdp_latency_quantile (latency, 500),
      "latency-p99", G_TYPE_UINT64, afxdp_latency_quantile (latency, 990),
      "latency-max", G_TYPE_UINT64, latency->longest, NULL);
}

/* value of each column, by the names that it has in the statistics. */
static void
set_columns (GstStructure *structure, GType type, const AfxdpLedger *now,
    const AfxdpLedger *then)
{
  for (guint i = 0; i < AFXDP_N_COLUMNS; i++) {
    if (afxdp_column_name (i))
      gst_structure_set (structure, afxdp_column_name (i), type,
          now->packets[i] - then->packets[i], NULL);
    if (afxdp_column_lost_name (i))
      gst_structure_set (structure, afxdp_column_lost_name (i), type,
          now->lost[i] - then->lost[i], NULL);
  }
}

/* Called with the lock. */
static GstStructure *
snapshot (GstAfxdpReport *report, const gchar *name)
{
  static const AfxdpLedger none;
  GstStructure *structure = gst_structure_new (name, "mode", G_TYPE_STRING,
      gst_afxdp_enum_nick (GST_TYPE_AFXDP_CURRENT_MODE, report->door),
      "xdp-mode", G_TYPE_STRING,
      gst_afxdp_xdp_mode_name (report->door, report->xdp_mode), "zero-copy",
      G_TYPE_BOOLEAN, report->zero_copy, "packets-per-second", G_TYPE_DOUBLE,
      report->packets_per_second, "bitrate", G_TYPE_DOUBLE, report->bitrate,
      "frames", G_TYPE_UINT64, (guint64) report->n_frames, "frames-free",
      G_TYPE_UINT64, (guint64) report->n_frames_free, NULL);

  sum_up (report);
  for (guint i = 0; i < G_N_ELEMENTS (counters); i++)
    gst_structure_set (structure, counters[i].name, G_TYPE_UINT64,
        counter (&report->totals, i), NULL);
  set_columns (structure, G_TYPE_UINT64, &report->totals.ledger, &none);
  add_latency (&report->latency, structure);
  add_sources (report, structure);
  add_queues (report, structure);
  return structure;
}

/* What changed since the last message; signed, since a late packet takes its
 * loss back. Called with the lock. */
static GstStructure *
take_delta (GstAfxdpReport *report)
{
  GstStructure *delta = gst_structure_new_empty ("delta");
  const Totals *now = &report->totals, *then = &report->posted;

  for (guint i = 0; i < G_N_ELEMENTS (counters); i++)
    gst_structure_set (delta, counters[i].name, G_TYPE_INT64,
        (gint64) (counter (now, i) - counter (then, i)), NULL);
  set_columns (delta, G_TYPE_INT64, &now->ledger, &then->ledger);
  report->posted = report->totals;
  return delta;
}

GstStructure *
gst_afxdp_report_stats (GstAfxdpReport *report)
{
  GstStructure *structure;

  g_mutex_lock (&report->lock);
  structure = snapshot (report, "application/x-afxdp-stats");
  g_mutex_unlock (&report->lock);
  return structure;
}

void
gst_afxdp_report_post_stats (GstAfxdpReport *report)
{
  GstStructure *structure, *delta;

  if (!gst_afxdp_outbox_has_room (&report->outbox))
    return;
  g_mutex_lock (&report->lock);
  structure = snapshot (report, "GstAfxdpSrcStats");
  delta = take_delta (report);
  g_mutex_unlock (&report->lock);
  gst_structure_set (structure, "delta", GST_TYPE_STRUCTURE, delta, NULL);
  gst_structure_free (delta);
  gst_afxdp_outbox_post (&report->outbox, report->element, structure);
}
