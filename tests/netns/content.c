/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A real programme, encoded, multiplexed, sent, received and unpacked again, is
 * the same to the byte, whichever path it came through. */
#include <glib/gstdio.h>

#include "network.h"
#include "receiver.h"

#define TS_PACKETS 7 /* in one of RTP */
#define TS_PACKET 188
#define SECONDS 2

static const struct
{
  const gchar *mode;
  const gchar *group;
  const gchar *delivered; /* where all packets are counted */
} ways[] = {
  { "af-xdp", "239.1.1.1", "delivered-xdp" },
  { "socket", "239.1.1.1", "delivered-socket" },
  { "af-xdp", "ff15::1", "delivered-xdp" },
  { "socket", "ff15::1", "delivered-socket" },
};

/* Video and audio as MPEG-TS, to a file and to the group. */
static void
send_programme (const gchar *group, const gchar *location)
{
  network_run_on_sender (
      "gst-launch-1.0 -q mpegtsmux name=mux alignment=%d ! tee name=ts "
      "ts. ! queue ! rtpmp2tpay ! udpsink host=%s port=5000 "
      "multicast-iface=tx0 ts. ! queue ! filesink location=%s "
      "videotestsrc is-live=true num-buffers=%d ! "
      "video/x-raw,width=640,height=360,framerate=25/1 ! "
      "x264enc tune=zerolatency speed-preset=ultrafast bitrate=4000 "
      "key-int-max=25 ! queue ! mux. "
      "audiotestsrc is-live=true samplesperbuffer=1920 num-buffers=%d ! "
      "audio/x-raw,rate=48000,channels=2 ! twolamemp2enc ! mpegaudioparse ! "
      "queue ! mux.",
      TS_PACKETS, group, location, 25 * SECONDS, 25 * SECONDS);
}

static void
assert_same (const gchar *sent, const gchar *received)
{
  g_autofree gchar *one = NULL, *other = NULL;
  gsize one_size, other_size, i = 0;

  fail_unless (g_file_get_contents (sent, &one, &one_size, NULL));
  fail_unless (g_file_get_contents (received, &other, &other_size, NULL));
  while (i < MIN (one_size, other_size) && one[i] == other[i])
    i++;
  fail_unless (one_size == other_size && i == one_size,
      "%" G_GSIZE_FORMAT " bytes sent, %" G_GSIZE_FORMAT
      " received, the same up to %" G_GSIZE_FORMAT,
      one_size, other_size, i);
}

static guint64
n_packets (const gchar *location)
{
  const gsize size = TS_PACKETS * TS_PACKET;
  GStatBuf status;

  fail_unless (!g_stat (location, &status));
  return (status.st_size + size - 1) / size;
}

TABLE_TEST (test_programme, ways)
{
  g_autofree gchar *directory = g_dir_make_tmp ("afxdp-content-XXXXXX", NULL);
  g_autofree gchar *sent = g_build_filename (directory, "sent.ts", NULL);
  g_autofree gchar *received =
      g_build_filename (directory, "received.ts", NULL);
  g_autofree gchar *properties = g_strdup_printf (
      "mode=%s multicast-group=%s port=5000 multicast-iface=rx0",
      ways[__i__].mode, ways[__i__].group);
  g_autofree gchar *rest = g_strdup_printf (
      "rtpjitterbuffer ! rtpmp2tdepay ! filesink location=%s", received);
  Receiver *receiver = receiver_start_by (properties, rest, ways[__i__].mode);
  guint64 packets;

  send_programme (ways[__i__].group, sent);
  packets = n_packets (sent);
  g_assert_cmpuint (packets, >, 200);
  receiver_assert_reaches (receiver, "packets", packets);
  receiver_assert_stat (receiver, ways[__i__].delivered, packets);
  receiver_assert_none (receiver, "lost", "not-rtp");
  fail_unless (
      gst_element_send_event (receiver->pipeline, gst_event_new_eos ()));
  receiver_wait_eos (receiver);
  receiver_free (receiver);
  assert_same (sent, received);
  g_unlink (sent);
  g_unlink (received);
  g_rmdir (directory);
}

NETNS_SUITE ("content", network_up_with_one_queue)
