/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Another second leg while playing: redundant-uri is set anew, or emptied. */
#include <glib/gstdio.h>

#include "element-fixture.h"

#define TYPE 33
/* No test waits for its end. */
#define LONG "reorder-window=100000000000 "
#define NOWHERE "afxdp://239.1.1.1:5000?multicast-iface=nosuchthing"

static Loopback *others[2];

/* Without a second leg. */
static void
play_one (const gchar *properties)
{
  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    others[i] = loopback_new ();
  element_play (properties, "fakesink async=false");
}

static void
end (void)
{
  element_end ();
  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    g_clear_pointer (&others[i], loopback_free);
}

static gchar *
uri_of (const Loopback *leg)
{
  return g_strdup_printf ("afxdp://%s:%u", leg->address_text, leg->port);
}

static void
retune (const gchar *uri)
{
  g_object_set (receiver->src, "redundant-uri", uri, NULL);
}

static void
retune_to (guint i)
{
  g_autofree gchar *uri = uri_of (others[i]);

  retune (uri);
}

/* With others[0]. */
static void
play (const gchar *properties)
{
  g_autofree gchar *uri = NULL;
  g_autofree gchar *all = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    others[i] = loopback_new ();
  uri = uri_of (others[0]);
  all = g_strdup_printf ("redundant-uri=%s %s", uri, properties);
  element_play (all, "fakesink async=false");
}

/* Each number has a timestamp of its own. */
static void
send_one (Loopback *leg, guint16 number)
{
  guint time = number * 90;
  guint8 packet[12] = { 0x80, TYPE, number >> 8, number & 0xff, 0, time >> 16,
    time >> 8, time & 0xff, [11] = 1 };

  loopback_send (leg, packet, sizeof packet);
}

static void
send_many (Loopback *leg, guint16 first, guint n)
{
  for (guint i = 0; i < n; i++)
    send_one (leg, first + i);
}

static void
assert_in_order (guint n)
{
  tap_wait (tap, n);
  fail_unless_equals_int (tap_n_packets (tap), n);
  for (guint i = 0; i < n; i++) {
    const guint8 *bytes = g_bytes_get_data (tap_packet (tap, i)->bytes, NULL);

    fail_unless_equals_int (bytes[2] << 8 | bytes[3], i);
  }
}

static guint
n_legs (void)
{
  g_autoptr (GstStructure) stats = receiver_stats (receiver);

  return gst_value_array_get_size (gst_structure_get_value (stats, "legs"));
}

static guint64
leg_stat (guint leg, const gchar *name)
{
  g_autoptr (GstStructure) stats = receiver_stats (receiver);
  const GValue *legs = gst_structure_get_value (stats, "legs");
  guint64 value;

  if (leg >= gst_value_array_get_size (legs))
    return 0;
  fail_unless (gst_structure_get_uint64 (
      gst_value_get_structure (gst_value_array_get_value (legs, leg)), name,
      &value));
  return value;
}

static void
assert_second_leg (guint i)
{
  g_autoptr (GstStructure) stats = receiver_stats (receiver);
  const GValue *legs = gst_structure_get_value (stats, "legs");
  g_autofree gchar *uri = uri_of (others[i]);

  fail_unless_equals_int (gst_value_array_get_size (legs), 2);
  fail_unless_equals_string (
      gst_structure_get_string (
          gst_value_get_structure (gst_value_array_get_value (legs, 1)), "uri"),
      uri);
}

static GstClockTime
latency (void)
{
  g_autoptr (GstQuery) query = gst_query_new_latency ();
  GstClockTime min;

  fail_unless (gst_element_query (receiver->src, query));
  gst_query_parse_latency (query, NULL, &min, NULL);
  return min;
}

/* The element's messages that its latency is another one, which are gone then. */
static guint
n_latencies (void)
{
  GstMessage *message;
  guint n = 0;

  while (
      (message = gst_bus_pop_filtered (receiver->bus, GST_MESSAGE_LATENCY))) {
    n += GST_MESSAGE_SRC (message) == GST_OBJECT (receiver->src);
    gst_message_unref (message);
  }
  return n;
}

/* None but that the machine is slow. */
static void
assert_no_warning (void)
{
  receiver_read_bus (receiver);
  for (guint i = 0; i < receiver->warnings->len; i++) {
    const gchar *text = g_ptr_array_index (receiver->warnings, i);

    fail_unless (strstr (text, "for a push"), "%s", text);
  }
}

/* A warning with these words, and no other. */
static void
assert_warned (const gchar *words)
{
  wait_until ((receiver_read_bus (receiver), receiver->warnings->len));
  fail_unless_equals_int (receiver->warnings->len, 1);
  fail_unless (strstr (g_ptr_array_index (receiver->warnings, 0), words), "%s",
      (const gchar *) g_ptr_array_index (receiver->warnings, 0));
  g_ptr_array_set_size (receiver->warnings, 0);
}

/* The first leg under traffic, and both others. */

static gint ending;

static gpointer
run_traffic (gpointer data)
{
  guint n;

  for (n = 0; !g_atomic_int_get (&ending); n++) {
    send_one (loopback, n);
    for (guint i = 0; i < G_N_ELEMENTS (others); i++)
      send_one (others[i], n);
    while (n > tap_n_packets (tap) + 50 && !g_atomic_int_get (&ending))
      g_usleep (100);
  }
  return GUINT_TO_POINTER (n);
}

static GThread *
begin_traffic (void)
{
  g_atomic_int_set (&ending, FALSE);
  return g_thread_new ("traffic", run_traffic, NULL);
}

static guint
end_traffic (GThread *thread)
{
  g_atomic_int_set (&ending, TRUE);
  return GPOINTER_TO_UINT (g_thread_join (thread));
}

/* Sums never run back. */
static guint64
follow_sums (guint64 before)
{
  guint64 now = receiver_arrived (receiver);

  fail_unless (now >= before, "%s", receiver_describe (receiver));
  return now;
}

TEST (test_under_traffic)
{
  guint64 arrived = 0;
  GThread *traffic;

  play (LONG);
  traffic = begin_traffic ();
  for (guint i = 1; i <= 20; i++) {
    retune_to (i % 2);
    assert_second_leg (i % 2);
    arrived = follow_sums (arrived);
    wait_until (leg_stat (1, "packets") > 20);
    arrived = follow_sums (arrived);
  }
  assert_in_order (end_traffic (traffic));
  receiver_assert_none (receiver, "lost", "late", "reordered", "duplicates",
      "waits-cut-short", "restarts");
  assert_no_warning ();
  end ();
}

TEST (test_taken_away_under_traffic)
{
  guint64 arrived = 0;
  GThread *traffic;

  play (LONG);
  traffic = begin_traffic ();
  for (guint i = 0; i < 10; i++) {
    guint n;

    retune (i % 2 ? NULL : "");
    fail_unless_equals_int (n_legs (), 1);
    arrived = follow_sums (arrived);
    n = tap_n_packets (tap);
    tap_wait (tap, n + 100);
    retune_to (i % 2);
    wait_until (leg_stat (1, "packets") > 20);
    arrived = follow_sums (arrived);
  }
  assert_in_order (end_traffic (traffic));
  receiver_assert_none (
      receiver, "lost", "late", "reordered", "duplicates", "restarts");
  assert_no_warning ();
  end ();
}

/* The new leg brings what the first one does not, the former one nothing more. */
TEST (test_protects)
{
  play (LONG);
  send_many (loopback, 0, 10);
  tap_wait (tap, 10);
  send_one (loopback, 11);
  receiver_wait_stat (receiver, "waiting", 1);
  retune_to (1);
  send_one (others[0], 10);
  send_many (loopback, 12, 8);
  receiver_wait_stat (receiver, "waiting", 9);
  fail_unless_equals_int (tap_n_packets (tap), 10);
  send_one (others[1], 10);
  assert_in_order (20);
  fail_unless_equals_uint64 (leg_stat (1, "packets"), 1);
  fail_unless_equals_uint64 (leg_stat (1, "recovered"), 1);
  end ();
}

/* What comes by the leg that is left is pushed, and not again what the other one had
 * brought; be it that nothing had come by it before. */
LOOP_TEST (test_alone, 2)
{
  const guint by_first = 5 * __i__;
  GstClockTime before;

  play ("reorder-window=20000000 ");
  send_many (loopback, 0, by_first);
  tap_wait (tap, by_first);
  send_many (others[0], by_first, 10);
  tap_wait (tap, by_first + 10);
  n_latencies ();
  before = latency ();
  retune ("");
  send_many (loopback, by_first, 20 - by_first);
  tap_wait (tap, 20);
  /* Nobody waits for what it cannot bring. */
  send_many (loopback, 21, 5);
  tap_wait (tap, 25);
  receiver_assert_stat (receiver, "repeated", 10);
  fail_unless_equals_uint64 (latency (), before);
  fail_unless_equals_int (n_latencies (), 0);
  end ();
}

/* The automatic window stays, so that the pipeline need not stop for it. */
TEST (test_automatic_window)
{
  play ("");
  fail_unless_equals_uint64 (latency (), 11 * GST_MSECOND);
  n_latencies ();
  retune ("");
  fail_unless_equals_uint64 (latency (), 11 * GST_MSECOND);
  retune_to (1);
  fail_unless_equals_uint64 (latency (), 11 * GST_MSECOND);
  fail_unless_equals_int (n_latencies (), 0);
  retune ("");
  receiver_restart (receiver, GST_STATE_NULL);
  fail_unless_equals_uint64 (latency (), GST_MSECOND);
  end ();
}

/* The former leg goes on. */
TEST (test_refused)
{
  play (LONG);
  retune (NOWHERE);
  assert_warned ("nosuchthing");
  assert_second_leg (0);
  retune ("nonsense");
  assert_warned ("nonsense");
  retune ("afxdp://?multicast-iface=lo");
  assert_warned ("address and port");
  send_one (loopback, 0);
  tap_wait (tap, 1);
  send_many (others[0], 1, 9);
  assert_in_order (10);
  /* The same again is tried again, and the former one is nothing new. */
  retune (NOWHERE);
  assert_warned ("nosuchthing");
  retune_to (0);
  assert_no_warning ();
  fail_unless_equals_uint64 (leg_stat (1, "packets"), 9);
  end ();
}

/* What the former leg counted stays. */
TEST (test_ledger)
{
  play ("skip-first-bytes=4 ");
  loopback_send (others[0], "xy", 2);
  receiver_wait_stat (receiver, "malformed", 1);
  retune_to (1);
  receiver_assert_stat (receiver, "malformed", 1);
  loopback_send (others[1], "xy", 2);
  receiver_wait_stat (receiver, "malformed", 2);
  retune ("");
  receiver_assert_stat (receiver, "malformed", 2);
  receiver_set_state (receiver, GST_STATE_NULL);
  receiver_assert_stat (receiver, "malformed", 2);
  end ();
}

/* It holds for a leg that is open, and for one that comes later. */
TEST (test_skip_first_bytes)
{
  play ("skip-first-bytes=4 ");
  for (guint i = 0; i < 2; i++) {
    g_object_set (receiver->src, "skip-first-bytes", 2 - i, NULL);
    if (i)
      retune_to (1);
    /* What is being read just now may still have the value of before. */
    loopback_send (others[i], "no packet", 9);
    receiver_wait_stat (receiver, "unmatched", 2 * i + 1);
    loopback_send (others[i], "xy", 2 - i);
    loopback_send (others[i], "xy", 1 - i);
    receiver_wait_stat (receiver, "malformed", i + 1);
    receiver_wait_stat (receiver, "unmatched", 2 * i + 2);
    receiver_assert_stat (receiver, "malformed", i + 1);
  }
  end ();
}

/* A first one, where a receiver serves the element. */
LOOP_TEST (test_given, 2)
{
  play_one (__i__ ? "receiver=r" : "receiver=r " LONG);
  send_many (loopback, 0, 10);
  tap_wait (tap, 10);
  if (!__i__) {
    /* What waits goes, and is counted once. */
    send_many (loopback, 11, 9);
    receiver_wait_stat (receiver, "waiting", 9);
  }
  fail_unless_equals_uint64 (
      latency (), __i__ ? GST_MSECOND : GST_MSECOND + 100 * GST_SECOND);
  n_latencies ();
  retune_to (0);
  fail_unless_equals_int (n_latencies (), __i__);
  fail_unless_equals_uint64 (
      latency (), GST_MSECOND + (__i__ ? 10 * GST_MSECOND : 100 * GST_SECOND));
  if (!__i__)
    tap_wait (tap, 19);
  else
    send_many (loopback, 10, 10);
  tap_wait (tap, 20 - !__i__);
  send_one (loopback, 20);
  tap_wait (tap, 21 - !__i__);
  send_many (others[0], 21, 10);
  tap_wait (tap, 31 - !__i__);
  receiver_wait_stat (receiver, "packets", 31 - !__i__);
  fail_unless_equals_uint64 (receiver_arrived (receiver), 31 - !__i__);
  fail_unless_equals_uint64 (leg_stat (0, "packets"), __i__ ? 11 : 1);
  fail_unless_equals_uint64 (leg_stat (1, "packets"), 10);
  receiver_assert_stat (receiver, "packets", 31 - !__i__);
  receiver_assert_none (receiver, "late", "repeated", "duplicates");
  end ();
}

/* The element's own thread cannot give way. */
TEST (test_late)
{
  play_one ("");
  if (!receiver_is_shared ()) {
    retune_to (0);
    assert_warned ("from NULL to READY");
    fail_unless_equals_int (n_legs (), 0);
    send_many (loopback, 0, 5);
    assert_in_order (5);
    receiver_restart (receiver, GST_STATE_NULL);
    assert_second_leg (0);
    retune_to (1);
    assert_second_leg (1);
  }
  end ();
}

/* While nobody receives. */
TEST (test_paused)
{
  static const GstState states[] = { GST_STATE_PAUSED, GST_STATE_READY };

  play (LONG);
  for (guint i = 0; i < 4; i++) {
    receiver_set_state (receiver, states[i / 2]);
    retune_to (!(i % 2));
    assert_second_leg (!(i % 2));
    receiver_set_state (receiver, GST_STATE_PLAYING);
    send_one (loopback, 10 * i);
    tap_wait (tap, 10 * i + 1);
    send_many (others[!(i % 2)], 10 * i + 1, 9);
    assert_in_order (10 * (i + 1));
  }
  end ();
}

/* A push may last as long as the pipeline is paused, and longer. */
LOOP_TEST (test_while_pushing, 2)
{
  play (LONG);
  send_one (loopback, 0);
  tap_wait (tap, 1);
  tap_hold (tap);
  send_one (__i__ ? others[0] : loopback, 1);
  tap_wait_held (tap);
  retune_to (1);
  assert_second_leg (1);
  retune ("");
  fail_unless_equals_int (n_legs (), 1);
  retune_to (1);
  tap_let_go (tap);
  tap_wait (tap, 2);
  send_many (others[1], 2, 8);
  assert_in_order (10);
  /* It is closed before the element is. */
  tap_hold (tap);
  send_one (others[1], 10);
  tap_wait_held (tap);
  retune_to (0);
  tap_let_go (tap);
  end ();
}

/* Within a push the thread would wait for itself. */
static GstPadProbeReturn
set_within_push (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  retune_to (1);
  return GST_PAD_PROBE_REMOVE;
}

TEST (test_within_push)
{
  GstPad *pad;

  play (LONG);
  pad = gst_element_get_static_pad (receiver->src, "src");
  gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST,
      set_within_push, NULL, NULL);
  gst_clear_object (&pad);
  send_many (loopback, 0, 10);
  assert_in_order (10);
  assert_second_leg (0);
  assert_warned ("within a push");
  end ();
}

/* Or within a message, unless that is posted when all is done. */
static GstBusSyncReply
set_within_message (GstBus *bus, GstMessage *message, gpointer user_data)
{
  if (GST_MESSAGE_TYPE (message) & (GST_MESSAGE_WARNING | GST_MESSAGE_ERROR))
    retune ("");
  return GST_BUS_PASS;
}

TEST (test_within_message)
{
  play (LONG);
  gst_bus_set_sync_handler (receiver->bus, set_within_message, NULL, NULL);
  retune (NOWHERE);
  assert_warned ("nosuchthing");
  fail_unless_equals_int (n_legs (), 1);
  receiver_set_state (receiver, GST_STATE_NULL);
  gst_bus_set_sync_handler (receiver->bus, NULL, NULL, NULL);
  retune (NOWHERE);
  gst_bus_set_sync_handler (receiver->bus, set_within_message, NULL, NULL);
  receiver_assert_refused (receiver, GST_STATE_READY);
  gst_bus_set_sync_handler (receiver->bus, NULL, NULL, NULL);
  assert_warned ("a message of the element");
  receiver_wait_error (receiver);
  g_clear_pointer (&receiver->error, g_free);
  end ();
}

/* Two threads set it: the last one wins, and it is one of both. */
static gpointer
run_retunes (gpointer data)
{
  for (guint i = 0; i < 20; i++)
    retune_to (GPOINTER_TO_UINT (data));
  return NULL;
}

TEST (test_two_threads)
{
  g_autofree gchar *uri = NULL;
  GThread *threads[2], *traffic;

  play (LONG);
  traffic = begin_traffic ();
  for (guint i = 0; i < 2; i++)
    threads[i] = g_thread_new ("retunes", run_retunes, GUINT_TO_POINTER (i));
  for (guint i = 0; i < 2; i++)
    g_thread_join (threads[i]);
  assert_in_order (end_traffic (traffic));
  g_object_get (receiver->src, "redundant-uri", &uri, NULL);
  for (guint i = 0; i < 2; i++) {
    g_autofree gchar *one = uri_of (others[i]);

    if (g_str_equal (uri, one))
      assert_second_leg (i);
  }
  end ();
}

/* A leg that the SDP file did not have, or that was inactive. */
TEST (test_file)
{
  g_autofree gchar *path =
      g_strdup_printf ("%s/afxdp-%d.sdp", g_get_tmp_dir (), getpid ());
  g_autofree gchar *properties = NULL;

  for (guint i = 0; i < 2; i++)
    others[i] = loopback_new ();
  for (guint i = 0; i < 2; i++) {
    g_autofree gchar *text = g_strdup_printf (
        "v=0\no=- 0 %u IN IP4 127.0.0.1\ns=-\nc=IN IP4 %s\nt=0 0\n"
        "a=group:DUP a b\nm=video %u RTP/AVP 33\na=mid:a\n"
        "m=video %u RTP/AVP 33\na=mid:b\n%s",
        i, loopback->address_text, loopback->port, others[0]->port,
        i ? "" : "a=inactive\n");

    fail_unless (g_file_set_contents (path, text, -1, NULL));
    if (i)
      retune ("afxdp://?multicast-iface=lo");
    properties =
        i ? properties : g_strdup_printf ("sdp-location=%s " LONG, path);
    if (!i)
      element_play (properties, "fakesink async=false");
    fail_unless_equals_int (n_legs (), 2 * i);
  }
  g_remove (path);
  send_one (loopback, 0);
  tap_wait (tap, 1);
  send_many (others[0], 1, 9);
  assert_in_order (10);
  assert_no_warning ();
  end ();
}

ELEMENT_SUITE ("element-retune", NULL)
