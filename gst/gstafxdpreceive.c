/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The element's streaming thread: from batches to what create() returns. */
#include "gstafxdpsrcprivate.h"

#include "clock.h"
#include "gstafxdpbuffers.h"

#define GST_CAT_DEFAULT gst_afxdp_src_debug

static gboolean
has (guint64 properties, guint id)
{
  return properties >> id & 1;
}

/* Takes over what may change while playing. Streaming thread. */
static void
follow_settings (GstAfxdpSrc *self)
{
  guint64 moved;

  if (!g_atomic_int_compare_and_exchange (&self->settings_changed, TRUE, FALSE))
    return;
  GST_OBJECT_LOCK (self);
  moved = gst_afxdp_settings_follow (&self->active, &self->settings);
  GST_OBJECT_UNLOCK (self);
  if (has (moved, GST_AFXDP_PROP_CAPS))
    gst_afxdp_negotiation_clear (&self->negotiation);
  if (has (moved, GST_AFXDP_PROP_STATS_INTERVAL))
    self->next_stats = 0;
  if (has (moved, GST_AFXDP_PROP_TIMEOUT))
    gst_afxdp_timeout_restart (&self->timeout);
}

/* Takes over another second leg, or that there is none any more, or one at last. What
 * was put in order until then for one leg was counted when it came, and so it leaves
 * first. */
static void
follow_legs (GstAfxdpSrc *self)
{
  guint n_legs = gst_afxdp_src_n_legs (self);

  if (G_LIKELY (!self->has_other_leg))
    return;
  if (self->is_by_leg) {
    gst_afxdp_ordered_set_legs (&self->ordered, n_legs, afxdp_now ());
  } else {
    if (gst_afxdp_ordered_is_on (&self->ordered))
      gst_afxdp_ordered_release (&self->ordered);
    if (gst_afxdp_ordered_n_ready (&self->ordered))
      return;
    if (gst_afxdp_ordered_is_on (&self->ordered))
      gst_afxdp_ordered_end (&self->ordered);
    gst_afxdp_ordered_begin (&self->ordered, n_legs,
        gst_afxdp_settings_window (&self->active), self->active.max_held_bytes);
    self->is_by_leg = TRUE;
  }
  self->has_other_leg = FALSE;
}

static void
follow_downstream (GstAfxdpSrc *self)
{
  if (G_LIKELY (!g_atomic_int_get (&self->reconfigured)))
    return;
  g_atomic_int_set (&self->reconfigured, FALSE);
  gst_afxdp_negotiation_reconsider (&self->negotiation);
}

/* Buffers. */

static guint
most_packets (GstAfxdpSrc *self)
{
  gint most = self->active.stream.batch;

  if (gst_afxdp_negotiation_is_waiting (&self->negotiation))
    most = 1;
  if (self->packets_left < 0)
    return most;
  return CLAMP (self->packets_left - (gint) self->backlog.n_packets, 1, most);
}

static void
read_clock (GstAfxdpSrc *self)
{
  gst_afxdp_timing_read (&self->timing, GST_ELEMENT (self),
      self->active.socket_timestamp == GST_AFXDP_SOCKET_TIMESTAMP_REALTIME);
}

static void
hold_parcel (GstAfxdpSrc *self, const GstAfxdpParcel *parcel)
{
  if (gst_afxdp_backlog_is_full (&self->backlog))
    gst_afxdp_report_dropped (self->report, AFXDP_COLUMN_DISCARDED,
        gst_afxdp_backlog_drop_oldest (&self->backlog));
  gst_afxdp_backlog_add (&self->backlog, parcel);
}

void
gst_afxdp_src_tell_ordered (GstAfxdpSrc *self)
{
  GstAfxdpOrderedCounts counts = gst_afxdp_ordered_tell (&self->ordered);

  gst_afxdp_report_ordered (self->report, &counts, self->ordered.n_held);
  if (G_UNLIKELY (self->ordered.late && self->ordered.late->len))
    gst_afxdp_report_count_late (self->report, self->ordered.late);
}

/* Of those whose turn it is, as many as one list may have. */
static void
hold_ordered (GstAfxdpSrc *self)
{
  guint n =
      MIN (gst_afxdp_ordered_n_ready (&self->ordered), most_packets (self));
  GstAfxdpParcel parcel;

  if (n) {
    read_clock (self);
    gst_afxdp_report_handing_over_ordered (self->report,
        gst_afxdp_ordered_ready (&self->ordered), n, afxdp_now ());
    if (self->is_by_leg)
      gst_afxdp_report_count_ordered (
          self->report, gst_afxdp_ordered_ready (&self->ordered), n);
    gst_afxdp_ordered_take (&self->ordered, n, &self->timing, &parcel);
    hold_parcel (self, &parcel);
  }
  gst_afxdp_src_tell_ordered (self);
}

/* Turns a batch, as it came, into what create() returns. */
static void
hold_batch (GstAfxdpSrc *self, AfxdpBatch *batch, const GstAfxdpMake *make,
    guint not_rtp)
{
  GstAfxdpParcel parcel = { .not_rtp = not_rtp == batch->n };

  read_clock (self);
  parcel.object = gst_afxdp_buffers_make (
      self->stream, batch, make, not_rtp, &self->timing, &parcel.yield);
  gst_afxdp_report_handing_over (self->report, batch, afxdp_now ());
  if (parcel.object)
    hold_parcel (self, &parcel);
}

/* The leg that is not this one, if it has nothing that has arrived: at now, which was
 * before that was asked. */
static void
follow_other_leg (GstAfxdpSrc *self, const GstAfxdpLeg *leg, guint64 now)
{
  guint other = !leg->number;
  AfxdpStream *stream = gst_afxdp_src_stream_of (self, other);

  if (stream && !afxdp_stream_has_more (stream))
    gst_afxdp_ordered_advance (&self->ordered, other, now);
}

/* Of both legs, in the order in which they came: so what is known of one is known of the
 * other. */
static void
put_parts (GstAfxdpSrc *self, const AfxdpBatch *batch, const GstAfxdpMake *make,
    guint64 now)
{
  AfxdpBatch part;

  for (guint i = 0; i < batch->n; i += part.n) {
    guint leg = gst_afxdp_split_part (&self->split, batch, i, &part);

    gst_afxdp_ordered_put (&self->ordered, leg, self->stream, &part, make, now);
    gst_afxdp_ordered_advance (
        &self->ordered, !leg, MIN (part.packets[part.n - 1].arrival, now));
  }
}

/* Puts a batch where create() finds it. */
static void
hold (
    GstAfxdpSrc *self, const GstAfxdpLeg *leg, AfxdpBatch *batch, guint not_rtp)
{
  guint64 now;
  gboolean awaited = gst_afxdp_negotiation_is_waiting (&self->negotiation);
  GstAfxdpMake make = {
    .only_rtp = self->negotiation.are_rtp ||
        (awaited &&
            (batch->n > 1 || self->negotiation.wish == GST_AFXDP_WISH_RTP)),
    .mtu = self->active.mtu,
    .senders = self->active.retrieve_sender_address ? &self->senders : NULL,
  };

  if (make.only_rtp && not_rtp)
    gst_afxdp_report_kept_back (self->report, batch);
  if (!gst_afxdp_ordered_is_on (&self->ordered)) {
    hold_batch (self, batch, &make, not_rtp);
    return;
  }
  now = afxdp_now ();
  if (G_UNLIKELY (self->split.on))
    put_parts (self, batch, &make, now);
  else
    gst_afxdp_ordered_put (
        &self->ordered, leg->number, leg->stream, batch, &make, now);
  follow_other_leg (self, leg, now);
  hold_ordered (self);
}

/* Ends the stream with its one error: of GST_FLOW_ERROR the base class would make
 * another one. */
static GstFlowReturn
fail (GstAfxdpSrc *self, const GstAfxdpLeg *leg)
{
  for (guint i = 0; i < GST_AFXDP_LEGS; i++)
    if (self->legs[i].stream)
      afxdp_stream_close_path (self->legs[i].stream);
  GST_ELEMENT_ERROR (self, RESOURCE, READ,
      ("%s.", afxdp_stream_error (leg->stream)->message),
      ("recvmmsg() cannot receive from the UDP socket any more; the stream "
       "ends."));
  return GST_FLOW_EOS;
}

/* Asks downstream, or tells it, which may take long. Returns when to come again in
 * due. */
static GstFlowReturn
follow_negotiation (GstAfxdpSrc *self, guint64 *due)
{
  GstFlowReturn flow;

  *due = G_MAXUINT64;
  if (G_LIKELY (self->negotiation.decided))
    return GST_FLOW_OK;
  gst_afxdp_stall_pushing (&self->stall);
  flow =
      gst_afxdp_negotiation_follow (&self->negotiation, self->active.caps, due);
  gst_afxdp_stall_returned (&self->stall);
  return flow;
}

/* Does what is due before packets are received. */
static GstFlowReturn
look_around (GstAfxdpSrc *self, GstAfxdpLeg *leg, guint64 *due)
{
  GstFlowReturn flow;
  guint64 caps_due;

  follow_legs (self);
  follow_settings (self);
  follow_downstream (self);
  gst_afxdp_src_follow_interfaces (self, leg);
  flow = follow_negotiation (self, &caps_due);
  *due = MIN (gst_afxdp_src_tell (self), caps_due);
  return flow;
}

static GstFlowReturn
decide_caps (GstAfxdpSrc *self, const AfxdpBatch *batch)
{
  GstFlowReturn flow;

  gst_afxdp_stall_pushing (&self->stall);
  flow = gst_afxdp_negotiation_decide (
      &self->negotiation, self->active.caps, batch);
  gst_afxdp_stall_returned (&self->stall);
  if (self->negotiation.decided)
    GST_INFO_OBJECT (self, "caps %" GST_PTR_FORMAT, self->negotiation.current);
  if (self->negotiation.are_rtp)
    gst_afxdp_report_dropped (self->report, AFXDP_COLUMN_KEPT_BACK,
        gst_afxdp_backlog_drop_not_rtp (&self->backlog));
  return flow;
}

/* Returns how many packets are not RTP. */
static guint
count_parts (GstAfxdpSrc *self, const AfxdpBatch *batch)
{
  guint not_rtp = 0;
  AfxdpBatch part;

  gst_afxdp_split_look (&self->split, batch);
  for (guint i = 0; i < batch->n; i += part.n) {
    guint leg = gst_afxdp_split_part (&self->split, batch, i, &part);

    not_rtp += gst_afxdp_report_count (self->legs[leg].report, &part);
  }
  return not_rtp;
}

/* By the clock rate that the caps tell. */
static guint
count (GstAfxdpSrc *self, const GstAfxdpLeg *leg, const AfxdpBatch *batch)
{
  if (G_UNLIKELY (self->split.on))
    return count_parts (self, batch);
  return gst_afxdp_report_count (
      self->is_by_leg ? leg->report : self->report, batch);
}

/* Turns a batch into a parcel, or says why not. */
static GstFlowReturn
take_batch (GstAfxdpSrc *self, GstAfxdpLeg *leg, AfxdpBatch *batch)
{
  GstFlowReturn flow =
      self->negotiation.decided ? GST_FLOW_OK : decide_caps (self, batch);
  guint not_rtp = count (self, leg, batch);

  if (flow == GST_FLOW_OK)
    hold (self, leg, batch, not_rtp);
  else
    gst_afxdp_report_dropped (self->report, AFXDP_COLUMN_DISCARDED, batch->n);
  afxdp_stream_done (leg->stream);
  return flow;
}

static gboolean
has_parcel (GstAfxdpSrc *self)
{
  return self->backlog.n &&
      !gst_afxdp_negotiation_is_waiting (&self->negotiation);
}

/* When what waits for a missing packet does so no longer. */
static guint64
ordered_due (GstAfxdpSrc *self)
{
  return gst_afxdp_ordered_is_on (&self->ordered)
      ? gst_afxdp_ordered_due (&self->ordered)
      : G_MAXUINT64;
}

/* Nothing has come of what arrived before since; or nothing will come any more. Returns
 * FALSE when that is the end. */
static gboolean
follow_silence (GstAfxdpSrc *self, const GstAfxdpLeg *leg, guint64 since)
{
  gboolean over = afxdp_stream_error (leg->stream) != NULL;

  if (over ? self->ordered.n_held > 0 : since >= ordered_due (self)) {
    if (over) {
      gst_afxdp_ordered_release (&self->ordered);
    } else {
      gst_afxdp_ordered_advance (&self->ordered, leg->number, since);
      follow_other_leg (self, leg, since);
    }
    hold_ordered (self);
    return TRUE;
  }
  /* Nothing is due by that, but it may be silent. */
  if (!over && self->is_by_leg && gst_afxdp_ordered_is_on (&self->ordered))
    gst_afxdp_ordered_advance (&self->ordered, leg->number, since);
  return !over;
}

/* Does what is due, and takes the next batch, unless something is due before or
 * there is none now (wait). */
static GstFlowReturn
receive_batch (GstAfxdpSrc *self, GstAfxdpLeg *leg, gboolean wait, guint64 *due)
{
  GstFlowReturn flow = look_around (self, leg, due);
  guint64 wait_until = 0, since = 0;
  GstClockTime timeout;
  AfxdpBatch batch;

  if (flow != GST_FLOW_OK || has_parcel (self))
    return flow;
  if (G_UNLIKELY (gst_afxdp_ordered_n_ready (&self->ordered))) {
    hold_ordered (self);
    return flow;
  }
  if (wait && !gst_afxdp_gate_pass (&self->gate, FALSE))
    return GST_FLOW_FLUSHING;
  timeout = self->active.timeout;
  if (gst_afxdp_ordered_is_on (&self->ordered)) {
    *due = MIN (*due, ordered_due (self));
    since = afxdp_now ();
  }
  if (wait)
    wait_until = MIN (*due, gst_afxdp_timeout_due (&self->timeout, timeout));
  else if (gst_afxdp_timeout_is_over (&self->timeout, timeout))
    /* What came while this thread was with others need not be known yet. */
    afxdp_stream_look_into_socket (leg->stream);
  if (!afxdp_stream_receive (
          leg->stream, &batch, most_packets (self), wait_until)) {
    if (!follow_silence (self, leg, since))
      return fail (self, leg);
    /* A pause that ends the wait is no silence. */
    if (gst_afxdp_gate_is_open (&self->gate))
      *due = MIN (*due,
          gst_afxdp_timeout_check (
              &self->timeout, GST_ELEMENT (self), timeout));
    return GST_FLOW_OK;
  }
  gst_afxdp_timeout_restart (&self->timeout);
  *due = MIN (*due, gst_afxdp_timeout_due (&self->timeout, timeout));
  /* What changed while it waited holds for what it waited for. */
  follow_settings (self);
  follow_downstream (self);
  flow = take_batch (self, leg, &batch);
  *due = MIN (*due, ordered_due (self));
  return flow;
}

/* When nobody will read any more. */
static GstFlowReturn
close_path_at_end (GstAfxdpSrc *self, GstFlowReturn flow)
{
  for (guint i = 0; i < GST_AFXDP_LEGS && flow == GST_FLOW_NOT_NEGOTIATED; i++)
    if (self->legs[i].stream)
      afxdp_stream_close_path (self->legs[i].stream);
  return flow;
}

GstFlowReturn
gst_afxdp_src_receive (GstAfxdpSrc *self)
{
  GstFlowReturn flow = GST_FLOW_OK;
  guint64 due;

  gst_afxdp_timeout_restart (&self->timeout);
  while (flow == GST_FLOW_OK && !has_parcel (self))
    flow = receive_batch (self, &self->legs[0], TRUE, &due);
  return close_path_at_end (self, flow);
}

GstFlowReturn
gst_afxdp_src_receive_now (
    GstAfxdpSrc *self, GstAfxdpLeg *leg, guint64 *due, gboolean *ready)
{
  GstFlowReturn flow = GST_FLOW_OK;

  /* The base class ends it. */
  *ready = self->packets_left == 0;
  if (*ready)
    return GST_FLOW_OK;
  if (!has_parcel (self))
    flow = receive_batch (self, leg, FALSE, due);
  *ready = flow != GST_FLOW_OK || has_parcel (self);
  return close_path_at_end (self, flow);
}
