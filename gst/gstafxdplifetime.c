/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The element's opening and closing: NULL -> READY and READY -> NULL. */
#include "gstafxdpsrcprivate.h"

#include "clock.h"
#include "gstafxdplegstate.h"
#include "gstafxdpopen.h"

/* An application that asked for any port reads here which one it is. */
static void
tell_port (GstAfxdpSrc *self, gint port)
{
  gboolean changed;

  GST_OBJECT_LOCK (self);
  changed = self->settings.port != port;
  self->settings.port = port;
  GST_OBJECT_UNLOCK (self);
  if (!changed)
    return;
  g_object_notify (G_OBJECT (self), "port");
  g_object_notify (G_OBJECT (self), "uri");
}

void
gst_afxdp_src_begin_change (GstAfxdpSrc *self)
{
  g_rec_mutex_lock (&self->legs_lock);
  self->is_changing = TRUE;
}

void
gst_afxdp_src_end_change (GstAfxdpSrc *self)
{
  self->is_changing = FALSE;
  g_rec_mutex_unlock (&self->legs_lock);
}

void
gst_afxdp_src_count (GstAfxdpSrc *self, AfxdpStreamCounts *counts)
{
  gst_afxdp_legs_count (self->legs, counts);
  counts->malformed += self->gone.malformed;
  counts->socket_dropped += self->gone.socket_dropped;
}

static void
close_all (GstAfxdpSrc *self)
{
  AfxdpStreamCounts counts = { 0 }, second = { 0 };
  AfxdpStream *stream;
  AfxdpDrops drops;

  gst_afxdp_src_await_former (self);
  gst_afxdp_src_end_to_be_served (self);
  g_mutex_lock (&self->stream_lock);
  gst_afxdp_gate_set_stream (&self->gate, NULL);
  stream = g_steal_pointer (&self->stream);
  self->legs[0].stream = NULL;
  g_mutex_unlock (&self->stream_lock);
  gst_afxdp_src_close_second_leg (self, &second);
  if (!stream)
    return;
  afxdp_stream_close (stream, &counts, &drops);
  gst_afxdp_legs_add_counts (&counts, &second);
  counts.malformed += self->gone.malformed;
  counts.socket_dropped += self->gone.socket_dropped;
  gst_afxdp_report_set_stream_counts (self->report, &counts);
  gst_afxdp_report_dropped (
      self->report, AFXDP_COLUMN_DISCARDED, counts.discarded);
  gst_afxdp_gaps_close (&self->gaps, &drops, &self->timing);
  gst_afxdp_gaps_reset (&self->gaps);
  gst_afxdp_report_forget_messages (self->report);
  gst_afxdp_timeout_clear (&self->timeout);
  for (guint i = 0; i < GST_AFXDP_LEGS; i++)
    gst_afxdp_outbox_empty (&self->legs[i].outbox);
  gst_afxdp_outbox_empty (&self->warnings);
  g_clear_pointer (&self->not_moved, g_free);
  gst_afxdp_stall_clear (&self->stall);
  gst_afxdp_senders_clear (&self->senders);
  g_clear_object (&self->active.stream.socket);
  g_object_notify (G_OBJECT (self), "used-socket");
  gst_afxdp_current_mode_reset (&self->current_mode);
}

void
gst_afxdp_src_close (GstAfxdpSrc *self)
{
  gst_afxdp_src_begin_change (self);
  close_all (self);
  gst_afxdp_src_end_change (self);
}

static gboolean
open_all (GstAfxdpSrc *self)
{
  AfxdpStream *stream;

  gst_afxdp_settings_clear (&self->active);
  /* Before they are copied: what is set from here on is followed later. */
  g_atomic_int_set (&self->settings_changed, FALSE);
  GST_OBJECT_LOCK (self);
  gst_afxdp_settings_copy (&self->active, &self->settings);
  self->settings.changed = 0;
  self->told_late = 0;
  self->told_refused = FALSE;
  GST_OBJECT_UNLOCK (self);
  gst_afxdp_report_reset (self->report, afxdp_now ());
  gst_afxdp_gaps_reset (&self->gaps);
  gst_afxdp_ordered_reset (&self->ordered);
  g_mutex_lock (&self->ordered.lock);
  gst_afxdp_leg_states_reset (self->legs);
  for (guint i = 0; i < GST_AFXDP_LEGS; i++)
    gst_afxdp_leg_clear (&self->legs[i]);
  g_mutex_unlock (&self->ordered.lock);
  gst_afxdp_legs_have_told (self->legs, &self->gaps, self->report);
  self->gaps.sharer = NULL;
  self->gone = (GstAfxdpGone){ 0 };
  gst_afxdp_split_clear (&self->split);

  stream = gst_afxdp_open_sdp (GST_ELEMENT (self), &self->active) &&
          gst_afxdp_src_choose_receiver (self)
      ? gst_afxdp_open (GST_ELEMENT (self), &self->active, &self->split)
      : NULL;
  /* Who asks for caps gets those of the file, too. */
  GST_OBJECT_LOCK (self);
  gst_caps_replace (&self->settings.sdp_caps, self->active.sdp_caps);
  GST_OBJECT_UNLOCK (self);
  g_mutex_lock (&self->stream_lock);
  self->stream = self->legs[0].stream = stream;
  g_mutex_unlock (&self->stream_lock);
  gst_afxdp_gate_set_stream (&self->gate, stream);
  if (!stream) {
    g_clear_pointer (&self->receiver, afxdp_receivers_let_go);
    return FALSE;
  }
  if (gst_afxdp_settings_n_legs (&self->active) > 1 &&
      !gst_afxdp_src_open_second_leg (self)) {
    close_all (self);
    return FALSE;
  }
  /* It may have been set while there was no stream yet to set it. */
  gst_afxdp_src_set_skip (self);
  gst_afxdp_src_begin_to_be_served (self);
  if (afxdp_stream_port (stream) != self->active.port)
    tell_port (self, afxdp_stream_port (stream));
  g_object_notify (G_OBJECT (self), "used-socket");
  return TRUE;
}

gboolean
gst_afxdp_src_open (GstAfxdpSrc *self)
{
  gboolean done;

  gst_afxdp_src_begin_change (self);
  done = open_all (self);
  gst_afxdp_src_end_change (self);
  return done;
}
