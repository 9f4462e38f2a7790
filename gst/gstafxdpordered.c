/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A stream's buffers in the order of their numbers, and each once. */
#include "gstafxdpordered.h"

#include <string.h>

/* Where it is in a packet (RFC 3550 section 5.1). */
#define RTP_SSRC 8

/* What a buffer's tag says of it. */
enum
{
  TAG_SOCKET = 1 << 0, /* its packet came by the socket */
  TAG_COPIED = 1 << 1, /* it is not a frame */
  TAG_NOT_RTP = 1 << 2,
};

/* Called in the stage. What has no buffer was kept back. */

static void
note_out (const AfxdpReorderEntry *entry, gpointer user_data)
{
  GstAfxdpOrdered *ordered = user_data;

  if (G_LIKELY (entry->item))
    g_array_append_vals (ordered->ready, entry, 1);
}

static void
note_late (const AfxdpReorderEntry *entry, gpointer user_data)
{
  GstAfxdpOrdered *ordered = user_data;

  if (!entry->item)
    return;
  gst_buffer_unref (entry->item);
  ordered->n_held--;
  ordered->counts.n_late++;
}

void
gst_afxdp_ordered_init (GstAfxdpOrdered *ordered)
{
  g_mutex_init (&ordered->lock);
}

void
gst_afxdp_ordered_clear (GstAfxdpOrdered *ordered)
{
  g_mutex_clear (&ordered->lock);
}

void
gst_afxdp_ordered_reset (GstAfxdpOrdered *ordered)
{
  g_mutex_lock (&ordered->lock);
  memset (ordered->skews, 0, sizeof ordered->skews);
  g_mutex_unlock (&ordered->lock);
}

void
gst_afxdp_ordered_begin (
    GstAfxdpOrdered *ordered, guint n_legs, guint64 window, guint64 max_bytes)
{
  static const AfxdpReorderFuncs funcs = { note_out, note_late };

  if (!window && n_legs < 2)
    return;
  ordered->stage =
      afxdp_reorder_new (n_legs, window, max_bytes, &funcs, ordered);
  ordered->ready = g_array_sized_new (
      FALSE, FALSE, sizeof (AfxdpReorderEntry), AFXDP_LARGEST_BATCH);
  /* With one leg all packets are counted as they come. */
  if (n_legs > 1)
    ordered->late = g_array_new (FALSE, FALSE, sizeof (GstAfxdpLatePacket));
}

void
gst_afxdp_ordered_set_legs (GstAfxdpOrdered *ordered, guint n_legs, guint64 now)
{
  g_mutex_lock (&ordered->lock);
  afxdp_reorder_set_legs (ordered->stage, n_legs, now);
  ordered->skews[0].behind = (AfxdpLatency){ 0 };
  ordered->skews[1] = (GstAfxdpSkew){ 0 };
  g_mutex_unlock (&ordered->lock);
}

guint
gst_afxdp_ordered_end (GstAfxdpOrdered *ordered)
{
  guint n = gst_afxdp_ordered_drop (ordered);

  if (ordered->stage)
    afxdp_reorder_end (ordered->stage);
  g_clear_pointer (&ordered->stage, afxdp_reorder_free);
  g_clear_pointer (&ordered->ready, g_array_unref);
  g_clear_pointer (&ordered->late, g_array_unref);
  ordered->cut_short = 0;
  return n;
}

static void
take_out (GstAfxdpOrdered *ordered, guint n)
{
  ordered->first += n;
  ordered->n_held -= n;
  if (ordered->first < ordered->ready->len)
    return;
  g_array_set_size (ordered->ready, 0);
  ordered->first = 0;
}

guint
gst_afxdp_ordered_drop (GstAfxdpOrdered *ordered)
{
  const AfxdpReorderEntry *entries;
  guint n;

  if (!ordered->stage)
    return 0;
  gst_afxdp_ordered_release (ordered);
  n = gst_afxdp_ordered_n_ready (ordered);
  entries = gst_afxdp_ordered_ready (ordered);
  for (guint i = 0; i < n; i++)
    gst_buffer_unref (entries[i].item);
  take_out (ordered, n);
  return n;
}

static guint
make_tag (const AfxdpBatch *batch, const AfxdpPacket *packet, gboolean copied)
{
  return (batch->path == AFXDP_PATH_SLOW ? TAG_SOCKET : 0) |
      (copied ? TAG_COPIED : 0) |
      (afxdp_rtp_is_sound (&packet->rtp) ? 0 : TAG_NOT_RTP);
}

/* By which leg the first copy came, and how much earlier. */
static void
note_copy (GstAfxdpOrdered *ordered, guint leg, guint64 arrival)
{
  guint64 first;

  if (!afxdp_reorder_first_copy (ordered->stage, &first))
    return;
  ordered->skews[!leg].n_both++;
  afxdp_latency_add (
      &ordered->skews[leg].behind, arrival - MIN (arrival, first));
}

/* All packets of a stream have one SSRC, whichever leg brings them. Where memory may
 * not be written to, GStreamer puts a copy in its place. */
static void
set_ssrc (GstAfxdpOrdered *ordered, GstBuffer *buffer)
{
  guint32 ssrc;

  if (G_LIKELY (!afxdp_reorder_has_other_ssrc (ordered->stage, &ssrc)))
    return;
  ssrc = GUINT32_TO_BE (ssrc);
  gst_buffer_fill (buffer, RTP_SSRC, &ssrc, sizeof ssrc);
}

/* What came after all is not lost. */
static void
note_late_packet (
    GstAfxdpOrdered *ordered, const AfxdpRtp *rtp, guint64 arrival)
{
  GstAfxdpLatePacket late = { .rtp = *rtp, .arrival = arrival };

  if (!ordered->late ||
      !afxdp_reorder_was_wanted (ordered->stage, &late.behind))
    return;
  afxdp_reorder_has_other_ssrc (ordered->stage, &late.rtp.ssrc);
  g_array_append_val (ordered->late, late);
}

static void
put_packet (GstAfxdpOrdered *ordered, guint leg, AfxdpStream *stream,
    const AfxdpBatch *batch, AfxdpPacket *packet, const GstAfxdpMake *make,
    guint64 now)
{
  gboolean kept_back = make->only_rtp && !afxdp_rtp_is_sound (&packet->rtp);
  AfxdpReorderEntry entry = { .arrival = MIN (packet->arrival, now),
    .leg = leg };
  gboolean copied = FALSE;

  /* Of one that is kept back the number has come, if it has one. */
  if (G_UNLIKELY (kept_back && !afxdp_rtp_is_numbered (&packet->rtp)))
    return;
  switch (
      afxdp_reorder_look (ordered->stage, leg, &packet->rtp, entry.arrival)) {
    case AFXDP_REORDER_LATE:
      ordered->counts.n_late += !kept_back;
      ordered->skews[leg].n_late++;
      note_late_packet (ordered, &packet->rtp, entry.arrival);
      return;
    case AFXDP_REORDER_REPEATED:
      ordered->counts.n_repeated += !kept_back;
      note_copy (ordered, leg, entry.arrival);
      return;
    case AFXDP_REORDER_UNMATCHED:
      ordered->counts.n_unmatched += !kept_back;
      ordered->skews[leg].n_unmatched++;
      return;
    case AFXDP_REORDER_WANTED:
      break;
  }
  if (G_LIKELY (!kept_back)) {
    entry.item =
        gst_afxdp_buffers_make_one (stream, packet, batch->path, make, &copied);
    set_ssrc (ordered, entry.item);
    entry.size = packet->size;
    entry.tag = make_tag (batch, packet, copied);
    ordered->n_held++;
  }
  ordered->skews[leg].n_first++;
  afxdp_reorder_put (ordered->stage, &entry);
  afxdp_reorder_advance (ordered->stage, leg, entry.arrival);
}

void
gst_afxdp_ordered_put (GstAfxdpOrdered *ordered, guint leg, AfxdpStream *stream,
    AfxdpBatch *batch, const GstAfxdpMake *make, guint64 now)
{
  g_mutex_lock (&ordered->lock);
  gst_afxdp_buffers_prefetch_first (batch);
  for (guint i = 0; i < batch->n; i++) {
    gst_afxdp_buffers_prefetch (batch, i);
    put_packet (ordered, leg, stream, batch, &batch->packets[i], make, now);
  }
  afxdp_reorder_advance (
      ordered->stage, leg, MIN (batch->packets[batch->n - 1].arrival, now));
  g_mutex_unlock (&ordered->lock);
}

guint64
gst_afxdp_ordered_due (const GstAfxdpOrdered *ordered)
{
  return afxdp_reorder_due (ordered->stage);
}

void
gst_afxdp_ordered_advance (GstAfxdpOrdered *ordered, guint leg, guint64 now)
{
  afxdp_reorder_advance (ordered->stage, leg, now);
}

void
gst_afxdp_ordered_release (GstAfxdpOrdered *ordered)
{
  afxdp_reorder_flush (ordered->stage);
}

const AfxdpReorderEntry *
gst_afxdp_ordered_ready (const GstAfxdpOrdered *ordered)
{
  return &g_array_index (ordered->ready, AfxdpReorderEntry, ordered->first);
}

void
gst_afxdp_ordered_take (GstAfxdpOrdered *ordered, guint n,
    GstAfxdpTiming *timing, GstAfxdpParcel *parcel)
{
  const AfxdpReorderEntry *entries = gst_afxdp_ordered_ready (ordered);
  GstBufferList *list = n > 1 ? gst_buffer_list_new_sized (n) : NULL;

  *parcel = (GstAfxdpParcel){ .yield.n = n };
  for (guint i = 0; i < n; i++) {
    const AfxdpReorderEntry *entry = &entries[i];

    parcel->yield.bytes += entry->size;
    parcel->yield.copied += (entry->tag & TAG_COPIED) != 0;
    parcel->yield.by_socket += (entry->tag & TAG_SOCKET) != 0;
    /* In order they go now, whenever they came. */
    gst_afxdp_timing_stamp (timing, entry->item, entry->arrival);
    if (list)
      gst_buffer_list_add (list, entry->item);
  }
  parcel->not_rtp = n == 1 && (entries[0].tag & TAG_NOT_RTP);
  parcel->object = list ? GST_MINI_OBJECT_CAST (list)
                        : GST_MINI_OBJECT_CAST (entries[0].item);
  take_out (ordered, n);
}

GstAfxdpOrderedCounts
gst_afxdp_ordered_tell (GstAfxdpOrdered *ordered)
{
  GstAfxdpOrderedCounts counts = ordered->counts;
  guint64 cut_short = afxdp_reorder_n_cut_short (ordered->stage);

  counts.cut_short = cut_short - ordered->cut_short;
  ordered->cut_short = cut_short;
  ordered->counts = (GstAfxdpOrderedCounts){ 0 };
  return counts;
}
