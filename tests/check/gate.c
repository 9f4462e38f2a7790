/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What create() may do, and whether the base class still has what it returned.
 */
#include "gstafxdpgate.h"

#include "suite.h"

static GstPad *pad;
static GstAfxdpGate gate;
static guint n_closed;

/* The stream's, in its place. */

void
afxdp_stream_close_path (AfxdpStream *stream)
{
  n_closed++;
}

void
afxdp_stream_wake (AfxdpStream *stream)
{
}

void
afxdp_stream_unwake (AfxdpStream *stream)
{
}

static void
set_up (void)
{
  GstSegment segment;

  pad = gst_pad_new ("src", GST_PAD_SRC);
  gst_pad_set_active (pad, TRUE);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_pad_push_event (pad, gst_event_new_stream_start ("gate"));
  gst_pad_push_event (pad, gst_event_new_segment (&segment));
  gst_afxdp_gate_init (&gate, pad);
  gst_afxdp_gate_resume (&gate);
  n_closed = 0;
}

static void
tear_down (void)
{
  gst_pad_set_active (pad, FALSE);
  gst_object_unref (pad);
  gst_afxdp_gate_clear (&gate);
}

TEST (test_flushing_closes_it)
{
  fail_unless (gst_afxdp_gate_pass (&gate, FALSE));
  gst_afxdp_gate_set_flushing (&gate, TRUE);
  fail_if (gst_afxdp_gate_pass (&gate, FALSE));
  fail_if (gst_afxdp_gate_pass (&gate, TRUE));
  fail_if (gate.handing_over);
  gst_afxdp_gate_set_flushing (&gate, FALSE);
  fail_unless (gst_afxdp_gate_pass (&gate, FALSE));
}

/* Nothing is linked: the probe comes before that. */
TEST (test_push_ends_handing_over)
{
  fail_unless (gst_afxdp_gate_pass (&gate, TRUE));
  fail_unless (gate.handing_over);
  gst_pad_push_list (pad, gst_buffer_list_new ());
  fail_if (gate.handing_over);

  fail_unless (gst_afxdp_gate_pass (&gate, TRUE));
  fail_unless (gate.handing_over);
  gst_pad_push (pad, gst_buffer_new ());
  fail_if (gate.handing_over);
}

TEST (test_receiving_is_no_handing_over)
{
  fail_unless (gst_afxdp_gate_pass (&gate, FALSE));
  fail_if (gate.handing_over);
}

static void
stand_still (gpointer user_data)
{
  g_mutex_lock (user_data);
  g_mutex_unlock (user_data);
}

static gpointer
push_when_awaited (gpointer data)
{
  gboolean awaited;

  do {
    g_mutex_lock (&gate.lock);
    awaited = gate.awaited;
    g_mutex_unlock (&gate.lock);
    g_thread_yield ();
  } while (!awaited);
  gst_pad_push (pad, gst_buffer_new ());
  return NULL;
}

/* As the base class does it, whose task is in push(). */
TEST (test_handing_over_is_awaited)
{
  GThread *pusher;
  GMutex still;

  g_mutex_init (&still);
  g_mutex_lock (&still);
  fail_unless (gst_pad_start_task (pad, stand_still, &still, NULL));
  fail_unless (gst_afxdp_gate_pass (&gate, TRUE));
  pusher = g_thread_new ("pusher", push_when_awaited, NULL);
  gst_afxdp_gate_begin_pause (&gate);
  fail_if (gate.handing_over);
  g_thread_join (pusher);
  g_mutex_unlock (&still);
  gst_pad_stop_task (pad);
  g_mutex_clear (&still);
}

/* The task has ended, and with it what create() returned. */
TEST (test_nobody_will_push)
{
  fail_unless (gst_afxdp_gate_pass (&gate, TRUE));
  gst_afxdp_gate_begin_pause (&gate);
  fail_unless (gate.handing_over);
}

/* In the thread that pushes, which was told something and pauses: for itself it would
 * wait in vain. */
TEST (test_pause_within)
{
  gint64 before, took;

  fail_unless (gst_afxdp_gate_enter (&gate));
  before = g_get_monotonic_time ();
  gst_afxdp_gate_begin_pause (&gate);
  took = g_get_monotonic_time () - before;
  gst_afxdp_gate_end_pause (&gate);
  fail_unless (took < 50 * G_TIME_SPAN_MILLISECOND, "%d us", (gint) took);
  fail_if (gst_afxdp_gate_is_open (&gate));
  gst_afxdp_gate_leave (&gate);
  gst_afxdp_gate_resume (&gate);
  fail_unless (gst_afxdp_gate_enter (&gate));
  fail_unless (gst_afxdp_gate_is_open (&gate));
  gst_afxdp_gate_leave (&gate);
}

/* The element's stop() and a receiver's thread must not both be at the stream: of all
 * who come to a gate that is paused only the first closes the path. */
TEST (test_path_is_closed_once)
{
  for (guint i = 1; i <= 3; i++) {
    gst_afxdp_gate_begin_pause (&gate);
    gst_afxdp_gate_end_pause (&gate);
    if (i % 2)
      gst_afxdp_gate_close_path (&gate);
    fail_if (gst_afxdp_gate_enter (&gate));
    gst_afxdp_gate_close_path (&gate);
    fail_if (gst_afxdp_gate_enter (&gate));
    fail_unless_equals_int (n_closed, i);
    gst_afxdp_gate_resume (&gate);
    fail_unless (gst_afxdp_gate_enter (&gate));
    gst_afxdp_gate_leave (&gate);
    fail_unless_equals_int (n_closed, i);
  }
}

/* Before the base class plays it would have the thread wait. */
TEST (test_closed_before_playing)
{
  GstAfxdpGate fresh = { 0 };

  gst_afxdp_gate_init (&fresh, pad);
  fail_if (gst_afxdp_gate_enter (&fresh));
  gst_afxdp_gate_resume (&fresh);
  fail_unless (gst_afxdp_gate_enter (&fresh));
  gst_afxdp_gate_leave (&fresh);
  gst_afxdp_gate_clear (&fresh);
}

/* GStreamer 1.24 and later unlock for a pause; a flush is another thread's, or comes
 * later. */
static gpointer
flush (gpointer data)
{
  gst_afxdp_gate_set_flushing (&gate, TRUE);
  return NULL;
}

TEST (test_pause_is_no_flush)
{
  gst_afxdp_gate_begin_pause (&gate);
  gst_afxdp_gate_set_flushing (&gate, TRUE);
  gst_afxdp_gate_end_pause (&gate);
  gst_afxdp_gate_resume (&gate);
  fail_unless (gst_afxdp_gate_pass (&gate, FALSE));

  gst_afxdp_gate_begin_pause (&gate);
  g_thread_join (g_thread_new ("flusher", flush, NULL));
  gst_afxdp_gate_end_pause (&gate);
  gst_afxdp_gate_resume (&gate);
  fail_if (gst_afxdp_gate_pass (&gate, FALSE));
  gst_afxdp_gate_set_flushing (&gate, FALSE);
  gst_afxdp_gate_set_flushing (&gate, TRUE);
  fail_if (gst_afxdp_gate_pass (&gate, FALSE));
}

SUITE ("gate", 0, set_up, tear_down)
