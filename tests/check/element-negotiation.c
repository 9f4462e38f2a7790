/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Caps that were set in part, with depayloaders and real packets for them, beside a
 * udpsrc; and what comes before RTP.
 */
#include <gst/check/gstharness.h>

#include "element-fixture.h"
#include "plugins.h"

#define N_FRAMES 5

#define MP2T                                                                  \
  "application/x-rtp, payload=(int)33, media=(string)video, clock-rate=(int)" \
  "90000, encoding-name=(string)MP2T"
#define H264                                                        \
  "application/x-rtp, media=(string)video, clock-rate=(int)90000, " \
  "encoding-name=(string)H264"
#define OPUS                                                                \
  "application/x-rtp, media=(string)audio, clock-rate=(int)48000, payload=" \
  "(int)97, encoding-name=(string)OPUS"

/* Of ours: depayloaders warn of each RTCP packet. */
static guint
n_warnings (void)
{
  guint n = 0;

  receiver_assert_no_error (receiver);
  for (guint i = 0; i < receiver->warnings->len; i++)
    n += strstr (receiver->warnings->pdata[i], "No RTP has arrived") != NULL ||
        strstr (receiver->warnings->pdata[i], "Set caps") != NULL;
  return n;
}

/* Packets as a payloader makes them. */

static const guint8 h264_frame[] = { 0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x0a, 0xd9,
  0x1e, 0x84, 0, 0, 3, 0, 4, 0, 0, 3, 0, 0xf0, 0x3c, 0x48, 0x99, 0x20, 0, 0, 0,
  1, 0x68, 0xcb, 0x83, 0xcb, 0x20, 0, 0, 0, 1, 0x65, 0x88, 0x84, 0x0a, 0xf2,
  0x62, 0x80, 0, 0xa7, 0xbe };
static const guint8 vp8_frame[] = { 0x10, 0x02, 0, 0x9d, 0x01, 0x2a, 0x10, 0,
  0x10, 0, 0, 0x47, 0x08, 0x85, 0x85, 0x88, 0x85, 0x84, 0x88, 0x02, 0x02, 0,
  0x0c, 0x0d, 0x60, 0, 0xfe, 0xff, 0xab, 0x50, 0x80 };

typedef struct
{
  const gchar *launch; /* NULL: a transport stream without RTP */
  const gchar *caps;   /* of what it takes */
  const guint8 *frame; /* NULL: size bytes of anything */
  gsize size;
} Payloader;

static const Payloader h264 = { "rtph264pay",
  "video/x-h264, stream-format=byte-stream, alignment=au, width=16, "
  "height=16, framerate=25/1",
  h264_frame, sizeof h264_frame };
static const Payloader mp2t = { "rtpmp2tpay",
  "video/mpegts, packetsize=188, systemstream=true", NULL, 7 * 188 };
static const Payloader mp2t_96 = { "rtpmp2tpay pt=96",
  "video/mpegts, packetsize=188, systemstream=true", NULL, 7 * 188 };
static const Payloader pcmu = { "rtppcmupay",
  "audio/x-mulaw, rate=8000, channels=1", NULL, 160 };
static const Payloader pcmu_96 = { "rtppcmupay pt=96",
  "audio/x-mulaw, rate=8000, channels=1", NULL, 160 };
static const Payloader pcma = { "rtppcmapay",
  "audio/x-alaw, rate=8000, channels=1", NULL, 160 };
static const Payloader l16 = { "rtpL16pay pt=10",
  "audio/x-raw, format=S16BE, rate=44100, channels=2, layout=interleaved", NULL,
  882 };
static const Payloader l24 = { "rtpL24pay",
  "audio/x-raw, format=S24BE, rate=48000, channels=2, layout=interleaved", NULL,
  6 * 48 };
static const Payloader vp8 = { "rtpvp8pay",
  "video/x-vp8, profile=0, width=16, height=16, framerate=25/1", vp8_frame,
  sizeof vp8_frame };
static const Payloader opus = { "rtpopuspay",
  "audio/x-opus, channels=2, rate=48000, channel-mapping-family=0", NULL, 80 };
static const Payloader opus_97 = { "rtpopuspay pt=97",
  "audio/x-opus, channels=2, rate=48000, channel-mapping-family=0", NULL, 80 };
static const Payloader ts = { NULL };

static GstBuffer *
make_frame (const Payloader *payloader, guint number)
{
  GstBuffer *frame = gst_buffer_new_allocate (NULL, payloader->size, NULL);

  if (payloader->frame)
    gst_buffer_fill (frame, 0, payloader->frame, payloader->size);
  else
    gst_buffer_memset (frame, 0, 0x47, payloader->size);
  GST_BUFFER_PTS (frame) = number * 20 * GST_MSECOND;
  GST_BUFFER_DURATION (frame) = 20 * GST_MSECOND;
  return frame;
}

/* GBytes, to be sent. */
static GPtrArray *
make_packets (const Payloader *payloader)
{
  GPtrArray *packets =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  GstHarness *harness = gst_harness_new_parse (payloader->launch);
  GstBuffer *packet;

  gst_harness_set_src_caps_str (harness, payloader->caps);
  for (guint i = 0; i < N_FRAMES; i++)
    fail_unless_equals_int (
        gst_harness_push (harness, make_frame (payloader, i)), GST_FLOW_OK);
  while ((packet = gst_harness_try_pull (harness))) {
    gpointer data;
    gsize size;

    gst_buffer_extract_dup (packet, 0, -1, &data, &size);
    g_ptr_array_add (packets, g_bytes_new_take (data, size));
    gst_buffer_unref (packet);
  }
  gst_harness_teardown (harness);
  fail_unless (packets->len > 0, "%s gave none", payloader->launch);
  return packets;
}

/* A transport stream of one audio stream: PAT, PMT, and packets of it. */
static GPtrArray *
make_transport_stream (void)
{
  static const guint8 pat[] = { 0x47, 0x40, 0, 0x10, 0, 0, 0xb0, 0x0d, 0, 1,
    0xc1, 0, 0, 0, 1, 0xf0, 0, 0x2a, 0xb1, 4, 0xb2 };
  static const guint8 pmt[] = { 0x47, 0x50, 0, 0x10, 0, 2, 0xb0, 0x12, 0, 1,
    0xc1, 0, 0, 0xe1, 0, 0xf0, 0, 4, 0xe1, 0, 0xf0, 0, 0x2c, 0x65, 0x6f, 0x48 };
  static const guint8 pes[] = { 0x47, 0x41, 0, 0x30, 7, 0x50, 0, 0, 0, 0, 0x7e,
    0, 0, 0, 1, 0xc0, 0, 0, 0x80, 0x80, 5, 0x21, 0, 1, 0, 1 };
  static const struct
  {
    const guint8 *head;
    gsize size;
  } kinds[] = { { pat, sizeof pat }, { pmt, sizeof pmt }, { pes, sizeof pes } };
  GPtrArray *packets =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);

  for (guint i = 0; i < 2 + 10 * N_FRAMES; i++) {
    guint kind = MIN (i, 2);
    guint8 *packet = g_malloc (188);

    memset (packet, 0xff, 188);
    memcpy (packet, kinds[kind].head, kinds[kind].size);
    if (kind == 2) {
      packet[3] |= (i - 2) & 0xf;
      packet[9] = i;                   /* PCR */
      packet[23] = (i * 4 & 0xfe) | 1; /* PTS */
    }
    g_ptr_array_add (packets, g_bytes_new_take (packet, 188));
  }
  return packets;
}

/* Partial caps. */

static const struct
{
  const Payloader *payloader;
  const gchar *set;      /* caps of both sources */
  const gchar *rest;     /* of the pipeline; the last but one is named "end" */
  const gchar *expected; /* caps; NULL: those of udpsrc */
  gboolean warns;
} partials[] = {
  { &h264, "application/x-rtp", "rtph264depay name=end" },
  { &h264, "application/x-rtp", "rtpjitterbuffer ! rtph264depay name=end" },
  { &h264, "application/x-rtp, media=video", "rtph264depay name=end" },
  { &h264, "application/x-rtp, payload=96", "rtph264depay name=end" },
  { &h264, "application/x-rtp, clock-rate=90000", "rtph264depay name=end" },
  { &h264, "application/x-rtp, media={audio,video}", "rtph264depay name=end" },
  { &h264, "application/x-rtp, encoding-name=H264", "rtph264depay name=end" },
  { &h264, H264 ", payload=96", "rtph264depay name=end" },
  { &h264, "application/x-rtp", "identity name=end" },
  /* GstBaseSrc: a clock rate of 1. */
  { &mp2t, "application/x-rtp", "rtpmp2tdepay name=end", MP2T },
  { &mp2t, "application/x-rtp, payload=33", "rtpmp2tdepay name=end", MP2T },
  { &mp2t, "application/x-rtp, clock-rate=90000", "rtpmp2tdepay name=end",
      MP2T },
  { &mp2t_96, "application/x-rtp", "rtpmp2tdepay name=end",
      "application/x-rtp, media=(string)video, clock-rate=(int)90000, "
      "encoding-name=(string)MP2T" },
  { &pcmu, "application/x-rtp", "rtppcmudepay name=end" },
  { &pcmu, "application/x-rtp, media=audio", "rtppcmudepay name=end" },
  { &pcmu, "application/x-rtp, clock-rate=8000", "rtppcmudepay name=end" },
  { &pcmu_96, "application/x-rtp", "rtppcmudepay name=end" },
  { &pcma, "application/x-rtp", "rtppcmadepay name=end" },
  /* Here, too, and one channel. */
  { &l16, "application/x-rtp", "rtpL16depay name=end",
      "application/x-rtp, media=(string)audio, clock-rate=(int)44100, "
      "encoding-name=(string)L16, payload=(int)10, encoding-params=(string)2" },
  /* Nothing tells it. */
  { &l24, "application/x-rtp", "rtpL24depay name=end", .warns = TRUE },
  { &l24, "application/x-rtp, clock-rate=48000", "rtpL24depay name=end" },
  { &vp8, "application/x-rtp", "rtpvp8depay name=end" },
  { &opus, "application/x-rtp", "rtpopusdepay name=end" },
  { &opus, "application/x-rtp, media=audio", "rtpopusdepay name=end" },
  { &opus_97, "application/x-rtp", "rtpopusdepay name=end", OPUS },
  { &ts, "video/mpegts", "tsdemux name=demux ! identity name=end" },
};

/* The one that everybody knows, at an address of its own. */
static GstElement *
new_udpsrc (const Loopback *other, const gchar *set, const gchar *rest)
{
  g_autofree gchar *launch =
      g_strdup_printf ("udpsrc name=src address=%s port=%u caps=\"%s\" ! %s ! "
                       "fakesink async=false",
          other->address_text, other->port, set, rest);
  g_autoptr (GError) error = NULL;
  GstElement *pipeline = gst_parse_launch (launch, &error);

  g_assert_no_error (error);
  return pipeline;
}

static GstPadProbeReturn
count (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  g_atomic_int_inc ((gint *) user_data);
  return GST_PAD_PROBE_OK;
}

static void
count_at_end (GstElement *pipeline, gint *n)
{
  g_autoptr (GstElement) end = gst_bin_get_by_name (GST_BIN (pipeline), "end");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (end, "src");

  gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, count, n,
      NULL);
}

static GstCaps *
current_caps (GstElement *pipeline)
{
  g_autoptr (GstElement) src = gst_bin_get_by_name (GST_BIN (pipeline), "src");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (src, "src");

  return gst_pad_get_current_caps (pad);
}

static void
wait_for_end (GstElement *pipeline, gint *n, const gchar *what)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  gint64 deadline = g_get_monotonic_time () + RECEIVER_PATIENCE;

  while (!g_atomic_int_get (n)) {
    g_autoptr (GstMessage) message =
        gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
    g_autoptr (GError) error = NULL;

    if (message)
      gst_message_parse_error (message, &error, NULL);
    fail_if (message, "%s: %s", what, error->message);
    fail_if (
        g_get_monotonic_time () > deadline, "nothing came out of %s", what);
    g_usleep (1000);
  }
}

static void
assert_caps_of_both (const gchar *expected, GstElement *udpsrc)
{
  g_autoptr (GstCaps) ours = current_caps (receiver->pipeline);
  g_autoptr (GstCaps) theirs = current_caps (udpsrc);
  g_autofree gchar *our_text = gst_caps_to_string (ours);
  g_autofree gchar *their_text = gst_caps_to_string (theirs);

  if (expected) {
    gst_caps_replace (&theirs, NULL);
    theirs = gst_caps_from_string (expected);
  }
  fail_unless (gst_caps_is_equal (ours, theirs), "%s, udpsrc %s, expected %s",
      our_text, their_text, expected ? expected : "the same");
}

TABLE_TEST (test_partial, partials)
{
  const Payloader *payloader = partials[__i__].payloader;
  g_autoptr (GPtrArray) packets =
      payloader->launch ? make_packets (payloader) : make_transport_stream ();
  g_autofree gchar *properties =
      g_strdup_printf ("caps=\"%s\"", partials[__i__].set);
  g_autofree gchar *rest =
      g_strdup_printf ("%s ! fakesink async=false", partials[__i__].rest);
  Loopback *other;
  GstElement *udpsrc;
  gint n_ours = 0, n_theirs = 0;

  if (!payloader->launch)
    plugins_need ("mpegtsdemux");
  element_new (properties, rest);
  count_at_end (receiver->pipeline, &n_ours);
  receiver_play (receiver);
  other = loopback_new ();
  udpsrc = new_udpsrc (other, partials[__i__].set, partials[__i__].rest);
  count_at_end (udpsrc, &n_theirs);
  gst_element_set_state (udpsrc, GST_STATE_PLAYING);
  gst_element_get_state (udpsrc, NULL, NULL, GST_CLOCK_TIME_NONE);

  for (guint i = 0; i < packets->len; i++) {
    gsize size;
    gconstpointer data = g_bytes_get_data (packets->pdata[i], &size);

    loopback_send (loopback, data, size);
    loopback_send (other, data, size);
  }
  tap_wait (tap, packets->len);
  wait_for_end (receiver->pipeline, &n_ours, partials[__i__].set);
  wait_for_end (udpsrc, &n_theirs, "udpsrc");
  assert_caps_of_both (partials[__i__].expected, udpsrc);
  fail_unless_equals_int (n_warnings (), partials[__i__].warns);
  receiver_assert_stat (receiver, "packets", packets->len);
  receiver_assert_stat (receiver, "kept-back", 0);

  element_end ();
  gst_element_set_state (udpsrc, GST_STATE_NULL);
  gst_object_unref (udpsrc);
  loopback_free (other);
}

typedef enum
{
  TO_RELINK,
  RELINKED,
  NOT_RELINKED
} Relinking;

static GstPadProbeReturn
relink (GstPad *srcpad, GstPadProbeInfo *info, gpointer data)
{
  g_autoptr (GstElement) valve =
      gst_bin_get_by_name (GST_BIN (receiver->pipeline), "valve");
  g_autoptr (GstElement) old =
      gst_bin_get_by_name (GST_BIN (receiver->pipeline), "old");
  GstElement *depayloader = gst_element_factory_make ("rtpvp8depay", NULL);
  GstElement *sink = gst_element_factory_make ("fakesink", NULL);
  gint *relinking = data;

  gst_element_unlink (valve, old);
  g_object_set (sink, "async", FALSE, NULL);
  gst_bin_add_many (GST_BIN (receiver->pipeline), depayloader, sink, NULL);
  gst_element_link (depayloader, sink);
  gst_element_sync_state_with_parent (sink);
  gst_element_sync_state_with_parent (depayloader);
  /* (Another thread than the test's, which alone can fail.) */
  g_atomic_int_set (relinking,
      gst_element_link (valve, depayloader) ? RELINKED : NOT_RELINKED);
  return GST_PAD_PROBE_REMOVE;
}

/* When this push is over, and nothing is being pushed: a push that finds a pad
 * unlinked ends the stream. Whoever asks from another thread may be answered while a
 * packet is between the pad's probes and its peer. */
static GstPadProbeReturn
relink_then (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  g_autoptr (GstPad) srcpad = gst_element_get_static_pad (receiver->src, "src");

  gst_pad_add_probe (srcpad, GST_PAD_PROBE_TYPE_IDLE, relink, data, NULL);
  return GST_PAD_PROBE_REMOVE;
}

/* Another depayloader takes the place of the first: what it takes is asked anew. */
TEST (test_partial_relinked)
{
  g_autoptr (GPtrArray) packets = make_packets (&vp8);
  g_autoptr (GstElement) old = NULL;
  g_autoptr (GstPad) pad = NULL;
  gint relinking = TO_RELINK;
  gsize size;

  element_play ("caps=application/x-rtp",
      "valve name=valve ! rtph264depay name=old ! fakesink async=false");
  old = gst_bin_get_by_name (GST_BIN (receiver->pipeline), "old");
  pad = gst_element_get_static_pad (old, "sink");
  gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, relink_then,
      &relinking, NULL);
  loopback_send_many (loopback, 96, 0, 1);
  wait_until (g_atomic_int_get (&relinking) != TO_RELINK);
  fail_unless_equals_int (g_atomic_int_get (&relinking), RELINKED);
  element_assert_caps (0, H264);
  for (guint i = 0; i < 2; i++) {
    gconstpointer data = g_bytes_get_data (packets->pdata[i], &size);

    loopback_send (loopback, data, size);
    tap_wait (tap, 2 + i);
  }
  element_assert_caps (2,
      "application/x-rtp, media=(string)video, clock-rate=(int)90000, "
      "encoding-name=(string)VP8");
  receiver_assert_no_error (receiver);
  element_end ();
}

/* What comes before RTP. */

static const guint8 stun[20] = { 0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42 };
static const guint8 sender_report[28] = { 0x80, 200, 0, 6 };

static void
send_strangers (void)
{
  loopback_send (loopback, stun, sizeof stun);
  loopback_send (loopback, "What is this?", 13);
  loopback_send (loopback, "\x80", 1);
  loopback_send (loopback, "", 0);
}

#define N_STRANGERS 4

static void
send_rtcp (guint number)
{
  guint8 packet[28];

  memcpy (packet, sender_report, sizeof packet);
  packet[27] = number;
  loopback_send (loopback, packet, sizeof packet);
}

static void
assert_rtcp (guint i, guint number)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (tap_packet (tap, i)->bytes, &size);

  fail_unless_equals_int (size, sizeof sender_report);
  fail_unless_equals_int (data[1], 200);
  fail_unless_equals_int (data[27], number);
}

/* Until n packets have been looked at that are not RTP. */
static void
wait_not_rtp (guint n)
{
  receiver_wait_stat (receiver, "not-rtp", n);
}

static const struct
{
  const gchar *properties, *rest;
  guint8 payload_type;
  const gchar *caps;
} wanted[] = {
  { "", "rtpmp2tdepay ! fakesink", 33, MP2T },
  { "", "rtpjitterbuffer ! rtph264depay ! fakesink", 96,
      H264 ", payload=(int)96" },
  { "caps=application/x-rtp,payload=[96,127]", "fakesink", 97,
      "application/x-rtp, payload=(int)97" },
  /* As of an SDP file with two. */
  { "caps=\"application/x-rtp, payload=96, encoding-name=H264; "
    "application/x-rtp, payload=97, encoding-name=OPUS\"",
      "fakesink", 97,
      "application/x-rtp, payload=(int)97, encoding-name=(string)OPUS" },
};

/* Where RTP is wanted, nothing goes before its caps, and RTCP is not lost. */
TABLE_TEST (test_strangers_first, wanted)
{
  element_play (wanted[__i__].properties, wanted[__i__].rest);
  send_strangers ();
  wait_not_rtp (N_STRANGERS);
  send_rtcp (1);
  send_strangers ();
  wait_not_rtp (2 * N_STRANGERS);
  send_rtcp (2);
  fail_unless_equals_int (tap_n_packets (tap), 0);
  receiver_assert_stat (receiver, "kept-back", 2 * N_STRANGERS);
  loopback_send_many (loopback, wanted[__i__].payload_type, 0, 3);
  element_wait (5);
  for (guint i = 0; i < 5; i++)
    element_assert_caps (i, wanted[__i__].caps);
  assert_rtcp (0, 1);
  assert_rtcp (1, 2);
  fail_unless (tap_packet (tap, 2)->pts >= tap_packet (tap, 1)->pts);
  receiver_assert_stat (receiver, "discarded", 0);
  fail_unless_equals_int (n_warnings (), 0);
}

/* One word for whoever waits, after a second or many packets; and it plays all the
 * same when RTP comes. */
LOOP_TEST (test_strangers_for_long, 2)
{
  const guint n = __i__ ? 3 : 100;

  element_play ("", "rtpmp2tdepay ! fakesink");
  for (guint i = 0; i < n; i++)
    loopback_send (loopback, stun, sizeof stun);
  receiver_wait_stat (receiver, "kept-back", n);
  wait_until (n_warnings () > 0);
  element_receive (33, 0, 2);
  element_assert_caps (0, MP2T);
  receiver_assert_stat (receiver, "kept-back", n);
  fail_unless_equals_int (n_warnings (), 1);
}

/* RTCP waits, but not any amount of it. */
TEST (test_much_rtcp_first)
{
  element_play ("", "rtpmp2tdepay ! fakesink");
  send_rtcp (0);
  receiver_restart (receiver, GST_STATE_PAUSED);
  for (guint i = 1; i < 101; i++)
    send_rtcp (i);
  loopback_send_many (loopback, 33, 0, 2);
  receiver_wait_stat (receiver, "packets", 64);
  element_assert_caps (0, MP2T);
  receiver_wait_stat (
      receiver, "packets", 103 - receiver_stat (receiver, "discarded"));
  fail_unless (receiver_stat (receiver, "discarded") <= 101 - 63);
  fail_unless (tap_n_packets (tap) >= 63 + 2);
}

/* Where something else may be, it is that when no RTP comes. */

static GstPadProbeReturn
take_either (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  g_autoptr (GstCaps) either =
      gst_caps_from_string ("application/x-rtp; video/mpegts");
  GstQuery *query = GST_PAD_PROBE_INFO_QUERY (info);
  g_autoptr (GstCaps) taken = NULL;
  GstCaps *filter;

  if (GST_QUERY_TYPE (query) != GST_QUERY_CAPS)
    return GST_PAD_PROBE_OK;
  gst_query_parse_caps (query, &filter);
  taken = filter
      ? gst_caps_intersect_full (filter, either, GST_CAPS_INTERSECT_FIRST)
      : gst_caps_ref (either);
  gst_query_set_caps_result (query, taken);
  return GST_PAD_PROBE_HANDLED;
}

static void
play_into_either (const gchar *properties)
{
  g_autoptr (GstPad) pad = NULL;

  element_new (properties, "fakesink");
  pad = gst_element_get_static_pad (receiver->src, "src");
  gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM | GST_PAD_PROBE_TYPE_PUSH,
      take_either, NULL, NULL);
  receiver_play (receiver);
}

static const struct
{
  const gchar *properties;
  guint n;
  const gchar *caps;
} others[] = {
  { "", 100, NULL },
  { "", 3, NULL },
  { "caps=\"application/x-rtp, payload=[96,127]; video/mpegts\"", 100,
      "video/mpegts" },
};

TABLE_TEST (test_something_else, others)
{
  const guint n = others[__i__].n;

  play_into_either (others[__i__].properties);
  for (guint i = 0; i < n; i++)
    loopback_send_pattern (loopback, i, 100 + i);
  element_wait (n);
  for (guint i = 0; i < n; i++) {
    gsize size;

    loopback_assert_pattern (
        g_bytes_get_data (tap_packet (tap, i)->bytes, &size), i, 100 + i);
    fail_unless_equals_int (size, 100 + i);
  }
  element_assert_caps (n - 1, others[__i__].caps);
  receiver_assert_stat (receiver, "kept-back", 0);
  fail_unless_equals_int (n_warnings (), 1);
  fail_unless (strstr (receiver->warnings->pdata[0], "passed on"), "%s",
      (gchar *) receiver->warnings->pdata[0]);
}

TEST (test_rtp_after_all)
{
  play_into_either (others[2].properties);
  for (guint i = 0; i < 5; i++)
    loopback_send_pattern (loopback, i, 100);
  send_rtcp (1);
  loopback_send_many (loopback, 96, 0, 2);
  element_wait (3);
  assert_rtcp (0, 1);
  element_assert_caps (0, "application/x-rtp, payload=(int)96");
  receiver_assert_stat (receiver, "kept-back", 5);
  fail_unless_equals_int (n_warnings (), 0);
}

/* Where anything is taken, nothing waits; but RTP that goes on is seen. */
TEST (test_anything)
{
  gst_check_add_log_filter ("GStreamer", G_LOG_LEVEL_WARNING,
      g_regex_new ("Sticky event misordering", 0, 0, NULL), NULL, NULL, NULL);
  element_play ("", "fakesink");
  send_strangers ();
  tap_wait (tap, N_STRANGERS);
  element_pass (33, 0, 1, N_STRANGERS + 1);
  element_assert_caps (N_STRANGERS, NULL);
  loopback_send_many (loopback, 33, 1, 1);
  element_wait (N_STRANGERS + 2);
  element_assert_caps (N_STRANGERS + 1, MP2T);
  fail_unless_equals_int (n_warnings (), 0);
}

/* What waits counts when it goes, and only then. */
TEST (test_num_buffers)
{
  element_play ("num-buffers=3", "rtpmp2tdepay ! fakesink");
  send_rtcp (1);
  send_rtcp (2);
  send_rtcp (3);
  send_rtcp (4);
  loopback_send_many (loopback, 33, 0, 5);
  tap_wait_eos (tap);
  element_wait (3);
  element_assert_caps (2, MP2T);
}

/* And a flush, or a stop, takes it. */
TEST (test_flushed)
{
  element_play ("", "rtpmp2tdepay ! fakesink async=false");
  send_rtcp (1);
  loopback_send (loopback, stun, sizeof stun);
  receiver_wait_stat (receiver, "kept-back", 1);
  fail_unless (
      gst_element_send_event (receiver->src, gst_event_new_flush_start ()));
  fail_unless (
      gst_element_send_event (receiver->src, gst_event_new_flush_stop (TRUE)));
  receiver_assert_stat (receiver, "discarded", 1);
  send_rtcp (2);
  loopback_send_many (loopback, 33, 0, 1);
  element_wait (2);
  assert_rtcp (0, 2);
  element_assert_caps (0, MP2T);
  receiver_restart (receiver, GST_STATE_READY);
  send_rtcp (3);
  loopback_send (loopback, stun, sizeof stun);
  receiver_wait_stat (receiver, "kept-back", 2);
  receiver_set_state (receiver, GST_STATE_NULL);
  receiver_assert_stat (receiver, "discarded", 2);
}

ELEMENT_SUITE ("element-negotiation", "rtp", "rtpmanager", "udp", NULL)
