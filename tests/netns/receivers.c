/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Elements that one receiver serves: what one of them does is not the others'
 * business, unless it holds up the thread that they share. */
#include "crowd.h"
#include "leftover.h"
#include "network.h"
#include "tasks.h"
#include "../check/tap.h"

#define N 8
#define ALL "receiver=all"
#define THREAD "afxdp-receiver"

static void
assert_words (const gchar *text, const gchar *words)
{
  fail_unless (text && strstr (text, words), "\"%s\" in: %s", words,
      text ? text : "nothing");
}

/* What each got is its own, all of it, by one thread; with the last it ends. */
TEST (test_one_thread)
{
  Crowd *crowd = crowd_new (N, ALL);
  GeneratorReport sent;

  crowd_play_by_af_xdp (crowd);
  fail_unless_equals_int (tasks_count (0, THREAD), 1);
  sent =
      generator_finish (crowd_generate (crowd, "--rate=40000 --packets=80000"));
  crowd_assert_complete (crowd, 0, &sent);
  crowd_assert_one_path (crowd, 0, "delivered-xdp");
  crowd_free (crowd);
  fail_unless_equals_int (tasks_count (0, THREAD), 0);
}

/* What one process receives of a studio by AES67. */
#define MANY 500

TEST (test_many)
{
  Crowd *crowd;
  GeneratorReport sent;

  crowd_raise_descriptor_limit ();
  crowd = crowd_new (MANY, ALL);
  crowd_play_by_af_xdp (crowd);
  fail_unless_equals_int (tasks_count (0, THREAD), 1);
  sent =
      generator_finish (crowd_generate (crowd, "--rate=25000 --packets=50000"));
  crowd_assert_complete (crowd, 0, &sent);
  for (guint i = 0; i < crowd->n; i++)
    g_assert_cmpuint (
        receiver_stat (crowd->receivers[i], "delivered-xdp"), >, 0);
  crowd_halt (crowd);
  crowd_free (crowd);
  fail_unless_equals_int (tasks_count (0, THREAD), 0);
  fail_if (network_has_program ());
}

/* It sleeps once for all, and as long as they let it, although of many something is
 * always due by time. */
TEST (test_gathers)
{
  Crowd *crowd = crowd_new (64, ALL " coalesce=8000000 stats-interval=9000000");
  guint64 sleeps;
  gint64 began;
  GeneratorReport sent;

  crowd_play_by_af_xdp (crowd);
  sleeps = tasks_sleeps (0, THREAD);
  began = g_get_monotonic_time ();
  sent =
      generator_finish (crowd_generate (crowd, "--rate=64000 --packets=64000"));
  sleeps = tasks_sleeps (0, THREAD) - sleeps;
  /* One for each 8 ms, and as many again for what begins and ends. */
  fail_unless (sleeps <= 2 * (guint64) (g_get_monotonic_time () - began) / 8000,
      "%" G_GUINT64_FORMAT " sleeps", sleeps);
  crowd_assert_complete (crowd, 0, &sent);
  crowd_free (crowd);
}

static const struct
{
  guint streams;
  gint64 time; /* µs */
  const gchar *rate;
} stalls[] = {
  { N, 20000, "--rate=60000 --packets=120000" },
  { N, 200000, "--rate=60000 --packets=120000" },
  /* By hand, with STALLS=all: nearly what a processor can do. */
  { 64, 200000, "--rate=60000 --packets=240000" },
  { 64, 20000, "--rate=390000 --packets=1560000" },
};

#define STALLS_ALWAYS 2

/* What the others' rings can hold is not lost. */
LOOP_TEST (test_one_stalls,
    g_getenv ("STALLS") ? (int) G_N_ELEMENTS (stalls) : STALLS_ALWAYS)
{
  Crowd *crowd;
  Receiver *staller;
  Tap *tap;
  Generator *generator;
  GeneratorReport sent;

  crowd = crowd_new (stalls[__i__].streams, ALL);
  staller = crowd->receivers[0];
  tap = tap_new_counting (staller->src);
  crowd_play_by_af_xdp (crowd);
  generator = crowd_generate (crowd, "%s", stalls[__i__].rate);
  receiver_wait_stat (crowd->receivers[1], "packets", 1000);
  tap_hold_for (tap, stalls[__i__].time + 5000);
  sent = generator_finish (generator);
  crowd_assert_complete (crowd, 1, &sent);
  receiver_set_state (staller, GST_STATE_NULL);
  tap_free (tap);
  crowd_free (crowd);
}

/* It is told who holds up whom: what a busy machine took of the last second, and of
 * the push, does not count. */
TEST (test_long_push)
{
  Crowd *crowd = crowd_new (2, ALL);
  Receiver *staller = crowd->receivers[0];
  Tap *tap = tap_new_counting (staller->src);
  Generator *generator;

  crowd_play_by_af_xdp (crowd);
  generator = crowd_generate (crowd, "--rate=1000");
  receiver_wait_stat (staller, "packets", 100);
  tap_hold_for (tap, 3 * G_TIME_SPAN_SECOND);
  wait_until ((receiver_read_bus (staller), staller->warnings->len > 0));
  assert_words (staller->warnings->pdata[0], "held up all streams of the");
  assert_words (staller->warnings->pdata[0], "queue");
  generator_stop (generator);
  receiver_set_state (staller, GST_STATE_NULL);
  tap_free (tap);
  crowd_free (crowd);
}

/* One that always has more, since its ring is long, gets one batch in each round. */
TEST (test_one_is_too_slow)
{
  Crowd *crowd = crowd_new (3, ALL);
  g_autoptr (Receiver) busy =
      receiver_start_by (ALL " ring-size=65536 umem-frames=262144",
          "identity sleep-time=100 ! " CROWD_SINK, "af-xdp");
  Generator *generator = generator_start ("--rate=20000");
  GeneratorReport sent;

  crowd_play_by_af_xdp (crowd);
  receiver_wait_stat (busy, "packets", 500);
  sent =
      generator_finish (crowd_generate (crowd, "--rate=3000 --packets=3000"));
  crowd_assert_complete (crowd, 0, &sent);
  /* It had more all the time. */
  receiver_read_bus (busy);
  fail_unless_equals_int (busy->modes->len, 1);
  generator_stop (generator);
  receiver_set_state (busy, GST_STATE_NULL);
  crowd_free (crowd);
}

/* ns that the receiver's thread has run. */
static guint64
time_run (void)
{
  return tasks_sum (0, THREAD, "schedstat", "");
}

/* It has nothing to do, and does nothing, even while packets come. */
static void
assert_sleeps (void)
{
  guint64 before = time_run ();

  g_usleep (200 * G_TIME_SPAN_MILLISECOND);
  fail_unless ((time_run () - before) / 1e6 < 20, "it ran for %.1f of 200 ms",
      (time_run () - before) / 1e6);
}

/* States, flushes and ends of one, again and again. */
static void
live (Receiver *receiver, guint turn)
{
  receiver_play (receiver);
  receiver_wait_stat (receiver, "packets", 1);
  switch (turn % 4) {
    case 0:
      receiver_set_state (receiver, GST_STATE_PAUSED);
      receiver_set_state (receiver, GST_STATE_PLAYING);
      break;
    case 1:
      fail_unless (
          gst_element_send_event (receiver->src, gst_event_new_flush_start ()));
      fail_unless (gst_element_send_event (
          receiver->src, gst_event_new_flush_stop (TRUE)));
      break;
    case 2:
      fail_unless (
          gst_element_send_event (receiver->src, gst_event_new_eos ()));
      receiver_wait_eos (receiver);
      break;
    default:
      break;
  }
  if (turn % 4 < 2) {
    guint64 packets = receiver_stat (receiver, "packets");

    receiver_wait_stat (receiver, "packets", packets + 1);
  }
  receiver_set_state (receiver, GST_STATE_NULL);
  receiver->eos = FALSE;
}

TEST (test_one_lives)
{
  /* Their credit is for 600 ms in which the machine does something else. */
  Crowd *crowd = crowd_new (4, ALL " ring-size=16384 umem-frames=131072");
  Generator *generator;
  GeneratorReport sent;

  for (guint i = 1; i < crowd->n; i++)
    receiver_play_by (crowd->receivers[i], "af-xdp");
  generator = crowd_generate (crowd, "--rate=40000");
  for (guint turn = 0; turn < 16; turn++)
    live (crowd->receivers[0], turn);
  sent = generator_stop (generator);
  crowd_assert_complete (crowd, 1, &sent);
  crowd_free (crowd);
}

/* Before its own thread, which the base class starts again, has handed it over. */
TEST (test_paused_soon)
{
  Crowd *crowd = crowd_new (1, ALL);
  Receiver *receiver = crowd->receivers[0];
  Generator *generator;

  crowd_play_by_af_xdp (crowd);
  generator = crowd_generate (crowd, "--rate=1000");
  for (guint turn = 0; turn < 10; turn++) {
    receiver_wait_stat (
        receiver, "packets", receiver_stat (receiver, "packets") + 1);
    receiver_set_state (receiver, GST_STATE_PAUSED);
    receiver_set_state (receiver, GST_STATE_PLAYING);
    receiver_set_state (receiver, GST_STATE_PAUSED);
    assert_sleeps ();
    receiver_set_state (receiver, GST_STATE_PLAYING);
  }
  generator_stop (generator);
  crowd_free (crowd);
}

/* A stream that fails, and one that ends by itself, leave the others alone. */
TEST (test_two_end)
{
  Crowd *crowd = crowd_new (3, ALL);
  Receiver *failing = crowd->receivers[0], *ending;
  Tap *tap = tap_new_counting (failing->src);
  Generator *generator;
  GeneratorReport sent;

  ending = crowd_add (crowd, "239.2.9.9", 5000, ALL " num-buffers=1000");
  tap_answer (tap, GST_FLOW_ERROR);
  crowd_play_by_af_xdp (crowd);
  generator = crowd_generate (crowd, "--rate=40000 --packets=80000");
  receiver_wait_error (failing);
  receiver_wait_eos (ending);
  receiver_assert_stat (ending, "packets", 1000);
  sent = generator_finish (generator);
  for (guint i = 1; i < 3; i++)
    receiver_assert_reaches (crowd->receivers[i], "packets", sent.sent[i]);
  for (guint i = 1; i < 3; i++)
    receiver_set_state (crowd->receivers[i], GST_STATE_NULL);
  /* Packets still come to those that have ended. */
  generator = crowd_generate (crowd, "--rate=1000");
  assert_sleeps ();
  generator_stop (generator);
  receiver_set_state (failing, GST_STATE_NULL);
  tap_free (tap);
  crowd_free (crowd);
}

/* The first one decides what is the receiver's; only another value is worth a
 * word. */
TEST (test_settings)
{
  Crowd *crowd = crowd_new (2, ALL " coalesce=2000000");

  crowd_add (crowd, "239.2.9.9", 5000, ALL " coalesce=3000000");
  crowd_play (crowd);
  receiver_assert_warnings (crowd->receivers[0], 0);
  receiver_assert_warnings (crowd->receivers[1], 0);
  receiver_assert_warnings (crowd->receivers[2], 1);
  assert_words (crowd->receivers[2]->warnings->pdata[0], "coalesce 2000000 ns");
  crowd_free (crowd);
}

static GstPadProbeReturn
stop_self (GstPad *pad, GstPadProbeInfo *info, gpointer result)
{
  g_autoptr (GstElement) src = gst_pad_get_parent_element (pad);

  g_atomic_int_set (
      (gint *) result, gst_element_set_state (src, GST_STATE_READY));
  return GST_PAD_PROBE_REMOVE;
}

/* It would wait for itself. */
TEST (test_stopped_by_itself)
{
  Crowd *crowd = crowd_new (2, ALL);
  Receiver *receiver = crowd->receivers[0];
  g_autoptr (GstPad) pad = gst_element_get_static_pad (receiver->src, "src");
  gint result = -1;

  crowd_play_by_af_xdp (crowd);
  gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, stop_self,
      &result, NULL);
  generator_finish (crowd_generate (crowd, "--rate=1000 --packets=100"));
  assert_words (receiver_wait_error (receiver), "would wait for itself");
  fail_unless_equals_int (g_atomic_int_get (&result), GST_STATE_CHANGE_FAILURE);
  crowd_free (crowd);
}

NETNS_SUITE ("receivers", network_up_with_one_queue)
