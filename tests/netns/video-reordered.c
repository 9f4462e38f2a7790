/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Uncompressed video of 1920x1080 with 50 frames/s (ST 2110-20), which the network puts
 * into another order: with a reorder-window rtpvrawdepay needs no rtpjitterbuffer, and
 * every frame is whole. The pipeline has a processor of its own.
 *
 * VIDEO_SECONDS is how long (1.6).
 */
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "generator.h"
#include "network.h"
#include "receiver.h"

#define WIDTH 1920
#define HEIGHT 1080
#define FPS 50
#define LINE_PACKETS 4
#define FRAME_PACKETS (HEIGHT * LINE_PACKETS)
#define RATE (FRAME_PACKETS * FPS)
#define SECONDS 1.6
/* s: half of the window. */
#define LATEST 0.001
#define TRIES 4

#define CAPS                                                                    \
  "caps=\"application/x-rtp,media=video,clock-rate=90000,payload=112,"          \
  "encoding-name=RAW,sampling=YCbCr-4:2:2,depth=(string)8,colorimetry=BT709-2," \
  "width=(string)1920,height=(string)1080\" "

/* Over up to 20 packets, and in a cycle that no frame has. */
#define SCRIPT                                                    \
  "--reorder=10:20 --reorder=40:1 --reorder=50:7 --reorder=51:5 " \
  "--reorder=200:20 --reorder=230:13 --script-every=499 "
#define CYCLE 499
#define LAST_REORDERED 250

typedef struct
{
  guint64 next; /* index of the packet that a frame is to begin with */
  guint n, wrong;
} Frames;

/* A part of a line begins with the index of its packet. */
static guint64
index_at (const GstMapInfo *map, guint place)
{
  const gsize at = (place / LINE_PACKETS) * WIDTH * 2 +
      place % LINE_PACKETS * (WIDTH / LINE_PACKETS) * 2;

  return GST_READ_UINT64_BE (map->data + at);
}

static void
look_at (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer user_data)
{
  Frames *frames = user_data;
  GstMapInfo map;
  guint place = 0;

  fail_unless (gst_buffer_map (buffer, &map, GST_MAP_READ));
  fail_unless_equals_uint64 (map.size, WIDTH * HEIGHT * 2);
  while (
      place < FRAME_PACKETS && index_at (&map, place) == frames->next + place)
    place++;
  gst_buffer_unmap (buffer, &map);
  frames->wrong += place < FRAME_PACKETS;
  frames->next += FRAME_PACKETS;
  g_atomic_int_inc (&frames->n);
}

static void
watch (Receiver *receiver, Frames *frames)
{
  g_autoptr (GstElement) sink =
      gst_bin_get_by_name (GST_BIN (receiver->pipeline), "frames");

  g_object_set (sink, "signal-handoffs", TRUE, NULL);
  g_signal_connect (sink, "handoff", G_CALLBACK (look_at), frames);
}

/* Sends and receives once. Returns FALSE where a sender that was held up in the midst of a
 * reordering has sent some too late. */
static gboolean
run_case (const gchar *window, guint64 n, Frames *frames)
{
  g_autofree gchar *properties = g_strconcat (CAPS, window, NULL);
  g_autoptr (Receiver) receiver = receiver_new (properties,
      "rtpvrawdepay ! fakesink name=frames async=false sync=false "
      "enable-last-sample=false");
  GeneratorReport sent;

  watch (receiver, frames);
  receiver_play_by (receiver, "af-xdp");
  sent = generator_send_exact (
      "--payload-type=112 --raw-video=1920x1080 --fps=50 --rate=%u "
      "--packets=%" G_GUINT64_FORMAT " " SCRIPT,
      RATE, n);
  g_assert_cmpuint (sent.reordered, >, n / 100);
  wait_until (receiver_arrived (receiver) == sent.packets);
  receiver_excuse (receiver);
  if (receiver_stat (receiver, "late") && sent.late > LATEST) {
    printf ("the sender was up to %.1f ms too late\n", sent.late * 1e3);
    return FALSE;
  }
  receiver_assert_reaches (receiver, "packets", n);
  receiver_assert_stat (receiver, "reordered", sent.reordered);
  receiver_assert_none (receiver, "lost", "late", "duplicates", "restarts");
  return TRUE;
}

/* A stream, and whether it is to be whole. */
static const struct
{
  const gchar *window;
  gboolean is_whole;
} windows[] = {
  { "reorder-window=2000000", TRUE },
  { "reorder-window=0", FALSE },
};

TABLE_TEST (test_every_frame_is_whole, windows)
{
  const gchar *asked = g_getenv ("VIDEO_SECONDS");
  guint n_frames = (asked ? g_ascii_strtod (asked, NULL) : SECONDS) * FPS;
  Frames frames = { 0 };
  guint try = 0;

  /* A packet that is held back at the end would never leave. */
  while (n_frames * FRAME_PACKETS % CYCLE <= LAST_REORDERED)
    n_frames++;
  while (!run_case (windows[__i__].window, n_frames * FRAME_PACKETS, &frames)) {
    if (++try == TRIES)
      suite_skip ("in %u tries the sender did not keep up", TRIES);
    frames = (Frames){ 0 };
  }
  fail_unless_equals_int (frames.n, n_frames);
  fail_unless ((frames.wrong == 0) == windows[__i__].is_whole,
      "%u frames are not whole", frames.wrong);
}

static void
up (void)
{
  cpu_set_t set;

  network_up (1);
  if (sysconf (_SC_NPROCESSORS_ONLN) < 2)
    return;
  CPU_ZERO (&set);
  CPU_SET (1, &set);
  fail_if (sched_setaffinity (0, sizeof set, &set));
}

int
main (int argc, char **argv)
{
  const gchar *asked = g_getenv ("VIDEO_SECONDS");

  network_require_privileges ();
  return suite_run (argc, argv, "video-reordered",
      TRIES * (asked ? g_ascii_strtod (asked, NULL) : SECONDS) + 60, up,
      network_down);
}
