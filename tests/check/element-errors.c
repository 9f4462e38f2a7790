/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bad input: the first error on the bus names the thing, and is the only one.
 * Bad packets are counted.
 */
#include "element-fixture.h"

#include "plugins.h"

/* Fails the test unless going to READY fails with one error, which has words in
 * it. */
static void
assert_refused (gint code, const gchar *words)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstMessage) message = NULL;
  g_autofree gchar *debug = NULL;

  receiver_assert_refused (receiver, GST_STATE_PLAYING);
  message = gst_bus_pop_filtered (receiver->bus, GST_MESSAGE_ERROR);
  fail_unless (message != NULL);
  gst_message_parse_error (message, &error, &debug);
  fail_unless (strstr (error->message, words), "\"%s\" is not in \"%s\"", words,
      error->message);
  fail_unless (g_error_matches (error, GST_RESOURCE_ERROR, code), "%s: %d",
      error->message, error->code);
  fail_unless (GST_MESSAGE_SRC (message) == GST_OBJECT (receiver->src));
  gst_clear_message (&message);
  message = gst_bus_pop_filtered (receiver->bus, GST_MESSAGE_ERROR);
  fail_if (message != NULL, "a second error");
}

/* What was refused leaves nothing behind: it plays when it is mended. */
static void
assert_plays (void)
{
  guint n = tap_n_packets (tap);

  receiver_play (receiver);
  element_pass (33, 0, 3, n + 3);
}

static const struct
{
  const gchar *property, *value; /* what is wrong */
  const gchar *words;            /* in the error */
  gint code;                     /* GstResourceError */
} refused[] = {
  { "multicast-iface", "nosuch0", "\"nosuch0\"", GST_RESOURCE_ERROR_NOT_FOUND },
  { "address", "300.1.1.1", "\"300.1.1.1\"", GST_RESOURCE_ERROR_NOT_FOUND },
  { "address", "239.1.1", "\"239.1.1\"", GST_RESOURCE_ERROR_NOT_FOUND },
  { "address", "not an address", "\"not an address\"",
      GST_RESOURCE_ERROR_NOT_FOUND },
  { "address", "nosuchhost.invalid", "\"nosuchhost.invalid\"",
      GST_RESOURCE_ERROR_NOT_FOUND },
  { "mode", "af-xdp", "lo is the loopback interface",
      GST_RESOURCE_ERROR_OPEN_READ },
};

TABLE_TEST (test_refused, refused)
{
  g_auto (GValue) good = G_VALUE_INIT;
  GObject *src;

  element_new ("", "fakesink");
  src = G_OBJECT (receiver->src);
  g_object_get_property (src, refused[__i__].property, &good);
  gst_util_set_object_arg (src, refused[__i__].property, refused[__i__].value);
  assert_refused (refused[__i__].code, refused[__i__].words);
  assert_refused (refused[__i__].code, refused[__i__].words); /* again */
  g_object_set_property (src, refused[__i__].property, &good);
  assert_plays ();
}

/* It is an address, but of another host. */
TEST (test_address_of_somebody_else)
{
  element_new ("", "fakesink");
  g_object_set (
      receiver->src, "address", "192.0.2.1", "multicast-iface", "lo", NULL);
  assert_refused (GST_RESOURCE_ERROR_NOT_FOUND, "192.0.2.1");
}

/* Sources: the error names the property, and the word that is wrong. */

static const struct
{
  const gchar *group, *sources;
  const gchar *words;
} refused_sources[] = {
  { "232.255.12.1", "+10.0.0.300", "multicast-source: \"10.0.0.300\"" },
  { "232.255.12.1", "+10.0.0.1+nobody", "multicast-source: \"nobody\"" },
  { "232.255.12.1", "+fd00::1", "multicast-source: \"fd00::1\" is an IPv6" },
  { "ff35::12", "-10.0.0.1", "multicast-source: \"10.0.0.1\" is an IPv4" },
  { "232.255.12.1", "+10.0.0.1-10.0.0.2",
      "multicast-source: \"-10.0.0.2\" has another sign" },
  { "232.255.12.1", "+", "multicast-source: \"+\" has no address" },
  { "127.0.0.1", "+10.0.0.1",
      "multicast-source is \"+10.0.0.1\", but the address \"127.0.0.1\"" },
  { "0.0.0.0", "-10.0.0.1",
      "multicast-source is \"-10.0.0.1\", but the address \"0.0.0.0\"" },
  { "::1", "+fd00::1",
      "multicast-source is \"+fd00::1\", but the address \"::1\"" },
};

TABLE_TEST (test_refused_sources, refused_sources)
{
  element_new ("", "fakesink");
  g_object_set (receiver->src, "address", refused_sources[__i__].group,
      "multicast-source", refused_sources[__i__].sources, "multicast-iface",
      "lo", NULL);
  assert_refused (GST_RESOURCE_ERROR_SETTINGS, refused_sources[__i__].words);
  g_object_set (receiver->src, "address", loopback->address_text,
      "multicast-source", NULL, "multicast-iface", NULL, NULL);
  assert_plays ();
}

TEST (test_port_in_use)
{
  g_autoptr (GSocket) other = loopback_occupy (loopback);
  g_autofree gchar *words =
      g_strdup_printf ("port %u of %s", loopback->port, loopback->address_text);

  element_new ("", "fakesink");
  assert_refused (GST_RESOURCE_ERROR_BUSY, words);
  g_clear_object (&other);
  assert_plays ();
}

/* With af-xdp the fast path is demanded. */

TEST (test_af_xdp_for_any_address)
{
  element_new ("", "fakesink");
  g_object_set (receiver->src, "address", "0.0.0.0", NULL);
  gst_util_set_object_arg (G_OBJECT (receiver->src), "mode", "af-xdp");
  assert_refused (GST_RESOURCE_ERROR_SETTINGS, "multicast-group or address");
}

TEST (test_af_xdp_queue)
{
  element_new ("queue=9", "fakesink");
  gst_util_set_object_arg (G_OBJECT (receiver->src), "mode", "af-xdp");
  assert_refused (GST_RESOURCE_ERROR_SETTINGS, "queue is 9, but lo has");
}

/* With auto it is not, and the message says why there is none. */
TEST (test_auto)
{
  element_new ("", "fakesink");
  gst_util_set_object_arg (G_OBJECT (receiver->src), "mode", "auto");
  assert_plays ();
  receiver_assert_mode (receiver, 0, "socket");
  receiver_assert_reason (receiver, 0, "lo is the loopback interface");
  fail_if (receiver->error);
  fail_unless_equals_int (receiver->warnings->len, 0);
}

/* Bad packets. */

static void
send_garbage (GRand *random)
{
  guint8 packet[300];
  gsize size = g_rand_int_range (random, 0, sizeof packet + 1);

  for (gsize i = 0; i < size; i++)
    packet[i] = g_rand_int_range (random, 0, 256);
  if (size && g_rand_boolean (random))
    packet[0] = 0x80 | (packet[0] & 0x3f);
  loopback_send (loopback, packet, size);
}

/* Whatever comes is pushed or counted, and RTP among it gets through. */
TEST (test_garbage)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (7);
  guint n_sent = 1;

  element_play ("", "fakesink");
  loopback_send_many (loopback, 33, 0, 1);
  for (guint i = 0; i < 300; i++) {
    for (guint j = 0; j < 20; j++)
      send_garbage (random);
    loopback_send_many (loopback, 33, i, 1);
    n_sent += 21;
    wait_until (receiver_stat (receiver, "packets") +
            receiver_stat (receiver, "not-rtp") >=
        n_sent);
  }
  receiver_set_state (receiver, GST_STATE_NULL);
  fail_unless_equals_uint64 (
      receiver_stat (receiver, "packets") + receiver_stat (receiver, "not-rtp"),
      n_sent);
  fail_unless_equals_uint64 (receiver_stat (receiver, "kept-back") +
          receiver_stat (receiver, "kept-back-malformed"),
      receiver_stat (receiver, "not-rtp"));
  fail_unless (receiver_stat (receiver, "not-rtp") > 100);
  fail_unless (receiver_stat (receiver, "packets") > 1000);
  receiver_assert_no_error (receiver);
}

/* What a URI says that means nothing here, and what it does not say. */

static const struct
{
  const gchar *property, *value; /* set behind the URI; NULL: nothing */
  const gchar *uri;
  const gchar *words; /* in the one warning; NULL: there is none */
} uris[] = {
  { NULL, NULL, "afxdp://127.0.0.1:0", NULL },
  { NULL, NULL, "afxdp://127.0.0.1", "has no port: 5004 is used" },
  { "port", "0", "afxdp://127.0.0.1", NULL },
  { NULL, NULL, "afxdp://127.0.0.1:0?latency=5&ttl=1",
      "the key \"latency\", the key \"ttl\"" },
  { NULL, NULL, "afxdp://127.0.0.1:0?clock-rate=8000", NULL },
  { NULL, NULL, "afxdp://127.0.0.1:0/channel", "the path \"/channel\"" },
};

TABLE_TEST (test_uri, uris)
{
  g_autoptr (GstElement) src = gst_element_factory_make ("afxdpsrc", NULL);
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) warning = NULL;

  gst_object_ref_sink (src);
  gst_element_set_bus (src, bus);
  g_object_set (src, "mode", 2, "uri", uris[__i__].uri, NULL);
  if (uris[__i__].property)
    gst_util_set_object_arg (
        G_OBJECT (src), uris[__i__].property, uris[__i__].value);
  gst_element_set_state (src, GST_STATE_READY);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
  fail_unless (!!message == !!uris[__i__].words, "%s", uris[__i__].uri);
  if (message) {
    gst_message_parse_warning (message, &warning, NULL);
    fail_unless (
        strstr (warning->message, uris[__i__].words), "%s", warning->message);
    fail_unless (strstr (warning->message, uris[__i__].uri));
  }
  gst_clear_message (&message);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
  fail_if (message != NULL, "a second warning");
  gst_element_set_state (src, GST_STATE_NULL);
  /* Its messages would keep it. */
  gst_element_set_bus (src, NULL);
}

/* What takes effect later is told, once each; what does at once, and what was so
 * before, is not. */
TEST (test_set_while_open)
{
  element_play ("", "fakesink");
  receiver_assert_warnings (receiver, 0);
  g_object_set (receiver->src, "port", 6000, "port", 6001, "timeout",
      GST_SECOND, "address", loopback->address_text, "sdp-location", NULL,
      NULL);
  receiver_assert_warnings (receiver, 1);
  fail_unless (strstr (receiver->warnings->pdata[0], "property port was set"));
  g_object_set (
      receiver->src, "ring-size", 512, "uri", "afxdp://127.0.0.1:6001", NULL);
  receiver_assert_warnings (receiver, 3);
  fail_unless (strstr (receiver->warnings->pdata[1], "ring-size"));
  fail_unless (strstr (receiver->warnings->pdata[2], "property uri"));
  receiver_set_state (receiver, GST_STATE_NULL);
  g_object_set (receiver->src, "port", 0, NULL);
  receiver_set_state (receiver, GST_STATE_READY);
  g_object_set (receiver->src, "port", 6001, NULL);
  receiver_assert_warnings (receiver, 4);
}

ELEMENT_SUITE ("element-errors", NULL)
