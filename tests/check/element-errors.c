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

  fail_unless_equals_int (
      gst_element_set_state (receiver->pipeline, GST_STATE_PLAYING),
      GST_STATE_CHANGE_FAILURE);
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
  loopback_send_many (loopback, 33, 0, 3);
  tap_wait (tap, n + 3);
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

GST_START_TEST (test_refused)
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
  element_end ();
}
GST_END_TEST

/* It is an address, but of another host. */
GST_START_TEST (test_address_of_somebody_else)
{
  element_new ("", "fakesink");
  g_object_set (
      receiver->src, "address", "192.0.2.1", "multicast-iface", "lo", NULL);
  assert_refused (GST_RESOURCE_ERROR_NOT_FOUND, "192.0.2.1");
  element_end ();
}
GST_END_TEST

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
      "multicast-source: \"-10.0.0.2\" is of the other sign" },
  { "232.255.12.1", "+", "multicast-source: \"+\" has no address" },
  { "127.0.0.1", "+10.0.0.1",
      "multicast-source is \"+10.0.0.1\", but the address \"127.0.0.1\"" },
  { "0.0.0.0", "-10.0.0.1",
      "multicast-source is \"-10.0.0.1\", but the address \"0.0.0.0\"" },
  { "::1", "+fd00::1",
      "multicast-source is \"+fd00::1\", but the address \"::1\"" },
};

GST_START_TEST (test_refused_sources)
{
  element_new ("", "fakesink");
  g_object_set (receiver->src, "address", refused_sources[__i__].group,
      "multicast-source", refused_sources[__i__].sources, "multicast-iface",
      "lo", NULL);
  assert_refused (GST_RESOURCE_ERROR_SETTINGS, refused_sources[__i__].words);
  g_object_set (receiver->src, "address", loopback->address_text,
      "multicast-source", NULL, "multicast-iface", NULL, NULL);
  assert_plays ();
  element_end ();
}
GST_END_TEST

GST_START_TEST (test_port_in_use)
{
  g_autoptr (GSocket) other = loopback_occupy (loopback);
  g_autofree gchar *words =
      g_strdup_printf ("port %u of %s", loopback->port, loopback->address_text);

  element_new ("", "fakesink");
  assert_refused (GST_RESOURCE_ERROR_BUSY, words);
  g_clear_object (&other);
  assert_plays ();
  element_end ();
}
GST_END_TEST

/* With af-xdp the fast door is demanded. */

GST_START_TEST (test_af_xdp_for_any_address)
{
  element_new ("", "fakesink");
  g_object_set (receiver->src, "address", "0.0.0.0", NULL);
  gst_util_set_object_arg (G_OBJECT (receiver->src), "mode", "af-xdp");
  assert_refused (GST_RESOURCE_ERROR_SETTINGS, "multicast-group or address");
  element_end ();
}
GST_END_TEST

GST_START_TEST (test_af_xdp_queue)
{
  element_new ("queue=9", "fakesink");
  gst_util_set_object_arg (G_OBJECT (receiver->src), "mode", "af-xdp");
  assert_refused (GST_RESOURCE_ERROR_SETTINGS, "queue is 9, but lo has");
  element_end ();
}
GST_END_TEST

/* With auto it is not, and the message says why there is none. */
GST_START_TEST (test_auto)
{
  element_new ("", "fakesink");
  gst_util_set_object_arg (G_OBJECT (receiver->src), "mode", "auto");
  assert_plays ();
  receiver_assert_mode (receiver, 0, "socket");
  fail_unless (
      strstr (gst_structure_get_string (receiver->modes->pdata[0], "reason"),
          "lo is the loopback interface"));
  fail_if (receiver->error);
  fail_unless_equals_int (receiver->warnings->len, 0);
  element_end ();
}
GST_END_TEST

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
GST_START_TEST (test_garbage)
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
    while (receiver_stat (receiver, "packets") +
            receiver_stat (receiver, "not-rtp") <
        n_sent)
      tap_wait (tap, tap_n_packets (tap));
  }
  receiver_set_state (receiver, GST_STATE_NULL);
  fail_unless_equals_uint64 (
      receiver_stat (receiver, "packets") + receiver_stat (receiver, "not-rtp"),
      n_sent);
  receiver_assert_stat (
      receiver, "kept-back", receiver_stat (receiver, "not-rtp"));
  fail_unless (receiver_stat (receiver, "not-rtp") > 100);
  fail_unless (receiver_stat (receiver, "packets") > 1000);
  receiver_read_bus (receiver);
  fail_if (receiver->error);
  element_end ();
}
GST_END_TEST

static void
add_tests (TCase *tcase)
{
  tcase_add_loop_test (tcase, test_refused, 0, G_N_ELEMENTS (refused));
  tcase_add_test (tcase, test_address_of_somebody_else);
  tcase_add_loop_test (
      tcase, test_refused_sources, 0, G_N_ELEMENTS (refused_sources));
  tcase_add_test (tcase, test_port_in_use);
  tcase_add_test (tcase, test_af_xdp_for_any_address);
  tcase_add_test (tcase, test_af_xdp_queue);
  tcase_add_test (tcase, test_auto);
  tcase_add_test (tcase, test_garbage);
}

int
main (int argc, char **argv)
{
  static const gchar *const plugins[] = { NULL };

  return element_run (argc, argv, "element-errors", plugins, add_tests);
}
