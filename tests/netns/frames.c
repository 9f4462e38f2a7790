/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Law 2: a frame has one owner. What downstream keeps stays as it was, and what
 * downstream hoards costs speed, never packets. */

#include "generator.h"
#include "network.h"
#include "payload.h"
#include "receiver.h"
#include "../check/tap.h"

/* A sink that keeps nothing. */
#define DROP "fakesink async=false enable-last-sample=false"
/* The same, that hands over what it gets. */
#define HAND_OVER DROP " signal-handoffs=true name="

static const gchar *const paths[] = { "", "mode=socket" };

/* Downstream that keeps all it gets until it is asked, or until it is sated. */
typedef struct
{
  Receiver *receiver;
  GstElement *sink;
  GAsyncQueue *queue;
  gint sated; /* atomic */
} Hoard;

static void
take_in (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data)
{
  Hoard *hoard = data;

  if (!g_atomic_int_get (&hoard->sated))
    g_async_queue_push (hoard->queue, gst_buffer_ref (buffer));
}

static void
hoard_start (Hoard *hoard, Receiver *receiver, const gchar *sink)
{
  hoard->receiver = receiver;
  hoard->sated = FALSE;
  hoard->queue = g_async_queue_new_full ((GDestroyNotify) gst_buffer_unref);
  hoard->sink = gst_bin_get_by_name (GST_BIN (receiver->pipeline), sink);
  g_signal_connect (hoard->sink, "handoff", G_CALLBACK (take_in), hoard);
}

static void
hoard_stop (Hoard *hoard)
{
  gst_object_unref (hoard->sink);
  g_async_queue_unref (hoard->queue);
}

/* The next buffer. */
static GstBuffer *
hoard_pull (Hoard *hoard)
{
  GstBuffer *buffer =
      g_async_queue_timeout_pop (hoard->queue, RECEIVER_PATIENCE);

  if (!buffer)
    receiver_excuse (hoard->receiver);
  fail_unless (buffer, "the sink got no buffer: %s",
      receiver_describe (hoard->receiver));
  return buffer;
}

static guint64
frames_away (Receiver *receiver)
{
  return receiver_stat (receiver, "frames") -
      receiver_stat (receiver, "frames-free");
}

/* The streaming thread may still be about to drop the list they came in. */
static void
wait_for_frames (Receiver *receiver, guint64 away)
{
  receiver_wait_stat (
      receiver, "frames-free", receiver_stat (receiver, "frames") - away);
  g_assert_cmpuint (frames_away (receiver), ==, away);
}

/* Buffers that are kept past the end. */

#define KEPT 30

typedef struct
{
  GstBuffer *buffer;
  gsize header; /* bytes before the RTP payload */
  guint64 index;
} Kept;

/* Three ways to keep a packet: the buffer itself, a part of it that was cut out
 * here, and a part that a depayloader cut out. Each of another packet. */
static void
keep (Kept *kept, Hoard *whole, Hoard *payloads)
{
  for (guint i = 0; i < KEPT; i++) {
    g_autoptr (GstBuffer) buffer = hoard_pull (whole);
    g_autoptr (GstBuffer) payload = hoard_pull (payloads);

    kept[i].index = i;
    if (i % 3 == 0) {
      kept[i].buffer = g_steal_pointer (&buffer);
      kept[i].header = PAYLOAD_RTP_HEADER;
    } else if (i % 3 == 1) {
      kept[i].buffer = gst_buffer_copy_region (
          buffer, GST_BUFFER_COPY_MEMORY, PAYLOAD_RTP_HEADER, -1);
    } else {
      kept[i].buffer = g_steal_pointer (&payload);
    }
  }
}

static void
assert_kept (const Kept *kept)
{
  for (guint i = 0; i < KEPT; i++)
    g_assert_cmpuint (payload_index_of_buffer (kept[i].buffer, kept[i].header),
        ==, kept[i].index);
}

static gpointer
free_kept (gpointer data)
{
  Kept *kept = data;

  for (guint i = 0; i < KEPT; i++)
    gst_buffer_unref (kept[i].buffer);
  return NULL;
}

static void
drop_rest (Hoard *hoard, guint n)
{
  while (n--)
    gst_buffer_unref (hoard_pull (hoard));
}

TABLE_TEST (test_kept_past_the_end, paths)
{
  const guint n = 200;
  Receiver *receiver = receiver_new (paths[__i__],
      "tee name=t ! " HAND_OVER "whole t. ! rtpmp2tdepay ! " HAND_OVER
      "payloads");
  GstElement *src = receiver->src;
  Hoard whole, payloads;
  GstAllocator *allocator;
  Kept kept[KEPT] = { 0 };

  hoard_start (&whole, receiver, "whole");
  hoard_start (&payloads, receiver, "payloads");
  receiver_play (receiver);
  generator_send_exact ("--rate=10000 --packets=%u", n);
  receiver_assert_nothing_lost (receiver, n);
  keep (kept, &whole, &payloads);
  drop_rest (&whole, n - KEPT);
  drop_rest (&payloads, n - KEPT);
  wait_for_frames (receiver, KEPT);
  receiver_assert_stat (receiver, "copied", 0);
  allocator = gst_buffer_peek_memory (kept[0].buffer, 0)->allocator;
  fail_unless_equals_string (
      G_OBJECT_TYPE_NAME (allocator), "GstAfxdpAllocator");
  g_object_add_weak_pointer (G_OBJECT (allocator), (gpointer *) &allocator);
  g_object_add_weak_pointer (G_OBJECT (src), (gpointer *) &src);

  receiver_set_state (receiver, GST_STATE_NULL);
  g_assert_cmpuint (frames_away (receiver), ==, KEPT);
  assert_kept (kept);
  hoard_stop (&whole);
  hoard_stop (&payloads);
  receiver_free (receiver);
  fail_if (src, "somebody still holds the element");

  /* Another life of the interface must not write to what was kept. */
  receiver = receiver_start (paths[__i__], DROP);
  generator_send_exact ("--rate=20000 --packets=20000 --first-seq=7");
  receiver_assert_nothing_lost (receiver, 20000);
  receiver_free (receiver);
  assert_kept (kept);

  fail_unless (allocator);
  g_thread_join (g_thread_new ("freeing", free_kept, kept));
  fail_if (allocator, "the area outlives its last frame");
}

/* Memory whose buffer died. */

#define MEMORIES 100

typedef struct
{
  GstMemory *memories[MEMORIES];
  gint n; /* atomic */
} Collection;

static void
collect (Collection *collection, GstBuffer *buffer)
{
  gint n = g_atomic_int_get (&collection->n);

  if (n == MEMORIES)
    return;
  collection->memories[n] = n % 2 ? gst_buffer_get_memory (buffer, 0)
                                  : gst_buffer_get_all_memory (buffer);
  g_atomic_int_set (&collection->n, n + 1);
}

static gboolean
collect_from_list (GstBuffer **buffer, guint i, gpointer collection)
{
  collect (collection, *buffer);
  return TRUE;
}

static GstPadProbeReturn
collect_from_probe (GstPad *pad, GstPadProbeInfo *info, gpointer collection)
{
  if (info->type & GST_PAD_PROBE_TYPE_BUFFER_LIST)
    gst_buffer_list_foreach (gst_pad_probe_info_get_buffer_list (info),
        collect_from_list, collection);
  else
    collect (collection, gst_pad_probe_info_get_buffer (info));
  return GST_PAD_PROBE_OK;
}

static gulong
add_probe (Receiver *receiver, GstPadProbeType type,
    GstPadProbeCallback callback, gpointer data)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (receiver->src, "src");

  return gst_pad_add_probe (pad, type, callback, data, NULL);
}

static void
assert_collection (const Collection *collection)
{
  for (guint i = 0; i < MEMORIES; i++) {
    GstMapInfo map;

    fail_unless (gst_memory_map (collection->memories[i], &map, GST_MAP_READ));
    g_assert_cmpuint (payload_index (map.data + PAYLOAD_RTP_HEADER,
                          map.size - PAYLOAD_RTP_HEADER),
        ==, i);
    gst_memory_unmap (collection->memories[i], &map);
  }
}

/* Few frames, so that each of the others is used dozens of times meanwhile. */
TABLE_TEST (test_memory_outlives_its_buffer, paths)
{
  g_autofree gchar *properties =
      g_strconcat (paths[__i__], " ring-size=512 umem-frames=2048", NULL);
  g_autoptr (Receiver) receiver = receiver_new (properties, DROP);
  Collection collection = { 0 };
  Generator *generator;

  add_probe (receiver,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST,
      collect_from_probe, &collection);
  receiver_play (receiver);
  generator = generator_start ("--rate=20000 --packets=60000");
  for (guint i = 1; i <= 11; i++) {
    receiver_wait_stat (receiver, "packets", 5000 * i);
    g_assert_cmpint (g_atomic_int_get (&collection.n), ==, MEMORIES);
    assert_collection (&collection);
  }
  generator_finish_exact (generator);
  receiver_assert_nothing_lost (receiver, 60000);
  assert_collection (&collection);
  receiver_assert_stat (receiver, "copied", 0);
  wait_for_frames (receiver, MEMORIES);
  for (guint i = 0; i < MEMORIES; i++)
    gst_memory_unref (collection.memories[i]);
  wait_for_frames (receiver, 0);
}

/* Downstream hoards. */

static const struct
{
  const gchar *properties;
  const gchar *delivered;
  guint packets;  /* more than there are frames */
  guint lendable; /* more frames than the path lends */
} hoards[] = {
  { "ring-size=512 umem-frames=1024", "delivered-xdp", 10000, 512 },
  { "", "delivered-xdp", 40000, 16384 },
  { "mode=socket", "delivered-socket", 10000, 4096 },
};

/* The next n of what was sent, in order, to the byte. */
static void
take_out (Hoard *hoard, guint n)
{
  for (guint i = 0; i < n; i++) {
    g_autoptr (GstBuffer) buffer = hoard_pull (hoard);
    guint64 index = payload_index_of_buffer (buffer, PAYLOAD_RTP_HEADER);

    if (index != i)
      receiver_excuse (hoard->receiver);
    fail_unless (index == i, "%" G_GUINT64_FORMAT " instead of %u: %s", index,
        i, receiver_describe (hoard->receiver));
  }
}

TABLE_TEST (test_frames_run_out, hoards)
{
  const guint n = hoards[__i__].packets;
  const gchar *delivered = hoards[__i__].delivered;
  Receiver *receiver =
      receiver_new (hoards[__i__].properties, HAND_OVER "sink");
  Generator *generator;
  guint64 copied, before;
  Hoard hoard;

  hoard_start (&hoard, receiver, "sink");
  receiver_play (receiver);
  g_assert_cmpuint (frames_away (receiver), ==, 0);
  generator_send_exact ("--rate=20000 --packets=%u", n);
  receiver_assert_nothing_lost (receiver, n);
  copied = receiver_stat (receiver, "copied");
  g_assert_cmpuint (copied, >, 0);
  g_assert_cmpuint (copied, <, n);
  g_assert_cmpuint (frames_away (receiver), ==, n - copied);
  /* The path stayed in use when it had no more frames to lend. */
  g_assert_cmpuint (
      receiver_stat (receiver, delivered), >, hoards[__i__].lendable);

  /* They come home while traffic goes on. */
  before = receiver_stat (receiver, delivered);
  generator = generator_start (
      "--rate=20000 --packets=%u --first-seq=%u", n, n & G_MAXUINT16);
  receiver_wait_stat (receiver, "packets", n + n / 2);
  take_out (&hoard, n);
  generator_finish_exact (generator);
  receiver_assert_nothing_lost (receiver, 2 * n);
  take_out (&hoard, n);
  g_assert_cmpuint (receiver_stat (receiver, delivered), >, before);
  wait_for_frames (receiver, 0);

  /* And are good for further packets. */
  g_atomic_int_set (&hoard.sated, TRUE);
  copied = receiver_stat (receiver, "copied");
  before = receiver_stat (receiver, delivered);
  generator_send_exact (
      "--rate=20000 --packets=%u --first-seq=%u", n, 2 * n & G_MAXUINT16);
  receiver_assert_nothing_lost (receiver, 3 * n);
  receiver_assert_stat (receiver, "copied", copied);
  g_assert_cmpuint (receiver_stat (receiver, delivered), >, before);
  wait_for_frames (receiver, 0);
  receiver_free (receiver);
  hoard_stop (&hoard);
}

/* Downstream stands still. */

/* Until the socket was in use for a while, since the n-th change of path. There
 * may be more than one such while: the machine may stall us too. */
static void
wait_for_the_way_back (Receiver *receiver, guint n)
{
  gboolean by_socket = FALSE;

  for (;; n++) {
    const GstStructure *mode = receiver_wait_modes (receiver, n + 1);
    const gchar *reason = gst_structure_get_string (mode, "reason");

    if (!g_strcmp0 (gst_structure_get_string (mode, "mode"), "socket")) {
      fail_unless (strstr (reason, "more slowly"), "\"%s\"", reason);
      by_socket = TRUE;
    } else if (by_socket) {
      return;
    }
  }
}

/* The ring is full, the credit used up, the rest waits in the socket; then the
 * ring comes first, then the socket, and the fast path opens again. What waits
 * takes more than a second to gather, since no more often is such a change of
 * path told. */
TEST (test_sink_stands_still)
{
  const guint rate = 5000, backlog = 21 << 20;
  g_autoptr (Receiver) receiver = receiver_new ("ring-size=256", DROP);
  g_autoptr (Tap) tap = tap_new_counting (receiver->src);
  Generator *generator;
  GeneratorReport sent;

  receiver_play (receiver);
  generator = generator_start ("--rate=%u", rate);
  for (guint i = 0; i < 2; i++) {
    guint64 by_socket;
    guint n;

    receiver_wait_stat (receiver, "packets", (1 + 2 * i) * rate);
    tap_hold (tap);
    tap_wait_held (tap);
    receiver_read_bus (receiver);
    n = receiver->modes->len;
    by_socket = receiver_stat (receiver, "delivered-socket");
    network_wait_for_backlog (5000, backlog);
    tap_let_go (tap);
    wait_for_the_way_back (receiver, n);
    receiver_wait_stat (receiver, "delivered-socket", by_socket + rate);
  }
  sent = generator_stop (generator);
  receiver_assert_nothing_lost (receiver, sent.packets);
  /* In use again, not only said to be. */
  g_assert_cmpuint (receiver_stat (receiver, "delivered-xdp"), >, 2 * rate);
}

static GstPadProbeReturn
stay_blocked (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  return GST_PAD_PROBE_OK;
}

/* The same by a blocked pad, on both paths. */
TABLE_TEST (test_pad_is_blocked, paths)
{
  g_autofree gchar *properties =
      g_strconcat (paths[__i__], " ring-size=256", NULL);
  g_autoptr (Receiver) receiver = receiver_new (properties, DROP);
  g_autoptr (GstPad) pad = gst_element_get_static_pad (receiver->src, "src");
  Generator *generator;
  GeneratorReport sent;
  guint64 before;
  gulong probe;

  receiver_play (receiver);
  generator = generator_start ("--rate=20000");
  receiver_wait_stat (receiver, "packets", 5000);
  probe = add_probe (
      receiver, GST_PAD_PROBE_TYPE_BLOCK_DOWNSTREAM, stay_blocked, NULL);
  network_wait_for_backlog (5000, 8 << 20);
  gst_pad_remove_probe (pad, probe);
  before = receiver_stat (receiver, "packets");
  receiver_wait_stat (receiver, "packets", before + 20000);
  sent = generator_stop (generator);
  receiver_assert_nothing_lost (receiver, sent.packets);
  if (__i__)
    receiver_assert_stat (receiver, "delivered-socket", sent.packets);
  else
    wait_for_the_way_back (receiver, 1);
}

/* Sizes at the ends of their ranges. */

static const gchar *const sizes[] = {
  "ring-size=64",
  "ring-size=100",
  "ring-size=131072",
  "umem-frames=64",
  "umem-frames=64 ring-size=64",
  "umem-frames=64 batch-size=1024",
  "umem-frames=1000 ring-size=1000",
  "umem-frames=3001 batch-size=1",
  "umem-frames=1",
  "umem-frames=2",
  "umem-frames=3",
};

TABLE_TEST (test_sizes, sizes)
{
  g_autoptr (Receiver) receiver =
      receiver_start_by (sizes[__i__], DROP, "af-xdp");
  GeneratorReport sent = generator_send ("--rate=20000 --packets=20000");

  receiver_assert_nothing_lost (receiver, sent.packets);
  g_assert_cmpuint (receiver_stat (receiver, "delivered-xdp"), >, 0);
  wait_for_frames (receiver, 0);
}

/* Few frames, and all of them wanted at the same time: by downstream, which
 * hoards, by the ring, since packets come in bursts, and by the element, which
 * takes them by the hundred. */
TABLE_TEST (test_bursts_on_few_frames, sizes)
{
  const guint n = 20000;
  Receiver *receiver = receiver_new (sizes[__i__], HAND_OVER "sink");
  Hoard hoard;

  hoard_start (&hoard, receiver, "sink");
  receiver_play (receiver);
  generator_send_exact ("--rate=20000 --burst=250 --packets=%u", n);
  take_out (&hoard, n);
  receiver_assert_nothing_lost (receiver, n);
  wait_for_frames (receiver, 0);
  receiver_free (receiver);
  hoard_stop (&hoard);
}

NETNS_SUITE ("frames", network_up_with_one_queue)
