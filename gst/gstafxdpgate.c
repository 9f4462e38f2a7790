/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether create() may receive and hand over. */
#include "gstafxdpgate.h"

/* In µs. */
#define LONGEST_HANDING_OVER (100 * G_TIME_SPAN_MILLISECOND)

/* Called with the lock. */
static void
end_handing_over (GstAfxdpGate *gate)
{
  gate->handing_over = FALSE;
  /* A system call, and for each batch, if nobody listens too. */
  if (gate->awaited)
    g_cond_broadcast (&gate->changed);
}

/* The base class pushes what create() returned. */
static GstPadProbeReturn
note_push (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstAfxdpGate *gate = user_data;

  g_mutex_lock (&gate->lock);
  end_handing_over (gate);
  g_mutex_unlock (&gate->lock);
  return GST_PAD_PROBE_OK;
}

void
gst_afxdp_gate_init (GstAfxdpGate *gate, GstPad *pad)
{
  g_mutex_init (&gate->lock);
  g_cond_init (&gate->changed);
  gate->pad = pad;
  gate->paused = TRUE;
  gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, note_push,
      gate, NULL);
}

void
gst_afxdp_gate_clear (GstAfxdpGate *gate)
{
  g_mutex_clear (&gate->lock);
  g_cond_clear (&gate->changed);
}

void
gst_afxdp_gate_set_stream (GstAfxdpGate *gate, AfxdpStream *stream)
{
  g_mutex_lock (&gate->lock);
  gate->stream = stream;
  gate->path_closed = FALSE;
  g_mutex_unlock (&gate->lock);
}

void
gst_afxdp_gate_set_second (GstAfxdpGate *gate, AfxdpStream *stream)
{
  g_mutex_lock (&gate->lock);
  gate->second = stream;
  if (stream && gate->path_closed)
    afxdp_stream_close_path (stream);
  g_mutex_unlock (&gate->lock);
}

static void
wake_stream (const GstAfxdpGate *gate, AfxdpStream *stream)
{
  if (!stream)
    return;
  if (gate->flushing || gate->paused)
    afxdp_stream_wake (stream);
  else
    afxdp_stream_unwake (stream);
}

/* Called with the lock. */
static void
tell_change (GstAfxdpGate *gate)
{
  wake_stream (gate, gate->stream);
  wake_stream (gate, gate->second);
  g_cond_broadcast (&gate->changed);
}

void
gst_afxdp_gate_set_flushing (GstAfxdpGate *gate, gboolean flushing)
{
  g_mutex_lock (&gate->lock);
  if (!flushing || gate->pauser != g_thread_self ()) {
    gate->flushing = flushing;
    tell_change (gate);
  }
  g_mutex_unlock (&gate->lock);
}

/* Whether what create() returned may still be pushed. A thread that pauses within
 * enter() and leave() pushes nothing meanwhile. Called with the lock. */
static gboolean
will_hand_over (const GstAfxdpGate *gate)
{
  if (!gate->handing_over || gate->entered == g_thread_self ())
    return FALSE;
  return gate->entered ||
      gst_pad_get_task_state (gate->pad) == GST_TASK_STARTED;
}

/* Called with the lock. */
static void
wait_for_handing_over (GstAfxdpGate *gate)
{
  gint64 until = g_get_monotonic_time () + LONGEST_HANDING_OVER;

  gate->awaited = TRUE;
  while (will_hand_over (gate) && g_get_monotonic_time () < until)
    g_cond_wait_until (&gate->changed, &gate->lock,
        g_get_monotonic_time () + G_TIME_SPAN_MILLISECOND);
  gate->awaited = FALSE;
}

void
gst_afxdp_gate_begin_pause (GstAfxdpGate *gate)
{
  g_mutex_lock (&gate->lock);
  gate->pauser = g_thread_self ();
  gate->paused = TRUE;
  tell_change (gate);
  wait_for_handing_over (gate);
  g_mutex_unlock (&gate->lock);
}

void
gst_afxdp_gate_end_pause (GstAfxdpGate *gate)
{
  g_mutex_lock (&gate->lock);
  gate->pauser = NULL;
  g_mutex_unlock (&gate->lock);
}

void
gst_afxdp_gate_resume (GstAfxdpGate *gate)
{
  g_mutex_lock (&gate->lock);
  gate->paused = gate->path_closed = FALSE;
  tell_change (gate);
  g_mutex_unlock (&gate->lock);
}

/* Called with the lock. */
static void
close_path (GstAfxdpGate *gate)
{
  if (!gate->path_closed)
    afxdp_stream_close_path (gate->stream);
  if (!gate->path_closed && gate->second)
    afxdp_stream_close_path (gate->second);
  gate->path_closed = TRUE;
}

void
gst_afxdp_gate_close_path (GstAfxdpGate *gate)
{
  g_mutex_lock (&gate->lock);
  close_path (gate);
  g_mutex_unlock (&gate->lock);
}

gboolean
gst_afxdp_gate_pass (GstAfxdpGate *gate, gboolean handing_over)
{
  gboolean flushing;

  g_mutex_lock (&gate->lock);
  if (gate->paused)
    close_path (gate);
  while (gate->paused && !gate->flushing)
    g_cond_wait (&gate->changed, &gate->lock);
  flushing = gate->flushing;
  gate->handing_over = handing_over && !flushing;
  g_mutex_unlock (&gate->lock);
  return !flushing;
}

gboolean
gst_afxdp_gate_enter (GstAfxdpGate *gate)
{
  gboolean open;

  g_mutex_lock (&gate->lock);
  open = !gate->paused && !gate->flushing;
  if (gate->paused)
    close_path (gate);
  gate->entered = open ? g_thread_self () : NULL;
  gate->handing_over = open;
  g_mutex_unlock (&gate->lock);
  return open;
}

gboolean
gst_afxdp_gate_is_open (GstAfxdpGate *gate)
{
  gboolean open;

  g_mutex_lock (&gate->lock);
  open = !gate->paused && !gate->flushing;
  g_mutex_unlock (&gate->lock);
  return open;
}

void
gst_afxdp_gate_leave (GstAfxdpGate *gate)
{
  g_mutex_lock (&gate->lock);
  gate->entered = NULL;
  end_handing_over (gate);
  g_mutex_unlock (&gate->lock);
}

gboolean
gst_afxdp_gate_is_mine (GstAfxdpGate *gate)
{
  gboolean mine;

  g_mutex_lock (&gate->lock);
  mine = gate->entered == g_thread_self ();
  g_mutex_unlock (&gate->lock);
  return mine;
}
