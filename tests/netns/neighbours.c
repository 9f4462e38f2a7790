/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What one stream does costs its neighbours on the interface nothing: coming,
 * going, standing still, keeping all it gets, failing. */
#include <gst/check/gstcheck.h>

#include "crowd.h"
#include "downstream.h"
#include "network.h"

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
GST_START_TEST (test_one_comes_and_goes)
{
  const guint rate = setting ("NEIGHBOURS_RATE", 50000);
  const guint lives = setting ("NEIGHBOURS_LIVES", 50);
  /* Its credit is for 600 ms in which the machine does something else. */
  Crowd *crowd = crowd_new (2, "ring-size=32768 umem-frames=131072");
  Receiver *comer = crowd->receivers[0], *stayer = crowd->receivers[1];
  g_autofree gchar *program = NULL;
  Generator *generator;
  GeneratorReport sent;
  guint64 lost = 0;

  receiver_play (stayer);
  receiver_assert_mode (stayer, 0, "af-xdp");
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
  crowd_assert_one_door (crowd, 1, "delivered-xdp");
  g_assert_cmpuint (lost, <=, sent.dropped);
  wait_for_frames (stayer);
  crowd_free (crowd);
}
GST_END_TEST

/* For ever: until the others have seen far more than its credit and its socket
 * hold. */
GST_START_TEST (test_one_blocks)
{
  Crowd *crowd = crowd_new (4, "");
  Downstream *downstream = downstream_new (crowd->receivers[0]);
  GeneratorReport sent;

  crowd_play_by_af_xdp (crowd);
  downstream_stall (downstream, G_MAXINT64);
  sent = generator_finish (
      crowd_generate (crowd, "--rate=60000 --packets=120000"));
  fail_unless (downstream_is_stalled (downstream));
  crowd_assert_complete (crowd, 1, &sent);
  crowd_assert_one_door (crowd, 1, "delivered-xdp");
  fail_unless (downstream_is_stalled (downstream));
  fail_unless (receiver_stat (crowd->receivers[0], "packets") < 1000);
  downstream_stall (downstream, 0);
  receiver_set_state (crowd->receivers[0], GST_STATE_NULL);
  for (guint i = 1; i < 4; i++)
    wait_for_frames (crowd->receivers[i]);
  downstream_free (downstream);
  crowd_free (crowd);
}
GST_END_TEST

static const guint joiners[] = { 1, 8 };

/* It took its share when it was alone, which was large, and never gives it
 * back. */
GST_START_TEST (test_one_keeps_all)
{
  const guint n = joiners[__i__];
  Crowd *crowd = crowd_new (1 + n, "");
  Receiver *hoarder = crowd->receivers[0];
  Downstream *downstream = downstream_new (hoarder);
  GeneratorReport sent;
  guint64 alone;

  downstream_hoard (downstream, TRUE);
  receiver_play (hoarder);
  receiver_assert_mode (hoarder, 0, "af-xdp");
  sent = generator_finish (generator_start (
      "--destination=239.2.0.1:5000 --rate=30000 --packets=25000"));
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
  g_assert_cmpuint (downstream_give_back (downstream), >, 25000);
  for (guint i = 0; i <= n; i++)
    wait_for_frames (crowd->receivers[i]);
  receiver_set_state (hoarder, GST_STATE_NULL);
  downstream_free (downstream);
  crowd_free (crowd);
}
GST_END_TEST

/* The end of a stream: three kinds of it, at the same time. */

static gpointer
tear_down (gpointer receiver)
{
  receiver_set_state (receiver, GST_STATE_NULL);
  return NULL;
}

GST_START_TEST (test_some_end)
{
  Crowd *crowd = crowd_new (6, "");
  Receiver *failing = crowd->receivers[0], *ending = crowd->receivers[1];
  Receiver *torn_down = crowd->receivers[2], *stayer = crowd->receivers[5];
  Downstream *downstream = downstream_new (failing);
  Generator *generator;
  GeneratorReport sent;
  guint64 before;

  g_object_set (ending->src, "num-buffers", 2000, NULL);
  crowd_play_by_af_xdp (crowd);
  generator = crowd_generate (crowd, "--rate=60000");
  receiver_wait_stat (stayer, "packets", 1000);
  downstream_break (downstream);
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
  crowd_assert_one_door (crowd, 3, "delivered-xdp");
  for (guint i = 3; i < 6; i++)
    wait_for_frames (crowd->receivers[i]);
  downstream_free (downstream);
  crowd_free (crowd);
}
GST_END_TEST

/* A second taker of the same flow: each time it comes the first one's fast door
 * closes, and it opens again when the second one has gone. Both lose nothing, the
 * second from its first packet on. */
GST_START_TEST (test_second_taker_comes_and_goes)
{
  Receiver *receiver = receiver_new ("", CROWD_SINK);
  Receiver *other = receiver_new (__i__ ? "mode=socket" : "", CROWD_SINK);
  Generator *generator;
  GeneratorReport sent;
  guint64 lost = 0;

  receiver_play (receiver);
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
  receiver_wait_stat (receiver, "packets", sent.packets);
  receiver_assert_stat (receiver, "packets", sent.packets);
  fail_unless (receiver_stat (receiver, "lost") <= sent.dropped);
  receiver_assert_stat (receiver, "reordered", 0);
  receiver_assert_stat (receiver, "duplicates", 0);
  g_assert_cmpuint (lost, <=, sent.dropped);
  receiver_free (other);
  receiver_free (receiver);
}
GST_END_TEST

static void
up_with_one_queue (void)
{
  network_up (1);
}

static Suite *
neighbours_suite (void)
{
  Suite *suite = suite_create ("neighbours");
  TCase *tcase = tcase_create ("neighbours");

  suite_add_tcase (suite, tcase);
  tcase_set_timeout (tcase, 60);
  tcase_add_checked_fixture (tcase, up_with_one_queue, network_down);
  tcase_add_test (tcase, test_one_comes_and_goes);
  tcase_add_test (tcase, test_one_blocks);
  tcase_add_loop_test (tcase, test_one_keeps_all, 0, G_N_ELEMENTS (joiners));
  tcase_add_test (tcase, test_some_end);

  tcase = tcase_create ("takers");
  suite_add_tcase (suite, tcase);
  tcase_set_timeout (tcase, 60);
  tcase_add_checked_fixture (tcase, up_with_one_queue, network_down);
  tcase_add_loop_test (tcase, test_second_taker_comes_and_goes, 0, 2);
  return suite;
}

int
main (int argc, char **argv)
{
  network_require_privileges ();
  gst_check_init (&argc, &argv);
  return gst_check_run_suite (neighbours_suite (), "neighbours", __FILE__);
}
