/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The element: states, queries, what the base class asks for. Its properties are in
 * gstafxdpproperties.c, its streaming thread in gstafxdpreceive.c, what receives in rx/.
 */

/**
 * SECTION:element-afxdpsrc
 * @title: afxdpsrc
 * @short_description: receives RTP over UDP through AF_XDP
 *
 * afxdpsrc is a live source that receives RTP over UDP, usually multicast,
 * through Linux AF_XDP sockets, and through an ordinary kernel socket wherever
 * AF_XDP is not available. It takes #udpsrc's place in a pipeline.
 *
 * A stream has two paths, AF_XDP (the fast path) and the socket (the slow path),
 * and both are open at the same time. Packets that the XDP program does not redirect,
 * for whatever reason, reach the stream through the socket. #GstAfxdpSrc:current-mode
 * and the messages below say which path packets take. It changes while playing when
 * it has to, and back by itself.
 *
 * AF_XDP needs CAP_NET_RAW, CAP_BPF and CAP_NET_ADMIN. Without them the socket
 * is used, and the message names the one that is missing. Where another XDP program
 * redirects to an XSKMAP that it has pinned, #GstAfxdpSrc:xsk-map has that program used
 * in place of ours, and CAP_NET_RAW is enough.
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
 * with these sources (IGMPv3, MLDv2), and the XDP program redirects only theirs.
 * The property also holds with #GstAfxdpSrc:auto-multicast off, when nothing is
 * joined; packets of other senders that then reach the socket are counted as
 * `malformed`. So are, with #GstAfxdpSrc:verify-checksum, packets with a wrong UDP
 * checksum.
 *
 * The zone of an IPv6 address is the interface to receive on, as in `ff02::1%eth1`,
 * and in a URI `afxdp://[ff02::1%eth1]:5000` (or `%25eth1`, RFC 6874);
 * #GstAfxdpSrc:multicast-iface need not repeat it, and must not contradict it.
 * Unknown parts of a URI, and a missing port, are warnings when going to READY.
 *
 * ## Caps
 *
 * #GstAfxdpSrc:caps sets them, also while playing, and so does the query of a URI,
 * `afxdp://239.1.1.1:5000?encoding-name=H264`, as rtpsrc has it; other keys are
 * `media`, `encoding-params`, `clock-rate`, `payload`. They need not be complete: as
 * with #udpsrc, the depayloader downstream completes them, and the first RTP packet
 * decides what is still open then (payload type, clock rate).
 *
 * Where none are set, the first RTP packet decides: a static payload type has the
 * caps of RFC 3551's table, a dynamic one those that the depayloader downstream
 * wants. A clock rate is never invented: where it is not known, packets are pushed
 * without caps, as by #udpsrc. `caps=ANY` asks for that.
 *
 * Once caps are application/x-rtp, a packet that is neither RTP nor RTCP is counted
 * as `kept-back` and not pushed. RTP that is shorter than its header says is counted
 * as `kept-back-malformed`, and not pushed either. The same holds before there are
 * caps, if downstream or the property accepts only RTP: then nothing is pushed until
 * an RTP packet has decided the caps, and up to 64 RTCP packets follow it. If
 * something else is accepted too, packets are taken for that after 64 of them or a
 * second. In both cases a warning says so.
 *
 * ## Session descriptions
 *
 * #GstAfxdpSrc:sdp-location names an SDP file (RFC 8866), which is read at NULL →
 * READY. It gives address, port, senders (`a=source-filter`, RFC 4570) and caps of
 * its first stream that is RTP/AVP, RTP/AVPF or udp and has a port, or of the one
 * that `#m=N` behind the name selects, counted from 0. Of a stream over two networks it
 * gives both legs ("Two networks"). Properties or a URI that are set after
 * sdp-location win over the file; those that are set before do not. With several
 * payload types the first packet decides which one's caps are taken; udp has no caps.
 * Senders apply only to a multicast group. A name in `c=IN IP4` is resolved to an
 * IPv4 address. What cannot be read, or does not apply, is skipped, and listed in one
 * line at the debug level INFO.
 * |[
 * gst-launch-1.0 afxdpsrc sdp-location=camera.sdp ! rtpjitterbuffer ! rtpvrawdepay ! fakesink
 * ]|
 *
 * ## Order
 *
 * By default packets are pushed as they arrive. With #GstAfxdpSrc:reorder-window they
 * are pushed in the order of their RTP numbers, and each once, so that a depayloader
 * can stand directly behind the source:
 * |[
 * gst-launch-1.0 afxdpsrc sdp-location=camera.sdp reorder-window=2000000 ! rtpvrawdepay ! fakesink
 * ]|
 * The next number is pushed at once. Behind a gap packets wait until the missing ones
 * come, but no longer than the window after they arrived, and no more of them than
 * #GstAfxdpSrc:max-held-bytes and 32,767 numbers: a larger window does not help where
 * that many packets come in less time. What comes after its turn is dropped and counted
 * as `late`, and what has come before as `repeated`. The window is part of the latency
 * that is reported. Each SSRC (of up to 8) is put in order by itself; what is not RTP
 * is pushed at once. A sender that restarts is recognised, and nothing is waited for
 * then.
 *
 * Packets that wait are buffers of the stream's share of packet memory; when that is
 * used up, they are copied. PTS never runs back: that of a packet that had waited is
 * not before that of one that came late and was pushed before it.
 *
 * ## Two networks
 *
 * A stream that is sent over two networks (ST 2022-7) is received from both with
 * #GstAfxdpSrc:redundant-uri, which names the second leg: each packet is pushed once, in
 * order, whichever leg brought it first. A missing one is waited for as above, by
 * default for 10 ms: so much one network may be behind the other.
 * |[
 * gst-launch-1.0 afxdpsrc multicast-iface=eth1 multicast-group=239.1.1.1 port=5000 redundant-uri='afxdp://239.2.1.1:5000?multicast-iface=eth2' ! rtpmp2tdepay ! fakesink
 * ]|
 * An SDP file sets the second leg too, if it describes one:
 *
 * * two media that `a=group:DUP` names (RFC 7104), the first of them first, or the one
 *   that `#m=N` selects;
 * * one media with two lines `c=`, and the senders of each (`a=source-filter`);
 * * one media with `a=ssrc-group:DUP`: each leg has one of two senders in
 *   `a=source-filter`, or else one of two SSRCs. Without that line two senders may take
 *   turns, and one leg receives them all.
 *
 * What is `a=inactive`, or has port 0, is not received until the file says otherwise and
 * the element goes to READY. If #GstAfxdpSrc:redundant-uri is set after sdp-location, it
 * is the second leg, and none if it is empty. No file names interfaces: the first leg's
 * is #GstAfxdpSrc:multicast-iface, and the second one's that of a redundant-uri without
 * an address, which leaves all else to the file. If none is named there it is found by
 * routing; and the second of two media that has address, port and senders of the first is
 * not received then.
 * |[
 * gst-launch-1.0 afxdpsrc sdp-location=camera.sdp multicast-iface=eth1 redundant-uri='afxdp://?multicast-iface=eth2' ! rtpvrawdepay ! fakesink
 * ]|
 * #GstAfxdpSrc:redundant-uri may be set while playing: the new leg is opened before the
 * former one is closed, and the first leg does not notice. Empty takes the second leg away;
 * the window and the latency then stay what they are until NULL, so that the pipeline need
 * not stop for it. If the new leg cannot be opened a warning tells why, and the former
 * one stays. With sdp-location, `afxdp://?multicast-iface=NAME` reads the file again for
 * its second leg. An element that went to READY without a second leg gets one at
 * once, and posts a LATENCY message, if it has a #GstAfxdpSrc:receiver or its SDP file
 * tells of a leg that is not received; else the next time it goes to READY. It cannot be
 * set within a push or a message of the element, whose thread would wait for itself.
 *
 * Each leg is a stream of its own, with an interface, a socket and AF_XDP. If both have
 * the same interface, address and port they are one, and the sender tells which leg a
 * packet is of, or, if `multicast-source` does not differ, its SSRC. Both must have the
 * same numbers and timestamps, as the standard has it; a leg with another SSRC gets that
 * of the stream. Packets of the second leg that are not the first one's stream, or not
 * RTP, are counted as `unmatched` and not pushed. While nothing comes by one leg nothing
 * is waited for, not even what comes out of order by the other. All other properties
 * hold for both; #GstAfxdpSrc:current-mode and #GstAfxdpSrc:used-socket are
 * the first leg's. The field `legs` of #GstAfxdpSrc:stats tells what came by each, what
 * was missing there, and how far it is behind the other.
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
 * address and port of its sender, whichever path it took.
 *
 * #GstAfxdpSrc:skip-first-bytes are removed from the beginning of each datagram, and
 * RTP begins after them. Datagrams through the socket that are longer than
 * #GstAfxdpSrc:mtu come whole, in two memories; through AF_XDP a buffer is always
 * one memory.
 *
 * ## In udpsrc's place
 *
 * All properties of #udpsrc are here, with its names, types, ranges and defaults,
 * except for #GstAfxdpSrc:uri, whose scheme is afxdp. The differences are:
 *
 * * Timestamps are always those of arrival. #GstAfxdpSrc:socket-timestamp is
 *   `disabled` by default (as gst-inspect-1.0 shows for a new udpsrc too). When set,
 *   it only has buffers carry timestamps even when #GstBaseSrc:do-timestamp is off.
 * * #GstAfxdpSrc:buffer-size 0 asks for 16 MiB, not for the host's default.
 * * A datagram shorter than #GstAfxdpSrc:skip-first-bytes is dropped and counted as
 *   `malformed`; it does not end the stream.
 * * Packets may wait for others, for at most #GstAfxdpSrc:coalesce, which is reported
 *   as latency: 1 ms by default, and only above some 3,000 packets a second. 0: none
 *   waits.
 * * A #GstAfxdpSrc:timeout of less than a millisecond counts as one.
 * * A socket given by #GstAfxdpSrc:socket is not closed when going to READY fails.
 *   AF_XDP is used for the address that it is bound to, or, when that is any
 *   address, for the group in #GstAfxdpSrc:address.
 *
 * #GstAfxdpSrc:used-socket exists from READY to NULL, and may be used for sending
 * (RTCP, for example). If it is the element's own, it is closed when the element goes
 * to NULL, even if somebody still holds it. An application that shuts it down for
 * receiving ends the stream, with an error.
 *
 * With several names in #GstAfxdpSrc:multicast-iface the group is received on all
 * these interfaces, through the socket alone.
 *
 * ## Many streams
 *
 * Elements with the same #GstAfxdpSrc:receiver, in one process, are served by one
 * thread instead of one each, which is cheaper for many small streams. What that thread
 * pushes to must not wait, or all of them do: put a queue behind each element. A push
 * of more than 20 ms is told by a warning. The receiver's first element decides
 * #GstAfxdpSrc:coalesce, #GstAfxdpSrc:busy-poll-usecs and #GstAfxdpSrc:batch-size. With
 * busy-poll-usecs above 0 it looks for packets of its streams again and again by itself,
 * and does not have AF_XDP sockets poll the driver (SO_BUSY_POLL). An element cannot be
 * set to READY or NULL by the receiver's thread within its own push.
 *
 * ## Messages
 *
 * These are element messages. Of each type at most 8 wait on the bus unread.
 * docs/messages.md has an example of each, and what to do.
 *
 * `GstAfxdpSrcMode`, when packets take another path, the first choice included. Of a
 * path that changes often, four messages at once, then one a second, which tells of all
 * changes since the last one:
 *
 * * `mode`, `previous-mode` (string): "none", "af-xdp" or "socket"
 * * `interface` (string): the network interface, "" when it is not known
 * * `xdp-mode` (string): "native", "generic", or "none" with the socket
 * * `queues` (array of int): RX queues with an AF_XDP socket
 * * `zero-copy` (boolean): whether the driver writes to the frames itself
 * * `changes` (guint): how often the path has changed since the last message: 0 when
 *   only the reason or the queues are others
 * * `leg` (int): 0, or 1 of the second leg
 * * `provider` (string): whose program and sockets these are: "own", "distributor" of
 *   the daemon (#GstAfxdpSrc:distributor), or "xsk-map" of #GstAfxdpSrc:xsk-map
 * * `reason` (string): why, and what to do about it
 *
 * `GstAfxdpSrcGap`, when RTP packets are missing for good, which is after 100 later
 * ones or 100 ms. At most one gap is reported in each #GstAfxdpSrc:gap-interval, with
 * a message for each place where some of its packets were lost:
 *
 * * `ssrc`, `payload-type` (guint)
 * * `first-missing` (guint): extended sequence number of the first one
 * * `missing` (guint64): how many
 * * `running-time` (guint64): when the next packet showed it
 * * `where` (string): the place, "network" or "rx-ring" for example;
 *   docs/statistics.md has them all
 * * `previous-size`, `next-size` (guint): bytes of the packets on both sides
 * * `previous-marker` (boolean): the marker bit of the one before
 * * `suppressed` (guint64): gaps that were not reported since the last message
 * * `legs` (array of string), with two legs only: the place on each
 *
 * `GstAfxdpSrcLeg`, when one of two legs ceases to protect the other, or does again:
 *
 * * `leg` (int): 0, or 1 of the second leg
 * * `state` (string): "silent", "late" (behind by more than the window), "other-stream"
 *   or "active"
 * * `since` (guint64): running time when that began
 * * `skew` (guint64): ns by which it is behind the other one
 * * `reason` (string): what happened, and what to do
 *
 * `GstAfxdpSrcSource`, when an SSRC is new, when its sequence numbers start again,
 * when none of its packets came for 10 s, or when its numbers form no sequence
 * (once):
 *
 * * `ssrc`, `payload-type` (guint)
 * * `state` (string): "new", "restarted", "gone" or "unvalidated"
 * * `sender` (string): "ADDRESS:PORT", "" when it is not known
 * * `first-sequence` (guint): sequence number that it begins with; if it is gone, the
 *   last one
 * * `suppressed` (guint64): such events that were not reported since the last message
 *
 * `GstAfxdpSrcStats`, every #GstAfxdpSrc:stats-interval: the fields of
 * #GstAfxdpSrc:stats, and `delta`, a structure with the change of each counter
 * since the last such message (gint64: a late packet takes its loss back).
 *
 * `GstAfxdpSrcStall`, when downstream has not returned from a push for a second, and
 * once more when it has:
 *
 * * `since` (guint64): running time at which the push began
 * * `duration` (guint64): ns since then
 * * `lasts` (boolean): FALSE when the push has returned
 * * `element` (string): the element furthest downstream whose chain function does
 *   not return; this element's own name when that is not known
 * * `reason` (string): sentences: what happened, and what to do
 *
 * `GstUDPSrcTimeout`, when nothing came for #GstAfxdpSrc:timeout, and again each time
 * that it passes: `timeout` (guint64), as it was set.
 */
#include "gstafxdpsrc.h"

#include "gstafxdpenums.h"
#include "gstafxdplog.h"
#include "gstafxdpsrcprivate.h"
#include "gstafxdpuri.h"

GST_DEBUG_CATEGORY (gst_afxdp_src_debug);
#define GST_CAT_DEFAULT gst_afxdp_src_debug

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE (
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

G_DEFINE_TYPE_WITH_CODE (GstAfxdpSrc, gst_afxdp_src, GST_TYPE_PUSH_SRC,
    G_IMPLEMENT_INTERFACE (GST_TYPE_URI_HANDLER, gst_afxdp_uri_handler_init))
GST_ELEMENT_REGISTER_DEFINE (
    afxdpsrc, "afxdpsrc", GST_RANK_NONE, GST_TYPE_AFXDP_SRC)

/* Drops what nobody will take any more. */
static void
drop_backlog (GstAfxdpSrc *self)
{
  gst_afxdp_report_dropped (self->report, AFXDP_COLUMN_DISCARDED,
      gst_afxdp_backlog_drop_all (&self->backlog));
  if (!gst_afxdp_ordered_is_on (&self->ordered))
    return;
  gst_afxdp_report_dropped (self->report, AFXDP_COLUMN_DISCARDED,
      gst_afxdp_ordered_drop (&self->ordered));
  gst_afxdp_src_tell_ordered (self);
}

/* What was received before a flush must not come after it, with a time of before. The
 * base class has the streaming thread's lock here. */
static GstPadProbeReturn
note_flush (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  if (info->type & GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM &&
      GST_EVENT_TYPE (GST_PAD_PROBE_INFO_EVENT (info)) == GST_EVENT_FLUSH_STOP)
    drop_backlog (user_data);
  return GST_PAD_PROBE_OK;
}

static gboolean
gst_afxdp_src_start (GstBaseSrc *base)
{
  GstAfxdpSrc *self = GST_AFXDP_SRC (base);

  self->timing.last = 0;
  self->packets_left = base->num_buffers_left;
  self->next_look = self->next_stats = self->socket_errors = 0;
  gst_afxdp_negotiation_clear (&self->negotiation);
  gst_afxdp_src_begin_change (self);
  gst_afxdp_ordered_begin (&self->ordered, gst_afxdp_src_n_legs (self),
      gst_afxdp_settings_window (&self->active), self->active.max_held_bytes);
  self->is_by_leg = self->legs[0].report != NULL;
  self->has_other_leg = FALSE;
  gst_afxdp_src_end_change (self);
  return TRUE;
}

static gboolean
gst_afxdp_src_stop (GstBaseSrc *base)
{
  GstAfxdpSrc *self = GST_AFXDP_SRC (base);

  gst_afxdp_src_begin_change (self);
  drop_backlog (self);
  gst_afxdp_ordered_end (&self->ordered);
  /* A streaming thread that was blocked downstream could not. */
  gst_afxdp_gate_close_path (&self->gate);
  self->handed_over = FALSE;
  if (gst_afxdp_src_n_legs (self) > 1)
    gst_afxdp_gaps_end (&self->legs[1].gaps, gst_afxdp_src_stream_of (self, 1),
        &self->timing, G_MAXUINT64);
  gst_afxdp_gaps_end (
      &self->gaps, self->stream, &self->timing, self->active.gap_interval);
  gst_afxdp_src_end_change (self);
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

  return !self->negotiation.current ||
      gst_base_src_set_caps (base, self->negotiation.current);
}

/* When downstream has changed, the base class would send an ALLOCATION query, of
 * which we have no use, and for which rtpjitterbuffer lets our thread wait until it
 * has given out all that it holds. So that is not its business, but ours. */
static gboolean
gst_afxdp_src_event (GstBaseSrc *base, GstEvent *event)
{
  if (GST_EVENT_TYPE (event) == GST_EVENT_RECONFIGURE) {
    gst_pad_check_reconfigure (GST_BASE_SRC_PAD (base));
    g_atomic_int_set (&GST_AFXDP_SRC (base)->reconfigured, TRUE);
  }
  return GST_BASE_SRC_CLASS (gst_afxdp_src_parent_class)->event (base, event);
}

/* A packet may wait for others, to be one of many or for one that is missing: as the
 * open stream does, whatever was set since. */
static gboolean
gst_afxdp_src_query (GstBaseSrc *base, GstQuery *query)
{
  GstAfxdpSrc *self = GST_AFXDP_SRC (base);
  const GstAfxdpSettings *settings;
  GstClockTime latency;

  if (GST_QUERY_TYPE (query) != GST_QUERY_LATENCY)
    return GST_BASE_SRC_CLASS (gst_afxdp_src_parent_class)->query (base, query);
  g_mutex_lock (&self->stream_lock);
  GST_OBJECT_LOCK (self);
  settings = self->stream ? &self->active : &self->settings;
  latency = gst_afxdp_settings_longest_sleep (settings) +
      MIN (gst_afxdp_settings_window (settings), G_MAXINT64);
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
  GstFlowReturn flow;
  GstAfxdpParcel parcel;

  gst_afxdp_stall_returned (&self->stall);
  if (self->legs[0].served && !self->in_turn)
    flow = gst_afxdp_src_hand_over (self);
  else
    flow = self->in_turn ? self->flow : gst_afxdp_src_receive (self);
  /* The last look before the base class takes over. */
  if (flow == GST_FLOW_OK && !self->in_turn &&
      !gst_afxdp_gate_pass (&self->gate, TRUE))
    flow = GST_FLOW_FLUSHING;
  if (flow != GST_FLOW_OK) {
    count_down (self, 0);
    return flow;
  }
  parcel = gst_afxdp_backlog_take (&self->backlog);
  count_down (self, parcel.yield.n);
  gst_afxdp_report_delivered (self->report, &parcel.yield);
  gst_afxdp_stall_pushing (&self->stall);
  if (GST_IS_BUFFER_LIST (parcel.object))
    gst_base_src_submit_buffer_list (
        GST_BASE_SRC (push), GST_BUFFER_LIST_CAST (parcel.object));
  else
    *buffer = GST_BUFFER_CAST (parcel.object);
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
    gst_afxdp_stall_stop (&self->stall);
    gst_afxdp_gate_begin_pause (&self->gate);
    gst_afxdp_src_call_receiver (self);
  } else if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING) {
    gst_afxdp_timeout_restart (&self->timeout);
  } else if (transition == GST_STATE_CHANGE_PAUSED_TO_READY &&
      !gst_afxdp_src_may_stop (self)) {
    return GST_STATE_CHANGE_FAILURE;
  }

  result = GST_ELEMENT_CLASS (gst_afxdp_src_parent_class)
               ->change_state (element, transition);

  if (transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED) {
    gst_afxdp_gate_end_pause (&self->gate);
  } else if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING &&
      result != GST_STATE_CHANGE_FAILURE) {
    gst_afxdp_gate_resume (&self->gate);
    gst_afxdp_src_call_receiver (self);
    gst_afxdp_stall_start (&self->stall);
  }
  if (transition == GST_STATE_CHANGE_READY_TO_NULL ||
      (transition == GST_STATE_CHANGE_NULL_TO_READY &&
          result == GST_STATE_CHANGE_FAILURE))
    gst_afxdp_src_close (self);
  return result;
}

static void
gst_afxdp_src_finalize (GObject *object)
{
  GstAfxdpSrc *self = GST_AFXDP_SRC (object);

  gst_afxdp_settings_clear (&self->settings);
  gst_afxdp_settings_clear (&self->active);
  gst_afxdp_split_clear (&self->split);
  gst_afxdp_gaps_clear (&self->gaps);
  gst_afxdp_negotiation_clear (&self->negotiation);
  gst_afxdp_report_free (self->report);
  g_mutex_clear (&self->stream_lock);
  g_rec_mutex_clear (&self->legs_lock);
  g_mutex_clear (&self->turn_lock);
  g_cond_clear (&self->former_closed);
  gst_afxdp_gate_clear (&self->gate);
  for (guint i = 0; i < GST_AFXDP_LEGS; i++)
    gst_afxdp_leg_clear (&self->legs[i]);
  gst_afxdp_ordered_clear (&self->ordered);
  G_OBJECT_CLASS (gst_afxdp_src_parent_class)->finalize (object);
}

static void
add_legs (GstStructure *structure, gpointer user_data)
{
  GstAfxdpSrc *self = user_data;

  g_mutex_lock (&self->ordered.lock);
  gst_afxdp_legs_add_stats (
      structure, self->legs, self->ordered.skews, self->report);
  g_mutex_unlock (&self->ordered.lock);
}

static void
gst_afxdp_src_init (GstAfxdpSrc *self)
{
  GstBaseSrc *base = GST_BASE_SRC (self);

  /* Setting the defaults takes it. */
  g_rec_mutex_init (&self->legs_lock);
  g_mutex_init (&self->turn_lock);
  g_cond_init (&self->former_closed);
  gst_afxdp_settings_set_defaults (G_OBJECT (self));
  gst_afxdp_settings_begin (&self->settings);
  self->report = gst_afxdp_report_new (GST_ELEMENT (self));
  gst_afxdp_report_set_more (self->report, add_legs, self);
  gst_afxdp_current_mode_init (
      &self->current_mode, GST_ELEMENT (self), self->report);
  gst_afxdp_gaps_init (&self->gaps, GST_ELEMENT (self), self->report);
  gst_afxdp_negotiation_init (&self->negotiation, base, self->report);
  g_mutex_init (&self->stream_lock);
  gst_afxdp_ordered_init (&self->ordered);
  for (guint i = 0; i < GST_AFXDP_LEGS; i++) {
    self->legs[i].src = self;
    self->legs[i].number = i;
  }
  gst_afxdp_gate_init (&self->gate, GST_BASE_SRC_PAD (base));
  gst_afxdp_stall_init (
      &self->stall, GST_ELEMENT (self), GST_BASE_SRC_PAD (base));
  gst_afxdp_timing_init (&self->timing, GST_BASE_SRC_PAD (base));
  gst_pad_add_probe (GST_BASE_SRC_PAD (base), GST_PAD_PROBE_TYPE_EVENT_FLUSH,
      note_flush, self, NULL);
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

  GST_DEBUG_CATEGORY_INIT (gst_afxdp_src_debug, "afxdpsrc", 0, "AF_XDP source");
  gst_afxdp_log_init ();

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
