/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The element: properties, URI, states, caps, buffers. What receives is in rx/.
 */

/**
 * SECTION:element-afxdpsrc
 * @title: afxdpsrc
 * @short_description: receives RTP over UDP through AF_XDP
 *
 * afxdpsrc is a live source that receives RTP over UDP, usually multicast,
 * through Linux AF_XDP sockets, and through an ordinary kernel socket wherever
 * AF_XDP cannot be had. It takes #udpsrc's place in a pipeline.
 *
 * Both ways are open at the same time. Packets that the XDP program does not
 * redirect, for whatever reason, reach the stream through the socket. Which way
 * is in use is in #GstAfxdpSrc:current-mode and in the messages below; it
 * changes while playing when it has to, and back by itself.
 *
 * AF_XDP needs CAP_NET_RAW, CAP_BPF and CAP_NET_ADMIN. Without them the socket
 * is used, and the message names the one that is missing.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 -m afxdpsrc multicast-group=239.1.1.1 port=5000 ! rtpjitterbuffer ! rtpmp2tdepay ! filesink location=programme.ts
 * ]|
 * Receives an MPEG transport stream, and prints the messages of the element.
 *
 * ## Sources
 *
 * #GstAfxdpSrc:multicast-source says from which senders a multicast group is
 * received (source-specific multicast): `+10.0.0.1+10.0.0.2` only from these,
 * `-10.0.0.1` from all but this one. In a URI it is the query,
 * `afxdp://232.1.1.1:5000?multicast-source=+10.0.0.1`. The kernel's socket joins
 * with these sources (IGMPv3, MLDv2), and the XDP program redirects nothing of
 * others. That holds with #GstAfxdpSrc:auto-multicast off too, where nothing is
 * joined; what then reaches the socket from others is counted as `malformed`.
 * So are, with #GstAfxdpSrc:verify-checksum, packets with a wrong UDP checksum.
 *
 * ## Caps
 *
 * #GstAfxdpSrc:caps sets them, also while playing, and so does the query of a URI,
 * `afxdp://239.1.1.1:5000?encoding-name=H264`, as rtpsrc has it; other keys are
 * `media`, `encoding-params`, `clock-rate`, `payload`. Otherwise they come from the
 * first packet: of a static payload type by RFC 3551's table, of a dynamic one by
 * what the depayloader downstream wants. A clock rate is never invented: without
 * caps, as of #udpsrc, the packets are pushed as they are. `caps=ANY` asks for
 * that. Once caps are application/x-rtp, what is neither RTP nor RTCP is counted
 * as `kept-back` and not pushed.
 *
 * ## Session descriptions
 *
 * #GstAfxdpSrc:sdp-location names an SDP file (RFC 8866), which is read at NULL →
 * READY: address, port, senders (`a=source-filter`, RFC 4570) and caps of the
 * first of its media that is RTP/AVP, RTP/AVPF or udp and has a port, or of the
 * one that `#m=N` behind the name tells, counted from 0. Of the legs of ST 2022-7
 * (`a=group:DUP`) it is the first. Properties that are set after sdp-location, or
 * a URI, win over the file, those that are set before do not. Of several payload
 * types the caps are those of the first packet; udp has none. The senders are those
 * of a multicast group: with a unicast address they are left aside.
 * |[
 * gst-launch-1.0 afxdpsrc sdp-location=camera.sdp ! rtpjitterbuffer ! rtpvrawdepay ! fakesink
 * ]|
 *
 * ## Buffers
 *
 * Each buffer is the payload of one UDP datagram. PTS and DTS are the running
 * time at which the packet arrived: when the XDP program saw it, or when the
 * kernel's socket took it. Up to #GstAfxdpSrc:batch-size packets are pushed as
 * one #GstBufferList; pad probes of type %GST_PAD_PROBE_TYPE_BUFFER do not see
 * lists, so set batch-size to 1 where such a probe must see every packet.
 *
 * With #GstAfxdpSrc:retrieve-sender-address each has a #GstNetAddressMeta with
 * address and port of its sender, whichever way it came.
 *
 * #GstAfxdpSrc:skip-first-bytes are left out at the beginning of each datagram, and
 * RTP begins behind them. Datagrams through the socket that are longer than
 * #GstAfxdpSrc:mtu come whole, in two memories; through AF_XDP a buffer is always
 * one memory.
 *
 * ## In udpsrc's place
 *
 * All properties of #udpsrc are here, with its names, types, ranges and defaults,
 * but for #GstAfxdpSrc:uri, whose scheme is afxdp. It is otherwise in these:
 *
 * * Timestamps are always those of arrival. #GstAfxdpSrc:socket-timestamp,
 *   `disabled` by default (what gst-inspect-1.0 shows for a new udpsrc too), adds
 *   only that buffers have them even when #GstBaseSrc:do-timestamp is off.
 * * #GstAfxdpSrc:buffer-size 0 asks for 16 MiB, and not for the host's default.
 * * A datagram shorter than #GstAfxdpSrc:skip-first-bytes is dropped and counted as
 *   `malformed`; it does not end the stream.
 * * Packets may wait for others, for #GstAfxdpSrc:coalesce, which is told as latency:
 *   1 ms by default, where more than some 3,000 come in a second. 0: none waits.
 * * A #GstAfxdpSrc:timeout of less than a millisecond counts as one.
 * * A socket given by #GstAfxdpSrc:socket is not closed when going to READY fails.
 *   AF_XDP is used for the address that it is bound to, or, when that is any
 *   address, for the group in #GstAfxdpSrc:address.
 *
 * #GstAfxdpSrc:used-socket is there from READY to NULL, for sending (RTCP, for one).
 * When nobody gave it, it is closed with the element, whoever holds it.
 *
 * With several names in #GstAfxdpSrc:multicast-iface the group is received on all
 * these interfaces, through the socket alone.
 *
 * ## Messages
 *
 * Element messages, of each type at most 8 that the application has not read:
 *
 * `GstAfxdpSrcMode`, when the way in use changes, the first choice included:
 *
 * * `mode`, `previous-mode` (string): "none", "af-xdp" or "socket"
 * * `interface` (string): the network interface, "" when it is not known
 * * `xdp-mode` (string): "native", "generic", or "none" with the socket
 * * `queues` (array of int): RX queues with an AF_XDP socket
 * * `zero-copy` (boolean): whether the driver writes to the frames itself
 * * `reason` (string): a sentence
 *
 * `GstAfxdpSrcGap`, when RTP packets are missing for good: after 100 later ones or
 * 100 ms. At most one gap in #GstAfxdpSrc:gap-interval, with a message for each
 * place where some of its packets were lost:
 *
 * * `ssrc`, `payload-type` (guint)
 * * `first-missing` (guint): extended sequence number of the first one
 * * `missing` (guint64): how many
 * * `running-time` (guint64): when the next packet showed it
 * * `where` (string): "network", "nic", "rx-ring", "fill-ring", "redirect",
 *   "socket-buffer", "paused" or "unknown"; docs/statistics.md explains each
 * * `previous-size`, `next-size` (guint): bytes of the packets on both sides
 * * `previous-marker` (boolean): the marker bit of the one before
 * * `suppressed` (guint64): gaps not told since the last message
 *
 * `GstAfxdpSrcStats`, every #GstAfxdpSrc:stats-interval: the fields of
 * #GstAfxdpSrc:stats, and `delta`, a structure with the change of each counter
 * since the last such message (gint64: a late packet takes its loss back).
 *
 * `GstUDPSrcTimeout`, when nothing came for #GstAfxdpSrc:timeout, and each time that
 * it passes again: `timeout` (guint64), as it was set.
 */
#include "gstafxdpsrc.h"

#include <gio/gio.h>

#include "clock.h"
#include "gstafxdpbuffers.h"
#include "gstafxdpcaps.h"
#include "gstafxdpenums.h"
#include "gstafxdpgaps.h"
#include "gstafxdpgate.h"
#include "gstafxdpmode.h"
#include "gstafxdpopen.h"
#include "gstafxdpreport.h"
#include "gstafxdpsettings.h"
#include "gstafxdptimeout.h"
#include "gstafxdpuri.h"
#include "stream.h"

GST_DEBUG_CATEGORY_STATIC (afxdp_src_debug);
#define GST_CAT_DEFAULT afxdp_src_debug

struct _GstAfxdpSrc
{
  GstPushSrc parent;

  GstAfxdpSettings settings; /* object lock */
  gint settings_changed;     /* atomic: what may change while playing did */
  gboolean caps_changed;     /* object lock: so did caps */

  GstAfxdpReport *report;

  /* Protects the pointer: readers of stats against the state change that
   * closes the stream. Outside all others. */
  GMutex stream_lock;
  AfxdpStream *stream; /* NULL -> READY to READY -> NULL */
  GstAfxdpCurrentMode current_mode;

  GstAfxdpGate gate;

  /* The streaming thread's own. */
  GstAfxdpSettings active;
  gint packets_left;   /* of num-buffers, or below 0: any number */
  GstMiniObject *held; /* a batch on its way to the base class */
  GstAfxdpYield held_yield;
  AfxdpDoor held_door;
  GstAfxdpCaps caps;
  GstAfxdpTiming timing;
  GstAfxdpSenders senders;
  GstAfxdpTimeout timeout;
  GstAfxdpGaps gaps;
  guint64 next_stats;
};

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE (
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

G_DEFINE_TYPE_WITH_CODE (GstAfxdpSrc, gst_afxdp_src, GST_TYPE_PUSH_SRC,
    G_IMPLEMENT_INTERFACE (GST_TYPE_URI_HANDLER, gst_afxdp_uri_handler_init))
GST_ELEMENT_REGISTER_DEFINE (
    afxdpsrc, "afxdpsrc", GST_RANK_NONE, GST_TYPE_AFXDP_SRC)

/* Takes over what may change while playing. Streaming thread. */
static void
follow_settings (GstAfxdpSrc *self)
{
  if (!g_atomic_int_compare_and_exchange (&self->settings_changed, TRUE, FALSE))
    return;
  GST_OBJECT_LOCK (self);
  if (self->caps_changed &&
      gst_caps_replace (&self->active.caps, self->settings.caps))
    gst_afxdp_caps_clear (&self->caps);
  self->caps_changed = FALSE;
  if (self->active.stats_interval != self->settings.stats_interval)
    self->next_stats = 0;
  self->active.stats_interval = self->settings.stats_interval;
  if (self->active.timeout != self->settings.timeout)
    gst_afxdp_timeout_restart (&self->timeout);
  self->active.timeout = self->settings.timeout;
  self->active.retrieve_sender_address = self->settings.retrieve_sender_address;
  self->active.gap_interval = self->settings.gap_interval;
  GST_OBJECT_UNLOCK (self);
}

/* Opening and closing: NULL -> READY and READY -> NULL. */

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

static gboolean
gst_afxdp_src_open (GstAfxdpSrc *self)
{
  AfxdpStream *stream;

  gst_afxdp_settings_clear (&self->active);
  GST_OBJECT_LOCK (self);
  gst_afxdp_settings_copy (&self->active, &self->settings);
  self->caps_changed = FALSE;
  GST_OBJECT_UNLOCK (self);
  g_atomic_int_set (&self->settings_changed, FALSE);
  gst_afxdp_report_reset (self->report, afxdp_now ());
  gst_afxdp_gaps_reset (&self->gaps);

  stream = gst_afxdp_open (GST_ELEMENT (self), &self->active);
  /* Who asks for caps gets those of the file, too. */
  GST_OBJECT_LOCK (self);
  gst_caps_replace (&self->settings.sdp_caps, self->active.sdp_caps);
  GST_OBJECT_UNLOCK (self);
  g_mutex_lock (&self->stream_lock);
  self->stream = stream;
  g_mutex_unlock (&self->stream_lock);
  gst_afxdp_gate_set_stream (&self->gate, stream);
  if (!stream)
    return FALSE;
  if (afxdp_stream_port (stream) != self->active.port)
    tell_port (self, afxdp_stream_port (stream));
  g_object_notify (G_OBJECT (self), "used-socket");
  return TRUE;
}

static void
gst_afxdp_src_close (GstAfxdpSrc *self)
{
  AfxdpStreamCounts counts = { 0 };
  AfxdpStream *stream;
  AfxdpDrops drops;

  g_mutex_lock (&self->stream_lock);
  gst_afxdp_gate_set_stream (&self->gate, NULL);
  stream = g_steal_pointer (&self->stream);
  g_mutex_unlock (&self->stream_lock);
  if (!stream)
    return;
  afxdp_stream_close (stream, &counts, &drops);
  gst_afxdp_report_set_stream_counts (self->report, &counts);
  gst_afxdp_report_dropped (
      self->report, AFXDP_COLUMN_DISCARDED, counts.discarded);
  gst_afxdp_gaps_close (&self->gaps, &drops, &self->timing);
  gst_afxdp_gaps_reset (&self->gaps);
  gst_afxdp_report_forget_messages (self->report);
  gst_afxdp_timeout_clear (&self->timeout);
  gst_afxdp_senders_clear (&self->senders);
  g_clear_object (&self->active.socket);
  g_object_notify (G_OBJECT (self), "used-socket");
  gst_afxdp_current_mode_reset (&self->current_mode);
}

/* Drops a batch that nobody will take any more. */
static void
drop_held (GstAfxdpSrc *self)
{
  if (!self->held)
    return;
  gst_afxdp_report_dropped (
      self->report, AFXDP_COLUMN_DISCARDED, self->held_yield.n);
  g_clear_pointer (&self->held, gst_mini_object_unref);
}

static gboolean
gst_afxdp_src_start (GstBaseSrc *base)
{
  GstAfxdpSrc *self = GST_AFXDP_SRC (base);

  self->timing.last = 0;
  self->packets_left = base->num_buffers_left;
  gst_afxdp_caps_clear (&self->caps);
  return TRUE;
}

static gboolean
gst_afxdp_src_stop (GstBaseSrc *base)
{
  GstAfxdpSrc *self = GST_AFXDP_SRC (base);

  drop_held (self);
  gst_afxdp_current_mode_stop (&self->current_mode);
  /* A streaming thread that was blocked downstream could not. */
  afxdp_stream_close_door (self->stream);
  gst_afxdp_gaps_end (
      &self->gaps, self->stream, &self->timing, self->active.gap_interval);
  return TRUE;
}

/* Waking create(). */

static gboolean
gst_afxdp_src_unlock (GstBaseSrc *base)
{
  GstAfxdpSrc *self = GST_AFXDP_SRC (base);

  gst_afxdp_gate_set_flushing (&self->gate, TRUE);
  return TRUE;
}

static gboolean
gst_afxdp_src_unlock_stop (GstBaseSrc *base)
{
  GstAfxdpSrc *self = GST_AFXDP_SRC (base);

  gst_afxdp_gate_set_flushing (&self->gate, FALSE);
  return TRUE;
}

/* Caps. */

static GstCaps *
gst_afxdp_src_get_caps (GstBaseSrc *base, GstCaps *filter)
{
  GstAfxdpSrc *self = GST_AFXDP_SRC (base);
  g_autoptr (GstCaps) caps = NULL;

  GST_OBJECT_LOCK (self);
  gst_caps_replace (&caps, gst_afxdp_settings_peek_caps (&self->settings));
  GST_OBJECT_UNLOCK (self);
  if (!caps)
    caps = gst_pad_get_current_caps (GST_BASE_SRC_PAD (base));
  if (!caps)
    caps = gst_caps_new_any ();
  return filter
      ? gst_caps_intersect_full (filter, caps, GST_CAPS_INTERSECT_FIRST)
      : g_steal_pointer (&caps);
}

static gboolean
gst_afxdp_src_negotiate (GstBaseSrc *base)
{
  GstAfxdpSrc *self = GST_AFXDP_SRC (base);

  return !self->caps.current ||
      gst_base_src_set_caps (base, self->caps.current);
}

/* When downstream has changed, the base class would send an ALLOCATION query, of
 * which we have no use, and for which rtpjitterbuffer lets our thread wait until it
 * has given out all that it holds. */
static gboolean
gst_afxdp_src_event (GstBaseSrc *base, GstEvent *event)
{
  if (GST_EVENT_TYPE (event) == GST_EVENT_RECONFIGURE)
    gst_pad_check_reconfigure (GST_BASE_SRC_PAD (base));
  return GST_BASE_SRC_CLASS (gst_afxdp_src_parent_class)->event (base, event);
}

/* A packet may wait for others: as the open stream does, whatever was set since. */
static gboolean
gst_afxdp_src_query (GstBaseSrc *base, GstQuery *query)
{
  GstAfxdpSrc *self = GST_AFXDP_SRC (base);
  GstClockTime latency;

  if (GST_QUERY_TYPE (query) != GST_QUERY_LATENCY)
    return GST_BASE_SRC_CLASS (gst_afxdp_src_parent_class)->query (base, query);
  g_mutex_lock (&self->stream_lock);
  GST_OBJECT_LOCK (self);
  latency = gst_afxdp_settings_longest_sleep (
      self->stream ? &self->active : &self->settings);
  GST_OBJECT_UNLOCK (self);
  g_mutex_unlock (&self->stream_lock);
  gst_query_set_latency (query, TRUE, latency, latency);
  return TRUE;
}

/* The frames are ours: a pool that downstream offers would be activated for
 * nothing. */
static gboolean
gst_afxdp_src_decide_allocation (GstBaseSrc *base, GstQuery *query)
{
  while (gst_query_get_n_allocation_pools (query))
    gst_query_remove_nth_allocation_pool (query, 0);
  while (gst_query_get_n_allocation_params (query))
    gst_query_remove_nth_allocation_param (query, 0);
  return TRUE;
}

static void
tell_clock_rate (GstAfxdpSrc *self, const GstStructure *structure)
{
  gint payload, clock_rate;

  if (!gst_structure_get_int (structure, "clock-rate", &clock_rate))
    return;
  if (gst_structure_get_int (structure, "payload", &payload) && payload >= 0 &&
      payload < 128)
    gst_afxdp_report_set_clock_rate (self->report, payload, clock_rate);
  else
    for (payload = 0; payload < 128; payload++)
      gst_afxdp_report_set_clock_rate (self->report, payload, clock_rate);
}

/* GST_FLOW_NOT_NEGOTIATED: downstream refuses those of the property. */
static GstFlowReturn
decide_caps (GstAfxdpSrc *self, const AfxdpBatch *batch)
{
  g_autofree gchar *problem = NULL;

  if (!gst_afxdp_caps_decide (&self->caps, self->active.caps,
          GST_BASE_SRC_PAD (self), batch, &problem))
    return GST_FLOW_NOT_NEGOTIATED;
  if (problem)
    GST_ELEMENT_WARNING (
        self, STREAM, FORMAT, ("%s.", problem), ("No caps are set."));
  if (!self->caps.current)
    return GST_FLOW_OK;
  GST_INFO_OBJECT (self, "caps %" GST_PTR_FORMAT, self->caps.current);
  if (self->caps.are_rtp)
    tell_clock_rate (self, gst_caps_get_structure (self->caps.current, 0));
  if (gst_base_src_set_caps (GST_BASE_SRC (self), self->caps.current))
    return GST_FLOW_OK;
  if (!GST_PAD_IS_FLUSHING (GST_BASE_SRC_PAD (self)))
    return GST_FLOW_NOT_NEGOTIATED;
  /* The event went with the flush: again, by the next packet. */
  gst_afxdp_caps_clear (&self->caps);
  return GST_FLOW_FLUSHING;
}

/* What is told: between two batches, with no lock held. */

static void
tell_stats (GstAfxdpSrc *self, guint64 now)
{
  GstClockTime interval = self->active.stats_interval;
  AfxdpStreamCounts counts;

  if (now < self->next_stats)
    return;
  if (self->next_stats) {
    afxdp_stream_counts (self->stream, &counts);
    gst_afxdp_report_set_stream_counts (self->report, &counts);
    gst_afxdp_report_tick (self->report, now);
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

/* Takes up an interface that was removed and has come again. */
static void
follow_interfaces (GstAfxdpSrc *self)
{
  g_autoptr (GError) error = NULL;
  gboolean joined;

  if (G_LIKELY (!afxdp_stream_is_left_behind (self->stream)))
    return;
  g_mutex_lock (&self->stream_lock);
  joined = afxdp_stream_catch_up (self->stream, &error);
  g_mutex_unlock (&self->stream_lock);
  if (!joined)
    GST_ELEMENT_WARNING (self, RESOURCE, READ, ("%s.", error->message),
        ("The interface was removed, and has come again."));
}

/* Does what is due. Returns when something will be, or when a setting is looked
 * at again that may have changed. */
static guint64
tell (GstAfxdpSrc *self)
{
  guint64 now = afxdp_now ();
  guint64 gap_due = gst_afxdp_gaps_follow (
      &self->gaps, self->stream, &self->timing, self->active.gap_interval, now);
  guint64 due;

  gst_afxdp_current_mode_follow (&self->current_mode, self->stream,
      self->active.mode == AFXDP_MODE_AF_XDP);
  tell_stats (self, now);
  due = MIN (self->next_stats, now + GST_SECOND);
  return gap_due ? MIN (gap_due, due) : due;
}

/* Buffers. */

/* Turns a batch into what create() returns. */
static void
hold (GstAfxdpSrc *self, AfxdpBatch *batch, guint not_rtp)
{
  GstAfxdpMake make = {
    .only_rtp = self->caps.are_rtp,
    .mtu = self->active.mtu,
    .senders = self->active.retrieve_sender_address ? &self->senders : NULL,
  };

  gst_afxdp_timing_read (&self->timing, GST_ELEMENT (self),
      self->active.socket_timestamp == GST_AFXDP_SOCKET_TIMESTAMP_REALTIME);
  self->held = gst_afxdp_buffers_make (
      self->stream, batch, &make, not_rtp, &self->timing, &self->held_yield);
  gst_afxdp_report_handing_over (self->report, batch, afxdp_now ());
  self->held_door = batch->door;
  if (self->caps.are_rtp)
    gst_afxdp_report_dropped (self->report, AFXDP_COLUMN_KEPT_BACK, not_rtp);
}

static guint
most_packets (GstAfxdpSrc *self)
{
  if (self->packets_left < 0)
    return self->active.batch_size;
  return MIN (self->active.batch_size, (guint) self->packets_left);
}

/* Receives until there is something to deliver, in held. */
static GstFlowReturn
receive (GstAfxdpSrc *self)
{
  gst_afxdp_timeout_restart (&self->timeout);
  while (!self->held) {
    guint64 due, times_out;
    AfxdpBatch batch;
    guint not_rtp;
    GstFlowReturn flow;

    follow_settings (self);
    follow_interfaces (self);
    due = tell (self);
    if (!gst_afxdp_gate_pass (&self->gate, FALSE))
      return GST_FLOW_FLUSHING;
    times_out = gst_afxdp_timeout_check (
        &self->timeout, GST_ELEMENT (self), self->active.timeout);
    if (!afxdp_stream_receive (
            self->stream, &batch, most_packets (self), MIN (due, times_out)))
      continue;
    gst_afxdp_timeout_restart (&self->timeout);
    /* What was set while it waited holds for what it waited for. */
    follow_settings (self);
    flow = self->caps.decided ? GST_FLOW_OK : decide_caps (self, &batch);
    /* By the clock rate that the caps tell. */
    not_rtp = gst_afxdp_report_count (self->report, &batch);
    if (flow == GST_FLOW_OK)
      hold (self, &batch, not_rtp);
    else
      gst_afxdp_report_dropped (self->report, AFXDP_COLUMN_DISCARDED, batch.n);
    afxdp_stream_done (self->stream);
    /* Nobody will read any more. */
    if (flow == GST_FLOW_NOT_NEGOTIATED)
      afxdp_stream_close_door (self->stream);
    if (flow != GST_FLOW_OK)
      return flow;
  }
  return GST_FLOW_OK;
}

/* num-buffers counts packets; the base class counts calls, and which of those that
 * fail depends on its version. */
static void
count_down (GstAfxdpSrc *self, guint n)
{
  if (self->packets_left < 0)
    return;
  self->packets_left -= n;
  GST_BASE_SRC (self)->num_buffers_left = self->packets_left;
}

static GstFlowReturn
gst_afxdp_src_create (GstPushSrc *push, GstBuffer **buffer)
{
  GstAfxdpSrc *self = GST_AFXDP_SRC (push);
  GstFlowReturn flow = receive (self);

  /* The last look before the base class takes over. */
  if (flow == GST_FLOW_OK && !gst_afxdp_gate_pass (&self->gate, TRUE))
    flow = GST_FLOW_FLUSHING;
  count_down (self, flow == GST_FLOW_OK ? self->held_yield.n : 0);
  if (flow != GST_FLOW_OK)
    return flow;
  gst_afxdp_report_delivered (self->report, self->held_door, &self->held_yield);
  if (GST_IS_BUFFER_LIST (self->held))
    gst_base_src_submit_buffer_list (GST_BASE_SRC (push),
        GST_BUFFER_LIST_CAST (g_steal_pointer (&self->held)));
  else
    *buffer = GST_BUFFER_CAST (g_steal_pointer (&self->held));
  return GST_FLOW_OK;
}

/* Element and object. */

static GstStateChangeReturn
gst_afxdp_src_change_state (GstElement *element, GstStateChange transition)
{
  GstAfxdpSrc *self = GST_AFXDP_SRC (element);
  GstStateChangeReturn result;

  if (transition == GST_STATE_CHANGE_NULL_TO_READY &&
      !gst_afxdp_src_open (self))
    return GST_STATE_CHANGE_FAILURE;
  if (transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED) {
    gst_afxdp_gate_set_pausing (&self->gate, TRUE);
    gst_afxdp_gate_wait_for_handing_over (&self->gate);
  } else if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING) {
    gst_afxdp_timeout_restart (&self->timeout);
    gst_afxdp_gate_set_pausing (&self->gate, FALSE);
  }

  result = GST_ELEMENT_CLASS (gst_afxdp_src_parent_class)
               ->change_state (element, transition);

  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    gst_afxdp_gate_set_pausing (&self->gate, FALSE);
  if (transition == GST_STATE_CHANGE_READY_TO_NULL ||
      (transition == GST_STATE_CHANGE_NULL_TO_READY &&
          result == GST_STATE_CHANGE_FAILURE))
    gst_afxdp_src_close (self);
  return result;
}

static void
set_uri (GstAfxdpSrc *self, const gchar *uri, GError **error)
{
  g_autofree gchar *sources = NULL;
  gboolean other_sources;

  GST_OBJECT_LOCK (self);
  sources = g_strdup (self->settings.multicast_source);
  gst_afxdp_settings_set_uri (&self->settings, uri, error);
  other_sources = g_strcmp0 (sources, self->settings.multicast_source) != 0;
  GST_OBJECT_UNLOCK (self);
  if (other_sources)
    g_object_notify (G_OBJECT (self), "multicast-source");
}

static void
gst_afxdp_src_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstAfxdpSrc *self = GST_AFXDP_SRC (object);
  g_autoptr (GError) error = NULL;

  if (id == GST_AFXDP_PROP_URI) {
    set_uri (self, g_value_get_string (value), &error);
  } else {
    GST_OBJECT_LOCK (self);
    gst_afxdp_settings_set (&self->settings, id, value);
    self->caps_changed |= id == GST_AFXDP_PROP_CAPS;
    GST_OBJECT_UNLOCK (self);
  }
  if (id == GST_AFXDP_PROP_SKIP_FIRST_BYTES) {
    g_mutex_lock (&self->stream_lock);
    if (self->stream)
      afxdp_stream_set_skip (self->stream, g_value_get_int (value));
    g_mutex_unlock (&self->stream_lock);
  }
  g_atomic_int_set (&self->settings_changed, TRUE);
  if (error)
    g_warning ("%s: %s", GST_OBJECT_NAME (self), error->message);
}

static GstStructure *
get_stats (GstAfxdpSrc *self)
{
  AfxdpStreamCounts counts;

  g_mutex_lock (&self->stream_lock);
  if (self->stream) {
    afxdp_stream_counts (self->stream, &counts);
    gst_afxdp_report_set_stream_counts (self->report, &counts);
  }
  g_mutex_unlock (&self->stream_lock);
  return gst_afxdp_report_stats (self->report);
}

static void
gst_afxdp_src_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstAfxdpSrc *self = GST_AFXDP_SRC (object);

  if (id == GST_AFXDP_PROP_STATS) {
    g_value_take_boxed (value, get_stats (self));
    return;
  }
  if (id == GST_AFXDP_PROP_USED_SOCKET) {
    g_mutex_lock (&self->stream_lock);
    g_value_set_object (
        value, self->stream ? afxdp_stream_gsocket (self->stream) : NULL);
    g_mutex_unlock (&self->stream_lock);
    return;
  }
  if (id == GST_AFXDP_PROP_CURRENT_MODE) {
    g_value_set_enum (value, gst_afxdp_current_mode_get (&self->current_mode));
    return;
  }
  GST_OBJECT_LOCK (self);
  gst_afxdp_settings_get (&self->settings, id, value);
  GST_OBJECT_UNLOCK (self);
}

static void
gst_afxdp_src_finalize (GObject *object)
{
  GstAfxdpSrc *self = GST_AFXDP_SRC (object);

  gst_afxdp_settings_clear (&self->settings);
  gst_afxdp_settings_clear (&self->active);
  gst_afxdp_gaps_clear (&self->gaps);
  gst_afxdp_caps_clear (&self->caps);
  gst_afxdp_report_free (self->report);
  g_mutex_clear (&self->stream_lock);
  gst_afxdp_gate_clear (&self->gate);
  G_OBJECT_CLASS (gst_afxdp_src_parent_class)->finalize (object);
}

static void
gst_afxdp_src_init (GstAfxdpSrc *self)
{
  GstBaseSrc *base = GST_BASE_SRC (self);

  gst_afxdp_settings_set_defaults (G_OBJECT (self));
  self->report = gst_afxdp_report_new (GST_ELEMENT (self));
  gst_afxdp_current_mode_init (
      &self->current_mode, GST_ELEMENT (self), self->report);
  gst_afxdp_gaps_init (&self->gaps, GST_ELEMENT (self), self->report);
  g_mutex_init (&self->stream_lock);
  gst_afxdp_gate_init (&self->gate, GST_BASE_SRC_PAD (base));
  gst_afxdp_timing_init (&self->timing, GST_BASE_SRC_PAD (base));
  gst_base_src_set_live (base, TRUE);
  gst_base_src_set_format (base, GST_FORMAT_TIME);
  gst_base_src_set_do_timestamp (base, TRUE);
}

static void
gst_afxdp_src_class_init (GstAfxdpSrcClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseSrcClass *base_class = GST_BASE_SRC_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (afxdp_src_debug, "afxdpsrc", 0, "AF_XDP source");

  object_class->set_property = gst_afxdp_src_set_property;
  object_class->get_property = gst_afxdp_src_get_property;
  object_class->finalize = gst_afxdp_src_finalize;
  gst_afxdp_settings_install (object_class);

  element_class->change_state = gst_afxdp_src_change_state;
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class,
      "AF_XDP packet receiver", "Source/Network",
      "Receives RTP over UDP through AF_XDP", "The afxdpsrc authors");

  base_class->start = gst_afxdp_src_start;
  base_class->stop = gst_afxdp_src_stop;
  base_class->unlock = gst_afxdp_src_unlock;
  base_class->unlock_stop = gst_afxdp_src_unlock_stop;
  base_class->get_caps = gst_afxdp_src_get_caps;
  base_class->negotiate = gst_afxdp_src_negotiate;
  base_class->event = gst_afxdp_src_event;
  base_class->query = gst_afxdp_src_query;
  base_class->decide_allocation = gst_afxdp_src_decide_allocation;
  GST_PUSH_SRC_CLASS (klass)->create = gst_afxdp_src_create;
}
