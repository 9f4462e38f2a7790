/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Caps: of the property, of the first packet, or none; and what is RTP by them.
 */
#include "element-fixture.h"

#define MP2T                                                                  \
  "application/x-rtp, payload=(int)33, media=(string)video, clock-rate=(int)" \
  "90000, encoding-name=(string)MP2T"
#define VIDEO "application/x-rtp, media=(string)video, clock-rate=(int)90000"
#define AUDIO "application/x-rtp, media=(string)audio, clock-rate=(int)48000"

static void
assert_no_warnings (void)
{
  receiver_assert_warnings (receiver, 0);
}

/* GStreamer warns of caps that come after a buffer without any. */
static void
expect_late_caps (void)
{
  g_autoptr (GRegex) regex =
      g_regex_new ("Sticky event misordering", 0, 0, NULL);

  gst_check_add_log_filter ("GStreamer", G_LOG_LEVEL_WARNING,
      g_steal_pointer (&regex), NULL, NULL, NULL);
}

/* By the first packet. */

static const struct
{
  guint8 payload_type;
  const gchar *caps;
} statics[] = {
  { 33, MP2T },
  { 0,
      "application/x-rtp, payload=(int)0, media=(string)audio, "
      "clock-rate=(int)8000, encoding-name=(string)PCMU, "
      "encoding-params=(string)1" },
  { 10,
      "application/x-rtp, payload=(int)10, media=(string)audio, "
      "clock-rate=(int)44100, encoding-name=(string)L16, "
      "encoding-params=(string)2" },
  { 34,
      "application/x-rtp, payload=(int)34, media=(string)video, "
      "clock-rate=(int)90000, encoding-name=(string)H263" },
};

TABLE_TEST (test_static_payload_type, statics)
{
  element_play ("", "fakesink");
  element_receive (statics[__i__].payload_type, 0, 10);
  for (guint i = 0; i < 10; i++)
    element_assert_caps (i, statics[__i__].caps);
  assert_no_warnings ();
}

/* What downstream takes tells the rest. */
TEST (test_dynamic_payload_type)
{
  element_play ("", "rtpjitterbuffer ! rtpopusdepay ! fakesink");
  element_receive (96, 0, 10);
  element_assert_caps (0,
      "application/x-rtp, payload=(int)96, media=(string)audio, "
      "clock-rate=(int)48000, encoding-name=(string)OPUS");
  assert_no_warnings ();
}

TEST (test_dynamic_payload_type_of_h264)
{
  element_play ("", "rtpjitterbuffer ! rtph264depay ! fakesink");
  element_receive (97, 0, 10);
  element_assert_caps (0,
      "application/x-rtp, payload=(int)97, media=(string)video, "
      "clock-rate=(int)90000, encoding-name=(string)H264");
}

/* A clock rate is never invented: one warning, and everything goes on. */
TEST (test_unknown_payload_type)
{
  element_play ("", "fakesink");
  element_receive (96, 0, 10);
  element_assert_caps (9, NULL);
  receiver_assert_warnings (receiver, 1);
  fail_unless (strstr (receiver->warnings->pdata[0], "Set caps"), "%s",
      (gchar *) receiver->warnings->pdata[0]);
  fail_if (receiver->error);
}

static GstPadProbeReturn
refuse (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstQuery *query = GST_PAD_PROBE_INFO_QUERY (info);

  if (GST_QUERY_TYPE (query) != GST_QUERY_ACCEPT_CAPS)
    return GST_PAD_PROBE_OK;
  gst_query_set_accept_caps_result (query, FALSE);
  return GST_PAD_PROBE_HANDLED;
}

/* A pipeline that works without caps must not fail with those of a guess. */
TEST (test_guess_refused)
{
  g_autoptr (GstPad) pad = NULL;

  element_new ("", "fakesink");
  pad = gst_element_get_static_pad (receiver->src, "src");
  gst_pad_add_probe (
      pad, GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM, refuse, NULL, NULL);
  receiver_play (receiver);
  element_receive (33, 0, 10);
  element_assert_caps (9, NULL);
  receiver_assert_no_error (receiver);
}

/* Each start decides anew. */
TEST (test_decided_at_each_start)
{
  element_play ("", "fakesink");
  element_pass (33, 0, 2, 2);
  receiver_restart (receiver, GST_STATE_READY);
  loopback_send_many (loopback, statics[1].payload_type, 0, 2);
  element_wait (4);
  element_assert_caps (1, MP2T);
  element_assert_caps (2, statics[1].caps);
}

/* And then they stay: another payload type is another packet of the stream. */
TEST (test_decided_once)
{
  element_play ("", "fakesink");
  loopback_send_many (loopback, 33, 0, 2);
  loopback_send_many (loopback, 0, 0, 2);
  loopback_send_many (loopback, 96, 0, 2);
  element_wait (6);
  element_assert_caps (5, MP2T);
  assert_no_warnings ();
}

/* What is not RTP. */

static void
send_sender_report (void)
{
  guint8 packet[28] = { 0x80, 200, 0, 6 };

  loopback_send (loopback, packet, sizeof packet);
}

static void
send_transport_stream (void)
{
  guint8 packet[188] = { 0x47, 0x1f, 0xff, 0x10 };

  loopback_send (loopback, packet, sizeof packet);
}

static void
send_version_1 (void)
{
  guint8 packet[20] = { 0x40, 33 };

  loopback_send (loopback, packet, sizeof packet);
}

/* What looks like RTP among others does not decide, unless it goes on so. */
TEST (test_raw)
{
  element_play ("", "fakesink");
  for (guint i = 0; i < 5; i++)
    send_transport_stream ();
  send_version_1 ();
  loopback_send_many (loopback, 33, 7, 1);
  loopback_send_many (loopback, 33, 5, 1);
  element_wait (8);
  element_assert_caps (7, NULL);
  receiver_assert_stat (receiver, "not-rtp", 6);
  receiver_assert_stat (receiver, "delivered-socket", 8);
  assert_no_warnings ();
}

/* RTCP beside RTP tells nothing of the caps, and neither do empty packets. */
TEST (test_first_packet_tells_nothing)
{
  element_new ("", "fakesink");
  receiver_set_state (receiver, GST_STATE_READY);
  loopback_send (loopback, "", 0);
  send_sender_report ();
  loopback_send_many (loopback, 33, 0, 2);
  receiver_set_state (receiver, GST_STATE_PLAYING);
  /* All in one batch; the empty one is not RTP. */
  element_wait (3);
  element_assert_caps (0, MP2T);
  fail_unless_equals_int (g_bytes_get_size (tap_packet (tap, 0)->bytes), 28);
  receiver_assert_stat (receiver, "not-rtp", 1);
}

TEST (test_first_packet_was_rtcp)
{
  expect_late_caps ();
  element_play ("", "fakesink");
  send_sender_report ();
  tap_wait (tap, 1);
  element_assert_caps (0, NULL);
  loopback_send_many (loopback, 33, 0, 2);
  element_wait (3);
  element_assert_caps (1, MP2T);
}

/* Nothing else than RTCP, as on the port beside a stream's. */
TEST (test_only_rtcp)
{
  element_play ("", "fakesink");
  for (guint i = 0; i < 5; i++)
    send_sender_report ();
  element_wait (5);
  element_assert_caps (4, NULL);
  receiver_assert_stat (receiver, "not-rtp", 0);
  assert_no_warnings ();
}

/* By RTP caps, what is neither RTP nor RTCP is kept back, and counted. */
TEST (test_only_rtp)
{
  element_play ("", "fakesink");
  loopback_send_many (loopback, 33, 0, 2);
  send_transport_stream ();
  send_version_1 ();
  loopback_send (loopback, "", 0);
  send_sender_report ();
  loopback_send_many (loopback, 33, 2, 2);
  element_wait (5);
  element_assert_caps (4, MP2T);
  fail_unless_equals_int (g_bytes_get_size (tap_packet (tap, 2)->bytes), 28);
  receiver_assert_stat (receiver, "not-rtp", 3);
  receiver_assert_stat (receiver, "delivered-socket", 5);
  receiver_assert_none (receiver, "lost", "discarded");
}

/* By the property. */

TEST (test_property)
{
  g_autoptr (GstPad) pad = NULL;
  g_autoptr (GstCaps) caps = NULL;
  g_autoptr (GstCaps) wanted = gst_caps_from_string (VIDEO);

  element_new ("", "fakesink");
  g_object_set (receiver->src, "caps", wanted, NULL);
  pad = gst_element_get_static_pad (receiver->src, "src");
  caps = gst_pad_query_caps (pad, NULL);
  fail_unless (gst_caps_is_equal (caps, wanted));
  receiver_play (receiver);
  send_transport_stream ();
  element_receive (96, 0, 3);
  for (guint i = 0; i < 3; i++)
    element_assert_caps (i, VIDEO);
  receiver_assert_stat (receiver, "not-rtp", 1);
  assert_no_warnings ();
}

TEST (test_uri)
{
  g_autofree gchar *uri =
      g_strdup_printf ("afxdp://%s:%u?encoding-name=H264&payload=96",
          loopback->address_text, loopback->port);

  element_new ("", "rtpjitterbuffer ! rtph264depay ! fakesink");
  g_object_set (receiver->src, "uri", uri, NULL);
  receiver_play (receiver);
  element_receive (96, 0, 3);
  element_assert_caps (
      2, VIDEO ", encoding-name=(string)H264, payload=(int)96");
  assert_no_warnings ();
}

TEST (test_property_not_rtp)
{
  element_play (
      "caps=\"video/mpegts, systemstream=(boolean)true\"", "fakesink");
  send_transport_stream ();
  loopback_send_many (loopback, 33, 0, 1);
  element_wait (2);
  element_assert_caps (0, "video/mpegts, systemstream=(boolean)true");
  element_assert_caps (1, "video/mpegts, systemstream=(boolean)true");
}

TEST (test_property_any)
{
  element_play ("caps=ANY", "fakesink");
  loopback_send_many (loopback, 33, 0, 1);
  send_transport_stream ();
  loopback_send_many (loopback, 96, 0, 1);
  element_wait (3);
  element_assert_caps (2, NULL);
  assert_no_warnings ();
}

TEST (test_property_not_fixed)
{
  element_play (
      "caps=\"application/x-rtp, payload=(int)[96,127]; video/mpegts\"",
      "fakesink");
  element_receive (96, 0, 1);
  element_assert_caps (0, "application/x-rtp, payload=(int)96");
}

static void
set_caps (const gchar *text)
{
  g_autoptr (GstCaps) caps = text ? gst_caps_from_string (text) : NULL;

  g_object_set (receiver->src, "caps", caps, NULL);
}

static const struct
{
  const gchar *caps, *rest;
} refused[] = {
  { "EMPTY", "fakesink" },
  { "application/x-rtp", "capsfilter caps=video/mpegts ! fakesink" },
};

TABLE_TEST (test_property_refused, refused)
{
  element_new ("", refused[__i__].rest);
  set_caps (refused[__i__].caps);
  receiver_play (receiver);
  loopback_send_many (loopback, 33, 0, 1);
  fail_unless (receiver_wait_error (receiver) != NULL);
  fail_unless_equals_int (tap_n_packets (tap), 0);
  fail_unless_equals_uint64 (receiver_stat (receiver, "packets") +
          receiver_stat (receiver, "discarded"),
      1);
}

/* Whatever comes after the property has been set comes under it, also when the
 * element was waiting for it already. */
TEST (test_property_changed)
{
  element_play ("caps=\"" MP2T "\"", "fakesink");
  for (guint i = 0; i < 20; i++) {
    set_caps (i % 2 ? AUDIO : VIDEO);
    element_pass (96, i, 1, i + 1);
    element_assert_caps (i, i % 2 ? AUDIO : VIDEO);
  }
  set_caps (NULL);
  element_receive (33, 20, 1);
  element_assert_caps (20, MP2T);
}

/* As the warning about an unknown payload type proposes. */
TEST (test_property_set_late)
{
  expect_late_caps ();
  element_play ("", "fakesink");
  element_pass (96, 0, 1, 1);
  element_assert_caps (0, NULL);
  set_caps (VIDEO);
  element_receive (96, 1, 1);
  element_assert_caps (1, VIDEO);
}

/* Set to the same they change nothing. */
TEST (test_property_unchanged)
{
  element_play ("caps=\"" VIDEO "\"", "fakesink");
  element_pass (96, 0, 1, 1);
  set_caps (VIDEO);
  element_receive (96, 1, 1);
  fail_unless (tap_packet (tap, 0)->caps == tap_packet (tap, 1)->caps);
}

/* With the caps goes what was RTP by them. */
TEST (test_property_any_while_playing)
{
  element_play ("caps=\"" VIDEO "\"", "fakesink");
  send_transport_stream ();
  element_pass (96, 0, 1, 1);
  set_caps ("ANY");
  send_transport_stream ();
  loopback_send_many (loopback, 96, 1, 1);
  element_wait (3);
  receiver_assert_stat (receiver, "not-rtp", 2);
}

TEST (test_property_unset_while_playing)
{
  element_play ("caps=\"" VIDEO "\"", "fakesink");
  element_pass (96, 0, 1, 1);
  set_caps (NULL);
  send_transport_stream ();
  loopback_send_many (loopback, 96, 1, 1);
  element_wait (3);
  receiver_assert_stat (receiver, "kept-back", 0);
}

static GstPadProbeReturn
ask_to_reconfigure (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  gboolean *answered = user_data;

  *answered = gst_pad_send_event (pad, gst_event_new_reconfigure ());
  return GST_PAD_PROBE_REMOVE;
}

static GstPadProbeReturn
count_allocations (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  gint *n = user_data;

  if (GST_QUERY_TYPE (GST_PAD_PROBE_INFO_QUERY (info)) == GST_QUERY_ALLOCATION)
    g_atomic_int_inc (n);
  return GST_PAD_PROBE_OK;
}

/* Downstream asks for a new negotiation, as after a relink. There is nothing to ask
 * it about in turn, for which rtpjitterbuffer would let the receiver wait. */
TEST (test_reconfigure)
{
  g_autoptr (GstPad) pad = NULL;
  gboolean answered = FALSE;
  gint n = 0;

  element_play ("", "fakesink");
  pad = gst_element_get_static_pad (receiver->src, "src");
  element_pass (33, 0, 1, 1);
  gst_pad_add_probe (
      pad, GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM, count_allocations, &n, NULL);
  /* While it pushes: it looks whether somebody has asked before it goes on. */
  gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST,
      ask_to_reconfigure, &answered, NULL);
  element_pass (33, 1, 1, 2);
  element_receive (33, 2, 1);
  fail_unless (answered);
  fail_unless_equals_int (g_atomic_int_get (&n), 0);
  element_assert_caps (2, MP2T);
  element_end ();
}

ELEMENT_SUITE ("element-caps", "rtp", "rtpmanager", NULL)
