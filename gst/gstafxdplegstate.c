/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether each of two legs protects the other. */
#include "gstafxdplegstate.h"

#define GST_CAT_DEFAULT gst_afxdp_src_debug
GST_DEBUG_CATEGORY_EXTERN (gst_afxdp_src_debug);

const gchar *
gst_afxdp_leg_state_name (AfxdpLegState state)
{
  static const gchar *const names[] = {
    [AFXDP_LEG_ACTIVE] = "active",
    [AFXDP_LEG_SILENT] = "silent",
    [AFXDP_LEG_LATE] = "late",
    [AFXDP_LEG_OTHER_STREAM] = "other-stream",
  };

  return names[state];
}

void
gst_afxdp_leg_states_reset (GstAfxdpLeg *legs)
{
  for (guint i = 0; i < GST_AFXDP_LEGS; i++) {
    gst_afxdp_outbox_empty (&legs[i].outbox);
    legs[i].state = legs[i].told = AFXDP_LEG_ACTIVE;
  }
}

static gchar *
explain (const GstAfxdpLeg *leg, const AfxdpLegs *known, guint64 silence)
{
  const gchar *name = leg->number ? "second" : "first";
  const gchar *other = leg->number ? "first" : "second";

  switch (leg->state) {
    case AFXDP_LEG_ACTIVE:
      return g_strdup_printf (
          "The %s leg (%s, interface %s) delivers, in time.", name, leg->uri,
          leg->interface);
    case AFXDP_LEG_SILENT:
      return g_strdup_printf (
          "Nothing has come by the %s leg (%s, interface %s) for %.1f ms: what "
          "the %s leg loses is lost. Look at that network: the link, the "
          "sender, and whether its switch knows that the group is joined "
          "(IGMP).",
          name, leg->uri, leg->interface, silence / 1e6, other);
    case AFXDP_LEG_LATE:
      return g_strdup_printf (
          "Packets of the %s leg (%s, interface %s) come %.3f ms later than by "
          "the %s leg, and are waited for %.3f ms: what the %s leg loses is lost. "
          "Set reorder-window to more than that, or look for what holds that "
          "network up.",
          name, leg->uri, leg->interface, known->legs[leg->number].skew / 1e6,
          other, known->window / 1e6, other);
    case AFXDP_LEG_OTHER_STREAM:
      return g_strdup_printf (
          "Packets of the %s leg (%s, interface %s) are of another stream than "
          "the %s leg's: their RTP numbers and timestamps are others. They are "
          "not used. Set redundant-uri to the same stream on the other network.",
          name, leg->uri, leg->interface, other);
  }
  g_assert_not_reached ();
}

static GstStructure *
describe (const GstAfxdpLeg *leg, const AfxdpLegs *known,
    const GstAfxdpTiming *timing, guint64 since, guint64 now)
{
  g_autofree gchar *reason = explain (leg, known, now - MIN (now, since));
  gint64 time = (gint64) since + timing->offset;

  return gst_structure_new ("GstAfxdpSrcLeg", "leg", G_TYPE_INT,
      (gint) leg->number, "state", G_TYPE_STRING,
      gst_afxdp_leg_state_name (leg->state), "since", G_TYPE_UINT64,
      timing->enabled ? (GstClockTime) MAX (time, 0) : GST_CLOCK_TIME_NONE,
      "skew", G_TYPE_UINT64, known->legs[leg->number].skew, "reason",
      G_TYPE_STRING, reason, NULL);
}

static void
tell (GstAfxdpLeg *leg, const AfxdpLegs *known, const GstAfxdpTiming *timing,
    guint64 since, guint64 now)
{
  GstStructure *structure;

  if (!gst_afxdp_outbox_has_room (&leg->outbox))
    return;
  structure = describe (leg, known, timing, since, now);
  GST_INFO_OBJECT (
      leg->src, "%s", gst_structure_get_string (structure, "reason"));
  gst_afxdp_outbox_post (&leg->outbox, leg->src, structure);
  leg->told = leg->state;
}

guint64
gst_afxdp_leg_states_follow (GstAfxdpLeg *legs, const GstAfxdpOrdered *ordered,
    const GstAfxdpTiming *timing, GMutex *lock, guint64 now)
{
  const AfxdpLegs *known = afxdp_reorder_legs (ordered->stage);

  /* Nothing has come yet, or since a flush. */
  if (!known->begin)
    return G_MAXUINT64;
  for (guint i = 0; i < GST_AFXDP_LEGS; i++) {
    GstAfxdpLeg *leg = &legs[i];
    guint64 since;
    AfxdpLegState state = afxdp_legs_state (
        known, i, afxdp_reorder_known (ordered->stage, i), &since);

    if (G_UNLIKELY (state != leg->state)) {
      g_mutex_lock (lock);
      leg->state = state;
      g_mutex_unlock (lock);
    }
    if (G_UNLIKELY (leg->state != leg->told))
      tell (leg, known, timing, since, now);
  }
  return afxdp_legs_due (known, now);
}
