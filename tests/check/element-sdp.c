/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The property sdp-location: what the file tells is received, when it is read,
 * and what was set besides.
 */
#include <glib/gstdio.h>

#include "element-fixture.h"

#define H264                                                             \
  "application/x-rtp, media=(string)video, payload=(int)96, clock-rate=" \
  "(int)90000, encoding-name=(string)H264"
#define OPUS                                                             \
  "application/x-rtp, media=(string)audio, payload=(int)97, clock-rate=" \
  "(int)48000, encoding-name=(string)OPUS, encoding-params=(string)2"
#define VIDEO "application/x-rtp, media=(string)video, clock-rate=(int)90000"
#define MP2T                                                                  \
  "application/x-rtp, payload=(int)33, media=(string)video, clock-rate=(int)" \
  "90000, encoding-name=(string)MP2T"

/* Where nobody sends to, and nobody can receive. */
#define NOWHERE "203.0.113.7"

#define H264_LINES "m=video %u RTP/AVP 96\na=rtpmap:96 H264/90000\n"
#define OPUS_LINES "m=audio %u RTP/AVP 97\na=rtpmap:97 opus/48000/2\n"
#define RAW_LINES "m=video %u udp 33\n"

static gchar *location;

static void
forget_file (void)
{
  if (location)
    g_remove (location);
  g_clear_pointer (&location, g_free);
}

static void
end (void)
{
  element_end ();
  forget_file ();
}

/* A file with a session of these lines m=, whose port is in them as "%u". It is gone
 * with the end of the test. */
static void
write_file (const gchar *address, guint port, const gchar *lines)
{
  g_autofree gchar *head = g_strdup_printf (
      "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=-\nc=IN IP4 %s\nt=0 0\n", address);
  g_auto (GStrv) parts = g_strsplit (lines, "%u", -1);
  g_autofree gchar *number = g_strdup_printf ("%u", port);
  g_autofree gchar *body = g_strjoinv (number, parts);
  g_autofree gchar *text = g_strconcat (head, body, NULL);

  suite_end = end;
  if (!location)
    location = g_strdup_printf ("%s/afxdp-%d.sdp", g_get_tmp_dir (), getpid ());
  fail_unless (g_file_set_contents (location, text, -1, NULL));
}

static void
set (const gchar *name, const gchar *value)
{
  gst_util_set_object_arg (G_OBJECT (receiver->src), name, value);
}

/* A pipeline that receives what the file tells, of this host. */
static void
make (const gchar *lines)
{
  write_file (loopback->address_text, loopback->port, lines);
  element_new ("", "fakesink");
  g_object_set (receiver->src, "address", NOWHERE, "port", 9, "sdp-location",
      location, NULL);
}

/* The next packet, of this payload type, comes with these caps. */
static void
assert_next (guint8 payload_type, const gchar *caps)
{
  guint n = tap_n_packets (tap);

  element_pass (payload_type, n, 1, n + 1);
  element_assert_caps (n, caps);
}

static void
restart (void)
{
  receiver_restart (receiver, GST_STATE_NULL);
}

TEST (test_plays)
{
  make (H264_LINES);
  receiver_play (receiver);
  element_receive (96, 0, 10);
  for (guint i = 0; i < 10; i++)
    element_assert_caps (i, H264);
  receiver_assert_warnings (receiver, 0);
}

/* What the properties say stays what the application has set. */
TEST (test_properties_stay)
{
  g_autofree gchar *address = NULL;
  g_autofree gchar *is_location = NULL;
  g_autoptr (GstCaps) caps = NULL;
  gint port;

  make (H264_LINES);
  receiver_play (receiver);
  g_object_get (receiver->src, "address", &address, "port", &port, "caps",
      &caps, "sdp-location", &is_location, NULL);
  fail_unless_equals_string (address, NOWHERE);
  fail_unless_equals_int (port, 9);
  fail_unless (caps == NULL);
  fail_unless_equals_string (is_location, location);
}

/* From READY on the pad knows them. */
TEST (test_caps_query)
{
  g_autoptr (GstCaps) wanted = gst_caps_from_string (H264);
  g_autoptr (GstCaps) before = NULL;
  g_autoptr (GstCaps) after = NULL;
  g_autoptr (GstPad) pad = NULL;

  make (H264_LINES);
  pad = gst_element_get_static_pad (receiver->src, "src");
  before = gst_pad_query_caps (pad, NULL);
  fail_unless (gst_caps_is_any (before));
  receiver_set_state (receiver, GST_STATE_READY);
  after = gst_pad_query_caps (pad, NULL);
  fail_unless (gst_caps_is_equal (after, wanted));
  gst_clear_object (&pad);
}

TEST (test_second_media)
{
  g_autofree gchar *second = NULL;

  make (H264_LINES OPUS_LINES);
  second = g_strconcat (location, "#m=1", NULL);
  g_object_set (receiver->src, "sdp-location", second, NULL);
  receiver_play (receiver);
  assert_next (97, OPUS);
}

/* Of several payload types the caps are those of the first packet. */
TEST (test_payload_types)
{
  make ("m=video %u RTP/AVP 97 96\na=rtpmap:97 VP8/90000\n"
        "a=rtpmap:96 H264/90000\n");
  receiver_play (receiver);
  assert_next (96, H264);
  assert_next (97, H264); /* decided once */
  restart ();
  assert_next (97,
      "application/x-rtp, media=(string)video, payload=(int)97, "
      "clock-rate=(int)90000, encoding-name=(string)VP8");
}

/* Of none of them: the first ones, as for other caps. */
TEST (test_other_payload_type)
{
  make (H264_LINES);
  receiver_play (receiver);
  assert_next (33, H264);
}

/* Without RTP: everything comes through as it is, and nothing of RTP is told. */
TEST (test_raw)
{
  guint8 packet[188] = { 0x47, 0x1f, 0xff, 0x10 };
  g_autoptr (GstStructure) stats = NULL;

  make (RAW_LINES);
  receiver_play (receiver);
  for (guint i = 0; i < 5; i++)
    loopback_send (loopback, packet, sizeof packet);
  element_wait (5);
  element_assert_caps (4, NULL);
  g_object_get (receiver->src, "stats", &stats, NULL);
  fail_unless_equals_int (
      gst_value_array_get_size (gst_structure_get_value (stats, "sources")), 0);
  receiver_assert_none (receiver, "lost", "kept-back");
  receiver_assert_stat (receiver, "not-rtp", 5);
  receiver_assert_warnings (receiver, 0);
}

/* What was set. */

TEST (test_set_before)
{
  write_file (loopback->address_text, loopback->port, H264_LINES);
  element_new ("", "fakesink");
  set ("uri", "afxdp://" NOWHERE ":9");
  set ("caps", VIDEO);
  set ("multicast-source", "+192.0.2.1");
  g_object_set (receiver->src, "sdp-location", location, NULL);
  receiver_play (receiver);
  assert_next (96, H264);
}

TEST (test_set_after)
{
  write_file (NOWHERE, 9, H264_LINES);
  element_new ("", "fakesink");
  g_object_set (receiver->src, "sdp-location", location, "address",
      loopback->address_text, "port", loopback->port, NULL);
  receiver_play (receiver);
  assert_next (96, H264);
  set ("caps", VIDEO);
  assert_next (96, VIDEO);
  restart ();
  assert_next (96, VIDEO);
  /* Set anew, it comes after them again. */
  receiver_set_state (receiver, GST_STATE_NULL);
  write_file (loopback->address_text, loopback->port, H264_LINES);
  g_object_set (
      receiver->src, "address", NOWHERE, "sdp-location", location, NULL);
  receiver_set_state (receiver, GST_STATE_PLAYING);
  assert_next (96, H264);
}

/* The order is that of gst-launch's line, too. */
TEST (test_launch_line)
{
  g_autofree gchar *properties = NULL;

  write_file (NOWHERE, 9, H264_LINES);
  properties = g_strdup_printf (
      "port=9 sdp-location=%s %s", location, loopback->properties);
  element_new (properties, "fakesink");
  receiver_play (receiver);
  assert_next (96, H264);
}

/* A URI says as much as is in it. */
TEST (test_uri_after)
{
  g_autofree gchar *uri =
      g_strdup_printf ("afxdp://%s", loopback->address_text);

  write_file (NOWHERE, loopback->port, H264_LINES);
  element_new ("", "fakesink");
  g_object_set (
      receiver->src, "port", 9, "sdp-location", location, "uri", uri, NULL);
  receiver_play (receiver);
  assert_next (96, H264);
}

/* Caps of a URI win over the file, and go with it. */
TEST (test_caps_of_uri_after)
{
  g_autofree gchar *uri = g_strdup_printf (
      "afxdp://%s?%s", loopback->address_text, "media=video&clock-rate=90000");
  g_autofree gchar *other =
      g_strdup_printf ("afxdp://%s", loopback->address_text);

  make (H264_LINES);
  g_object_set (receiver->src, "uri", uri, NULL);
  receiver_play (receiver);
  assert_next (96, VIDEO);
  g_object_set (receiver->src, "uri", other, NULL);
  assert_next (96, VIDEO); /* not before READY */
  restart ();
  assert_next (96, H264);
}

/* The file's senders are those of the file's address. */
TEST (test_sources_of_another_address)
{
  write_file ("232.1.1.1", loopback->port,
      "a=source-filter: incl IN IP4 * 203.0.113.1\n" H264_LINES);
  element_new ("", "fakesink");
  g_object_set (receiver->src, "sdp-location", location, "address",
      loopback->address_text, NULL);
  receiver_play (receiver);
  assert_next (96, H264);
}

TEST (test_caps_any_after)
{
  make (H264_LINES);
  set ("caps", "ANY");
  receiver_play (receiver);
  assert_next (96, NULL);
}

TEST (test_caps_unset_after)
{
  make (H264_LINES);
  set ("caps", VIDEO);
  g_object_set (receiver->src, "caps", NULL, NULL);
  receiver_play (receiver);
  assert_next (33, MP2T);
}

LOOP_TEST (test_unset, 2)
{
  write_file (NOWHERE, 9, H264_LINES);
  element_new ("", "fakesink");
  g_object_set (receiver->src, "sdp-location", location, NULL);
  g_object_set (receiver->src, "sdp-location", __i__ ? "" : NULL, NULL);
  receiver_play (receiver);
  assert_next (33, MP2T);
}

/* While it plays nothing is read, and other settings change nothing of it. */
TEST (test_while_playing)
{
  make (H264_LINES);
  receiver_play (receiver);
  assert_next (96, H264);
  write_file (loopback->address_text, loopback->port, OPUS_LINES);
  set ("stats-interval", "0");
  assert_next (33, H264); /* of which caps could be guessed */
  g_object_set (receiver->src, "sdp-location", location, NULL);
  set ("stats-interval", "1000000000");
  assert_next (33, H264);
  restart ();
  assert_next (97, OPUS);
}

/* A name of c=IN IP4 is one of IPv4, whatever else it resolves to. */
LOOP_TEST (test_name, 2)
{
  static const struct
  {
    const gchar *connection;
    GSocketFamily family;
  } names[] = {
    { "c=IN IP4 localhost\n", G_SOCKET_FAMILY_IPV4 },
    { "c=IN IP6 localhost\n", G_SOCKET_FAMILY_IPV6 },
  };
  g_autofree gchar *text = g_strconcat ("v=0\n", names[__i__].connection,
      "m=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n", NULL);
  g_autoptr (GSocket) socket = NULL;

  make (H264_LINES);
  fail_unless (g_file_set_contents (location, text, -1, NULL));
  g_object_set (receiver->src, "port", 0, NULL);
  receiver_set_state (receiver, GST_STATE_READY);
  g_object_get (receiver->src, "used-socket", &socket, NULL);
  fail_unless_equals_int (
      g_socket_get_family (socket), (gint) names[__i__].family);
  g_clear_object (&socket);
}

/* Two legs. */

static Loopback *other;

static void
end_legs (void)
{
  end ();
  g_clear_pointer (&other, loopback_free);
}

/* No test waits for its end. */
#define LONG "reorder-window=100000000000"
#define LEG_LINES(mid, port) \
  "m=video " port " RTP/AVP 96\na=rtpmap:96 H264/90000\na=mid:" mid "\n"

/* A file with both legs, on this host; rest: what more is said of the second one. */
static void
write_legs (const gchar *rest)
{
  g_autofree gchar *lines = g_strdup_printf (
      "a=group:DUP a b\n" LEG_LINES ("a", "%u") LEG_LINES ("b", "%u") "%s",
      loopback->port, other->port, rest);

  write_file (loopback->address_text, 0, lines);
  suite_end = end_legs;
}

static void
new_legs (const gchar *rest)
{
  other = loopback_new ();
  write_legs (rest);
  element_new (LONG, "fakesink");
}

static void
set_location (void)
{
  g_object_set (receiver->src, "sdp-location", location, NULL);
}

static guint
n_legs (void)
{
  g_autoptr (GstStructure) stats = receiver_stats (receiver);

  return gst_value_array_get_size (gst_structure_get_value (stats, "legs"));
}

static gchar *
text_of_leg (guint leg, const gchar *name)
{
  g_autoptr (GstStructure) stats = receiver_stats (receiver);
  const GValue *legs = gst_structure_get_value (stats, "legs");

  return g_strdup (gst_structure_get_string (
      gst_value_get_structure (gst_value_array_get_value (legs, leg)), name));
}

static void
assert_leg_uri (guint leg, const Loopback *loop)
{
  g_autofree gchar *wanted =
      g_strdup_printf ("afxdp://%s:%u", loop->address_text, loop->port);
  g_autofree gchar *uri = text_of_leg (leg, "uri");

  fail_unless_equals_string (uri, wanted);
}

/* By the first leg alone. */
static void
assert_one_leg (void)
{
  guint n = tap_n_packets (tap);

  fail_unless_equals_int (n_legs (), 0);
  element_pass (96, n, 1, n + 1);
}

/* Each brings every other packet. */
static void
assert_both_legs (void)
{
  guint n = tap_n_packets (tap);

  fail_unless_equals_int (n_legs (), 2);
  /* Numbers begin with the first one that is seen. */
  loopback_send_rtp (loopback, 96, n);
  tap_wait (tap, n + 1);
  for (guint i = 1; i < 20; i++)
    loopback_send_rtp (i % 2 ? other : loopback, 96, n + i);
  tap_wait (tap, n + 20);
}

TEST (test_legs_of_file)
{
  g_autofree gchar *uri = NULL;

  new_legs ("");
  g_object_set (receiver->src, "address", NOWHERE, "redundant-uri",
      "afxdp://" NOWHERE ":9", NULL);
  set_location ();
  receiver_play (receiver);
  assert_both_legs ();
  assert_leg_uri (0, loopback);
  assert_leg_uri (1, other);
  /* What was set stays. */
  g_object_get (receiver->src, "redundant-uri", &uri, NULL);
  fail_unless_equals_string (uri, "afxdp://" NOWHERE ":9");
}

TEST (test_second_leg_set_after)
{
  g_autofree gchar *uri = NULL;

  new_legs ("c=IN IP4 " NOWHERE "\n");
  uri = g_strdup_printf ("afxdp://%s:%u", other->address_text, other->port);
  set_location ();
  g_object_set (receiver->src, "redundant-uri", uri, NULL);
  receiver_play (receiver);
  assert_both_legs ();
  /* None. */
  receiver_set_state (receiver, GST_STATE_NULL);
  g_object_set (receiver->src, "redundant-uri", "", NULL);
  receiver_play (receiver);
  assert_one_leg ();
  /* Set anew, it comes after it again. */
  receiver_set_state (receiver, GST_STATE_NULL);
  write_legs ("");
  set_location ();
  receiver_play (receiver);
  assert_both_legs ();
}

/* The file has one: it says nothing of the other. */
TEST (test_second_leg_beside_file)
{
  g_autofree gchar *uri = NULL;

  other = loopback_new ();
  write_file (loopback->address_text, loopback->port, H264_LINES);
  suite_end = end_legs;
  element_new (LONG, "fakesink");
  uri = g_strdup_printf ("afxdp://%s:%u", other->address_text, other->port);
  g_object_set (receiver->src, "redundant-uri", uri, NULL);
  set_location ();
  receiver_play (receiver);
  assert_both_legs ();
}

/* The file's second leg is of the file's first one. */
TEST (test_first_leg_set_after)
{
  new_legs ("");
  set_location ();
  set ("address", loopback->address_text);
  receiver_play (receiver);
  assert_one_leg ();
}

/* No file names an interface: the URI's holds, whenever it was set. */
LOOP_TEST (test_interface_of_second_leg, 2)
{
  const gchar *error;

  new_legs ("");
  if (__i__)
    set_location ();
  set ("redundant-uri", "afxdp://?multicast-iface=nosuchthing");
  if (!__i__)
    set_location ();
  receiver_assert_refused (receiver, GST_STATE_READY);
  error = receiver_wait_error (receiver);
  fail_unless (strstr (error, "nosuchthing"), "%s", error);
  g_clear_pointer (&receiver->error, g_free);
}

/* Without a second leg it is of none. */
TEST (test_interface_of_no_leg)
{
  make (H264_LINES);
  set ("redundant-uri", "afxdp://?multicast-iface=nosuchthing");
  receiver_play (receiver);
  assert_one_leg ();
  receiver_set_state (receiver, GST_STATE_NULL);
  g_object_set (receiver->src, "sdp-location", NULL, "address",
      loopback->address_text, "port", loopback->port, NULL);
  receiver_assert_refused (receiver, GST_STATE_READY);
  fail_unless (strstr (receiver_wait_error (receiver), "address and port"));
  g_clear_pointer (&receiver->error, g_free);
}

/* It is opened when the file says that it is sent. */
TEST (test_inactive_leg)
{
  new_legs ("a=inactive\n");
  set ("redundant-uri", "afxdp://" NOWHERE ":9");
  set_location ();
  receiver_play (receiver);
  assert_one_leg ();
  write_legs ("");
  restart ();
  assert_both_legs ();
}

/* Of one media that has two SSRCs both legs come by one stream, unless the second one has
 * an interface of its own. */
TEST (test_two_ssrcs)
{
  make (H264_LINES "a=ssrc-group:DUP 1000 1010\n");
  receiver_play (receiver);
  fail_unless_equals_int (n_legs (), 2);
  receiver_set_state (receiver, GST_STATE_NULL);
  set ("redundant-uri", "afxdp://?multicast-iface=nosuchthing");
  receiver_assert_refused (receiver, GST_STATE_READY);
  fail_unless (strstr (receiver_wait_error (receiver), "nosuchthing"));
  g_clear_pointer (&receiver->error, g_free);
}

/* Files. */

static void
assert_refused (gint code, const gchar *words)
{
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;

  receiver_assert_refused (receiver, GST_STATE_READY);
  message = gst_bus_pop_filtered (receiver->bus, GST_MESSAGE_ERROR);
  fail_unless (message != NULL);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (g_error_matches (error, GST_RESOURCE_ERROR, code), "%s: %d",
      error->message, error->code);
  fail_unless (strstr (error->message, words), "\"%s\" is not in \"%s\"", words,
      error->message);
  gst_clear_message (&message);
  message = gst_bus_pop_filtered (receiver->bus, GST_MESSAGE_ERROR);
  fail_if (message != NULL, "a second error");
}

/* It is read at each start, and need not be there before. */
TEST (test_read_at_start)
{
  make (H264_LINES);
  g_remove (location);
  assert_refused (GST_RESOURCE_ERROR_NOT_FOUND, location);
  write_file (loopback->address_text, loopback->port, "");
  assert_refused (GST_RESOURCE_ERROR_SETTINGS, location);
  write_file (loopback->address_text, loopback->port, H264_LINES);
  receiver_play (receiver);
  assert_next (96, H264);
  write_file (loopback->address_text, loopback->port, OPUS_LINES);
  /* The sockets stay as they are. */
  receiver_restart (receiver, GST_STATE_READY);
  assert_next (96, H264);
  restart ();
  assert_next (97, OPUS);
}

ELEMENT_SUITE ("element-sdp", NULL)
