/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* With a reorder-window: what was reordered on the way leaves in order, and once. */
#include "crowd.h"
#include "network.h"
#include "payload.h"
#include "tasks.h"

/* 50 ms, of which nothing here needs more. */
#define WINDOW "reorder-window=50000000 "

/* What leaves, in its order. */
typedef struct
{
  guint64 next; /* index that the next packet has */
  guint64 n, wrong;
  GstClockTime pts;
} Check;

static gboolean
check_buffer (GstBuffer **buffer, guint i, gpointer user_data)
{
  Check *check = user_data;
  guint64 index = payload_index_of_buffer (*buffer, PAYLOAD_RTP_HEADER);

  check->n++;
  if (index == PAYLOAD_WRONG || index < check->next ||
      GST_BUFFER_PTS (*buffer) < check->pts)
    check->wrong++;
  check->next = index + 1;
  check->pts = GST_BUFFER_PTS (*buffer);
  return TRUE;
}

static GstPadProbeReturn
check_push (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstBuffer *buffer;

  if (info->type & GST_PAD_PROBE_TYPE_BUFFER_LIST) {
    gst_buffer_list_foreach (
        gst_pad_probe_info_get_buffer_list (info), check_buffer, user_data);
  } else {
    buffer = gst_pad_probe_info_get_buffer (info);
    check_buffer (&buffer, 0, user_data);
  }
  return GST_PAD_PROBE_OK;
}

static void
watch (Receiver *receiver, Check *check)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (receiver->src, "src");

  gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, check_push,
      check, NULL);
}

static const struct
{
  const gchar *mode;
  const gchar *options;
} ways[] = {
  { "af-xdp", "--rate=100000 --packets=200000" },
  { "socket", "--rate=20000 --packets=40000" },
  /* Every tenth by the socket, while AF_XDP has the others. */
  { "af-xdp",
      "--rate=50000 --packets=100000 --marker-every=10 --marker-size=1316 "
      "--marker-ip-option" },
};

/* All that was sent has come so far, if the machine let it. */
static void
wait_for_all (Receiver *receiver, const GeneratorReport *sent)
{
  wait_until (receiver_arrived (receiver) == sent->packets);
  receiver_excuse (receiver);
}

/* Places are changed over up to 20 packets, in a cycle that no batch has; some come
 * twice, and every 997th does not come. */
#define SCRIPT                                                    \
  "--reorder=10:20 --reorder=40:1 --reorder=50:7 --reorder=51:5 " \
  "--duplicate=100:2 --reorder=500:20 --gap=700:3 --script-every=997 "

TABLE_TEST (test_reordered, ways)
{
  g_autofree gchar *properties =
      g_strdup_printf (WINDOW "mode=%s", ways[__i__].mode);
  Receiver *receiver = receiver_new (properties, "fakesink");
  GeneratorReport sent;
  Check check = { 0 };

  watch (receiver, &check);
  receiver_play_by (receiver, ways[__i__].mode);
  sent = generator_send (SCRIPT "--first-seq=65000 %s", ways[__i__].options);
  g_assert_cmpuint (sent.reordered, >, 100);
  g_assert_cmpuint (sent.duplicates, >, 10);
  wait_for_all (receiver, &sent);
  receiver_assert_reaches (receiver, "packets", sent.packets - sent.duplicates);
  receiver_assert_stat (receiver, "repeated", sent.duplicates);
  receiver_assert_reaches (receiver, "lost", sent.missing + sent.dropped);
  receiver_assert_none (
      receiver, "late", "waiting", "waits-cut-short", "malformed", "restarts");
  if (__i__ == 2)
    g_assert_cmpuint (receiver_stat (receiver, "delivered-socket"), >, 9000);
  receiver_free (receiver);
  fail_unless_equals_uint64 (check.wrong, 0);
  fail_unless_equals_uint64 (check.n, sent.packets - sent.duplicates);
}

/* With a window that is too short what comes after it is late, and nothing is in a wrong
 * order. A generator that was held up sends some at once. */
TEST (test_short_window)
{
  Receiver *receiver = receiver_new ("reorder-window=100000", "fakesink");
  GeneratorReport sent;
  Check check = { 0 };
  guint64 late;

  watch (receiver, &check);
  receiver_play_by (receiver, "af-xdp");
  sent = generator_send (
      "--rate=10000 --packets=20000 --reorder=10:20 --script-every=100");
  wait_for_all (receiver, &sent);
  late = receiver_stat (receiver, "late");
  g_assert_cmpuint (late, <=, sent.reordered);
  g_assert_cmpuint (late, >, sent.reordered / 2);
  receiver_assert_none (receiver, "lost", "repeated");
  receiver_free (receiver);
  fail_unless_equals_uint64 (check.wrong, 0);
  fail_unless_equals_uint64 (check.n, sent.packets - late);
}

/* More waits than the stream has frames for: the rest is copied, and the rings have
 * theirs. */
TEST (test_share_is_used_up)
{
  Receiver *receiver =
      receiver_new ("reorder-window=1000000000 umem-frames=8192", "fakesink");
  GeneratorReport sent;
  Check check = { 0 };

  watch (receiver, &check);
  receiver_play_by (receiver, "af-xdp");
  sent = generator_send ("--rate=100000 --packets=60000 --reorder=1000:12000 "
                         "--reorder=40000:16000");
  wait_for_all (receiver, &sent);
  receiver_assert_reaches (receiver, "packets", sent.packets);
  receiver_assert_none (receiver, "late", "repeated", "waits-cut-short");
  g_assert_cmpuint (receiver_stat (receiver, "copied"), >, 10000);
  fail_unless_equals_uint64 (receiver_queue_sum (receiver, "no-frame"), 0);
  receiver_free (receiver);
  fail_unless_equals_uint64 (check.wrong, 0);
}

/* What waits at the end of many streams, of which nothing comes any more, leaves in
 * time: one thread sleeps for all of them. */
#define N 16

TEST (test_many_streams)
{
  Crowd *crowd = crowd_new (N, "receiver=all " WINDOW "stats-interval=0");
  GeneratorReport sent;
  guint64 waited;
  gint64 begin;

  crowd_play_by_af_xdp (crowd);
  sent = generator_finish (crowd_generate (
      crowd, "--rate=32000 --packets=%u --gap=500:3 --gap=1999:1", N * 2000));
  begin = g_get_monotonic_time ();
  waited = tasks_most (0, "afxdp-receiver", "schedstat", " ");
  for (guint i = 0; i < N; i++)
    receiver_wait_stat (crowd->receivers[i], "packets", sent.sent[i]);
  waited = tasks_most (0, "afxdp-receiver", "schedstat", " ") - waited;
  if (waited > 50 * GST_MSECOND)
    suite_skip ("the thread waited %.0f ms for a processor", waited / 1e6);
  g_assert_cmpint (
      g_get_monotonic_time () - begin, <, 500 * G_TIME_SPAN_MILLISECOND);
  for (guint i = 0; i < N; i++)
    receiver_assert_none (
        crowd->receivers[i], "late", "waiting", "waits-cut-short");
  crowd_free (crowd);
}

NETNS_SUITE ("reordering", network_up_with_one_queue)
