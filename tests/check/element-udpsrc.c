/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an application of udpsrc relies on, besides packets: the split at mtu, the
 * port that was chosen, timeouts, senders, and sockets in both directions.
 */
#include <gst/net/gstnetaddressmeta.h>
#include <netinet/in.h>

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

GST_START_TEST (test_memories)
{
  const gsize size = memories[__i__].size;
  GstBuffer *buffer;
  GstMapInfo map;
  gsize maxsize;

  element_play (memories[__i__].properties, "fakesink");
  tap_keep (tap);
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
  element_end ();
}
GST_END_TEST

GST_START_TEST (test_empty)
{
  element_play ("", "fakesink");
  loopback_send (loopback, "", 0);
  loopback_send (loopback, "HeLL0", 6);
  element_wait (2);
  assert_pattern (0, 0, 0, 0);
  fail_unless_equals_string (bytes_of (1, NULL), "HeLL0");
  receiver_assert_stat (receiver, "malformed", 0);
  element_end ();
}
GST_END_TEST

/* What is changed behind the application's back. */

static void
count (GObject *object, GParamSpec *pspec, gpointer user_data)
{
  (*(guint *) user_data)++;
}

GST_START_TEST (test_port)
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
  loopback_send_many (loopback, 33, 0, 3);
  element_wait (3);
  /* It is kept. */
  receiver_set_state (receiver, GST_STATE_NULL);
  receiver_play (receiver);
  fail_unless_equals_int (n_ports, 1);
  loopback_send_many (loopback, 33, 3, 3);
  tap_wait (tap, 6);
  element_end ();
}
GST_END_TEST

GST_START_TEST (test_host_name)
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
  element_end ();
}
GST_END_TEST

static void
assert_sources (guint n, guint is_n, const gchar *sources)
{
  g_autofree gchar *is_sources = NULL;

  fail_unless_equals_int (is_n, n);
  g_object_get (receiver->src, "multicast-source", &is_sources, NULL);
  fail_unless_equals_string (is_sources, sources);
}

GST_START_TEST (test_notified_of_sources)
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
GST_END_TEST

/* Bytes that are skipped. */

GST_START_TEST (test_skip)
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
  element_end ();
}
GST_END_TEST

/* RTP begins behind them. */
GST_START_TEST (test_skip_before_rtp)
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
  element_end ();
}
GST_END_TEST

GST_START_TEST (test_skip_while_playing)
{
  element_play ("", "fakesink");
  for (guint i = 0; i < 10; i++) {
    guint skip = i % 5;

    g_object_set (receiver->src, "skip-first-bytes", skip, NULL);
    loopback_send_pattern (loopback, i, 100);
    tap_wait (tap, i + 1);
    assert_pattern (i, i, skip, 100 - skip);
  }
  element_end ();
}
GST_END_TEST

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

GST_START_TEST (test_timeout)
{
  gint64 begin;

  element_play ("timeout=50000000", "fakesink");
  begin = g_get_monotonic_time ();
  for (guint i = 0; i < 4; i++)
    fail_unless_equals_uint64 (pop_timeout (LONG), 50000000);
  fail_unless (g_get_monotonic_time () - begin > 150 * G_TIME_SPAN_MILLISECOND);
  /* Packets still come. */
  loopback_send_many (loopback, 33, 0, 3);
  element_wait (3);
  element_end ();
}
GST_END_TEST

GST_START_TEST (test_timeout_with_packets)
{
  element_play ("timeout=2000000000", "fakesink");
  for (guint i = 0; i < 250; i++) {
    loopback_send_many (loopback, 33, i, 1);
    tap_wait (tap, i + 1);
    fail_unless_equals_uint64 (pop_timeout (10), 0);
  }
  element_end ();
}
GST_END_TEST

GST_START_TEST (test_timeout_while_playing)
{
  element_play ("", "fakesink");
  fail_unless_equals_uint64 (pop_timeout (100), 0);
  g_object_set (receiver->src, "timeout", G_GUINT64_CONSTANT (20000000), NULL);
  fail_unless_equals_uint64 (pop_timeout (LONG), 20000000);
  g_object_set (receiver->src, "timeout", G_GUINT64_CONSTANT (30000000), NULL);
  while (pop_timeout (LONG) != 30000000)
    ;
  g_object_set (receiver->src, "timeout", G_GUINT64_CONSTANT (0), NULL);
  loopback_send_many (loopback, 33, 0, 1);
  tap_wait (tap, 1);
  /* One more may have been due just then. */
  while (pop_timeout (100))
    ;
  fail_unless_equals_uint64 (pop_timeout (200), 0);
  element_end ();
}
GST_END_TEST

/* In PAUSED nothing is received, so nothing is missing; and no time counts that
 * passed there. */
GST_START_TEST (test_timeout_paused)
{
  gint64 begin;

  element_play ("timeout=300000000", "fakesink");
  receiver_set_state (receiver, GST_STATE_PAUSED);
  while (pop_timeout (400))
    ;
  fail_unless_equals_uint64 (pop_timeout (700), 0);
  begin = g_get_monotonic_time ();
  receiver_set_state (receiver, GST_STATE_PLAYING);
  fail_unless_equals_uint64 (pop_timeout (LONG), 300000000);
  fail_unless (
      g_get_monotonic_time () - begin >= 300 * G_TIME_SPAN_MILLISECOND);
  element_end ();
}
GST_END_TEST

/* udpsrc posts as fast as it can when there is less than one µs. */
GST_START_TEST (test_timeout_shortest)
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
  n = 0;
  while (pop_timeout (100))
    n++;
  fail_unless (n > 0 && n <= 8, "%u messages", n);
  element_end ();
}
GST_END_TEST

/* Senders. */

static GSocketAddress *
sender_of (guint number)
{
  GstNetAddressMeta *meta =
      gst_buffer_get_net_address_meta (tap_packet (tap, number)->buffer);

  return meta ? meta->addr : NULL;
}

static void
assert_sender (guint number, GSocket *sender)
{
  g_autoptr (GSocketAddress) local = g_socket_get_local_address (sender, NULL);
  GInetSocketAddress *ours = G_INET_SOCKET_ADDRESS (local);
  GInetSocketAddress *theirs = (GInetSocketAddress *) sender_of (number);

  fail_unless (theirs != NULL, "packet %u has no sender", number);
  fail_unless (g_inet_address_equal (g_inet_socket_address_get_address (ours),
      g_inet_socket_address_get_address (theirs)));
  fail_unless_equals_int (g_inet_socket_address_get_port (theirs),
      g_inet_socket_address_get_port (ours));
}

static GSocket *
new_sender (void)
{
  g_autoptr (GSocketAddress) local =
      g_inet_socket_address_new (loopback->address, 0);
  GSocket *sender = g_socket_new (g_inet_address_get_family (loopback->address),
      G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, NULL);

  fail_unless (sender && g_socket_bind (sender, local, FALSE, NULL));
  return sender;
}

/* More than are remembered, each twice in a row, and all of them again. */
static void
exchange_senders (void)
{
  GSocket *senders[20];
  GSocket *of_loopback = loopback->sender;

  for (guint i = 0; i < G_N_ELEMENTS (senders); i++)
    senders[i] = i ? new_sender () : g_object_ref (of_loopback);
  tap_keep (tap);
  for (guint i = 0; i < 80; i++) {
    loopback->sender = senders[i / 2 % 20];
    loopback_send_pattern (loopback, i, 100);
    tap_wait (tap, i + 1);
  }
  loopback->sender = of_loopback;
  element_wait (80);
  for (guint i = 0; i < 80; i++) {
    assert_sender (i, senders[i / 2 % 20]);
    fail_unless (sender_of (i) == sender_of (i & ~1u), "two objects");
  }
  for (guint i = 0; i < G_N_ELEMENTS (senders); i++)
    g_object_unref (senders[i]);
}

/* Those that were forgotten, and the others, live as long as the packet memory. */
GST_START_TEST (test_senders)
{
  GWeakRef early, late;
  GObject *left;

  element_play ("", "fakesink");
  exchange_senders ();
  g_weak_ref_init (&early, sender_of (0));
  g_weak_ref_init (&late, sender_of (79));
  tap_drop (tap);
  receiver_set_state (receiver, GST_STATE_NULL);
  left = g_weak_ref_get (&early);
  fail_if (left);
  left = g_weak_ref_get (&late);
  fail_if (left);
  g_weak_ref_clear (&early);
  g_weak_ref_clear (&late);
  element_end ();
}
GST_END_TEST

/* A buffer that is used again tells who sent what is in it now. */
GST_START_TEST (test_sender_after_another)
{
  GSocket *of_loopback = loopback->sender;

  element_play ("", "fakesink");
  tap_keep (tap);
  for (guint i = 0; i < 300; i++) {
    if (i == 20) {
      tap_drop (tap);
      tap_keep (tap);
      loopback->sender = new_sender ();
    }
    loopback_send_pattern (loopback, i, 100);
    tap_wait (tap, i + 1);
    assert_sender (i, loopback->sender);
  }
  g_object_unref (loopback->sender);
  loopback->sender = of_loopback;
  element_end ();
}
GST_END_TEST

GST_START_TEST (test_senders_ipv6)
{
  loopback_free (loopback);
  loopback = loopback_new_ipv6 ();
  element_play ("", "fakesink");
  exchange_senders ();
  element_end ();
}
GST_END_TEST

/* In a list, and of what has no bytes or is copied. */
GST_START_TEST (test_senders_of_a_list)
{
  element_play ("", "fakesink");
  tap_keep (tap);
  tap_hold (tap);
  loopback_send_pattern (loopback, 0, 100);
  tap_wait_held (tap);
  for (guint i = 0; i < 10; i++)
    loopback_send_pattern (loopback, i, i * 6000);
  tap_let_go (tap);
  element_wait (11);
  fail_unless_equals_int (tap_packet (tap, 10)->list, 1);
  for (guint i = 0; i < 11; i++)
    assert_sender (i, loopback->sender);
  element_end ();
}
GST_END_TEST

GST_START_TEST (test_senders_while_playing)
{
  element_play ("retrieve-sender-address=false", "fakesink");
  tap_keep (tap);
  for (guint i = 0; i < 10; i++) {
    g_object_set (receiver->src, "retrieve-sender-address", i % 2, NULL);
    loopback_send_pattern (loopback, i, 100);
    tap_wait (tap, i + 1);
    if (i % 2)
      assert_sender (i, loopback->sender);
    else
      fail_if (sender_of (i));
  }
  element_end ();
}
GST_END_TEST

/* The socket that is used. */

static GSocket *
used_socket (void)
{
  GSocket *socket;

  g_object_get (receiver->src, "used-socket", &socket, NULL);
  return socket;
}

/* An answer, as a receiver sends RTCP. */
static void
assert_answers (GSocket *socket)
{
  g_autoptr (GSocketAddress) to =
      g_socket_get_local_address (loopback->sender, NULL);
  g_autoptr (GSocketAddress) from = NULL;
  gchar answer[16];

  fail_unless_equals_int (
      g_socket_send_to (socket, to, "answer", 6, NULL, NULL), 6);
  fail_unless_equals_int (g_socket_receive_from (loopback->sender, &from,
                              answer, sizeof answer, NULL, NULL),
      6);
  fail_unless_equals_int (
      g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (from)),
      loopback->port);
}

GST_START_TEST (test_used_socket)
{
  guint n = 0;
  GSocket *socket;

  element_new ("", "fakesink");
  g_signal_connect (
      receiver->src, "notify::used-socket", G_CALLBACK (count), &n);
  fail_if (used_socket ());
  receiver_set_state (receiver, GST_STATE_READY);
  fail_unless_equals_int (n, 1);
  receiver_play (receiver);
  socket = used_socket ();
  assert_answers (socket);
  loopback_send_many (loopback, 33, 0, 3);
  element_wait (3);
  receiver_set_state (receiver, GST_STATE_NULL);
  fail_unless_equals_int (n, 2);
  fail_if (used_socket ());
  /* Also for who still holds it: the port is free. */
  fail_unless (g_socket_is_closed (socket));
  g_object_unref (socket);
  g_object_unref (loopback_occupy (loopback));
  element_end ();
}
GST_END_TEST

/* A socket that the application gives. */

static GSocket *
give_socket (void)
{
  GSocket *socket = loopback_occupy (loopback);

  g_object_set (
      receiver->src, "socket", socket, "address", "0.0.0.0", "port", 1, NULL);
  return socket;
}

GST_START_TEST (test_socket)
{
  gboolean closes = __i__;
  g_autoptr (GSocket) socket = NULL;
  g_autoptr (GSocket) used = NULL;
  gint port;

  element_new ("", "fakesink");
  socket = give_socket ();
  g_object_set (receiver->src, "close-socket", closes, NULL);
  receiver_play (receiver);
  used = used_socket ();
  fail_unless (used == socket);
  g_object_get (receiver->src, "port", &port, NULL);
  fail_unless_equals_int (port, loopback->port);
  loopback_send_many (loopback, 33, 0, 3);
  element_wait (3);
  assert_answers (socket);
  receiver_set_state (receiver, GST_STATE_NULL);
  fail_unless_equals_int (g_socket_is_closed (socket), closes);
  if (!closes) {
    receiver_play (receiver);
    loopback_send_many (loopback, 33, 3, 3);
    tap_wait (tap, 6);
    receiver_set_state (receiver, GST_STATE_NULL);
  }
  g_object_set (receiver->src, "socket", NULL, NULL);
  g_clear_object (&used);
  fail_unless_equals_int (G_OBJECT (socket)->ref_count, 1);
  element_end ();
}
GST_END_TEST

/* The answer of a host where nobody listens is no end. */
GST_START_TEST (test_socket_refused_by_peer)
{
  g_autoptr (GSocket) socket = NULL;
  g_autoptr (GSocket) nobody = new_sender ();
  g_autoptr (GSocketAddress) nowhere =
      g_socket_get_local_address (nobody, NULL);
  g_autoptr (GSocketAddress) sender =
      g_socket_get_local_address (loopback->sender, NULL);

  element_new ("", "fakesink");
  socket = give_socket ();
  fail_unless (g_socket_close (nobody, NULL));
  fail_unless (g_socket_connect (socket, nowhere, NULL, NULL));
  receiver_play (receiver);
  for (guint i = 0; i < 10; i++)
    g_socket_send (socket, "?", 1, NULL, NULL);
  fail_unless (g_socket_connect (socket, sender, NULL, NULL));
  loopback_send_many (loopback, 33, 0, 3);
  element_wait (3);
  receiver_read_bus (receiver);
  fail_if (receiver->error, "%s", receiver->error);
  element_end ();
}
GST_END_TEST

/* It is only let go of: packets come until NULL. */
GST_START_TEST (test_socket_closed_by_owner)
{
  g_autoptr (GSocket) socket = NULL;

  element_new ("", "fakesink");
  socket = give_socket ();
  receiver_play (receiver);
  fail_unless (g_socket_close (socket, NULL));
  loopback_send_many (loopback, 33, 0, 3);
  element_wait (3);
  receiver_set_state (receiver, GST_STATE_NULL);
  g_object_unref (loopback_occupy (loopback));
  element_end ();
}
GST_END_TEST

/* An IPv6 socket that takes IPv4 too: the sender is the IPv4 one. */
GST_START_TEST (test_socket_of_both_families)
{
  g_autoptr (GInetAddress) any = g_inet_address_new_any (G_SOCKET_FAMILY_IPV6);
  g_autoptr (GSocketAddress) local = g_inet_socket_address_new (any, 0);
  g_autoptr (GSocketAddress) bound = NULL;
  g_autoptr (GSocket) socket = g_socket_new (G_SOCKET_FAMILY_IPV6,
      G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, NULL);

  fail_unless (g_socket_bind (socket, local, FALSE, NULL));
  bound = g_socket_get_local_address (socket, NULL);
  loopback->port =
      g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound));
  element_new ("", "fakesink");
  g_object_set (receiver->src, "socket", socket, NULL);
  receiver_play (receiver);
  tap_keep (tap);
  loopback_send_many (loopback, 33, 0, 3);
  element_wait (3);
  assert_sender (2, loopback->sender);
  element_end ();
}
GST_END_TEST

static GSocket *
unbound (GSocketType type)
{
  return g_socket_new (
      G_SOCKET_FAMILY_IPV4, type, G_SOCKET_PROTOCOL_DEFAULT, NULL);
}

static GSocket *
closed (void)
{
  GSocket *socket = new_sender ();

  fail_unless (g_socket_close (socket, NULL));
  return socket;
}

/* It stays its owner's. */
GST_START_TEST (test_socket_of_no_use)
{
  GSocket *sockets[] = { unbound (G_SOCKET_TYPE_DATAGRAM),
    unbound (G_SOCKET_TYPE_STREAM), closed () };

  element_new ("", "fakesink");
  for (guint i = 0; i < G_N_ELEMENTS (sockets); i++) {
    gboolean was_closed = g_socket_is_closed (sockets[i]);

    g_object_set (receiver->src, "socket", sockets[i], NULL);
    fail_unless_equals_int (
        gst_element_set_state (receiver->pipeline, GST_STATE_READY),
        GST_STATE_CHANGE_FAILURE);
    receiver_wait_error (receiver);
    fail_unless (strstr (receiver->error, "socket that was given"), "%s",
        receiver->error);
    g_clear_pointer (&receiver->error, g_free);
    receiver_set_state (receiver, GST_STATE_NULL);
    fail_unless_equals_int (g_socket_is_closed (sockets[i]), was_closed);
  }
  g_object_set (receiver->src, "socket", NULL, NULL);
  receiver_play (receiver);
  element_end ();
  for (guint i = 0; i < G_N_ELEMENTS (sockets); i++)
    g_object_unref (sockets[i]);
}
GST_END_TEST

/* Who else has address and port. */

GST_START_TEST (test_reuse)
{
  Receiver *one;
  Tap *tap_of_one;

  element_play ("reuse=true", "fakesink");
  one = receiver;
  tap_of_one = tap;
  element_play ("reuse=true", "fakesink");
  receiver_set_state (receiver, GST_STATE_NULL);
  g_object_set (receiver->src, "reuse", FALSE, NULL);
  fail_unless_equals_int (
      gst_element_set_state (receiver->pipeline, GST_STATE_READY),
      GST_STATE_CHANGE_FAILURE);
  fail_unless (strstr (receiver_wait_error (receiver), "Could not bind"));
  element_end ();
  receiver = one;
  tap = tap_of_one;
  element_end ();
}
GST_END_TEST

static gint
loopback_option (GSocket *socket)
{
  gint value = -1;

  fail_unless (g_socket_get_option (
      socket, IPPROTO_IP, IP_MULTICAST_LOOP, &value, NULL));
  return value;
}

GST_START_TEST (test_loop)
{
  g_autofree gchar *properties = g_strdup_printf ("loop=%d", __i__);
  g_autoptr (GSocket) socket = NULL;

  element_play (properties, "fakesink");
  socket = used_socket ();
  fail_unless_equals_int (loopback_option (socket), __i__);
  element_end ();
}
GST_END_TEST

/* Times without do-timestamp. */
GST_START_TEST (test_socket_timestamp)
{
  element_play ("do-timestamp=false socket-timestamp=realtime", "fakesink");
  for (guint i = 0; i < 5; i++) {
    loopback_send_many (loopback, 33, i, 1);
    tap_wait (tap, i + 1);
    fail_unless (GST_CLOCK_TIME_IS_VALID (tap_packet (tap, i)->pts));
    fail_unless (GST_CLOCK_TIME_IS_VALID (tap_packet (tap, i)->dts));
  }
  element_end ();
}
GST_END_TEST

static void
add_tests (TCase *tcase)
{
  tcase_add_loop_test (tcase, test_memories, 0, G_N_ELEMENTS (memories));
  tcase_add_test (tcase, test_empty);
  tcase_add_test (tcase, test_port);
  tcase_add_test (tcase, test_host_name);
  tcase_add_test (tcase, test_notified_of_sources);
  tcase_add_test (tcase, test_skip);
  tcase_add_test (tcase, test_skip_before_rtp);
  tcase_add_test (tcase, test_skip_while_playing);
  tcase_add_test (tcase, test_timeout);
  tcase_add_test (tcase, test_timeout_with_packets);
  tcase_add_test (tcase, test_timeout_while_playing);
  tcase_add_test (tcase, test_timeout_paused);
  tcase_add_test (tcase, test_timeout_shortest);
  tcase_add_test (tcase, test_senders);
  tcase_add_test (tcase, test_sender_after_another);
  tcase_add_test (tcase, test_senders_ipv6);
  tcase_add_test (tcase, test_senders_of_a_list);
  tcase_add_test (tcase, test_senders_while_playing);
  tcase_add_test (tcase, test_used_socket);
  tcase_add_loop_test (tcase, test_socket, 0, 2);
  tcase_add_test (tcase, test_socket_refused_by_peer);
  tcase_add_test (tcase, test_socket_closed_by_owner);
  tcase_add_test (tcase, test_socket_of_both_families);
  tcase_add_test (tcase, test_socket_of_no_use);
  tcase_add_test (tcase, test_reuse);
  tcase_add_loop_test (tcase, test_loop, 0, 2);
  tcase_add_test (tcase, test_socket_timestamp);
}

int
main (int argc, char **argv)
{
  static const gchar *const plugins[] = { NULL };

  return element_run (argc, argv, "element-udpsrc", plugins, add_tests);
}
