/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Packets become buffers: bytes, times, lists, how many, and how long they
 * live.
 */
#include "element-fixture.h"
#include "kernel.h"

/* A reading of two clocks may be interrupted in between. */
#define INTERRUPTED (100 * GST_MSECOND)

static void
assert_packet (guint number, guint pattern, gsize size)
{
  const TapPacket *packet = tap_packet (tap, number);
  gsize is_size;
  gconstpointer data = g_bytes_get_data (packet->bytes, &is_size);

  fail_unless_equals_int (is_size, size);
  loopback_assert_pattern (data, pattern, size);
}

static void
send_patterns (guint first, guint n)
{
  for (guint i = first; i < first + n; i++)
    loopback_send_pattern (loopback, i, 100 + i);
}

static void
assert_patterns (guint n)
{
  for (guint i = 0; i < n; i++)
    assert_packet (i, i, 100 + i);
}

/* Bytes. */

static const gsize sizes[] = { 0, 1, 1400, 2047, 2048, 2049, 9000, 16384, 16385,
  48000, 65507 };

static void
exchange_sizes (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    loopback_send_pattern (loopback, i, sizes[i]);
    tap_wait (tap, i + 1);
    assert_packet (i, i, sizes[i]);
  }
  /* All of them in one batch. */
  tap_hold (tap);
  loopback_send_pattern (loopback, 0, 1);
  tap_wait_held (tap);
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    loopback_send_pattern (loopback, i, sizes[i]);
  tap_let_go (tap);
  element_wait (2 * G_N_ELEMENTS (sizes) + 1);
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    assert_packet (G_N_ELEMENTS (sizes) + 1 + i, i, sizes[i]);
}

/* On an interface whose packets may be longer than any frame. */
TEST (test_sizes)
{
  guint64 bytes = 1;

  element_play ("", "fakesink");
  exchange_sizes ();
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    bytes += 2 * sizes[i];
  receiver_assert_stat (receiver, "bytes", bytes);
  receiver_assert_stat (receiver, "copied", 2 * 3);
}

/* On any interface: frames for packets of an ordinary MTU. */
TEST (test_sizes_any_interface)
{
  g_free (loopback->properties);
  loopback->properties =
      g_strdup_printf ("address=0.0.0.0 port=%u", loopback->port);
  element_play ("", "fakesink");
  exchange_sizes ();
  receiver_assert_stat (receiver, "copied", 2 * 6);
}

TEST (test_ipv6)
{
  loopback_free (loopback);
  loopback = loopback_new_ipv6 ();
  element_play ("", "fakesink");
  send_patterns (0, 10);
  element_wait (10);
  assert_patterns (10);
}

/* Packets in lists. */

/* Has n packets come together: one that is held up, and the rest behind it. */
static void
send_together (guint first, guint n)
{
  tap_hold (tap);
  send_patterns (first, 1);
  tap_wait_held (tap);
  send_patterns (first + 1, n - 1);
  tap_let_go (tap);
  tap_wait (tap, first + n);
}

TEST (test_lists)
{
  element_play ("batch-size=8", "fakesink");
  send_together (0, 1 + 20);
  element_wait (21);
  assert_patterns (21);
  fail_unless_equals_int (tap_packet (tap, 0)->list, 0);
  for (guint i = 0; i < 20; i++)
    fail_unless_equals_int (tap_packet (tap, 1 + i)->list, 1 + i / 8);
  fail_unless_equals_int (tap_n_lists (tap), 3);
  /* One alone is a plain buffer, also at the end of many. */
  send_together (21, 1 + 9);
  fail_unless_equals_int (tap_packet (tap, 30)->list, 0);
  fail_unless_equals_int (tap_n_lists (tap), 4);
}

TEST (test_no_lists)
{
  element_play ("batch-size=1", "fakesink");
  send_together (0, 100);
  element_wait (100);
  assert_patterns (100);
  fail_unless_equals_int (tap_n_lists (tap), 0);
}

/* Times. */

static GstClockTime
running_time (void)
{
  g_autoptr (GstClock) clock = gst_element_get_clock (receiver->pipeline);

  return gst_clock_get_time (clock) -
      gst_element_get_base_time (receiver->pipeline);
}

static void
assert_times (guint start, guint n, GstClockTime from, GstClockTime to)
{
  for (guint i = start; i < start + n; i++) {
    const TapPacket *packet = tap_packet (tap, i);

    fail_unless (GST_CLOCK_TIME_IS_VALID (packet->pts));
    fail_unless_equals_uint64 (packet->dts, packet->pts);
    fail_unless (packet->pts + INTERRUPTED >= from && packet->pts <= to,
        "packet %u: %" GST_TIME_FORMAT ", sent from %" GST_TIME_FORMAT
        " to %" GST_TIME_FORMAT,
        i, GST_TIME_ARGS (packet->pts), GST_TIME_ARGS (from),
        GST_TIME_ARGS (to));
    fail_unless (!i || packet->pts >= tap_packet (tap, i - 1)->pts);
  }
}

TEST (test_times)
{
  element_play ("", "fakesink");
  for (guint i = 0; i < 50; i++) {
    GstClockTime before = running_time ();

    loopback_send_pattern (loopback, i, 100);
    tap_wait (tap, i + 1);
    assert_times (i, 1, before, running_time ());
  }
}

/* Each its own, when it arrived and not when it was read. */
TEST (test_times_of_a_list)
{
  GstClockTime before, between, after;

  kernel_needs_arrival_times ();
  element_play ("", "fakesink");
  before = running_time ();
  tap_hold (tap);
  send_patterns (0, 1);
  tap_wait_held (tap);
  send_patterns (1, 10);
  between = running_time ();
  while (running_time () < between + 3 * INTERRUPTED)
    g_usleep (1000);
  send_patterns (11, 10);
  after = running_time ();
  tap_let_go (tap);
  element_wait (21);
  fail_unless_equals_int (tap_packet (tap, 20)->list, 1);
  assert_times (0, 11, before, between);
  assert_times (11, 10, between + 2 * INTERRUPTED, after);
}

/* What waited in the socket since before PLAYING comes first, at time 0. */
TEST (test_times_before_playing)
{
  kernel_needs_arrival_times ();
  element_new ("", "fakesink");
  receiver_set_state (receiver, GST_STATE_READY);
  send_patterns (0, 10);
  receiver_set_state (receiver, GST_STATE_PAUSED);
  send_patterns (10, 10);
  receiver_play (receiver);
  tap_wait (tap, 20);
  send_patterns (20, 1);
  element_wait (21);
  assert_patterns (21);
  assert_times (0, 20, 0, 0);
  assert_times (20, 1, 0, running_time ());
  fail_unless (tap_packet (tap, 20)->pts > 0);
}

TEST (test_no_times)
{
  element_play ("do-timestamp=false", "fakesink");
  send_together (0, 20);
  /* The first one has the base class's. */
  for (guint i = 1; i < 20; i++) {
    fail_if (GST_CLOCK_TIME_IS_VALID (tap_packet (tap, i)->pts));
    fail_if (GST_CLOCK_TIME_IS_VALID (tap_packet (tap, i)->dts));
  }
}

/* How many. */

static const struct
{
  guint num_buffers;
  guint batch_size;
} limits[] = { { 1, 1 }, { 1, 64 }, { 5, 64 }, { 63, 64 }, { 64, 64 },
  { 65, 64 }, { 130, 64 }, { 100, 7 }, { 10, 1 } };

TABLE_TEST (test_num_buffers, limits)
{
  guint n = limits[__i__].num_buffers;
  g_autofree gchar *properties = g_strdup_printf (
      "num-buffers=%u batch-size=%u", n, limits[__i__].batch_size);

  element_new (properties, "fakesink");
  receiver_set_state (receiver, GST_STATE_READY);
  send_patterns (0, n + 70);
  receiver_set_state (receiver, GST_STATE_PLAYING);
  tap_wait_eos (tap);
  element_wait (n);
  assert_patterns (n);
}

/* A batch that came while the element went to PAUSED, and was kept back, does not count
 * when a flush takes it, and the base class asks twice because of that. */
LOOP_TEST (test_num_buffers_held, 3)
{
  guint n = 10 * (1 + __i__);
  g_autofree gchar *properties =
      g_strdup_printf ("num-buffers=%u batch-size=10 caps=video/mpegts", n);

  element_new (properties, "fakesink async=false");
  receiver_set_state (receiver, GST_STATE_READY);
  send_patterns (0, 50);
  tap_hold (tap);
  receiver_set_state (receiver, GST_STATE_PLAYING);
  tap_wait_held (tap); /* at the caps, before the batch */
  receiver_set_state (receiver, GST_STATE_PAUSED);
  tap_let_go (tap);
  fail_unless (
      gst_element_send_event (receiver->src, gst_event_new_flush_start ()));
  fail_unless (
      gst_element_send_event (receiver->src, gst_event_new_flush_stop (TRUE)));
  receiver_assert_stat (receiver, "discarded", 10);
  receiver_set_state (receiver, GST_STATE_PLAYING);
  tap_wait_eos (tap);
  element_wait (n);
  for (guint i = 0; i < n; i++)
    assert_packet (i, 10 + i, 110 + i);
}

/* How long. */

/* A downstream that keeps everything costs copies, no packets. */
TEST (test_frames_run_out)
{
  guint64 n_frames;
  guint n;

  element_play ("", "fakesink");
  tap_keep (tap, TRUE);
  n_frames = receiver_stat (receiver, "frames");
  fail_unless (n_frames > 0 && n_frames < 10000);
  receiver_assert_stat (receiver, "frames-free", n_frames);
  for (n = 0; n < n_frames + 100; n++) {
    loopback_send_pattern (loopback, n, 100);
    tap_wait (tap, n + 1);
  }
  element_wait (n);
  for (guint i = 0; i < n; i++)
    assert_packet (i, i, 100);
  fail_unless (receiver_stat (receiver, "copied") >= 100);
  fail_unless (receiver_stat (receiver, "copied") < n_frames / 2);
  fail_unless_equals_uint64 (receiver_stat (receiver, "frames-free"),
      n_frames - (n - receiver_stat (receiver, "copied")));
  tap_drop (tap);
  /* The last one may still be with the sink. */
  receiver_wait_stat (receiver, "frames-free", n_frames);
}

/* Buffers that are kept past NULL, and past the element. */
TEST (test_outlived_by_buffers)
{
  g_autoptr (GstBuffer) whole = NULL;
  g_autoptr (GstBuffer) part = NULL;
  GstMapInfo map;

  element_play ("", "fakesink");
  tap_keep (tap, TRUE);
  send_patterns (0, 2);
  tap_wait (tap, 2);
  part = gst_buffer_copy_region (
      tap_packet (tap, 0)->buffer, GST_BUFFER_COPY_MEMORY, 0, 100);
  whole = gst_buffer_ref (tap_packet (tap, 1)->buffer);
  tap_drop (tap);
  receiver_set_state (receiver, GST_STATE_NULL);
  /* Others use the frames that are left. */
  receiver_play (receiver);
  send_patterns (2, 100);
  tap_wait (tap, 102);
  element_end ();

  fail_unless (gst_buffer_map (part, &map, GST_MAP_READ));
  loopback_assert_pattern (map.data, 0, 100);
  gst_buffer_unmap (part, &map);
  fail_unless (gst_buffer_map (whole, &map, GST_MAP_READ));
  fail_unless_equals_int (map.size, 101);
  loopback_assert_pattern (map.data, 1, 101);
  gst_buffer_unmap (whole, &map);
}

ELEMENT_SUITE ("element-buffers", NULL)
