/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A sender that is not ours: ffmpeg with its own SDP file, received by that file
 * alone, and MPEG-TS without RTP. Every picture is decoded, and every sample of
 * studio audio is there, whichever path it came through. */
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

#include "network.h"
#include "receiver.h"

#define PICTURES 100
#define FEWEST_SOUNDS 95 /* Opus packets of 20 ms in as long */

/* What is encoded: 2 seconds as they go by. Parameter sets are in the SDP file, or
 * in the stream. */
#define INPUT                                    \
  "ffmpeg -nostdin -v error -y -re -f lavfi -i " \
  "testsrc2=size=320x240:rate=50 -re -f lavfi -i sine=sample_rate=48000 "
#define VIDEO                                                                \
  "-map 0:v -frames:v %d -pix_fmt yuv420p -c:v libx264 -profile:v baseline " \
  "-preset ultrafast -tune zerolatency -g 25 "
#define DECODER "h264parse ! openh264dec ! fakesink name=pictures"

static const gchar *const paths[] = { "mode=af-xdp", "mode=socket" };
static const gchar *const delivered[] = { "delivered-xdp", "delivered-socket" };

static guint64
n_rendered (Receiver *receiver, const gchar *name)
{
  g_autoptr (GstElement) sink =
      gst_bin_get_by_name (GST_BIN (receiver->pipeline), name);
  g_autoptr (GstStructure) stats = NULL;
  guint64 n = 0;

  g_object_get (sink, "stats", &stats, NULL);
  fail_unless (gst_structure_get_uint64 (stats, "rendered", &n));
  return n;
}

static guint64
stat_of (Receiver *receiver, const gchar *name, const gchar *field)
{
  g_autoptr (GstElement) src =
      gst_bin_get_by_name (GST_BIN (receiver->pipeline), name);
  g_autoptr (GstStructure) stats = NULL;
  guint64 value = 0;

  g_object_get (src, "stats", &stats, NULL);
  fail_unless (gst_structure_get_uint64 (stats, field, &value));
  return value;
}

/* RTP, by the SDP file. */

static void
send_media (guint n_pictures, const gchar *seconds, const gchar *location)
{
  network_run_on_sender (INPUT VIDEO
      "-flags +global_header -f rtp rtp://239.2.2.2:6000 "
      "-map 1:a -t %s -c:a libopus -f rtp rtp://239.2.2.2:6002 -sdp_file %s",
      n_pictures, seconds, location);
}

TABLE_TEST (test_session, paths)
{
  g_autofree gchar *directory = g_dir_make_tmp ("afxdp-ffmpeg-XXXXXX", NULL);
  g_autofree gchar *location = g_build_filename (directory, "both.sdp", NULL);
  g_autofree gchar *properties =
      g_strdup_printf ("%s sdp-location=%s", paths[__i__], location);
  g_autofree gchar *rest = g_strdup_printf (
      "rtpjitterbuffer ! rtph264depay ! " DECODER
      " afxdpsrc name=audio %s sdp-location=\"%s#m=1\" ! rtpjitterbuffer ! "
      "rtpopusdepay ! opusdec ! fakesink name=sounds",
      paths[__i__], location);
  Receiver *receiver = receiver_new (properties, rest);

  /* For the file: nobody receives this. */
  send_media (1, "0.02", location);
  receiver_play (receiver);
  send_media (PICTURES, "2", location);
  wait_until (n_rendered (receiver, "pictures") == PICTURES);
  wait_until (n_rendered (receiver, "sounds") ==
      stat_of (receiver, "audio", "packets"));
  fail_unless (n_rendered (receiver, "sounds") >= FEWEST_SOUNDS);
  fail_unless_equals_uint64 (stat_of (receiver, "audio", delivered[__i__]),
      stat_of (receiver, "audio", "packets"));
  fail_unless_equals_uint64 (stat_of (receiver, "audio", "lost"), 0);
  receiver_assert_stat (
      receiver, delivered[__i__], receiver_stat (receiver, "packets"));
  receiver_assert_none (receiver, "lost", "not-rtp");
  receiver_assert_no_error (receiver);
  fail_unless_equals_int (receiver->warnings->len, 0);
  receiver_free (receiver);
  g_remove (location);
  g_rmdir (directory);
}

/* Studio audio, L24 in 8 channels as of ST 2110-30: the same to the byte. */

#define TONE "sine=sample_rate=48000:duration=1 -ac 8 -c:a pcm_s24be "

static gsize
size_of (const gchar *path)
{
  GStatBuf about;

  return g_stat (path, &about) ? 0 : about.st_size;
}

static void
assert_same (const gchar *one, const gchar *other)
{
  g_autofree gchar *one_bytes = NULL;
  g_autofree gchar *other_bytes = NULL;
  gsize one_size, other_size;

  fail_unless (g_file_get_contents (one, &one_bytes, &one_size, NULL));
  fail_unless (g_file_get_contents (other, &other_bytes, &other_size, NULL));
  fail_unless_equals_int (one_size, other_size);
  fail_if (memcmp (one_bytes, other_bytes, one_size));
}

TABLE_TEST (test_studio_audio, paths)
{
  g_autofree gchar *directory = g_dir_make_tmp ("afxdp-ffmpeg-XXXXXX", NULL);
  g_autofree gchar *location = g_build_filename (directory, "l24.sdp", NULL);
  g_autofree gchar *tone = g_build_filename (directory, "tone", NULL);
  g_autofree gchar *received = g_build_filename (directory, "received", NULL);
  g_autofree gchar *properties =
      g_strdup_printf ("%s sdp-location=%s", paths[__i__], location);
  g_autofree gchar *rest = g_strdup_printf (
      "rtpjitterbuffer ! rtpL24depay ! audio/x-raw,channels=8,rate=48000 ! "
      "filesink buffer-mode=unbuffered location=%s",
      received);
  g_autofree gchar *send =
      g_strdup_printf ("ffmpeg -nostdin -v error -y -re -f lavfi -i " TONE
                       "-f rtp rtp://239.2.2.2:6000?pkt_size=1472 -sdp_file %s",
          location);
  Receiver *receiver = receiver_new (properties, rest);

  network_run_on_sender (
      "ffmpeg -nostdin -v error -y -f lavfi -i " TONE "-f s24be %s", tone);
  network_run_on_sender ("%s", send);
  receiver_play (receiver);
  network_run_on_sender ("%s", send);
  wait_until (size_of (received) >= size_of (tone));
  receiver_assert_stat (receiver, "lost", 0);
  receiver_assert_stat (
      receiver, delivered[__i__], receiver_stat (receiver, "packets"));
  receiver_free (receiver);
  assert_same (tone, received);
  g_remove (location);
  g_remove (tone);
  g_remove (received);
  g_rmdir (directory);
}

/* MPEG-TS in datagrams. */

/* That the sending host's sockets have sent. */
static guint64
n_sent (void)
{
  g_autofree gchar *output = network_output (
      "nsenter --net=%s awk '/^Udp: [0-9]/ { print $5 }' /proc/net/snmp",
      network_sender ());

  return g_ascii_strtoull (output, NULL, 10);
}

TABLE_TEST (test_transport_stream, paths)
{
  g_autofree gchar *properties =
      g_strdup_printf ("multicast-group=239.2.2.2 port=6000 %s", paths[__i__]);
  Receiver *receiver =
      receiver_new (properties, "tsparse ! tsdemux ! " DECODER);
  guint64 n;

  receiver_play (receiver);
  network_run_on_sender (
      INPUT VIDEO "-f mpegts udp://239.2.2.2:6000?pkt_size=1316", PICTURES);
  n = n_sent ();
  fail_unless (n > PICTURES);
  receiver_wait_stat (receiver, "packets", n);
  /* The demultiplexer keeps the last picture until it knows that it is whole. */
  gst_element_send_event (receiver->src, gst_event_new_eos ());
  receiver_wait_eos (receiver);
  fail_unless_equals_uint64 (n_rendered (receiver, "pictures"), PICTURES);
  receiver_assert_stat (receiver, delivered[__i__], n);
  receiver_assert_stat (receiver, "not-rtp", n);
  receiver_assert_none (receiver, "kept-back", "lost", "malformed");
  fail_unless_equals_int (receiver->warnings->len, 0);
  receiver_free (receiver);
}

static void
require_ffmpeg (void)
{
  g_autofree gchar *path = g_find_program_in_path ("ffmpeg");

  if (path)
    return;
  g_print ("skipped: ffmpeg is not installed\n");
  exit (77);
}

int
main (int argc, char **argv)
{
  network_require_privileges ();
  require_ffmpeg ();
  return suite_run (
      argc, argv, "ffmpeg", 60, network_up_with_one_queue, network_down);
}
