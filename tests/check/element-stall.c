/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Downstream does not return from a push: it is told while it lasts, with the name
 * of who holds the stream up, and when it goes on.
 */
#include "element-fixture.h"
#include "page.h"

#define STALL "GstAfxdpSrcStall"
#define SINK "fakesink name=sink async=false signal-handoffs=true "
/* Longer than a push has to last until it is told. */
#define LONG (1500 * GST_MSECOND)

/* A sink that takes no packet. */
static GMutex lock;
static GCond changed;
static gboolean held;

static void
wait_until_let_go (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer d)
{
  g_mutex_lock (&lock);
  while (held)
    g_cond_wait (&changed, &lock);
  g_mutex_unlock (&lock);
}

static void
hold (gboolean hold)
{
  g_mutex_lock (&lock);
  held = hold;
  g_cond_broadcast (&changed);
  g_mutex_unlock (&lock);
}

static GstElement *
get_sink (void)
{
  GstElement *sink = gst_bin_get_by_name (GST_BIN (receiver->pipeline), "sink");

  fail_unless (sink);
  return sink;
}

static void
hold_sink (void)
{
  g_autoptr (GstElement) sink = get_sink ();

  hold (TRUE);
  g_signal_connect (sink, "handoff", G_CALLBACK (wait_until_let_go), NULL);
}

static gboolean
is_stall (GstMessage *message)
{
  return gst_message_has_name (message, STALL);
}

/* The next message that tells of a stall, or NULL: none in time. */
static GstMessage *
next (GstClockTime time)
{
  gint64 until = g_get_monotonic_time () + time / 1000;
  gint64 left;

  while ((left = until - g_get_monotonic_time ()) > 0) {
    GstMessage *message = gst_bus_timed_pop_filtered (
        receiver->bus, left * 1000, GST_MESSAGE_ELEMENT);

    if (message && is_stall (message))
      return message;
    gst_clear_message (&message);
  }
  return NULL;
}

static gboolean
lasts (GstMessage *message)
{
  gboolean value;

  fail_unless (gst_structure_get_boolean (
      gst_message_get_structure (message), "lasts", &value));
  return value;
}

static guint64
field (GstMessage *message, const gchar *name)
{
  guint64 value;

  fail_unless (gst_structure_get_uint64 (
      gst_message_get_structure (message), name, &value));
  return value;
}

static const gchar *
text (GstMessage *message, const gchar *name)
{
  return gst_structure_get_string (gst_message_get_structure (message), name);
}

/* Returns since. */
static guint64
assert_told (const gchar *element, const gchar *words)
{
  g_autoptr (GstMessage) message = next (30 * GST_SECOND);

  fail_unless (message, "nothing was told");
  fail_unless (lasts (message));
  fail_unless_equals_string (text (message, "element"), element);
  fail_unless (
      strstr (text (message, "reason"), words), "%s", text (message, "reason"));
  fail_unless (strstr (text (message, "reason"), element));
  fail_unless (field (message, "duration") >= GST_SECOND);
  page_assert_fields (gst_message_get_structure (message), NULL);
  return field (message, "since");
}

static void
assert_told_the_end (const gchar *element, guint64 since)
{
  g_autoptr (GstMessage) message = next (30 * GST_SECOND);

  fail_unless (message, "the end was not told");
  fail_if (lasts (message));
  fail_unless_equals_string (text (message, "element"), element);
  fail_unless (strstr (text (message, "reason"), "takes packets again"));
  /* Of the same push, but for what two readings of a clock differ by. */
  fail_unless (ABS ((gint64) (field (message, "since") - since)) <
      (gint64) (100 * GST_MSECOND));
  fail_unless (field (message, "duration") >= GST_SECOND);
}

static void
assert_not_told (void)
{
  g_autoptr (GstMessage) message = next (LONG);

  fail_if (message, "%s", message ? text (message, "reason") : NULL);
}

static const struct
{
  const gchar *rest;
} chains[] = {
  { SINK },
  { "identity ! " SINK },
  { "queue max-size-buffers=1 ! identity ! " SINK },
  { "queue max-size-buffers=1 ! queue max-size-buffers=1 ! " SINK },
  { "tee name=t ! queue ! fakesink async=false t. ! " SINK },
  { "( identity ! ( queue max-size-buffers=1 ! " SINK ") )" },
};

TABLE_TEST (test_sink_holds, chains)
{
  guint64 since;

  element_new ("", chains[__i__].rest);
  hold_sink ();
  receiver_play (receiver);
  /* More than the queues on the way hold. */
  element_pass (33, 0, 1, 1);
  loopback_begin (loopback, 33, NULL);
  since = assert_told ("sink", "Find out what sink waits for");
  /* It is told once. */
  assert_not_told ();
  hold (FALSE);
  assert_told_the_end ("sink", since);
  /* And again, the next time. */
  hold (TRUE);
  since = assert_told ("sink", "Find out what sink waits for");
  hold (FALSE);
  assert_told_the_end ("sink", since);
  loopback_end (loopback);
}

TEST (test_sink_is_paused)
{
  GstElement *sink;

  element_play ("", "identity ! " SINK);
  sink = get_sink ();
  gst_element_set_state (sink, GST_STATE_PAUSED);
  loopback_send_many (loopback, 33, 0, 1);
  assert_told ("sink", "sink is in PAUSED");
  gst_element_set_state (sink, GST_STATE_PLAYING);
  gst_object_unref (sink);
}

static GstPadProbeReturn
block (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  return GST_PAD_PROBE_OK;
}

TEST (test_pad_is_blocked)
{
  g_autoptr (GstPad) pad = NULL;
  guint64 since;
  gulong probe;

  element_new ("", "fakesink async=false");
  pad = gst_element_get_static_pad (receiver->src, "src");
  receiver_play (receiver);
  /* The first one has events in front of it. */
  element_pass (33, 0, 1, 1);
  probe = gst_pad_add_probe (
      pad, GST_PAD_PROBE_TYPE_BLOCK_DOWNSTREAM, block, NULL, NULL);
  loopback_send_many (loopback, 33, 1, 1);
  since = assert_told ("src", "A probe blocks the pad src");
  gst_pad_remove_probe (pad, probe);
  assert_told_the_end ("src", since);
}

/* What is no stall: no packets, a pause, the end of the stream. */
TEST (test_not_told)
{
  guint64 since;

  element_play ("num-buffers=5", "fakesink async=false");
  assert_not_told ();
  tap_hold (tap);
  loopback_send_many (loopback, 33, 0, 1);
  tap_wait_held (tap);
  receiver_set_state (receiver, GST_STATE_PAUSED);
  assert_not_told ();
  receiver_set_state (receiver, GST_STATE_PLAYING);
  since = assert_told ("src", "look for a probe on its pad src");
  tap_let_go (tap);
  assert_told_the_end ("src", since);
  element_pass (33, 1, 4, 5);
  assert_not_told ();
}

/* An application that never reads its bus. */
TEST (test_bounded)
{
  guint n = 0;
  GstMessage *message;

  element_new ("", SINK);
  hold_sink ();
  receiver_play (receiver);
  loopback_begin (loopback, 33, NULL);
  for (guint i = 0; i < 7; i++) {
    hold (TRUE);
    g_usleep (LONG / 1000);
    hold (FALSE);
    tap_wait (tap, tap_n_packets (tap) + 1000);
  }
  loopback_end (loopback);
  while ((message = gst_bus_pop (receiver->bus))) {
    n += is_stall (message);
    gst_message_unref (message);
  }
  fail_unless (n >= 2 && n <= 8, "%u messages", n);
}

ELEMENT_SUITE ("element-stall", NULL)
