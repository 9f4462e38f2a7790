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
 * `GstAfxdpSrcStats`, every #GstAfxdpSrc:stats-interval: the fields of
 * #GstAfxdpSrc:stats, and `delta`, a structure with the change of each counter
 * since the last such message (gint64: a late packet takes its loss back).
 */
#include "gstafxdpsrc.h"

#include <gio/gio.h>

#include "clock.h"
#include "error.h"
#include "gstafxdpbuffers.h"
#include "gstafxdpcaps.h"
#include "gstafxdpenums.h"
#include "gstafxdpgate.h"
#include "gstafxdpopen.h"
#include "gstafxdpreport.h"
#include "gstafxdpsettings.h"
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
  AfxdpStream *stream;    /* NULL -> READY to READY -> NULL */
  AfxdpDoor current_door; /* object lock */

  GstAfxdpGate gate;

  /* The streaming thread's own. */
  GstAfxdpSettings active;
  GstMiniObject *held; /* a batch on its way to the base class */
  GstAfxdpYield held_yield;
  AfxdpDoor held_door;
  GstAfxdpCaps caps;
  GstAfxdpTiming timing;
  guint64 next_stats;
  gboolean mode_unposted;
  AfxdpDoorChange unposted;
};

enum
{
  PROP_CURRENT_MODE = GST_AFXDP_N_SETTINGS,
  PROP_STATS,
};

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE (
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

static void gst_afxdp_src_uri_handler_init (gpointer iface, gpointer data);

G_DEFINE_TYPE_WITH_CODE (GstAfxdpSrc, gst_afxdp_src, GST_TYPE_PUSH_SRC,
    G_IMPLEMENT_INTERFACE (
        GST_TYPE_URI_HANDLER, gst_afxdp_src_uri_handler_init))
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
  GST_OBJECT_UNLOCK (self);
}

/* URI. */

static GstURIType
gst_afxdp_src_uri_get_type (GType type)
{
  return GST_URI_SRC;
}

/* Not udp: that would take every udp:// URI away from udpsrc. */
static const gchar *const *
gst_afxdp_src_uri_get_protocols (GType type)
{
  static const gchar *const protocols[] = { "afxdp", NULL };

  return protocols;
}

static gchar *
gst_afxdp_src_uri_get_uri (GstURIHandler *handler)
{
  GstAfxdpSrc *self = GST_AFXDP_SRC (handler);
  gchar *uri;

  GST_OBJECT_LOCK (self);
  uri = gst_afxdp_settings_get_uri (&self->settings);
  GST_OBJECT_UNLOCK (self);
  return uri;
}

static gboolean
gst_afxdp_src_uri_set_uri (
    GstURIHandler *handler, const gchar *uri, GError **error)
{
  GstAfxdpSrc *self = GST_AFXDP_SRC (handler);
  gboolean done;

  GST_OBJECT_LOCK (self);
  done = gst_afxdp_settings_set_uri (&self->settings, uri, error);
  GST_OBJECT_UNLOCK (self);
  return done;
}

static void
gst_afxdp_src_uri_handler_init (gpointer iface, gpointer data)
{
  GstURIHandlerInterface *handler = iface;

  handler->get_type = gst_afxdp_src_uri_get_type;
  handler->get_protocols = gst_afxdp_src_uri_get_protocols;
  handler->get_uri = gst_afxdp_src_uri_get_uri;
  handler->set_uri = gst_afxdp_src_uri_set_uri;
}

/* Opening and closing: NULL -> READY and READY -> NULL. */

static void
warn_about_stream (GstAfxdpSrc *self)
{
  const AfxdpNetdev *netdev = afxdp_stream_netdev (self->stream);
  guint granted = afxdp_stream_buffer_size (self->stream);

  if (granted < (guint) self->active.buffer_size)
    GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS,
        ("The kernel granted %u bytes of socket buffer instead of %d.", granted,
            self->active.buffer_size),
        ("Raise the sysctl net.core.rmem_max, or give CAP_NET_ADMIN."));
  if (netdev && !netdev->up)
    GST_ELEMENT_WARNING (self, RESOURCE, READ,
        ("The interface %s is down: nothing arrives until it is up.",
            netdev->name),
        (NULL));
}

/* Takes the settings over, and those of the SDP file among them. */
static gboolean
take_settings (GstAfxdpSrc *self, GError **error)
{
  gboolean taken;

  gst_afxdp_settings_clear (&self->active);
  GST_OBJECT_LOCK (self);
  gst_afxdp_settings_copy (&self->active, &self->settings);
  self->caps_changed = FALSE;
  GST_OBJECT_UNLOCK (self);
  g_atomic_int_set (&self->settings_changed, FALSE);
  taken = gst_afxdp_settings_read_sdp (&self->active, error);
  GST_OBJECT_LOCK (self);
  gst_caps_replace (&self->settings.sdp_caps, self->active.sdp_caps);
  GST_OBJECT_UNLOCK (self);
  return taken;
}

static gboolean
gst_afxdp_src_open (GstAfxdpSrc *self)
{
  g_autoptr (GError) error = NULL;
  AfxdpStream *stream = NULL;

  gst_afxdp_report_reset (self->report, afxdp_now ());
  if (take_settings (self, &error))
    stream = gst_afxdp_open_stream (&self->active, &error);
  g_mutex_lock (&self->stream_lock);
  self->stream = stream;
  g_mutex_unlock (&self->stream_lock);
  gst_afxdp_gate_set_stream (&self->gate, stream);
  if (!stream) {
    gst_element_message_full (GST_ELEMENT (self), GST_MESSAGE_ERROR,
        GST_RESOURCE_ERROR, gst_afxdp_resource_error (error),
        g_strdup (error->message),
        g_strdup_printf ("address %s, port %d, multicast-iface %s, mode %s, "
                         "sdp-location %s",
            self->active.address, self->active.port,
            self->active.multicast_iface ? self->active.multicast_iface : "any",
            gst_afxdp_enum_nick (GST_TYPE_AFXDP_MODE, self->active.mode),
            self->active.sdp_location ? self->active.sdp_location : "none"),
        __FILE__, GST_FUNCTION, __LINE__);
    return FALSE;
  }
  warn_about_stream (self);
  return TRUE;
}

static void
set_current_door (GstAfxdpSrc *self, AfxdpDoor door)
{
  gboolean changed;

  GST_OBJECT_LOCK (self);
  changed = self->current_door != door;
  self->current_door = door;
  GST_OBJECT_UNLOCK (self);
  if (changed)
    g_object_notify (G_OBJECT (self), "current-mode");
}

static void
gst_afxdp_src_close (GstAfxdpSrc *self)
{
  AfxdpStreamCounts counts = { 0 };
  AfxdpStream *stream;

  g_mutex_lock (&self->stream_lock);
  gst_afxdp_gate_set_stream (&self->gate, NULL);
  stream = g_steal_pointer (&self->stream);
  g_mutex_unlock (&self->stream_lock);
  if (!stream)
    return;
  afxdp_stream_close (stream, &counts);
  gst_afxdp_report_set_stream_counts (self->report, &counts);
  gst_afxdp_report_dropped (
      self->report, AFXDP_COLUMN_DISCARDED, counts.discarded);
  gst_afxdp_report_advance (self->report, G_MAXUINT64);
  gst_afxdp_report_forget_messages (self->report);
  set_current_door (self, AFXDP_DOOR_NONE);
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
  gst_afxdp_caps_clear (&self->caps);
  return TRUE;
}

static gboolean
gst_afxdp_src_stop (GstBaseSrc *base)
{
  GstAfxdpSrc *self = GST_AFXDP_SRC (base);

  drop_held (self);
  afxdp_door_change_clear (&self->unposted);
  self->mode_unposted = FALSE;
  /* A streaming thread that was blocked downstream could not. */
  afxdp_stream_close_door (self->stream);
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

  /* A flush may begin running time anew. */
  self->timing.last = 0;
  gst_afxdp_gate_set_flushing (&self->gate, FALSE);
  return TRUE;
}

static GstPadProbeReturn
note_push (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstAfxdpSrc *self = user_data;

  gst_afxdp_gate_handed_over (&self->gate);
  return GST_PAD_PROBE_OK;
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

/* A packet waits for others up to coalesce. */
static gboolean
gst_afxdp_src_query (GstBaseSrc *base, GstQuery *query)
{
  GstAfxdpSrc *self = GST_AFXDP_SRC (base);
  GstClockTime latency;

  if (GST_QUERY_TYPE (query) != GST_QUERY_LATENCY)
    return GST_BASE_SRC_CLASS (gst_afxdp_src_parent_class)->query (base, query);
  GST_OBJECT_LOCK (self);
  latency = self->settings.coalesce;
  GST_OBJECT_UNLOCK (self);
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

/* Returns FALSE when downstream refuses those of the property. */
static gboolean
decide_caps (GstAfxdpSrc *self, const AfxdpBatch *batch)
{
  g_autofree gchar *problem = NULL;

  if (!gst_afxdp_caps_decide (&self->caps, self->active.caps,
          GST_BASE_SRC_PAD (self), batch, &problem))
    return FALSE;
  if (problem)
    GST_ELEMENT_WARNING (
        self, STREAM, FORMAT, ("%s.", problem), ("No caps are set."));
  if (!self->caps.current)
    return TRUE;
  GST_INFO_OBJECT (self, "caps %" GST_PTR_FORMAT, self->caps.current);
  if (self->caps.are_rtp)
    tell_clock_rate (self, gst_caps_get_structure (self->caps.current, 0));
  return gst_base_src_set_caps (GST_BASE_SRC (self), self->caps.current);
}

/* What is told: between two batches, with no lock held. */

static void
tell_door (GstAfxdpSrc *self)
{
  const AfxdpNetdev *netdev = afxdp_stream_netdev (self->stream);
  AfxdpDoorChange change;

  if (afxdp_stream_door_changed (self->stream, &change)) {
    GST_INFO_OBJECT (self, "%s", change.reason);
    gst_afxdp_report_set_door (self->report, &change);
    set_current_door (self, change.door);
    if (change.error && self->active.mode == AFXDP_MODE_AF_XDP)
      GST_ELEMENT_WARNING (self, RESOURCE, READ, ("%s.", change.reason),
          ("mode is af-xdp, and the socket is used in the meantime."));
    afxdp_door_change_clear (&self->unposted);
    self->unposted = change;
    self->mode_unposted = TRUE;
  }
  if (self->mode_unposted)
    self->mode_unposted = !gst_afxdp_report_post_mode (
        self->report, &self->unposted, netdev ? netdev->name : "");
}

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
    if (interval)
      gst_afxdp_report_post_stats (self->report);
  }
  /* Without messages the rates are still measured. */
  if (!interval)
    interval = GST_SECOND;
  self->next_stats =
      interval < G_MAXUINT64 - now ? now + interval : G_MAXUINT64;
}

/* Does what is due. Returns when something will be, or when a setting is looked
 * at again that may have changed. */
static guint64
tell (GstAfxdpSrc *self)
{
  guint64 now = afxdp_now ();
  guint64 gap_due = gst_afxdp_report_advance (self->report, now);
  guint64 due;

  tell_door (self);
  tell_stats (self, now);
  due = MIN (self->next_stats, now + GST_SECOND);
  return gap_due ? MIN (gap_due, due) : due;
}

/* Buffers. */

/* Turns a batch into what create() returns. */
static void
hold (GstAfxdpSrc *self, AfxdpBatch *batch, guint not_rtp)
{
  gst_afxdp_timing_read (&self->timing, GST_ELEMENT (self));
  self->held = gst_afxdp_buffers_make (self->stream, batch, self->caps.are_rtp,
      not_rtp, &self->timing, &self->held_yield);
  self->held_door = batch->door;
  if (self->caps.are_rtp)
    gst_afxdp_report_dropped (self->report, AFXDP_COLUMN_KEPT_BACK, not_rtp);
}

/* num-buffers counts packets; the base class counted one for this call. */
static guint
most_packets (GstAfxdpSrc *self)
{
  gint left = GST_BASE_SRC (self)->num_buffers_left;

  if (left < 0)
    return self->active.batch_size;
  return MIN (self->active.batch_size, (guint) left + 1);
}

/* Receives until there is something to deliver, in held. */
static GstFlowReturn
receive (GstAfxdpSrc *self)
{
  while (!self->held) {
    guint64 due;
    AfxdpBatch batch;
    guint not_rtp;
    gboolean accepted;

    follow_settings (self);
    due = tell (self);
    if (!gst_afxdp_gate_pass (&self->gate, FALSE))
      return GST_FLOW_FLUSHING;
    if (!afxdp_stream_receive (self->stream, &batch, most_packets (self), due))
      continue;
    /* What was set while it waited holds for what it waited for. */
    follow_settings (self);
    accepted = self->caps.decided || decide_caps (self, &batch);
    /* By the clock rate that the caps tell. */
    not_rtp = gst_afxdp_report_count (self->report, &batch);
    if (accepted)
      hold (self, &batch, not_rtp);
    else
      gst_afxdp_report_dropped (self->report, AFXDP_COLUMN_DISCARDED, batch.n);
    afxdp_stream_done (self->stream);
    if (!accepted) {
      /* Nobody will read any more. */
      afxdp_stream_close_door (self->stream);
      return GST_FLOW_NOT_NEGOTIATED;
    }
  }
  return GST_FLOW_OK;
}

static GstFlowReturn
gst_afxdp_src_create (GstPushSrc *push, GstBuffer **buffer)
{
  GstAfxdpSrc *self = GST_AFXDP_SRC (push);
  GstBaseSrc *base = GST_BASE_SRC (push);
  GstFlowReturn flow = receive (self);

  /* The last look before the base class takes over. */
  if (flow == GST_FLOW_OK && !gst_afxdp_gate_pass (&self->gate, TRUE))
    flow = GST_FLOW_FLUSHING;
  if (flow != GST_FLOW_OK) {
    /* The base class counted this call, and will count the next one. */
    if (base->num_buffers_left >= 0)
      base->num_buffers_left++;
    return flow;
  }
  if (base->num_buffers_left > 0)
    base->num_buffers_left -= self->held_yield.n - 1;
  gst_afxdp_report_delivered (self->report, self->held_door, &self->held_yield);
  if (GST_IS_BUFFER_LIST (self->held))
    gst_base_src_submit_buffer_list (
        base, GST_BUFFER_LIST_CAST (g_steal_pointer (&self->held)));
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
    gst_afxdp_gate_wait_for_handing_over (&self->gate, GST_BASE_SRC_PAD (self));
  } else if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING) {
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
gst_afxdp_src_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstAfxdpSrc *self = GST_AFXDP_SRC (object);
  g_autoptr (GError) error = NULL;

  GST_OBJECT_LOCK (self);
  gst_afxdp_settings_set (&self->settings, id, value, &error);
  self->caps_changed |= id == GST_AFXDP_PROP_CAPS;
  GST_OBJECT_UNLOCK (self);
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

  if (id == PROP_STATS) {
    g_value_take_boxed (value, get_stats (self));
    return;
  }
  GST_OBJECT_LOCK (self);
  if (id == PROP_CURRENT_MODE)
    g_value_set_enum (value, self->current_door);
  else
    gst_afxdp_settings_get (&self->settings, id, value);
  GST_OBJECT_UNLOCK (self);
}

static void
gst_afxdp_src_finalize (GObject *object)
{
  GstAfxdpSrc *self = GST_AFXDP_SRC (object);

  gst_afxdp_settings_clear (&self->settings);
  gst_afxdp_settings_clear (&self->active);
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
  g_mutex_init (&self->stream_lock);
  gst_afxdp_gate_init (&self->gate);
  gst_base_src_set_live (base, TRUE);
  gst_base_src_set_format (base, GST_FORMAT_TIME);
  gst_base_src_set_do_timestamp (base, TRUE);
  gst_pad_add_probe (GST_BASE_SRC_PAD (base),
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, note_push,
      self, NULL);
}

#define READ_ONLY (G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)

static void
install_properties (GObjectClass *klass)
{
  gst_afxdp_settings_install (klass);
  g_object_class_install_property (klass, PROP_CURRENT_MODE,
      g_param_spec_enum ("current-mode", "Current Mode",
          "The way of reception in use now", GST_TYPE_AFXDP_CURRENT_MODE,
          AFXDP_DOOR_NONE, READ_ONLY));
  g_object_class_install_property (klass, PROP_STATS,
      g_param_spec_boxed ("stats", "Statistics",
          "Totals since READY, kept after stop", GST_TYPE_STRUCTURE,
          READ_ONLY));
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
  install_properties (object_class);

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
  base_class->query = gst_afxdp_src_query;
  base_class->decide_allocation = gst_afxdp_src_decide_allocation;
  GST_PUSH_SRC_CLASS (klass)->create = gst_afxdp_src_create;
}
