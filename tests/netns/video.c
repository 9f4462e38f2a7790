/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Uncompressed video as of SMPTE ST 2110-20: GStreamer's own payloader in a
 * process of the sending host, received by an SDP file, and every frame compared.
 * Sender and receiver have a processor each.
 *
 * VIDEO_SIZE=1920x1080 is for a machine that can; VIDEO_SECONDS is how long.
 */
#include <glib/gstdio.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "network.h"
#include "receiver.h"

#define WIDTH 1280
#define HEIGHT 720
#define SECONDS 1.6

/* A sender that took so many times as long as the video did not keep up. */
#define SLOW 1.1
#define TRIES 4

/* Bytes of each packet besides the picture: Ethernet, IP, UDP, RTP, and RFC 4175
 * for one line; and of the longest IP packet less IP and UDP. */
#define HEADERS (14 + 20 + 8 + 12 + 8)
#define MTU 1228

/* The part of a frame's time in which it is sent: ST 2110-21, type N. */
#define ACTIVE (1080. / 1125)

static const struct
{
  const gchar *name, *format, *mode;
  guint depth, fps;
  gboolean paced; /* else each tenth of a frame is sent at once */
} cases[] = {
  { "8 bits, 25 fps, paced", "UYVY", "auto", 8, 25, TRUE },
  { "8 bits, 50 fps", "UYVY", "auto", 8, 50, FALSE },
  { "10 bits, 25 fps, paced", "UYVP", "auto", 10, 25, TRUE },
  { "8 bits, 25 fps, paced, through the socket", "UYVY", "socket", 8, 25,
      TRUE },
};

static guint width = WIDTH, height = HEIGHT;
static gdouble seconds = SECONDS;

static guint
n_frames (guint number)
{
  return seconds * cases[number].fps;
}

/* The test picture, whose ball is elsewhere in each frame. */
static gchar *
describe_source (guint number, const gchar *more)
{
  return g_strdup_printf (
      "videotestsrc pattern=ball animation-mode=frames num-buffers=%u %s ! "
      "video/x-raw,format=%s,width=%u,height=%u,framerate=%u/1",
      n_frames (number), more, cases[number].format, width, height,
      cases[number].fps);
}

/* What frames are. */

/* Not one that stands up to an adversary. */
static guint64
hash_frame (GstBuffer *buffer)
{
  guint64 hash = G_GUINT64_CONSTANT (0xcbf29ce484222325), word;
  GstMapInfo map;

  fail_unless (gst_buffer_map (buffer, &map, GST_MAP_READ));
  for (gsize i = 0; i + sizeof word <= map.size; i += sizeof word) {
    memcpy (&word, map.data + i, sizeof word);
    hash = (hash ^ word) * G_GUINT64_CONSTANT (0x100000001b3);
    hash ^= hash >> 29;
  }
  hash ^= map.size;
  gst_buffer_unmap (buffer, &map);
  return hash;
}

static void
take_frame (GstElement *sink, GstBuffer *buffer, GstPad *pad, GArray *frames)
{
  guint64 hash = hash_frame (buffer);

  g_array_append_val (frames, hash);
}

static GArray *
watch_frames (GstElement *pipeline)
{
  g_autoptr (GstElement) sink =
      gst_bin_get_by_name (GST_BIN (pipeline), "frames");
  GArray *frames = g_array_new (FALSE, FALSE, sizeof (guint64));

  g_array_set_size (frames, 10000);
  g_array_set_size (frames, 0);
  g_object_set (sink, "signal-handoffs", TRUE, NULL);
  g_signal_connect (sink, "handoff", G_CALLBACK (take_frame), frames);
  return frames;
}

/* The frames that are going to be sent. */
static GArray *
make_frames (guint number)
{
  g_autofree gchar *source = describe_source (number, "");
  g_autofree gchar *launch = g_strdup_printf (
      "%s ! fakesink name=frames async=false sync=false", source);
  g_autoptr (GstElement) pipeline = gst_parse_launch (launch, NULL);
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = NULL;
  GArray *frames = watch_frames (pipeline);

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (
      bus, 60 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  fail_unless (message && GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  fail_unless_equals_int (frames->len, n_frames (number));
  for (guint i = 1; i < frames->len; i++)
    fail_if (g_array_index (frames, guint64, i) ==
        g_array_index (frames, guint64, i - 1));
  return frames;
}

/* The sending host. */

static void
write_session (guint number, const gchar *location)
{
  g_autofree gchar *text = g_strdup_printf (
      "v=0\r\no=- 1443716955 1443716955 IN IP4 10.9.0.1\r\ns=Camera 1\r\n"
      "t=0 0\r\nm=video 20000 RTP/AVP 112\r\nc=IN IP4 239.100.9.10/32\r\n"
      "a=source-filter: incl IN IP4 239.100.9.10 10.9.0.1\r\n"
      "a=rtpmap:112 raw/90000\r\n"
      "a=fmtp:112 sampling=YCbCr-4:2:2; width=%u; height=%u; "
      "exactframerate=%u; depth=%u; TCS=SDR; colorimetry=BT709; PM=2110GPM; "
      "SSN=ST2110-20:2017; TP=2110TPN\r\n"
      "a=ts-refclk:ptp=IEEE1588-2008:39-A7-94-FF-FE-07-CB-D0:37\r\n"
      "a=mediaclk:direct=0\r\n",
      width, height, cases[number].fps, cases[number].depth);

  fail_unless (g_file_set_contents (location, text, -1, NULL));
}

/* Bits/s on the wire while a frame is sent. */
static guint64
wire_rate (guint number)
{
  const gdouble picture = width * height * 2. * cases[number].depth / 8;
  const gdouble packets = picture / (MTU - 12 - 8) + height;

  return (picture + packets * HEADERS) * 8 * cases[number].fps / ACTIVE;
}

/* Returns how many seconds it took. */
static gdouble
send_video (guint number)
{
  g_autofree gchar *source = describe_source (number, "is-live=true");
  g_autofree gchar *output = NULL;
  guint hours, minutes;
  gdouble rest;
  gchar *at;

  if (cases[number].paced)
    network_run_on_sender ("tc qdisc replace dev tx0 root tbf rate "
                           "%" G_GUINT64_FORMAT " burst 64k limit 16M",
        wire_rate (number));
  output = network_output (
      "nsenter --net=%s taskset -c 0 gst-launch-1.0 %s ! queue "
      "max-size-buffers=4 max-size-bytes=0 ! rtpvrawpay pt=112 mtu=%u ! "
      "udpsink host=239.100.9.10 port=20000 auto-multicast=false "
      "multicast-iface=tx0 buffer-size=4000000",
      network_sender (), source, MTU);
  at = strstr (output, "Execution ended after ");
  fail_unless (at &&
          sscanf (at, "Execution ended after %u:%u:%lf", &hours, &minutes,
              &rest) == 3,
      "%s", output);
  return rest;
}

/* A number that a line of awk finds in a file of the sending host's /proc/net. */
static guint64
sender_number (const gchar *file, const gchar *program)
{
  g_autofree gchar *output =
      network_output ("nsenter --net=%s awk '%s' /proc/net/%s",
          network_sender (), program, file);

  return g_ascii_strtoull (output, NULL, 10);
}

static guint64
n_sent (void)
{
  return sender_number ("snmp", "/^Udp: [0-9]/ { print $5 }");
}

/* Those that the sending host or the wire had no room for. */
static guint64
n_dropped (void)
{
  return sender_number ("dev", "/tx0:/ { print $13 }");
}

/* The receiving host. */

static Receiver *
start_receiver (guint number, const gchar *location)
{
  g_autofree gchar *properties =
      g_strdup_printf ("mode=%s multicast-iface=rx0 sdp-location=%s",
          cases[number].mode, location);

  return receiver_new (properties,
      "rtpjitterbuffer ! rtpvrawdepay ! fakesink name=frames async=false "
      "sync=false enable-last-sample=false");
}

static void
assert_caps (Receiver *receiver, guint number)
{
  g_autoptr (GstElement) sink =
      gst_bin_get_by_name (GST_BIN (receiver->pipeline), "frames");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (sink, "sink");
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  const GstStructure *about;
  gint frame_width, frame_height;

  fail_unless (caps != NULL);
  about = gst_caps_get_structure (caps, 0);
  fail_unless (gst_structure_get (about, "width", G_TYPE_INT, &frame_width,
      "height", G_TYPE_INT, &frame_height, NULL));
  fail_unless_equals_int (frame_width, width);
  fail_unless_equals_int (frame_height, height);
  g_assert_cmpstr (
      gst_structure_get_string (about, "format"), ==, cases[number].format);
}

/* The first frame that is not as it was sent. */
static guint
first_other (const GArray *sent, const GArray *received)
{
  guint i = 0;

  while (i < sent->len && i < received->len &&
      g_array_index (sent, guint64, i) == g_array_index (received, guint64, i))
    i++;
  return i;
}

/* NULL, or what is not as it was sent. */
static gchar *
find_fault (Receiver *receiver, const GArray *sent, const GArray *received,
    guint64 packets)
{
  static const gchar *const none[] = { "lost", "pending", "gaps", "duplicates",
    "reordered", "restarts", "strays", "malformed", "not-rtp", "discarded" };

  if (received->len != sent->len || first_other (sent, received) < sent->len)
    return g_strdup_printf ("%u of %u frames came, and frame %u is another",
        received->len, sent->len, first_other (sent, received));
  if (receiver_stat (receiver, "packets") != packets)
    return g_strdup_printf ("%" G_GUINT64_FORMAT " packets were sent", packets);
  for (guint i = 0; i < G_N_ELEMENTS (none); i++)
    if (receiver_stat (receiver, none[i]))
      return g_strdup_printf ("%s is not 0", none[i]);
  return NULL;
}

/* Sends and receives once. Returns whether all was right. */
static gboolean
run_case (guint number, const gchar *location, const GArray *sent)
{
  Receiver *receiver = start_receiver (number, location);
  GArray *received = watch_frames (receiver->pipeline);
  const guint64 dropped_before = n_dropped ();
  const guint64 sent_before = n_sent ();
  guint64 packets;
  gdouble time, asked = (gdouble) sent->len / cases[number].fps;
  g_autofree gchar *fault = NULL;
  guint64 dropped;
  gint64 deadline;

  receiver_play (receiver);
  time = send_video (number);
  deadline = g_get_monotonic_time () + 2 * G_TIME_SPAN_SECOND;
  while (g_atomic_int_get ((gint *) &received->len) < (gint) sent->len &&
      g_get_monotonic_time () < deadline)
    g_usleep (1000);
  receiver_assert_no_error (receiver);
  if (received->len)
    assert_caps (receiver, number);
  receiver_set_state (receiver, GST_STATE_NULL);
  dropped = n_dropped () - dropped_before;
  packets = n_sent () - sent_before;
  fault = find_fault (receiver, sent, received, packets);
  printf ("%s: %u of %u frames, %" G_GUINT64_FORMAT
          " packets sent in %.2f s for %.2f s, the wire dropped "
          "%" G_GUINT64_FORMAT ": %s\n",
      cases[number].name, received->len, sent->len, packets, time, asked,
      dropped, fault ? fault : "right");
  fflush (stdout);
  fail_unless (!fault || dropped || time > SLOW * asked, "%s: %s; %s",
      cases[number].name, fault, receiver_describe (receiver));
  receiver_free (receiver);
  g_array_unref (received);
  return !fault;
}

TABLE_TEST (test_video, cases)
{
  g_autofree gchar *directory = g_dir_make_tmp ("afxdp-video-XXXXXX", NULL);
  g_autofree gchar *location = g_build_filename (directory, "camera.sdp", NULL);
  g_autoptr (GArray) sent = make_frames (__i__);
  gboolean right = FALSE;

  write_session (__i__, location);
  for (guint i = 0; i < TRIES && !right; i++) {
    if (i)
      printf ("the sender or the wire did not keep up: another try\n");
    right = run_case (__i__, location, sent);
  }
  g_remove (location);
  g_rmdir (directory);
  if (!right)
    suite_skip ("%s: in %u tries the sender or the wire did not keep up",
        cases[__i__].name, TRIES);
}

/* Sender and receiver each have a processor, where there are two. */
static void
pin_receiver (void)
{
  cpu_set_t set;

  if (sysconf (_SC_NPROCESSORS_ONLN) < 2)
    return;
  CPU_ZERO (&set);
  CPU_SET (1, &set);
  fail_if (sched_setaffinity (0, sizeof set, &set));
}

static void
up (void)
{
  network_up (1);
  pin_receiver ();
}

int
main (int argc, char **argv)
{
  const gchar *size = g_getenv ("VIDEO_SIZE");
  const gchar *time = g_getenv ("VIDEO_SECONDS");

  network_require_privileges ();
  if (size && sscanf (size, "%ux%u", &width, &height) != 2) {
    printf ("VIDEO_SIZE wants WIDTHxHEIGHT, such as 1920x1080\n");
    return 1;
  }
  if (time)
    seconds = g_ascii_strtod (time, NULL);
  return suite_run (
      argc, argv, "video", TRIES * (10 * seconds + 10), up, network_down);
}
