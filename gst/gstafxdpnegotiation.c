/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The caps of a stream. */
#include "gstafxdpnegotiation.h"

#include "clock.h"
#include "gstafxdpcaps.h"

/* So many packets, or so long (ns), RTP is waited for without a word. */
#define MOST_WAITING 64
#define LONGEST_WAITING GST_SECOND

/* What packets tell. */

static gboolean
is_rtp (const GstCaps *caps, guint i)
{
  return gst_structure_has_name (
      gst_caps_get_structure (caps, i), "application/x-rtp");
}

static guint
count_rtp (const GstCaps *caps)
{
  guint n = 0;

  for (guint i = 0; i < gst_caps_get_size (caps); i++)
    n += is_rtp (caps, i);
  return n;
}

static gboolean
is_open (const GstStructure *structure, const gchar *field)
{
  const GValue *value = gst_structure_get_value (structure, field);

  return value && !gst_value_is_fixed (value);
}

/* The rate of a name, of any payload type. */
static void
close_clock_rate (GstCaps *caps)
{
  GstStructure *structure = gst_caps_get_structure (caps, 0);
  g_autoptr (GstCaps) of_name = gst_caps_copy (caps);
  GstStructure *known = gst_caps_get_structure (of_name, 0);

  gst_structure_fixate_field (known, "encoding-name");
  gst_structure_remove_field (known, "clock-rate");
  gst_afxdp_caps_complete_name (of_name);
  if (gst_structure_has_field (known, "clock-rate") &&
      gst_caps_can_intersect (caps, of_name))
    gst_structure_set_value (
        structure, "clock-rate", gst_structure_get_value (known, "clock-rate"));
}

/* Caps of one structure as the packet has them, or NULL when they are not its. */
static GstCaps *
narrow (GstCaps *caps, guint8 payload_type)
{
  g_autoptr (GstCaps) one = caps;
  g_autoptr (GstCaps) of_packet = gst_afxdp_caps_of_payload (payload_type);
  GstStructure *structure = gst_caps_get_structure (one, 0);
  gboolean known = gst_afxdp_caps_complete (of_packet, payload_type);

  if (!gst_caps_can_intersect (one, of_packet))
    return NULL;
  if (gst_caps_is_fixed (one))
    return g_steal_pointer (&one);
  if (known)
    return gst_caps_fixate (gst_caps_intersect (one, of_packet));
  if (is_open (structure, "payload"))
    gst_structure_set (structure, "payload", G_TYPE_INT, payload_type, NULL);
  if (is_open (structure, "clock-rate"))
    close_clock_rate (one);
  return is_open (structure, "clock-rate")
      ? NULL
      : gst_caps_fixate (g_steal_pointer (&one));
}

static gchar *
describe_problem (guint8 payload_type, const gchar *consequence)
{
  return g_strdup_printf (
      "The stream has the dynamic payload type %u, and its clock rate is not "
      "known%s. Set caps, for example caps=\"application/x-rtp, media=video, "
      "clock-rate=90000, encoding-name=H264, payload=%u\", or sdp-location, "
      "or add ?encoding-name=H264&clock-rate=90000 to the URI",
      payload_type, consequence, payload_type);
}

/* Of those that were set. */
static GstCaps *
choose (GstCaps *choices, guint8 payload_type, gchar **problem)
{
  g_autoptr (GstCaps) first = NULL;

  for (guint i = 0; i < gst_caps_get_size (choices); i++) {
    GstCaps *narrowed;

    if (!is_rtp (choices, i))
      continue;
    if (!first)
      first = gst_caps_copy_nth (choices, i);
    narrowed = narrow (gst_caps_copy_nth (choices, i), payload_type);
    if (narrowed)
      return narrowed;
  }
  /* As GstBaseSrc has it. */
  if (is_open (gst_caps_get_structure (first, 0), "clock-rate"))
    *problem =
        describe_problem (payload_type, ", so the lowest possible one is used");
  return gst_caps_fixate (g_steal_pointer (&first));
}

/* Where none were set. */
static GstCaps *
guess (GstPad *srcpad, guint8 payload_type, gchar **problem)
{
  g_autoptr (GstCaps) wanted = gst_afxdp_caps_of_payload (payload_type);
  g_autoptr (GstCaps) common = NULL;
  gint clock_rate;

  if (gst_afxdp_caps_complete (wanted, payload_type))
    return gst_pad_peer_query_accept_caps (srcpad, wanted)
        ? g_steal_pointer (&wanted)
        : NULL;

  common = gst_pad_peer_query_caps (srcpad, wanted);
  if (gst_caps_is_empty (common))
    return NULL; /* downstream does not want RTP of that type */
  if (gst_caps_get_size (common) == 1 &&
      gst_structure_get_int (
          gst_caps_get_structure (common, 0), "clock-rate", &clock_rate))
    return gst_caps_fixate (g_steal_pointer (&common));
  *problem = describe_problem (payload_type, "");
  return NULL;
}

/* What is decided. */

void
gst_afxdp_negotiation_init (
    GstAfxdpNegotiation *negotiation, GstBaseSrc *src, GstAfxdpReport *report)
{
  negotiation->src = src;
  negotiation->report = report;
}

void
gst_afxdp_negotiation_clear (GstAfxdpNegotiation *negotiation)
{
  gst_clear_caps (&negotiation->current);
  gst_clear_caps (&negotiation->choices);
  *negotiation = (GstAfxdpNegotiation){
    .src = negotiation->src,
    .report = negotiation->report,
  };
}

void
gst_afxdp_negotiation_reconsider (GstAfxdpNegotiation *negotiation)
{
  if (negotiation->decided &&
      (!negotiation->current ||
          gst_pad_peer_query_accept_caps (
              GST_BASE_SRC_PAD (negotiation->src), negotiation->current)))
    return;
  gst_afxdp_negotiation_clear (negotiation);
}

gboolean
gst_afxdp_negotiation_is_waiting (const GstAfxdpNegotiation *negotiation)
{
  return !negotiation->decided && !negotiation->settled &&
      (negotiation->wish == GST_AFXDP_WISH_EITHER ||
          negotiation->wish == GST_AFXDP_WISH_RTP);
}

/* Takes the caps. */
static void
decide (GstAfxdpNegotiation *negotiation, GstCaps *caps)
{
  negotiation->current = caps;
  negotiation->are_rtp = caps && is_rtp (caps, 0);
  negotiation->decided = TRUE;
}

/* FALSE: nothing is left. */
static gboolean
ask (GstAfxdpNegotiation *negotiation, GstCaps *set)
{
  g_autoptr (GstCaps) common = NULL;
  guint n_rtp;

  if (negotiation->wish != GST_AFXDP_WISH_UNKNOWN)
    return TRUE;
  if (set && gst_caps_is_any (set))
    common = gst_caps_ref (set);
  else
    common = gst_pad_peer_query_caps (GST_BASE_SRC_PAD (negotiation->src), set);
  if (set && gst_caps_is_empty (common))
    return FALSE;
  if (gst_caps_is_any (common)) {
    negotiation->wish = GST_AFXDP_WISH_NONE;
    negotiation->settled = set != NULL;
    return TRUE;
  }
  n_rtp = count_rtp (common);
  negotiation->wish = n_rtp < gst_caps_get_size (common) ? GST_AFXDP_WISH_EITHER
                                                         : GST_AFXDP_WISH_RTP;
  negotiation->settled = !n_rtp || (set && gst_caps_is_fixed (common));
  if (set)
    negotiation->choices = g_steal_pointer (&common);
  return TRUE;
}

/* Whether that packet tells what the stream is. */
static gboolean
tells (GstAfxdpNegotiation *negotiation, const AfxdpRtp *rtp)
{
  gboolean follows;

  if (!afxdp_rtp_is_sound (rtp))
    negotiation->n_strangers++;
  if (rtp->kind != AFXDP_RTP_DATA)
    return FALSE;
  follows = negotiation->has_last && negotiation->last_ssrc == rtp->ssrc &&
      (guint16) (negotiation->last_seqnum + 1) == rtp->seqnum;
  negotiation->has_last = TRUE;
  negotiation->last_ssrc = rtp->ssrc;
  negotiation->last_seqnum = rtp->seqnum;
  return negotiation->wish != GST_AFXDP_WISH_NONE ||
      !negotiation->n_strangers || follows;
}

static GstCaps *
fixate (const GstCaps *choices, guint i)
{
  return gst_caps_fixate (gst_caps_copy_nth (choices, i));
}

static void
look_at_packets (
    GstAfxdpNegotiation *negotiation, const AfxdpBatch *batch, gchar **problem)
{
  for (guint i = 0; i < batch->n && !negotiation->decided; i++) {
    const AfxdpRtp *rtp = &batch->packets[i].rtp;

    if (tells (negotiation, rtp))
      decide (negotiation,
          negotiation->choices
              ? choose (negotiation->choices, rtp->payload_type, problem)
              : guess (GST_BASE_SRC_PAD (negotiation->src), rtp->payload_type,
                    problem));
  }
  if (!gst_afxdp_negotiation_is_waiting (negotiation))
    return;
  if (!negotiation->n_waiting)
    negotiation->since = afxdp_now ();
  negotiation->n_waiting += batch->n;
}

static void
tell_clock_rate (GstAfxdpReport *report, const GstStructure *structure)
{
  gint payload, clock_rate;

  if (!gst_structure_get_int (structure, "clock-rate", &clock_rate))
    return;
  if (gst_structure_get_int (structure, "payload", &payload) && payload >= 0 &&
      payload < 128)
    gst_afxdp_report_set_clock_rate (report, payload, clock_rate);
  else
    for (payload = 0; payload < 128; payload++)
      gst_afxdp_report_set_clock_rate (report, payload, clock_rate);
}

/* Tells downstream and the report. */
static gboolean
use (GstAfxdpNegotiation *negotiation)
{
  GstCaps *caps = negotiation->current;

  if (!caps)
    return TRUE;
  if (negotiation->are_rtp)
    tell_clock_rate (negotiation->report, gst_caps_get_structure (caps, 0));
  return gst_base_src_set_caps (negotiation->src, caps);
}

static GstFlowReturn
end (GstAfxdpNegotiation *negotiation, gboolean ok)
{
  /* The flush made questions fail, or took the event with it. */
  if (GST_PAD_IS_FLUSHING (GST_BASE_SRC_PAD (negotiation->src))) {
    gst_afxdp_negotiation_clear (negotiation);
    return GST_FLOW_FLUSHING;
  }
  return ok ? GST_FLOW_OK : GST_FLOW_NOT_NEGOTIATED;
}

GstFlowReturn
gst_afxdp_negotiation_decide (
    GstAfxdpNegotiation *negotiation, GstCaps *set, const AfxdpBatch *batch)
{
  g_autofree gchar *problem = NULL;
  GstFlowReturn flow;
  gboolean ok = ask (negotiation, set);

  if (ok && negotiation->settled)
    decide (negotiation,
        negotiation->choices ? fixate (negotiation->choices, 0) : NULL);
  else if (ok)
    look_at_packets (negotiation, batch, &problem);
  flow = end (negotiation, ok && use (negotiation));
  if (problem && flow == GST_FLOW_OK)
    GST_ELEMENT_WARNING (negotiation->src, STREAM, FORMAT, ("%s.", problem),
        ("Neither caps nor a URI nor an SDP file gives the clock rate."));
  return flow;
}

/* It is something else, if it may be. */
static gboolean
give_up (GstAfxdpNegotiation *negotiation)
{
  GstCaps *choices = negotiation->choices;

  if (negotiation->wish != GST_AFXDP_WISH_EITHER)
    return FALSE;
  negotiation->wish = GST_AFXDP_WISH_NONE;
  for (guint i = 0; choices && i < gst_caps_get_size (choices); i++)
    if (!is_rtp (choices, i)) {
      decide (negotiation, fixate (choices, i));
      break;
    }
  return TRUE;
}

static void
warn (GstAfxdpNegotiation *negotiation, gboolean passed_on)
{
  GST_ELEMENT_WARNING (negotiation->src, STREAM, FORMAT,
      ("No RTP has arrived, only %u other packet%s. %s", negotiation->n_waiting,
          negotiation->n_waiting > 1 ? "s" : "",
          passed_on
              ? "They are passed on as they are, since downstream accepts "
                "that too."
              : "Nothing is passed on until RTP arrives, since only RTP is "
                "accepted: check what is sent to this address and port, or "
                "set caps=ANY to pass it on as it is."),
      ("The caps that downstream accepts and those that were set do not "
       "decide it."));
}

/* Whether RTP has been waited for so long that it is worth a word. */
static gboolean
has_waited (GstAfxdpNegotiation *negotiation, guint64 *due)
{
  guint64 until = negotiation->since + LONGEST_WAITING;

  if (!negotiation->n_waiting || negotiation->told)
    return FALSE;
  if (negotiation->n_waiting < MOST_WAITING && afxdp_now () < until) {
    *due = until;
    return FALSE;
  }
  return TRUE;
}

GstFlowReturn
gst_afxdp_negotiation_follow (
    GstAfxdpNegotiation *negotiation, GstCaps *set, guint64 *due)
{
  gboolean passed_on;

  *due = G_MAXUINT64;
  if (negotiation->decided)
    return GST_FLOW_OK;
  if (negotiation->wish == GST_AFXDP_WISH_UNKNOWN) {
    /* If nothing is left, the first packet ends the stream. */
    ask (negotiation, set);
    return end (negotiation, TRUE);
  }
  if (!has_waited (negotiation, due))
    return GST_FLOW_OK;
  negotiation->told = TRUE;
  passed_on = give_up (negotiation);
  warn (negotiation, passed_on);
  return end (negotiation, !passed_on || use (negotiation));
}
