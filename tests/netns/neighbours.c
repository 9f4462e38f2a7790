/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What one stream does costs its neighbours on the interface nothing: coming,
 * going, standing still, keeping all it gets, failing. With one thread for all it is the
 * same but for standing still, which holds up all of them: that they do not lose what
 * their rings and sockets have room for is then all. */

#include "crowd.h"
#include "network.h"
#include "receiver.h"
#include "../check/tap.h"

/* No frame of the interface is with the application; a streaming thread may still
 * be about to drop the last ones. */
static void
wait_for_frames (Receiver *receiver)
{
  receiver_wait_stat (
      receiver, "frames-free", receiver_stat (receiver, "frames"));
}

/* More of it, for a quiet machine and more time than CI has. */
static guint
setting (const gchar *name, guint otherwise)
{
  const gchar *text = g_getenv (name);

  return text ? g_ascii_strtoull (text, NULL, 10) : otherwise;
}

/* The other one's packets come all the time, whether somebody wants them. */
TEST (test_one_comes_and_goes)
{
  const guint rate = setting ("NEIGHBOURS_RATE", 50000);
  const guint lives = setting ("NEIGHBOURS_LIVES", 50);
  /* Its credit is for 600 ms in which the machine does something else. */
  g_autoptr (Crowd) crowd = crowd_new (2, "ring-size=32768 umem-frames=131072");
  Receiver *comer = crowd->receivers[0], *stayer = crowd->receivers[1];
  g_autofree gchar *program = NULL;
  Generator *generator;
  GeneratorReport sent;
  guint64 lost = 0;

  receiver_play_by (stayer, "af-xdp");
  program = network_describe_program ();
  generator = crowd_generate (crowd, "--rate=%u", 2 * rate);
  for (guint i = 0; i < lives; i++) {
    g_autofree gchar *now = NULL;

    receiver_play (comer);
    receiver_wait_stat (comer, "packets", 1 + i * 20);
    receiver_set_state (comer, GST_STATE_NULL);
    lost += receiver_stat (comer, "lost");
    now = network_describe_program ();
    fail_unless_equals_string (now, program);
  }
  sent = generator_stop (generator);
  crowd_assert_complete (crowd, 1, &sent);
  crowd_assert_one_path (crowd, 1, "delivered-xdp");
  g_assert_cmpuint (lost, <=, sent.dropped);
  wait_for_frames (stayer);
}

/* For ever: until the others have seen far more than its credit and its socket
 * hold. */
LOOP_TEST (test_one_blocks, !receiver_is_shared ())
{
  g_autoptr (Crowd) crowd = crowd_new (4, "");
  g_autoptr (Tap) tap = tap_new_counting (crowd->receivers[0]->src);
  GeneratorReport sent;

  crowd_play_by_af_xdp (crowd);
  tap_hold (tap);
  sent = generator_finish (
      crowd_generate (crowd, "--rate=60000 --packets=120000"));
  fail_unless (tap_is_held (tap));
  crowd_assert_complete (crowd, 1, &sent);
  crowd_assert_one_path (crowd, 1, "delivered-xdp");
  fail_unless (tap_is_held (tap));
  fail_unless (receiver_stat (crowd->receivers[0], "packets") < 1000);
  tap_let_go (tap);
  receiver_set_state (crowd->receivers[0], GST_STATE_NULL);
  for (guint i = 1; i < 4; i++)
    wait_for_frames (crowd->receivers[i]);
}

/* All stand still, and no longer than that one. */
LOOP_TEST (test_one_blocks_all, receiver_is_shared ())
{
  g_autoptr (Crowd) crowd = crowd_new (4, "");
  g_autoptr (Tap) tap = tap_new_counting (crowd->receivers[0]->src);
  guint64 before[4];
  Generator *generator;
  GeneratorReport sent;

  crowd_play_by_af_xdp (crowd);
  generator = crowd_generate (crowd, "--rate=60000 --packets=120000");
  receiver_wait_stat (crowd->receivers[1], "packets", 1000);
  tap_hold (tap);
  tap_wait_held (tap);
  for (guint i = 1; i < 4; i++)
    before[i] = receiver_stat (crowd->receivers[i], "packets");
  g_usleep (200 * G_TIME_SPAN_MILLISECOND);
  for (guint i = 1; i < 4; i++)
    receiver_assert_stat (crowd->receivers[i], "packets", before[i]);
  tap_let_go (tap);
  sent = generator_finish (generator);
  crowd_assert_complete (crowd, 0, &sent);
  receiver_set_state (crowd->receivers[0], GST_STATE_NULL);
  for (guint i = 1; i < 4; i++)
    wait_for_frames (crowd->receivers[i]);
}

static const guint joiners[] = { 1, 8 };

/* It took its share when it was alone, which was large, and never gives it
 * back. */
TABLE_TEST (test_one_keeps_all, joiners)
{
  const guint n = joiners[__i__];
  g_autoptr (Crowd) crowd = crowd_new (1 + n, "");
  Receiver *hoarder = crowd->receivers[0];
  g_autoptr (Tap) tap = tap_new_counting (hoarder->src);
  GeneratorReport sent;
  guint64 alone;

  tap_keep (tap, TRUE);
  receiver_play_by (hoarder, "af-xdp");
  sent = generator_send (
      "--destination=239.2.0.1:5000 --rate=30000 --packets=25000");
  receiver_wait_stat (hoarder, "packets", sent.packets);
  fail_unless (receiver_stat (hoarder, "copied") > 0);
  fail_unless (receiver_stat (hoarder, "frames") -
              receiver_stat (hoarder, "frames-free") >
          10000,
      "%s", receiver_describe (hoarder));
  alone = sent.packets;

  for (guint i = 1; i <= n; i++)
    receiver_play (crowd->receivers[i]);
  sent = generator_finish (crowd_generate (crowd,
      "--rate=40000 --packets=80000 --first-seq=%u", (guint) alone % 65536));
  crowd_assert_complete (crowd, 1, &sent);
  receiver_wait_stat (hoarder, "packets", alone + sent.sent[0] - sent.dropped);
  fail_unless (receiver_stat (hoarder, "lost") <= sent.dropped);
  g_assert_cmpuint (tap_drop (tap), >, 25000);
  for (guint i = 0; i <= n; i++)
    wait_for_frames (crowd->receivers[i]);
  receiver_set_state (hoarder, GST_STATE_NULL);
}

/* The end of a stream: three kinds of it, at the same time. */

static gpointer
tear_down (gpointer receiver)
{
  receiver_set_state (receiver, GST_STATE_NULL);
  return NULL;
}

TEST (test_some_end)
{
  g_autoptr (Crowd) crowd = crowd_new (6, "");
  Receiver *failing = crowd->receivers[0], *ending = crowd->receivers[1];
  Receiver *torn_down = crowd->receivers[2], *stayer = crowd->receivers[5];
  g_autoptr (Tap) tap = tap_new_counting (failing->src);
  Generator *generator;
  GeneratorReport sent;
  guint64 before;

  g_object_set (ending->src, "num-buffers", 2000, NULL);
  crowd_play_by_af_xdp (crowd);
  generator = crowd_generate (crowd, "--rate=60000");
  receiver_wait_stat (stayer, "packets", 1000);
  tap_answer (tap, GST_FLOW_ERROR);
  receiver_wait_error (failing);
  receiver_wait_eos (ending);
  receiver_assert_stat (ending, "packets", 2000);
  g_thread_join (g_thread_new ("tearing-down", tear_down, torn_down));
  /* Nobody reads the first two's rings; what comes uses up their credits. */
  before = receiver_stat (stayer, "packets");
  receiver_wait_stat (stayer, "packets", before + 10000);
  receiver_set_state (failing, GST_STATE_NULL);
  receiver_set_state (ending, GST_STATE_NULL);
  before = receiver_stat (stayer, "packets");
  receiver_wait_stat (stayer, "packets", before + 2000);
  sent = generator_stop (generator);
  crowd_assert_complete (crowd, 3, &sent);
  crowd_assert_one_path (crowd, 3, "delivered-xdp");
  for (guint i = 3; i < 6; i++)
    wait_for_frames (crowd->receivers[i]);
}

/* A second taker of the same flow: each time it comes the first one's fast path
 * closes, and it opens again when the second one has gone. Both lose nothing, the
 * second from its first packet on. */
LOOP_TEST (test_second_taker_comes_and_goes, 2)
{
  g_autoptr (Receiver) receiver = receiver_start ("", CROWD_SINK);
  g_autoptr (Receiver) other =
      receiver_new (__i__ ? "mode=socket" : "", CROWD_SINK);
  Generator *generator;
  GeneratorReport sent;
  guint64 lost = 0;

  generator = generator_start ("--rate=20000");
  for (guint i = 0; i < 40; i++) {
    guint64 before = receiver_stat (receiver, "delivered-xdp");

    receiver_wait_stat (receiver, "delivered-xdp", before + 100);
    receiver_play (other);
    receiver_wait_stat (other, "packets", 100);
    receiver_set_state (other, GST_STATE_NULL);
    lost += receiver_stat (other, "lost");
    receiver_assert_stat (other, "duplicates", 0);
  }
  sent = generator_stop (generator);
  receiver_assert_reaches (receiver, "packets", sent.packets);
  fail_unless (receiver_stat (receiver, "lost") <= sent.dropped);
  receiver_assert_none (receiver, "reordered", "duplicates");
  g_assert_cmpuint (lost, <=, sent.dropped);
}

NETNS_SUITE ("neighbours", network_up_with_one_queue)
