/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* With a reorder-window: packets leave in the order of their numbers, and each once. */
#include <string.h>
#include <sys/socket.h>

#include "element-fixture.h"

#define MS G_TIME_SPAN_MILLISECOND
/* Long enough that no test waits for its end, unless it says so. */
#define LONG "reorder-window=100000000000 "
/* And short, in ms. */
#define SHORT 50
#define A_SHORT_ONE "reorder-window=50000000 "
#define TYPE 33
#define HEADER 12

static guint
number_of (guint i)
{
  const guint8 *bytes = g_bytes_get_data (tap_packet (tap, i)->bytes, NULL);

  return bytes[2] << 8 | bytes[3];
}

/* Of this packet running time may begin anew; 0: of none. */
static guint anew;

/* What has left, each number in this order, in times that do not run back. */
static void
assert_numbers (const guint *numbers, guint n)
{
  tap_wait (tap, n);
  fail_unless_equals_int (tap_n_packets (tap), n);
  for (guint i = 0; i < n; i++) {
    fail_unless_equals_int (number_of (i), numbers[i]);
    fail_if (i && i != anew &&
        tap_packet (tap, i)->pts < tap_packet (tap, i - 1)->pts);
  }
}

#define assert_left(...)                                \
  do {                                                  \
    static const guint numbers_[] = { __VA_ARGS__ };    \
    assert_numbers (numbers_, G_N_ELEMENTS (numbers_)); \
  } while (0)

#define send_numbers(...)                                  \
  do {                                                     \
    static const guint numbers_[] = { __VA_ARGS__ };       \
    for (guint i_ = 0; i_ < G_N_ELEMENTS (numbers_); i_++) \
      loopback_send_rtp (loopback, TYPE, numbers_[i_]);    \
  } while (0)

/* Every packet is in one column, or waits. */
static void
assert_all_there (guint n)
{
  wait_until (
      receiver_arrived (receiver) + receiver_stat (receiver, "waiting") == n);
}

TEST (test_in_order_and_once)
{
  element_play (LONG, "fakesink");
  send_numbers (9, 10, 12, 11, 15, 14, 14, 13, 12, 16);
  assert_left (9, 10, 11, 12, 13, 14, 15, 16);
  assert_all_there (10);
  receiver_assert_stat (receiver, "repeated", 2);
  receiver_assert_none (
      receiver, "late", "waiting", "waits-cut-short", "lost", "discarded");
  /* The network's order is told as it was. */
  receiver_assert_stat (receiver, "reordered", 3);
  receiver_assert_stat (receiver, "duplicates", 2);
}

TEST (test_wrap)
{
  element_play (LONG, "fakesink");
  send_numbers (65534, 0, 65535, 1);
  assert_left (65534, 65535, 0, 1);
}

/* By default nothing waits. */
TEST (test_none)
{
  element_play ("", "fakesink");
  send_numbers (10, 12, 11, 11);
  assert_left (10, 12, 11, 11);
  receiver_assert_none (receiver, "late", "repeated", "waiting");
}

/* For as long as the window, though nothing else comes; what comes then is late. */
TEST (test_window)
{
  gint64 begin;

  element_play (A_SHORT_ONE, "fakesink");
  element_pass (TYPE, 0, 1, 1);
  begin = g_get_monotonic_time ();
  send_numbers (2, 3);
  receiver_wait_stat (receiver, "waiting", 2);
  assert_left (0, 2, 3);
  g_assert_cmpint (g_get_monotonic_time () - begin, >=, SHORT * MS);
  /* What is told each second is not what woke it. */
  g_assert_cmpint (g_get_monotonic_time () - begin, <, 800 * MS);
  send_numbers (1, 4);
  assert_left (0, 2, 3, 4);
  receiver_assert_stat (receiver, "late", 1);
  receiver_assert_none (receiver, "repeated", "waits-cut-short", "lost");
  /* Downstream is told nothing that the times do not say. */
  g_assert_cmpuint (
      receiver_stat (receiver, "latency-max"), >=, SHORT * GST_MSECOND);
}

TEST (test_latency_of_window)
{
  g_autoptr (GstQuery) query = gst_query_new_latency ();
  GstClockTime min, max;

  element_play ("coalesce=3000000 " A_SHORT_ONE, "fakesink");
  fail_unless (gst_element_query (receiver->src, query));
  gst_query_parse_latency (query, NULL, &min, &max);
  fail_unless_equals_uint64 (min, 53 * GST_MSECOND);
  fail_unless_equals_uint64 (max, 53 * GST_MSECOND);
}

/* Packets of 12 bytes. */
TEST (test_held_bytes)
{
  element_play (LONG "max-held-bytes=36", "fakesink");
  send_numbers (0, 2, 3, 4);
  receiver_wait_stat (receiver, "waiting", 3);
  send_numbers (6);
  assert_left (0, 2, 3, 4);
  receiver_assert_stat (receiver, "waits-cut-short", 1);
  receiver_assert_stat (receiver, "waiting", 1);
}

TEST (test_not_rtp_passes)
{
  element_play (LONG "caps=ANY", "fakesink");
  send_numbers (0, 2);
  loopback_send_pattern (loopback, 9, 700);
  tap_wait (tap, 2);
  fail_unless_equals_int (g_bytes_get_size (tap_packet (tap, 1)->bytes), 700);
  send_numbers (1);
  tap_wait (tap, 4);
  fail_unless_equals_int (number_of (2), 1);
  fail_unless_equals_int (number_of (3), 2);
}

/* What is kept back has come: nothing waits for its number. */
TEST (test_malformed)
{
  static const guint8 padded[] = { 0xa0, TYPE, 0, 1, 0, 0, 0, 0, 0, 0, 0, TYPE,
    200 };

  element_play (LONG, "fakesink");
  send_numbers (0, 2);
  loopback_send (loopback, padded, sizeof padded);
  assert_left (0, 2);
  receiver_assert_stat (receiver, "kept-back-malformed", 1);
  assert_all_there (3);
}

TEST (test_malformed_waits_alone)
{
  static const guint8 padded[] = { 0xa0, TYPE, 0, 2, 0, 0, 0, 0, 0, 0, 0, TYPE,
    200 };

  element_play (A_SHORT_ONE, "fakesink");
  send_numbers (0);
  loopback_send (loopback, padded, sizeof padded);
  receiver_wait_stat (receiver, "kept-back-malformed", 1);
  receiver_assert_none (receiver, "waiting");
  send_numbers (3);
  assert_left (0, 3);
  assert_all_there (3);
}

/* The number of packets and the length of lists are what was asked for, however many
 * become free at once. */

static const gchar *const batches[] = { "batch-size=1", "batch-size=7",
  "batch-size=64" };
static const guint fewest_lists[] = { 0, 99 / 7, 2 };

TABLE_TEST (test_num_buffers, batches)
{
  g_autofree gchar *properties =
      g_strdup_printf (LONG "num-buffers=100 %s", batches[__i__]);

  element_play (properties, "fakesink");
  element_pass (TYPE, 0, 1, 1);
  loopback_send_many (loopback, TYPE, 2, 148);
  receiver_wait_stat (receiver, "waiting", 148);
  loopback_send_rtp (loopback, TYPE, 1);
  tap_wait_eos (tap);
  fail_unless_equals_int (tap_n_packets (tap), 100);
  for (guint i = 0; i < 100; i++)
    fail_unless_equals_int (number_of (i), i);
  g_assert_cmpuint (tap_n_lists (tap), >=, fewest_lists[__i__]);
  if (!fewest_lists[__i__])
    fail_unless_equals_int (tap_n_lists (tap), 0);
  receiver_set_state (receiver, GST_STATE_NULL);
  receiver_assert_stat (receiver, "discarded", 50);
  receiver_assert_none (receiver, "waiting");
  assert_all_there (150);
}

TEST (test_flush)
{
  element_play (LONG, "fakesink async=false");
  send_numbers (0, 2, 3);
  receiver_wait_stat (receiver, "waiting", 2);
  /* The first one is not on its way any more, where the flush would take it. */
  tap_wait (tap, 1);
  fail_unless (
      gst_element_send_event (receiver->src, gst_event_new_flush_start ()) &&
      gst_element_send_event (receiver->src, gst_event_new_flush_stop (TRUE)));
  receiver_assert_stat (receiver, "discarded", 2);
  receiver_assert_none (receiver, "waiting");
  /* What went does not go again, nor is anything waited for that was before. */
  anew = 1;
  send_numbers (0, 1, 4, 6, 5);
  assert_left (0, 4, 5, 6);
  receiver_assert_stat (receiver, "repeated", 1);
  receiver_assert_stat (receiver, "late", 1);
  assert_all_there (8);
}

/* A pause takes time, too. */
TEST (test_pause)
{
  element_play (A_SHORT_ONE, "fakesink");
  element_pass (TYPE, 0, 1, 1);
  receiver_set_state (receiver, GST_STATE_PAUSED);
  send_numbers (2, 3);
  g_usleep (2 * SHORT * MS);
  send_numbers (1, 5);
  receiver_set_state (receiver, GST_STATE_PLAYING);
  tap_wait (tap, 5);
  fail_unless_equals_int (number_of (4), 5);
  receiver_assert_none (receiver, "discarded");
  assert_all_there (5);
}

TEST (test_waits_over_a_pause)
{
  element_play (LONG, "fakesink");
  send_numbers (0, 2, 3);
  receiver_wait_stat (receiver, "waiting", 2);
  receiver_restart (receiver, GST_STATE_PAUSED);
  receiver_assert_stat (receiver, "waiting", 2);
  send_numbers (1);
  assert_left (0, 1, 2, 3);
}

TEST (test_stopped_while_some_wait)
{
  element_play (LONG, "fakesink");
  send_numbers (0, 2, 3);
  receiver_wait_stat (receiver, "waiting", 2);
  receiver_restart (receiver, GST_STATE_READY);
  receiver_assert_stat (receiver, "discarded", 2);
  receiver_assert_none (receiver, "waiting");
  anew = 1;
  send_numbers (7, 9, 8);
  assert_left (0, 7, 8, 9);
  receiver_set_state (receiver, GST_STATE_NULL);
  receiver_assert_stat (
      receiver, "frames-free", receiver_stat (receiver, "frames"));
}

/* Nothing comes any more: what waits goes out before the end. */
TEST (test_socket_ends)
{
  g_autoptr (GSocket) socket = NULL;

  element_play (LONG, "fakesink");
  send_numbers (0, 2, 3);
  receiver_wait_stat (receiver, "waiting", 2);
  g_object_get (receiver->src, "used-socket", &socket, NULL);
  shutdown (g_socket_get_fd (socket), SHUT_RD);
  receiver_wait_error (receiver);
  assert_left (0, 2, 3);
  receiver_assert_none (receiver, "waiting", "discarded");
  g_clear_pointer (&receiver->error, g_free);
}

/* Most packets wait for a short while, and leave in order. */
TEST (test_under_traffic)
{
  element_play (LONG, "fakesink");
  for (guint round = 0; round < 100; round++) {
    for (guint i = 0; i < 20; i++)
      loopback_send_rtp (loopback, TYPE, 1 + 20 * round + (i * 7 + 1) % 20);
    if (!round)
      loopback_send_rtp (loopback, TYPE, 0);
    tap_wait (tap, 1 + 20 * round);
  }
  wait_until (!receiver_stat (receiver, "waiting"));
  assert_all_there (2001);
}

/* More than its share waits: the rest is copied. */
TEST (test_share)
{
  guint n = 20000;

  element_play (LONG, "fakesink");
  element_pass (TYPE, 0, 1, 1);
  for (guint i = 2; i < n; i++) {
    loopback_send_rtp (loopback, TYPE, i);
    if (i % 64 == 0)
      receiver_wait_stat (receiver, "waiting", i - 64);
  }
  receiver_wait_stat (receiver, "waiting", n - 2);
  loopback_send_rtp (loopback, TYPE, 1);
  tap_wait (tap, n);
  for (guint i = 0; i < n; i++)
    fail_unless_equals_int (number_of (i), i);
  receiver_assert_none (receiver, "lost", "late", "waits-cut-short");
  g_assert_cmpuint (receiver_stat (receiver, "copied"), >, 0);
}

/* A depayloader can stand behind it: what it makes of the packets is as it was sent. */

#define SAMPLES 48
#define SAMPLES_SIZE (SAMPLES * 2 * 3)

static gint n_right;

static void
check_samples (
    GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer user_data)
{
  guint8 samples[SAMPLES_SIZE + 1], expected[SAMPLES_SIZE];
  gint i = g_atomic_int_get (&n_right);

  memset (expected, i, sizeof expected);
  if (gst_buffer_extract (buffer, 0, samples, sizeof samples) == SAMPLES_SIZE &&
      !memcmp (samples, expected, SAMPLES_SIZE))
    g_atomic_int_inc (&n_right);
}

TEST (test_depayloader)
{
  static const guint order[] = { 0, 1, 4, 3, 2, 6, 5, 9, 8, 7 };
  g_autoptr (GstElement) sink = NULL;

  element_new (LONG
      "caps=application/x-rtp,media=audio,encoding-name=L24,clock-rate=48000,"
      "channels=2,payload=97",
      "rtpL24depay ! fakesink name=sink sync=false signal-handoffs=true");
  sink = gst_bin_get_by_name (GST_BIN (receiver->pipeline), "sink");
  g_signal_connect (sink, "handoff", G_CALLBACK (check_samples), NULL);
  receiver_play (receiver);
  for (guint i = 0; i < G_N_ELEMENTS (order); i++) {
    guint time = order[i] * SAMPLES;
    guint8 packet[HEADER + SAMPLES_SIZE] = { 0x80, 97, 0, order[i], 0, 0,
      time >> 8, time & 0xff, [11] = 1 };

    memset (packet + HEADER, order[i], SAMPLES_SIZE);
    loopback_send (loopback, packet, sizeof packet);
  }
  wait_until (g_atomic_int_get (&n_right) == G_N_ELEMENTS (order));
}

/* Uncompressed video, whose packets are reordered by up to 20: every frame is whole. */

#define VIDEO                                                        \
  "videotestsrc num-buffers=5 pattern=ball animation-mode=frames ! " \
  "video/x-raw,format=UYVY,width=128,height=72,framerate=25/1 ! "
#define DISTANCE 20

static void
take_buffer (
    GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer user_data)
{
  GAsyncQueue *queue = user_data;

  g_async_queue_push (queue, gst_buffer_ref (buffer));
}

static void
unref_queue (gpointer queue, GClosure *closure)
{
  g_async_queue_unref (queue);
}

static GAsyncQueue *
watch_sink (GstElement *pipeline)
{
  g_autoptr (GstElement) sink =
      gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  GAsyncQueue *queue =
      g_async_queue_new_full ((GDestroyNotify) gst_buffer_unref);

  g_signal_connect_data (sink, "handoff", G_CALLBACK (take_buffer),
      g_async_queue_ref (queue), unref_queue, 0);
  return queue;
}

/* What a pipeline makes; and the caps of it, for an afxdpsrc. */
static GAsyncQueue *
make (const gchar *rest, gchar **caps)
{
  g_autofree gchar *launch = g_strconcat (VIDEO, rest,
      "fakesink name=sink async=false sync=false signal-handoffs=true", NULL);
  g_autoptr (GstElement) pipeline = gst_parse_launch (launch, NULL);
  g_autoptr (GstElement) sink =
      gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (sink, "sink");
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GstCaps) are = NULL;
  GAsyncQueue *made = watch_sink (pipeline);

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (
      bus, 20 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  fail_unless (message && GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS);
  are = gst_pad_get_current_caps (pad);
  if (caps)
    *caps = gst_caps_to_string (are);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return made;
}

static void
assert_same (GstBuffer *one, GstBuffer *other)
{
  GstMapInfo map;

  fail_unless (gst_buffer_map (one, &map, GST_MAP_READ));
  fail_unless_equals_int (gst_buffer_get_size (other), map.size);
  fail_if (gst_buffer_memcmp (other, 0, map.data, map.size));
  gst_buffer_unmap (one, &map);
}

/* Sends each in turn, but the first of each so many, which comes at their end. */
static void
send_reordered (GAsyncQueue *packets)
{
  GstBuffer *packet, *kept = NULL;

  for (guint i = 0; (packet = g_async_queue_try_pop (packets)); i++) {
    GstMapInfo map;

    if (i % (DISTANCE + 1) == 1) {
      kept = packet;
      continue;
    }
    fail_unless (gst_buffer_map (packet, &map, GST_MAP_READ));
    loopback_send (loopback, map.data, map.size);
    gst_buffer_unmap (packet, &map);
    gst_buffer_unref (packet);
    if (kept && (i % (DISTANCE + 1) == 0 || !g_async_queue_length (packets))) {
      fail_unless (gst_buffer_map (kept, &map, GST_MAP_READ));
      loopback_send (loopback, map.data, map.size);
      gst_buffer_unmap (kept, &map);
      gst_clear_buffer (&kept);
    }
  }
}

TEST (test_video)
{
  g_autofree gchar *caps = NULL;
  g_autofree gchar *properties = NULL;
  g_autoptr (GAsyncQueue) frames = make ("", NULL);
  g_autoptr (GAsyncQueue) packets = make ("rtpvrawpay mtu=400 ! ", &caps);
  g_autoptr (GAsyncQueue) received = NULL;
  guint n = g_async_queue_length (packets);

  g_assert_cmpint (n, >, 200);
  properties = g_strdup_printf (LONG "caps=\"%s\"", caps);
  element_new (properties,
      "rtpvrawdepay ! fakesink name=sink sync=false signal-handoffs=true");
  received = watch_sink (receiver->pipeline);
  receiver_play (receiver);
  send_reordered (packets);
  for (guint i = 0; i < 5; i++) {
    g_autoptr (GstBuffer) frame =
        g_async_queue_timeout_pop (received, RECEIVER_PATIENCE);
    g_autoptr (GstBuffer) expected = g_async_queue_try_pop (frames);

    fail_unless (frame && expected);
    assert_same (expected, frame);
  }
  assert_all_there (n);
  receiver_assert_none (receiver, "late", "lost", "waiting");
  g_assert_cmpuint (receiver_stat (receiver, "reordered"), >, n / 30);
}

ELEMENT_SUITE ("element-order", "rtp", "videotestsrc", NULL)
