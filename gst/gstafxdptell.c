/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the element's streaming thread looks after and tells between two batches. */
#include "gstafxdpsrcprivate.h"

#include "clock.h"
#include "gstafxdplegstate.h"

static void
tell_stats (GstAfxdpSrc *self, guint64 now)
{
  GstClockTime interval = self->active.stats_interval;
  AfxdpStreamCounts counts;

  if (now < self->next_stats)
    return;
  if (self->next_stats) {
    g_mutex_lock (&self->stream_lock);
    gst_afxdp_src_count (self, &counts);
    gst_afxdp_report_set_stream_counts (self->report, &counts);
    g_mutex_unlock (&self->stream_lock);
    gst_afxdp_report_tick (self->report, now);
    if (self->legs[1].stream)
      afxdp_stream_look_for_drops (
          self->legs[1].stream, now - MIN (now, GST_SECOND));
    /* So that a gap finds numbers of not long ago to compare with. */
    afxdp_stream_look_for_drops (self->stream, now - MIN (now, GST_SECOND));
    if (interval)
      gst_afxdp_report_post_stats (self->report);
  }
  /* Without messages the rates are still measured. */
  if (!interval)
    interval = GST_SECOND;
  self->next_stats =
      interval < G_MAXUINT64 - now ? now + interval : G_MAXUINT64;
}

void
gst_afxdp_src_follow_interfaces (GstAfxdpSrc *self, GstAfxdpLeg *leg)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *text = NULL;
  gboolean joined;

  if (G_LIKELY (!afxdp_stream_is_left_behind (leg->stream)))
    return;
  g_mutex_lock (&self->stream_lock);
  if (leg->served)
    afxdp_served_unwatch (leg->served);
  joined = afxdp_stream_catch_up (leg->stream, &error);
  g_mutex_unlock (&self->stream_lock);
  if (joined) {
    g_clear_pointer (&self->not_moved, g_free);
    return;
  }
  if (!g_strcmp0 (self->not_moved, error->message))
    return;
  text = g_strdup_printf ("%s.", error->message);
  if (gst_afxdp_outbox_warn (&self->warnings, GST_ELEMENT (self),
          GST_RESOURCE_ERROR_READ, text,
          "The interface was removed and has come back; it is tried again "
          "every second.")) {
    g_free (self->not_moved);
    self->not_moved = g_strdup (error->message);
  }
}

/* An application that sends by the socket may do so with little success, or shut it
 * down. */
static void
look_for_errors (GstAfxdpSrc *self, guint64 now)
{
  guint64 n;

  if (G_LIKELY (now < self->next_look))
    return;
  self->next_look = now + GST_SECOND;
  n = afxdp_stream_look_for_errors (self->stream);
  if (n != self->socket_errors)
    GST_WARNING_OBJECT (self,
        "%" G_GUINT64_FORMAT " errors came back by the socket (ICMP), for what "
        "the application sent by it",
        n - self->socket_errors);
  self->socket_errors = n;
}

/* Returns when the next one is due, or 0. */
static guint64
follow_gaps (GstAfxdpSrc *self, guint64 now)
{
  guint64 second = 0, due;

  /* First, since a message of both does not wait for ever for what it tells of this. */
  if (G_UNLIKELY (gst_afxdp_src_n_legs (self) > 1))
    second = gst_afxdp_gaps_follow (&self->legs[1].gaps,
        gst_afxdp_src_stream_of (self, 1), &self->timing, G_MAXUINT64, now);
  due = gst_afxdp_gaps_follow (
      &self->gaps, self->stream, &self->timing, self->active.gap_interval, now);
  return due && second ? MIN (due, second) : MAX (due, second);
}

guint64
gst_afxdp_src_tell (GstAfxdpSrc *self)
{
  guint64 now = afxdp_now ();
  guint64 gap_due = follow_gaps (self, now);
  guint64 due = gst_afxdp_current_mode_follow (&self->current_mode,
      self->stream, self->active.stream.mode == AFXDP_MODE_AF_XDP, now);

  if (G_UNLIKELY (gst_afxdp_src_n_legs (self) > 1)) {
    if (self->legs[1].stream)
      due = MIN (due,
          gst_afxdp_current_mode_follow (&self->legs[1].mode,
              self->legs[1].stream,
              self->active.stream.mode == AFXDP_MODE_AF_XDP, now));
    if (gst_afxdp_ordered_is_on (&self->ordered))
      due = MIN (due,
          gst_afxdp_leg_states_follow (self->legs, &self->ordered,
              &self->timing, &self->ordered.lock, now));
  }
  gst_afxdp_report_post_sources (self->report, now);
  tell_stats (self, now);
  look_for_errors (self, now);
  due = MIN (due, MIN (self->next_stats, now + GST_SECOND));
  return gap_due ? MIN (gap_due, due) : due;
}
