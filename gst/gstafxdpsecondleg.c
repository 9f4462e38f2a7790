/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The element's second leg: opened and closed with the first, or changed while that is
 * open. */
#include "gstafxdpsrcprivate.h"

#include "clock.h"
#include "gstafxdplegstate.h"
#include "gstafxdpopen.h"

#define GST_CAT_DEFAULT gst_afxdp_src_debug

/* Called with the lock of ordered. */
static void
begin_first_leg (GstAfxdpSrc *self)
{
  GstAfxdpLeg *leg = &self->legs[0];
  GValue uri = G_VALUE_INIT;

  /* What is received, be it of a file. */
  g_value_init (&uri, G_TYPE_STRING);
  gst_afxdp_settings_get (&self->active, GST_AFXDP_PROP_URI, &uri);
  gst_afxdp_leg_begin (leg, g_value_get_string (&uri),
      afxdp_stream_interface (leg->stream), afxdp_now ());
  g_value_unset (&uri);
}

/* stream is what active says; NULL: it comes by the first leg's. With turn_lock, or while
 * nobody has a turn. */
static void
begin_second_leg (GstAfxdpSrc *self, AfxdpStream *stream)
{
  GstAfxdpLeg *legs = self->legs;

  g_mutex_lock (&self->ordered.lock);
  if (!legs[0].report)
    begin_first_leg (self);
  gst_afxdp_leg_begin (&legs[1], self->active.redundant_uri,
      afxdp_stream_interface (stream ? stream : legs[0].stream), afxdp_now ());
  legs[1].shares = self->split.on;
  g_mutex_unlock (&self->ordered.lock);
  GST_OBJECT_LOCK (self);
  self->active.had_two_legs = TRUE;
  GST_OBJECT_UNLOCK (self);
  gst_afxdp_legs_have_told (legs, &self->gaps, self->report);
  self->gaps.sharer = self->split.on ? legs[1].report : NULL;
  legs[1].gaps.owner = self->split.on ? &self->gaps : NULL;
  g_mutex_lock (&self->stream_lock);
  legs[1].stream = stream;
  g_mutex_unlock (&self->stream_lock);
  gst_afxdp_gate_set_second (&self->gate, stream);
}

gboolean
gst_afxdp_src_open_second_leg (GstAfxdpSrc *self)
{
  AfxdpStream *stream = NULL;

  if (!self->split.on) {
    stream = gst_afxdp_open_second_leg (GST_ELEMENT (self), &self->active);
    if (!stream)
      return FALSE;
  }
  begin_second_leg (self, stream);
  return TRUE;
}

void
gst_afxdp_src_close_second_leg (GstAfxdpSrc *self, AfxdpStreamCounts *counts)
{
  GstAfxdpLeg *leg = &self->legs[1];
  AfxdpStream *stream;
  AfxdpDrops drops = { 0 };

  gst_afxdp_gate_set_second (&self->gate, NULL);
  g_mutex_lock (&self->stream_lock);
  stream = g_steal_pointer (&leg->stream);
  g_mutex_unlock (&self->stream_lock);
  if (!stream && !self->split.on)
    return;
  if (stream)
    afxdp_stream_close (stream, counts, &drops);
  gst_afxdp_gaps_close (&leg->gaps, &drops, &self->timing);
  gst_afxdp_current_mode_reset (&leg->mode);
}

/* What was the second leg. */
typedef struct
{
  AfxdpStream *stream; /* NULL: there was none */
  AfxdpServed *served;
  GstAfxdpGone told;  /* what of its counts is in the element's */
  gboolean is_pushed; /* its last turn is in a push */
} Former;

/* Takes the second leg out. What it has counted stays. With turn_lock. */
static void
take_second_leg (GstAfxdpSrc *self, Former *former)
{
  GstAfxdpLeg *leg = &self->legs[1];
  AfxdpStreamCounts counts;

  *former = (Former){ 0 };
  if (!leg->stream)
    return;
  gst_afxdp_gate_set_second (&self->gate, NULL);
  former->is_pushed = self->pushing == leg;
  self->n_former++;
  g_mutex_lock (&self->stream_lock);
  former->stream = g_steal_pointer (&leg->stream);
  former->served = g_steal_pointer (&leg->served);
  afxdp_stream_counts (former->stream, &counts);
  former->told.malformed = counts.malformed;
  former->told.socket_dropped = counts.socket_dropped;
  self->gone.malformed += counts.malformed;
  self->gone.socket_dropped += counts.socket_dropped;
  g_mutex_unlock (&self->stream_lock);
  afxdp_stream_counts_clear (&counts);
  gst_afxdp_current_mode_reset (&leg->mode);
  g_mutex_lock (&self->ordered.lock);
  gst_afxdp_leg_clear (leg);
  gst_afxdp_leg_states_reset (self->legs);
  g_mutex_unlock (&self->ordered.lock);
  gst_afxdp_legs_have_told (self->legs, &self->gaps, self->report);
}

/* Waits for the end of its turn. The element's ledger keeps what became of its
 * packets. */
static void
close_former (GstAfxdpSrc *self, Former *former)
{
  AfxdpStreamCounts counts = { 0 };
  AfxdpDrops drops;

  afxdp_served_remove (former->served);
  afxdp_stream_close (former->stream, &counts, &drops);
  g_mutex_lock (&self->stream_lock);
  self->gone.malformed += counts.malformed - former->told.malformed;
  self->gone.socket_dropped +=
      counts.socket_dropped - former->told.socket_dropped;
  g_mutex_unlock (&self->stream_lock);
  gst_afxdp_report_count_drops (self->report, &drops);
  gst_afxdp_report_dropped (
      self->report, AFXDP_COLUMN_DISCARDED, counts.discarded);
  afxdp_stream_counts_clear (&counts);
  g_mutex_lock (&self->turn_lock);
  self->n_former--;
  g_cond_broadcast (&self->former_closed);
  g_mutex_unlock (&self->turn_lock);
}

static void
close_former_later (GstElement *element, gpointer former)
{
  close_former (GST_AFXDP_SRC (element), former);
}

void
gst_afxdp_src_await_former (GstAfxdpSrc *self)
{
  g_mutex_lock (&self->turn_lock);
  while (self->n_former)
    g_cond_wait (&self->former_closed, &self->turn_lock);
  g_mutex_unlock (&self->turn_lock);
}

/* stream is what wanted says; NULL: there is no second leg any more. The push may be
 * waiting for what the caller does next, such as going to PLAYING. */
static void
change_second_leg (
    GstAfxdpSrc *self, AfxdpStream *stream, GstAfxdpSettings *wanted)
{
  Former former;

  g_mutex_lock (&self->turn_lock);
  take_second_leg (self, &former);
  GST_OBJECT_LOCK (self);
  g_free (self->active.redundant_uri);
  self->active.redundant_uri = g_steal_pointer (&wanted->redundant_uri);
  self->active.redundant_family = wanted->redundant_family;
  GST_OBJECT_UNLOCK (self);
  if (stream)
    begin_second_leg (self, stream);
  self->has_other_leg = TRUE;
  gst_afxdp_src_serve_leg (self, &self->legs[1]);
  g_mutex_unlock (&self->turn_lock);
  gst_afxdp_src_call_receiver (self);
  if (former.is_pushed)
    gst_element_call_async (GST_ELEMENT (self), close_former_later,
        g_memdup2 (&former, sizeof former), g_free);
  else if (former.stream)
    close_former (self, &former);
}

/* The settings of the stream that is open, with the second leg that is wanted now. */
static gboolean
find_second_leg (GstAfxdpSrc *self, GstAfxdpSettings *wanted, GError **error)
{
  GstAfxdpSettings latest;
  g_autofree gchar *skipped = NULL;
  gboolean found;

  GST_OBJECT_LOCK (self);
  gst_afxdp_settings_copy (wanted, &self->active);
  gst_afxdp_settings_copy (&latest, &self->settings);
  GST_OBJECT_UNLOCK (self);
  found = gst_afxdp_settings_find_second_leg (&latest, &skipped, error);
  if (skipped)
    GST_INFO_OBJECT (self, "Skipped in the SDP file \"%s\": %s",
        latest.sdp_location, skipped);
  g_free (wanted->redundant_uri);
  wanted->redundant_uri = g_steal_pointer (&latest.redundant_uri);
  wanted->redundant_family = latest.redundant_family;
  gst_afxdp_settings_clear (&latest);
  return found;
}

/* Returns FALSE when it can be done at NULL -> READY alone. */
static gboolean
follow_redundant_uri (
    GstAfxdpSrc *self, GstAfxdpSettings *wanted, GError **error)
{
  AfxdpStream *stream = NULL;
  guint n_legs;

  if (!find_second_leg (self, wanted, error))
    return TRUE;
  n_legs = gst_afxdp_settings_n_legs (wanted);
  if (n_legs == gst_afxdp_settings_n_legs (&self->active) &&
      (n_legs == 1 ||
          !g_strcmp0 (wanted->redundant_uri, self->active.redundant_uri)))
    return TRUE;
  if (!self->receiver || self->split.on)
    return FALSE;
  if (n_legs > 1 &&
      !(stream = gst_afxdp_try_second_leg (GST_ELEMENT (self), wanted, error)))
    return TRUE;
  GST_INFO_OBJECT (
      self, "second leg: %s", n_legs > 1 ? wanted->redundant_uri : "none");
  change_second_leg (self, stream, wanted);
  /* It may have been set while nobody knew the stream. */
  gst_afxdp_src_set_skip (self);
  return TRUE;
}

/* Who would wait for himself. */
static gboolean
may_retune (GstAfxdpSrc *self)
{
  gboolean may;

  if (gst_afxdp_gate_is_mine (&self->gate))
    return FALSE;
  g_rec_mutex_lock (&self->legs_lock);
  may = !self->is_changing;
  if (may)
    self->is_changing = TRUE;
  else
    g_rec_mutex_unlock (&self->legs_lock);
  return may;
}

/* Once: who gets the warning may set it again. */
static void
warn_about_refusal (GstAfxdpSrc *self)
{
  gboolean told;

  GST_OBJECT_LOCK (self);
  told = self->told_refused;
  self->told_refused = TRUE;
  GST_OBJECT_UNLOCK (self);
  if (!told)
    GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS,
        ("redundant-uri was set within a push or a message of the element, "
         "whose thread would wait for itself: it takes effect the next time "
         "the element goes from NULL to READY. Set it in another thread "
         "(gst_element_call_async())."),
        (NULL));
}

gboolean
gst_afxdp_src_retune (GstAfxdpSrc *self)
{
  GstAfxdpSettings wanted = { 0 };
  g_autoptr (GError) error = NULL;
  gboolean done = TRUE, has_other_latency = FALSE;
  guint64 window;

  if (!may_retune (self)) {
    warn_about_refusal (self);
    return TRUE;
  }
  if (self->stream) {
    window = gst_afxdp_settings_window (&self->active);
    done = follow_redundant_uri (self, &wanted, &error);
    has_other_latency = window != gst_afxdp_settings_window (&self->active);
  }
  gst_afxdp_src_end_change (self);
  if (error)
    gst_afxdp_open_refused (GST_ELEMENT (self), &wanted, error);
  if (has_other_latency)
    gst_element_post_message (
        GST_ELEMENT (self), gst_message_new_latency (GST_OBJECT (self)));
  gst_afxdp_settings_clear (&wanted);
  return done;
}
