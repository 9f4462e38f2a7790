/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Buffers from the packets of a batch. */
#include "gstafxdpbuffers.h"

#include <gst/base/gstbasesrc.h>

#include "clock.h"
#include "gstafxdpallocator.h"

/* Packets by which memories are fetched in advance. */
#define AHEAD 4

/* A flush may begin running time anew. */
static GstPadProbeReturn
note_flush (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstAfxdpTiming *timing = user_data;

  if (GST_EVENT_TYPE (GST_PAD_PROBE_INFO_EVENT (info)) == GST_EVENT_FLUSH_STOP)
    timing->last = 0;
  return GST_PAD_PROBE_OK;
}

/* Not at unlock_stop(): GStreamer 1.24 calls that after a pause, too. */
void
gst_afxdp_timing_init (GstAfxdpTiming *timing, GstPad *pad)
{
  gst_pad_add_probe (
      pad, GST_PAD_PROBE_TYPE_EVENT_FLUSH, note_flush, timing, NULL);
}

void
gst_afxdp_timing_read (GstAfxdpTiming *timing, GstElement *src, gboolean always)
{
  GstClockTime base_time;
  GstClock *clock;

  timing->enabled = FALSE;
  if (!always && !gst_base_src_get_do_timestamp (GST_BASE_SRC (src)))
    return;
  GST_OBJECT_LOCK (src);
  clock = GST_ELEMENT_CLOCK (src);
  if (clock)
    gst_object_ref (clock);
  base_time = src->base_time;
  GST_OBJECT_UNLOCK (src);
  if (!clock)
    return;
  timing->enabled = TRUE;
  /* Any clock: read it and the monotonic one at the same moment. */
  timing->offset =
      (gint64) (gst_clock_get_time (clock) - base_time - afxdp_now ());
  gst_object_unref (clock);
}

/* Packets that waited in the socket since before PLAYING count as time 0. */
static GstClockTime
running_time (GstAfxdpTiming *timing, guint64 arrival)
{
  gint64 time = (gint64) arrival + timing->offset;

  timing->last = MAX ((gint64) timing->last, time);
  return timing->last;
}

void
gst_afxdp_timing_stamp (
    GstAfxdpTiming *timing, GstBuffer *buffer, guint64 arrival)
{
  if (timing->enabled)
    GST_BUFFER_PTS (buffer) = GST_BUFFER_DTS (buffer) =
        running_time (timing, arrival);
}

static void
append_copy (GstBuffer *buffer, const AfxdpPacket *packet, guint split)
{
  gpointer first = g_memdup2 (packet->data, split);

  gst_buffer_append_memory (buffer,
      gst_memory_new_wrapped (0, first, split, 0, split, first, g_free));
  if (split < packet->size) {
    gsize size = packet->size - split;
    gpointer rest = g_memdup2 (packet->data + split, size);

    gst_buffer_append_memory (
        buffer, gst_memory_new_wrapped (0, rest, size, 0, size, rest, g_free));
  }
}

/* In two memories. */
static GstBuffer *
make_split (AfxdpUmem *umem, const AfxdpPacket *packet, guint split)
{
  GstBuffer *buffer = gst_buffer_new ();
  GstMemory *rest;
  GstMemory *first = gst_afxdp_allocator_split (
      gst_afxdp_allocator_wrap (umem, packet->data, packet->size), split,
      &rest);

  gst_buffer_append_memory (buffer, first);
  gst_buffer_append_memory (buffer, rest);
  return buffer;
}

/* split: the size of its first memory; with the packet's there is one. */
static GstBuffer *
make_buffer (
    AfxdpStream *stream, AfxdpPacket *packet, guint split, guint *copied)
{
  AfxdpUmem *umem;
  GstBuffer *buffer;

  if (!packet->size)
    return gst_buffer_new ();
  umem = afxdp_stream_lend (stream, packet);
  if (G_LIKELY (umem && split == packet->size))
    return gst_afxdp_allocator_buffer (umem, packet->data, packet->size);
  if (umem)
    return make_split (umem, packet, split);
  (*copied)++;
  buffer = gst_buffer_new ();
  append_copy (buffer, packet, split);
  return buffer;
}

/* Where it is split. */
static guint
longest_memory (AfxdpPath path, const GstAfxdpMake *make)
{
  return path == AFXDP_PATH_SLOW && make->mtu ? make->mtu : G_MAXUINT;
}

static inline GstBuffer *
make_marked (AfxdpStream *stream, AfxdpPacket *packet, guint longest,
    const GstAfxdpMake *make, guint *copied)
{
  GstBuffer *buffer =
      make_buffer (stream, packet, MIN (packet->size, longest), copied);

  if (make->senders)
    gst_afxdp_senders_mark (make->senders, &packet->sender, buffer);
  else
    gst_afxdp_senders_unmark (buffer);
  return buffer;
}

GstBuffer *
gst_afxdp_buffers_make_one (AfxdpStream *stream, AfxdpPacket *packet,
    AfxdpPath path, const GstAfxdpMake *make, gboolean *copied)
{
  guint n = 0;
  GstBuffer *buffer =
      make_marked (stream, packet, longest_memory (path, make), make, &n);

  *copied = n > 0;
  return buffer;
}

static inline void
prefetch (const AfxdpBatch *batch, guint i)
{
  if (!batch->umem)
    return;
  if (i + AHEAD < batch->n)
    gst_afxdp_allocator_prefetch (batch->umem, batch->packets[i + AHEAD].data);
  if (i < batch->n)
    gst_afxdp_allocator_prefetch_buffer (batch->umem, batch->packets[i].data);
}

void
gst_afxdp_buffers_prefetch (const AfxdpBatch *batch, guint i)
{
  prefetch (batch, i + AHEAD);
}

void
gst_afxdp_buffers_prefetch_first (const AfxdpBatch *batch)
{
  for (guint i = 0; i < AHEAD; i++)
    prefetch (batch, i);
}

GstMiniObject *
gst_afxdp_buffers_make (AfxdpStream *stream, AfxdpBatch *batch,
    const GstAfxdpMake *make, guint not_rtp, GstAfxdpTiming *timing,
    GstAfxdpYield *yield)
{
  guint n = make->only_rtp ? batch->n - not_rtp : batch->n;
  guint longest = longest_memory (batch->path, make);
  GstBufferList *list = n > 1 ? gst_buffer_list_new_sized (n) : NULL;
  GstBuffer *buffer = NULL;

  *yield = (GstAfxdpYield){
    .n = n,
    .by_socket = batch->path == AFXDP_PATH_SLOW ? n : 0,
  };
  gst_afxdp_buffers_prefetch_first (batch);
  for (guint i = 0; i < batch->n; i++) {
    AfxdpPacket *packet = &batch->packets[i];

    prefetch (batch, i + AHEAD);
    if (make->only_rtp && !afxdp_rtp_is_sound (&packet->rtp))
      continue;
    yield->bytes += packet->size;
    buffer = make_marked (stream, packet, longest, make, &yield->copied);
    gst_afxdp_timing_stamp (timing, buffer, packet->arrival);
    if (list) {
      gst_buffer_list_add (list, buffer);
    }
  }
  return list ? GST_MINI_OBJECT_CAST (list) : GST_MINI_OBJECT_CAST (buffer);
}
