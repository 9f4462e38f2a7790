/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Starting, pausing, stopping, flushing, and what downstream answers: at any
 * moment, under traffic and without.
 */
#include "element-fixture.h"
#include "page.h"

#define N_STOPS 200
#define N_PAUSES 300

static void
assert_state (GstState state)
{
  GstState current;
  GstStateChangeReturn result =
      gst_element_get_state (receiver->src, &current, NULL, 30 * GST_SECOND);

  fail_unless (result == GST_STATE_CHANGE_SUCCESS ||
      result == GST_STATE_CHANGE_NO_PREROLL);
  fail_unless_equals_int (current, state);
}

/* The number of each packet follows the one before. */
static void
assert_in_order (guint start, guint n)
{
  for (guint i = start; i < start + n; i++) {
    const guint8 *data = g_bytes_get_data (tap_packet (tap, i)->bytes, NULL);

    fail_unless_equals_int (data[2] << 8 | data[3], (i - start) & 0xffff);
  }
}

/* A thread that sleeps is woken for it: nothing else would wake it, where stats-interval
 * is 0 and no packets come. What is less is the machine's business. */
#define assert_wakes(something)                            \
  do {                                                     \
    gint64 begin = g_get_monotonic_time (), took;          \
    something;                                             \
    took = g_get_monotonic_time () - begin;                \
    fail_unless (took < 10 * G_TIME_SPAN_SECOND,           \
        #something " took %" G_GINT64_FORMAT " us", took); \
  } while (0)

TEST (test_states)
{
  static const GstState states[] = { GST_STATE_READY, GST_STATE_PAUSED,
    GST_STATE_PLAYING, GST_STATE_PAUSED, GST_STATE_PLAYING, GST_STATE_PAUSED,
    GST_STATE_READY, GST_STATE_PAUSED, GST_STATE_PLAYING, GST_STATE_NULL,
    GST_STATE_PLAYING, GST_STATE_NULL, GST_STATE_READY, GST_STATE_NULL };

  element_new ("", "fakesink");
  for (guint i = 0; i < G_N_ELEMENTS (states); i++) {
    receiver_set_state (receiver, states[i]);
    assert_state (states[i]);
  }
  /* A live source has nothing to preroll with. */
  receiver_set_state (receiver, GST_STATE_READY);
  fail_unless_equals_int (
      gst_element_set_state (receiver->src, GST_STATE_PAUSED),
      GST_STATE_CHANGE_NO_PREROLL);
}

TEST (test_started_again)
{
  static const GstState states[] = { GST_STATE_NULL, GST_STATE_READY,
    GST_STATE_PAUSED };

  element_play ("", "fakesink");
  for (guint i = 0; i < 9; i++) {
    element_pass (33, 3 * i, 3, 3 * (i + 1));
    receiver_set_state (receiver, states[i % 3]);
    receiver_set_state (receiver, GST_STATE_PLAYING);
  }
  fail_unless_equals_int (tap_n_packets (tap), 27);
  assert_in_order (0, 27);
}

/* Without a packet that would wake it. */
TEST (test_stopped_while_idle)
{
  for (guint i = 0; i < 5; i++) {
    element_play ("stats-interval=0", "fakesink");
    assert_wakes (gst_element_set_state (receiver->pipeline, GST_STATE_NULL));
    element_end ();
  }
}

/* GstBaseSrc before 1.22.12 unrefs NULL, which is a critical and so fatal here,
 * when it is stopped between create() and its own look at the state. */
TEST (test_stopped_under_traffic)
{
  guint n = 0;

  element_new ("", "fakesink");
  loopback_begin (loopback, 33, NULL);
  for (guint i = 0; i < N_STOPS; i++) {
    receiver_set_state (receiver, GST_STATE_PLAYING);
    tap_wait (tap, n + 1 + i % 5);
    gst_element_set_state (
        receiver->pipeline, i % 2 ? GST_STATE_NULL : GST_STATE_READY);
    n = tap_n_packets (tap);
    if (i % 2)
      receiver_assert_stat (
          receiver, "frames-free", receiver_stat (receiver, "frames"));
  }
  loopback_end (loopback);
}

/* Nothing is lost, and nothing changes places. GstBaseSrc of 1.26 pauses its task for
 * good when create() returns FLUSHING because of a pause that is over. */
TEST (test_paused_under_traffic)
{
  guint n;

  element_play ("", "fakesink");
  loopback_begin (loopback, 33, tap_counter (tap));
  for (guint i = 0; i < N_PAUSES; i++) {
    tap_wait (tap, tap_n_packets (tap) + 20);
    receiver_restart (receiver, GST_STATE_PAUSED);
  }
  n = loopback_end (loopback);
  element_wait (n);
  assert_in_order (0, n);
  for (guint i = 1; i < n; i++)
    fail_unless (tap_packet (tap, i)->pts >= tap_packet (tap, i - 1)->pts);
  receiver_assert_none (receiver, "lost", "discarded");
}

/* So quick that create() has not noticed. */
TEST (test_paused_while_idle)
{
  element_play ("stats-interval=0", "fakesink");
  for (guint i = 0; i < N_PAUSES; i++) {
    receiver_restart (receiver, GST_STATE_PAUSED);
    element_pass (33, i, 1, i + 1);
  }
  element_wait (N_PAUSES);
  assert_in_order (0, N_PAUSES);
}

/* While paused nothing comes; the socket keeps what arrives. */
TEST (test_paused)
{
  element_play ("", "fakesink");
  element_pass (33, 0, 5, 5);
  receiver_set_state (receiver, GST_STATE_PAUSED);
  loopback_send_many (loopback, 33, 5, 50);
  receiver_set_state (receiver, GST_STATE_READY);
  fail_unless_equals_int (tap_n_packets (tap), 5);
  receiver_set_state (receiver, GST_STATE_PLAYING);
  tap_wait (tap, 55);
  assert_in_order (0, 55);
}

/* A batch that was received just when the element went to PAUSED. */
static void
pause_with_batch (const gchar *sink, GstClockTime start_time)
{
  element_new ("caps=video/mpegts", sink);
  receiver_set_state (receiver, GST_STATE_READY);
  loopback_send_many (loopback, 33, 0, 20);
  tap_hold (tap);
  gst_element_set_start_time (receiver->pipeline, start_time);
  receiver_set_state (receiver, GST_STATE_PLAYING);
  tap_wait_held (tap); /* at the caps, before the batch */
  receiver_set_state (receiver, GST_STATE_PAUSED);
  tap_let_go (tap);
}

TEST (test_batch_while_pausing)
{
  pause_with_batch ("fakesink", 0);
  loopback_send_many (loopback, 33, 20, 5);
  receiver_set_state (receiver, GST_STATE_PLAYING);
  element_wait (25);
  assert_in_order (0, 25);
  receiver_assert_stat (receiver, "discarded", 0);
}

/* It ends in one column, and its frames are home. */
TEST (test_batch_while_stopping)
{
  pause_with_batch ("fakesink", 0);
  receiver_set_state (receiver, GST_STATE_READY);
  fail_unless_equals_int (tap_n_packets (tap), 0);
  receiver_assert_stat (receiver, "discarded", 20);
  receiver_assert_none (receiver, "packets", "delivered-socket");
  receiver_assert_stat (
      receiver, "frames-free", receiver_stat (receiver, "frames"));
}

/* Events. */

static gpointer
send_eos (gpointer element)
{
  return GINT_TO_POINTER (
      gst_element_send_event (element, gst_event_new_eos ()));
}

TEST (test_eos_while_idle)
{
  element_play ("stats-interval=0", "fakesink");
  assert_wakes (fail_unless (send_eos (receiver->src)));
  assert_wakes (tap_wait_eos (tap));
}

TEST (test_eos_under_traffic)
{
  guint n;

  element_play ("", "fakesink");
  loopback_begin (loopback, 33, NULL);
  tap_wait (tap, 100);
  fail_unless (send_eos (receiver->src));
  tap_wait_eos (tap);
  n = tap_n_packets (tap);
  loopback_end (loopback);
  receiver_wait_eos (receiver);
  fail_unless_equals_int (tap_n_packets (tap), n);
}

/* Into a sink that does not change state because of it: GStreamer locks itself
 * out when an application sends this to an element inside a bin whose state is
 * changing. */
#define FLUSHED_SINK "fakesink async=false"

static gboolean
flush (gboolean reset_time)
{
  return gst_element_send_event (receiver->src, gst_event_new_flush_start ()) &&
      gst_element_send_event (
          receiver->src, gst_event_new_flush_stop (reset_time));
}

TEST (test_flushed_while_idle)
{
  element_play ("stats-interval=0", FLUSHED_SINK);
  for (guint i = 0; i < 20; i++) {
    assert_wakes (fail_unless (flush (i % 2)));
    element_pass (33, i, 1, i + 1);
  }
  element_wait (20);
}

TEST (test_flushed_under_traffic)
{
  element_play ("", FLUSHED_SINK);
  loopback_begin (loopback, 33, NULL);
  for (guint i = 0; i < 50; i++) {
    fail_unless (flush (i % 2));
    tap_wait (tap, tap_n_packets (tap) + 10);
  }
  loopback_end (loopback);
  receiver_assert_no_error (receiver);
}

/* Times never go back but by a flush, after which running time may begin anew. */
TEST (test_flushed_for_another_time)
{
  g_autoptr (GstClock) clock = NULL;

  element_play ("", FLUSHED_SINK);
  clock = gst_element_get_clock (receiver->src);
  gst_element_set_base_time (
      receiver->src, gst_clock_get_time (clock) - 100 * GST_SECOND);
  element_pass (33, 0, 1, 1);
  fail_unless (tap_packet (tap, 0)->pts >= 100 * GST_SECOND);
  gst_element_set_base_time (receiver->src, gst_clock_get_time (clock));
  element_pass (33, 1, 1, 2);
  fail_unless (tap_packet (tap, 1)->pts >= 100 * GST_SECOND);
  fail_unless (flush (TRUE));
  element_pass (33, 2, 1, 3);
  fail_unless (tap_packet (tap, 2)->pts < 100 * GST_SECOND);
}

static guint64
n_rendered (GstElement *sink)
{
  g_autoptr (GstStructure) stats = NULL;
  guint64 rendered = 0;

  g_object_get (sink, "stats", &stats, NULL);
  gst_structure_get_uint64 (stats, "rendered", &rendered);
  return rendered;
}

/* What was held over a pause has a time of before, for which a sink would wait. */
TEST (test_flushed_while_paused)
{
  g_autoptr (GstElement) sink = NULL;

  pause_with_batch (
      "fakesink name=sink sync=true async=false", 3600 * GST_SECOND);
  sink = gst_bin_get_by_name (GST_BIN (receiver->pipeline), "sink");
  fail_unless (flush (TRUE));
  receiver_assert_stat (receiver, "discarded", 20);
  receiver_set_state (receiver, GST_STATE_PLAYING);
  element_receive (33, 0, 5);
  assert_in_order (0, 5);
  fail_unless (tap_packet (tap, 4)->pts < 3600 * GST_SECOND);
  wait_until (n_rendered (sink) >= 5);
  receiver_assert_stat (receiver, "discarded", 20);
}

/* The flush takes the first caps with it: downstream is asked about them, and they
 * are set then. */
static GstPadProbeReturn
flush_at_query (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  gint *n_left = user_data;

  if (g_atomic_int_get (n_left)) {
    gst_element_send_event (receiver->src, gst_event_new_flush_start ());
    g_atomic_int_set (n_left, 0);
  }
  return GST_PAD_PROBE_OK;
}

TEST (test_flushed_at_first_packet)
{
  g_autoptr (GstPad) pad = NULL;
  gint n_left = 1;

  element_play ("", FLUSHED_SINK);
  pad = gst_element_get_static_pad (receiver->src, "src");
  gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM | GST_PAD_PROBE_TYPE_PUSH,
      flush_at_query, &n_left, NULL);
  loopback_send_many (loopback, 33, 0, 1);
  wait_until (!g_atomic_int_get (&n_left));
  fail_unless (
      gst_element_send_event (receiver->src, gst_event_new_flush_stop (TRUE)));
  element_pass (33, 1, 1, 1);
  fail_unless (gst_pad_has_current_caps (pad));
  receiver_assert_no_error (receiver);
  element_end ();
}

/* There is nothing to seek to, but the flush of one must not stop us. */
TEST (test_seek)
{
  element_play ("stats-interval=0", "fakesink");
  for (guint i = 0; i < 20; i++) {
    assert_wakes (gst_element_seek_simple (
        receiver->pipeline, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, 0));
    element_pass (33, i, 1, i + 1);
  }
}

/* What downstream answers. */

static const struct
{
  GstFlowReturn flow;
  gboolean is_error;
} answers[] = {
  { GST_FLOW_ERROR, TRUE },
  { GST_FLOW_NOT_LINKED, TRUE },
  { GST_FLOW_NOT_NEGOTIATED, TRUE },
  { GST_FLOW_EOS, FALSE },
};

TABLE_TEST (test_answer, answers)
{
  element_play ("", "fakesink");
  element_pass (33, 0, 3, 3);
  tap_answer (tap, answers[__i__].flow);
  loopback_send_many (loopback, 33, 3, 1);
  if (answers[__i__].is_error) {
    receiver_wait_error (receiver);
  } else {
    tap_wait_eos (tap);
  }
  /* Nobody reads any more, and then somebody does. */
  loopback_send_many (loopback, 33, 4, 10);
  fail_unless_equals_int (tap_n_packets (tap), 4);
  receiver_set_state (receiver, GST_STATE_READY);
  tap_answer (tap, GST_FLOW_OK);
  receiver_set_state (receiver, GST_STATE_PLAYING);
  tap_wait (tap, 14);
  assert_in_order (0, 14);
}

TEST (test_not_linked)
{
  g_autoptr (GstPad) pad = NULL;
  g_autoptr (GstPad) peer = NULL;

  element_play ("", "fakesink");
  pad = gst_element_get_static_pad (receiver->src, "src");
  peer = gst_pad_get_peer (pad);
  fail_unless (gst_pad_unlink (pad, peer));
  loopback_send_many (loopback, 33, 0, 1);
  receiver_wait_error (receiver);
}

/* Which path, in the property and in messages. */

static void
note_mode (GObject *object, GParamSpec *pspec, gpointer user_data)
{
  GString *modes = user_data;
  gint mode;

  g_object_get (object, "current-mode", &mode, NULL);
  g_string_append_printf (modes, "%d ", mode);
}

static void
assert_current_mode (const gchar *nick)
{
  g_auto (GValue) value = G_VALUE_INIT;
  g_autofree gchar *text = NULL;

  g_object_get_property (G_OBJECT (receiver->src), "current-mode", &value);
  text = gst_value_serialize (&value);
  fail_unless_equals_string (text, nick);
}

TEST (test_current_mode)
{
  g_autoptr (GString) modes = g_string_new ("");

  element_new ("", "fakesink");
  g_signal_connect (
      receiver->src, "notify::current-mode", G_CALLBACK (note_mode), modes);
  assert_current_mode ("none");
  receiver_set_state (receiver, GST_STATE_PAUSED);
  assert_current_mode ("none");
  receiver_play (receiver);
  assert_current_mode ("socket");
  receiver_set_state (receiver, GST_STATE_NULL);
  assert_current_mode ("none");
  receiver_play (receiver);
  element_end ();
  fail_unless_equals_string (modes->str, "2 0 2 0 ");
}

TEST (test_mode_message)
{
  const GstStructure *message;
  gboolean zero_copy;
  guint changes;

  element_new ("", "fakesink");
  for (guint i = 0; i < 2; i++) {
    receiver_play (receiver);
    fail_unless_equals_int (receiver->modes->len, i + 1);
    message = receiver->modes->pdata[i];
    fail_unless_equals_string (
        gst_structure_get_string (message, "mode"), "socket");
    fail_unless_equals_string (
        gst_structure_get_string (message, "previous-mode"), "none");
    fail_unless_equals_string (
        gst_structure_get_string (message, "interface"), "lo");
    fail_unless_equals_string (
        gst_structure_get_string (message, "xdp-mode"), "none");
    fail_unless (gst_structure_get_boolean (message, "zero-copy", &zero_copy) &&
        !zero_copy);
    fail_unless (
        gst_structure_get_uint (message, "changes", &changes) && changes == 1);
    page_assert_fields (message, NULL);
    fail_unless_equals_int (
        gst_value_array_get_size (gst_structure_get_value (message, "queues")),
        0);
    fail_unless (
        strstr (gst_structure_get_string (message, "reason"), "mode=socket"));
    receiver_set_state (receiver, GST_STATE_NULL);
  }
}

ELEMENT_SUITE ("element-states", NULL)
