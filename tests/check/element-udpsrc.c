/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an application of udpsrc relies on, besides packets: the split at mtu, the
 * port that was chosen, bytes that are skipped, timeouts.
 */
#include "element-fixture.h"

#define TIMEOUT "GstUDPSrcTimeout"

static gconstpointer
bytes_of (guint number, gsize *size)
{
  return g_bytes_get_data (tap_packet (tap, number)->bytes, size);
}

static void
assert_pattern (guint number, guint pattern, gsize skipped, gsize size)
{
  g_autofree guint8 *whole = g_malloc0 (skipped + size);
  gsize is_size;
  gconstpointer data = bytes_of (number, &is_size);

  fail_unless_equals_int (is_size, size);
  for (gsize i = 0; i < skipped; i++)
    whole[i] = i ? i * 7 + i / 256 + pattern : pattern & 0x3f;
  if (size)
    memcpy (whole + skipped, data, size);
  loopback_assert_pattern (whole, pattern, skipped + size);
}

/* Memories. */

static const struct
{
  const gchar *properties;
  gsize size;
  guint n_memories;
  gsize first;
} memories[] = {
  { "", 48000, 2, 1492 },
  { "", 21000, 2, 1492 },
  { "", 500, 1, 500 },
  { "", 1600, 2, 1492 },
  { "", 1400, 1, 1400 },
  { "", 1492, 1, 1492 },
  { "", 1493, 2, 1492 },
  { "mtu=100", 1400, 2, 100 },
  { "mtu=9000", 9000, 1, 9000 },
  { "mtu=9000", 65507, 2, 9000 },
  { "mtu=0", 65507, 1, 65507 },
};

TABLE_TEST (test_memories, memories)
{
  const gsize size = memories[__i__].size;
  GstBuffer *buffer;
  GstMapInfo map;
  gsize maxsize;

  element_play (memories[__i__].properties, "fakesink");
  tap_keep (tap, TRUE);
  loopback_send_pattern (loopback, 5, size);
  element_wait (1);
  assert_pattern (0, 5, 0, size);
  buffer = tap_packet (tap, 0)->buffer;
  fail_unless_equals_int (
      gst_buffer_n_memory (buffer), memories[__i__].n_memories);
  fail_unless_equals_int (
      gst_memory_get_sizes (gst_buffer_peek_memory (buffer, 0), NULL, &maxsize),
      memories[__i__].first);
  /* There is nothing behind it but what its frame begins with. */
  fail_unless (maxsize <= memories[__i__].first + 64);
  fail_unless (gst_buffer_map (buffer, &map, GST_MAP_READ));
  fail_unless_equals_int (map.size, size);
  loopback_assert_pattern (map.data, 5, size);
  gst_buffer_unmap (buffer, &map);
}

TEST (test_empty)
{
  element_play ("", "fakesink");
  loopback_send (loopback, "", 0);
  loopback_send (loopback, "HeLL0", 6);
  element_wait (2);
  assert_pattern (0, 0, 0, 0);
  fail_unless_equals_string (bytes_of (1, NULL), "HeLL0");
  receiver_assert_stat (receiver, "malformed", 0);
}

/* What is changed behind the application's back. */

static void
count (GObject *object, GParamSpec *pspec, gpointer user_data)
{
  (*(guint *) user_data)++;
}

TEST (test_port)
{
  g_autofree gchar *expected = NULL;
  g_autofree gchar *uri = NULL;
  guint n_ports = 0, n_uris = 0;
  gint port;

  loopback->port = 0;
  g_free (loopback->properties);
  loopback->properties =
      g_strdup_printf ("address=%s port=0", loopback->address_text);
  element_new ("", "fakesink");
  g_signal_connect (
      receiver->src, "notify::port", G_CALLBACK (count), &n_ports);
  g_signal_connect (receiver->src, "notify::uri", G_CALLBACK (count), &n_uris);
  receiver_set_state (receiver, GST_STATE_READY);
  g_object_get (receiver->src, "port", &port, "uri", &uri, NULL);
  fail_unless (port > 0);
  fail_unless_equals_int (n_ports, 1);
  fail_unless_equals_int (n_uris, 1);
  expected = g_strdup_printf ("afxdp://%s:%d", loopback->address_text, port);
  fail_unless_equals_string (uri, expected);
  loopback->port = port;
  receiver_play (receiver);
  element_receive (33, 0, 3);
  /* It is kept. */
  receiver_set_state (receiver, GST_STATE_NULL);
  receiver_play (receiver);
  fail_unless_equals_int (n_ports, 1);
  element_pass (33, 3, 3, 6);
  element_end ();
}

TEST (test_host_name)
{
  g_autoptr (GSocketAddress) bound = NULL;
  g_autoptr (GSocket) socket = NULL;
  GSocketFamily family;
  gchar text[16] = "by name";

  g_free (loopback->properties);
  loopback->properties = g_strdup ("address=localhost port=0");
  element_play ("", "fakesink");
  g_object_get (receiver->src, "used-socket", &socket, NULL);
  bound = g_socket_get_local_address (socket, NULL);
  family = g_socket_address_get_family (bound);
  fail_unless (g_inet_address_get_is_loopback (
      g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (bound))));
  g_object_unref (loopback->sender);
  loopback->sender = g_socket_new (
      family, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, NULL);
  fail_unless_equals_int (
      g_socket_send_to (loopback->sender, bound, text, sizeof text, NULL, NULL),
      sizeof text);
  element_wait (1);
  fail_unless_equals_string (bytes_of (0, NULL), text);
}

static void
assert_sources (guint n, guint is_n, const gchar *sources)
{
  g_autofree gchar *is_sources = NULL;

  fail_unless_equals_int (is_n, n);
  g_object_get (receiver->src, "multicast-source", &is_sources, NULL);
  fail_unless_equals_string (is_sources, sources);
}

TEST (test_notified_of_sources)
{
  guint n = 0;

  element_new ("", "fakesink");
  g_signal_connect (
      receiver->src, "notify::multicast-source", G_CALLBACK (count), &n);
  g_object_set (receiver->src, "uri", "udp://127.0.0.1:5004", NULL);
  assert_sources (0, n, NULL);
  g_object_set (
      receiver->src, "multicast-source", "+127.0.0.2+127.0.0.3", NULL);
  assert_sources (1, n, "+127.0.0.2+127.0.0.3");
  g_object_set (receiver->src, "uri",
      "udp://127.0.0.1:5004?multicast-source=+127.0.0.2", NULL);
  assert_sources (2, n, "+127.0.0.2");
  g_object_set (receiver->src, "uri", "udp://127.0.0.1:5004", NULL);
  assert_sources (3, n, NULL);
  fail_unless (gst_uri_handler_set_uri (GST_URI_HANDLER (receiver->src),
      "afxdp://127.0.0.1:5004?multicast-source=-127.0.0.2", NULL));
  assert_sources (4, n, "-127.0.0.2");
  element_end ();
}

/* Bytes that are skipped. */

TEST (test_skip)
{
  element_play ("skip-first-bytes=4", "fakesink");
  loopback_send_pattern (loopback, 1, 100);
  loopback_send_pattern (loopback, 2, 3);
  loopback_send_pattern (loopback, 3, 0);
  loopback_send_pattern (loopback, 4, 4);
  loopback_send_pattern (loopback, 5, 60000);
  loopback_send_pattern (loopback, 6, 1496);
  element_wait (4);
  assert_pattern (0, 1, 4, 96);
  assert_pattern (1, 4, 4, 0);
  assert_pattern (2, 5, 4, 59996);
  assert_pattern (3, 6, 4, 1492);
  receiver_assert_stat (receiver, "malformed", 2);
  fail_if (receiver->error);
}

/* RTP begins behind them. */
TEST (test_skip_before_rtp)
{
  guint8 packet[8 + 12] = { 1, 2, 3, 4, 5, 6, 7, 8, 0x80, 33 };
  gchar *name;

  element_play ("skip-first-bytes=8", "fakesink");
  for (guint i = 0; i < 5; i++) {
    packet[8 + 3] = i;
    loopback_send (loopback, packet, sizeof packet);
  }
  element_wait (5);
  receiver_assert_stat (receiver, "not-rtp", 0);
  fail_unless (tap_packet (tap, 4)->caps != NULL);
  name = gst_caps_to_string (tap_packet (tap, 4)->caps);
  fail_unless (g_str_has_prefix (name, "application/x-rtp"));
  g_free (name);
}

TEST (test_skip_while_playing)
{
  element_play ("", "fakesink");
  for (guint i = 0; i < 10; i++) {
    guint skip = i % 5;

    g_object_set (receiver->src, "skip-first-bytes", skip, NULL);
    loopback_send_pattern (loopback, i, 100);
    tap_wait (tap, i + 1);
    assert_pattern (i, i, skip, 100 - skip);
  }
}

/* What is told while the stream is opened, the application hears in the same thread. */
static GstBusSyncReply
skip_at_warning (GstBus *bus, GstMessage *message, gpointer user_data)
{
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_WARNING)
    g_object_set (receiver->src, "skip-first-bytes", 4, NULL);
  return GST_BUS_PASS;
}

TEST (test_skip_while_opening)
{
  g_autofree gchar *properties = g_strdup_printf (
      "uri=afxdp://%s:%u?color=red", loopback->address_text, loopback->port);

  element_new (properties, "fakesink");
  gst_bus_set_sync_handler (receiver->bus, skip_at_warning, NULL, NULL);
  receiver_play (receiver);
  receiver_assert_warnings (receiver, 1);
  loopback_send_pattern (loopback, 1, 100);
  element_wait (1);
  assert_pattern (0, 1, 4, 96);
}

/* Timeouts. */

/* The next one within so many ms, or 0. */
static guint64
pop_timeout (guint ms)
{
  gint64 deadline = g_get_monotonic_time () + ms * G_TIME_SPAN_MILLISECOND;
  guint64 timeout = 0;

  while (!timeout && g_get_monotonic_time () < deadline) {
    g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (
        receiver->bus, GST_MSECOND, GST_MESSAGE_ELEMENT);

    if (!message || !gst_message_has_name (message, TIMEOUT))
      continue;
    fail_unless (GST_MESSAGE_SRC (message) == GST_OBJECT (receiver->src));
    fail_unless (gst_structure_get_uint64 (
        gst_message_get_structure (message), "timeout", &timeout));
  }
  return timeout;
}

#define LONG 20000 /* ms, and never waited for */
/* As many wait unread. */
#define MOST_UNREAD 8

/* Until none has come for so many ms. Returns how many came. */
static guint
pop_timeouts (guint ms)
{
  guint n = 0;

  while (pop_timeout (ms))
    fail_unless (++n <= MOST_UNREAD + 1, "%u timeouts, and no end", n);
  return n;
}

TEST (test_timeout)
{
  gint64 begin;

  element_play ("timeout=50000000", "fakesink");
  begin = g_get_monotonic_time ();
  for (guint i = 0; i < 4; i++)
    fail_unless_equals_uint64 (pop_timeout (LONG), 50000000);
  fail_unless (g_get_monotonic_time () - begin > 150 * G_TIME_SPAN_MILLISECOND);
  /* Packets still come. */
  element_receive (33, 0, 3);
}

TEST (test_timeout_with_packets)
{
  element_play ("timeout=2000000000", "fakesink");
  for (guint i = 0; i < 250; i++) {
    element_pass (33, i, 1, i + 1);
    fail_unless_equals_uint64 (pop_timeout (10), 0);
  }
}

TEST (test_timeout_while_playing)
{
  element_play ("", "fakesink");
  fail_unless_equals_uint64 (pop_timeout (100), 0);
  g_object_set (receiver->src, "timeout", G_GUINT64_CONSTANT (20000000), NULL);
  fail_unless_equals_uint64 (pop_timeout (LONG), 20000000);
  g_object_set (receiver->src, "timeout", G_GUINT64_CONSTANT (30000000), NULL);
  for (guint i = 0; pop_timeout (LONG) != 30000000; i++)
    fail_unless (i <= MOST_UNREAD, "the old timeout stays");
  g_object_set (receiver->src, "timeout", G_GUINT64_CONSTANT (0), NULL);
  element_pass (33, 0, 1, 1);
  /* One more may have been due just then. */
  pop_timeouts (100);
  fail_unless_equals_uint64 (pop_timeout (200), 0);
}

/* In PAUSED nothing is received, so nothing is missing; and no time counts that
 * passed there. */
TEST (test_timeout_paused)
{
  gint64 begin;

  element_play ("timeout=300000000", "fakesink");
  receiver_set_state (receiver, GST_STATE_PAUSED);
  pop_timeouts (400);
  fail_unless_equals_uint64 (pop_timeout (700), 0);
  begin = g_get_monotonic_time ();
  receiver_set_state (receiver, GST_STATE_PLAYING);
  fail_unless_equals_uint64 (pop_timeout (LONG), 300000000);
  fail_unless (
      g_get_monotonic_time () - begin >= 300 * G_TIME_SPAN_MILLISECOND);
}

/* udpsrc posts as fast as it can when there is less than one µs. */
TEST (test_timeout_shortest)
{
  gint64 begin, ms;
  guint n;

  element_play ("timeout=1", "fakesink");
  begin = g_get_monotonic_time ();
  for (n = 0; n < 100; n++)
    fail_unless_equals_uint64 (pop_timeout (LONG), 1);
  ms = (g_get_monotonic_time () - begin) / G_TIME_SPAN_MILLISECOND;
  /* There may be eight already, and the first is not waited for. */
  fail_unless (ms >= 90, "100 messages in %d ms", (gint) ms);
  /* Nobody reads. */
  g_usleep (100 * G_TIME_SPAN_MILLISECOND);
  receiver_set_state (receiver, GST_STATE_PAUSED);
  n = pop_timeouts (100);
  fail_unless (n > 0 && n <= MOST_UNREAD, "%u messages", n);
}

/* Times without do-timestamp. */
TEST (test_socket_timestamp)
{
  element_play ("do-timestamp=false socket-timestamp=realtime", "fakesink");
  for (guint i = 0; i < 5; i++) {
    element_pass (33, i, 1, i + 1);
    fail_unless (GST_CLOCK_TIME_IS_VALID (tap_packet (tap, i)->pts));
    fail_unless (GST_CLOCK_TIME_IS_VALID (tap_packet (tap, i)->dts));
  }
}

ELEMENT_SUITE ("element-udpsrc", NULL)
