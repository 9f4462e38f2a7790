/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* With a reorder-window: what was reordered on the way leaves in order, and once. */
#include "crowd.h"
#include "network.h"
#include "payload.h"
#include "tasks.h"

/* 50 ms, of which nothing here needs more. */
#define WINDOW "reorder-window=50000000 "

static const struct
{
  const gchar *mode;
  const gchar *options;
} ways[] = {
  { "af-xdp", "--rate=20000 --packets=60000" },
  { "socket", "--rate=5000 --packets=10000" },
  /* Every tenth by the socket, while AF_XDP has the others. */
  { "af-xdp",
      "--rate=10000 --packets=30000 --marker-every=10 --marker-size=1316 "
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
  PayloadWatch check = { 0 };

  payload_watch (receiver->src, &check);
  receiver_play_by (receiver, ways[__i__].mode);
  sent = generator_send (SCRIPT "--first-seq=65000 %s", ways[__i__].options);
  g_assert_cmpuint (sent.reordered, >=, 50);
  g_assert_cmpuint (sent.duplicates, >=, 20);
  wait_for_all (receiver, &sent);
  /* A generator that stood still in between has sent some too late, and then more at
   * once than can be told apart. */
  if (receiver_stat (receiver, "late") ||
      receiver_stat (receiver, "waits-cut-short"))
    generator_excuse ();
  receiver_assert_reaches (receiver, "packets", sent.packets - sent.duplicates);
  receiver_assert_stat (receiver, "repeated", sent.duplicates);
  receiver_assert_reaches (receiver, "lost", sent.missing + sent.dropped);
  receiver_assert_none (
      receiver, "late", "waiting", "waits-cut-short", "malformed", "restarts");
  if (__i__ == 2)
    g_assert_cmpuint (receiver_stat (receiver, "delivered-socket"), >, 2500);
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
  PayloadWatch check = { 0 };
  guint64 late;

  payload_watch (receiver->src, &check);
  receiver_play_by (receiver, "af-xdp");
  sent = generator_send (
      "--rate=10000 --packets=20000 --reorder=10:20 --script-every=100");
  wait_for_all (receiver, &sent);
  late = receiver_stat (receiver, "late");
  g_assert_cmpuint (late, <=, sent.reordered);
  if (late < sent.reordered / 2)
    generator_excuse ();
  g_assert_cmpuint (late, >, 0);
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
      receiver_new ("reorder-window=1000000000 umem-frames=4096", "fakesink");
  GeneratorReport sent;
  PayloadWatch check = { 0 };

  payload_watch (receiver->src, &check);
  receiver_play_by (receiver, "af-xdp");
  sent = generator_send ("--rate=10000 --packets=15000 --reorder=1000:3000 "
                         "--reorder=6000:4000");
  wait_for_all (receiver, &sent);
  receiver_assert_reaches (receiver, "packets", sent.packets);
  receiver_assert_none (receiver, "late", "repeated", "waits-cut-short");
  g_assert_cmpuint (receiver_stat (receiver, "copied"), >, 1000);
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
      crowd, "--rate=16000 --packets=%u --gap=500:3 --gap=1999:1", N * 2000));
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
