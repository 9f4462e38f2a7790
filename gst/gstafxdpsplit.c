/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two legs that come by one interface, to one address and port. */
#include "gstafxdpsplit.h"

/* An SSRC of which nothing came for longer is not being sent, ns. */
#define QUIET G_GUINT64_CONSTANT (1000000000)
/* So many packets of two others without one of the first leg's: it has changed. */
#define ENOUGH 3

void
gst_afxdp_split_begin (GstAfxdpSplit *split, AfxdpSources *second)
{
  gst_afxdp_split_clear (split);
  split->on = TRUE;
  split->second = second;
}

void
gst_afxdp_split_clear (GstAfxdpSplit *split)
{
  g_clear_pointer (&split->second, afxdp_sources_unref);
  *split = (GstAfxdpSplit){ 0 };
}

static gboolean
is_first_leg_heard (const GstAfxdpSplit *split, guint64 now)
{
  for (guint i = 0; i < GST_AFXDP_SPLIT_SSRCS; i++) {
    const GstAfxdpSplitSsrc *ssrc = &split->ssrcs[i];

    if (ssrc->heard_at && !ssrc->leg && now < ssrc->heard_at + QUIET)
      return TRUE;
  }
  return FALSE;
}

/* Whether two SSRCs of the second leg, this one and another, come and none of the first
 * leg's. */
static gboolean
has_first_leg_changed (const GstAfxdpSplit *split, const GstAfxdpSplitSsrc *one)
{
  for (guint i = 0; i < GST_AFXDP_SPLIT_SSRCS; i++)
    if (&split->ssrcs[i] != one && split->ssrcs[i].n >= ENOUGH)
      return one->n >= ENOUGH;
  return FALSE;
}

static void
note_first_leg (GstAfxdpSplit *split)
{
  for (guint i = 0; i < GST_AFXDP_SPLIT_SSRCS; i++)
    split->ssrcs[i].n = 0;
}

/* Or the place of the one that was not heard for longest. */
static GstAfxdpSplitSsrc *
find_ssrc (GstAfxdpSplit *split, guint32 wanted)
{
  GstAfxdpSplitSsrc *oldest = split->ssrcs;

  for (guint i = 0; i < GST_AFXDP_SPLIT_SSRCS; i++) {
    GstAfxdpSplitSsrc *ssrc = &split->ssrcs[i];

    if (ssrc->heard_at && ssrc->ssrc == wanted)
      return ssrc;
    if (ssrc->heard_at < oldest->heard_at)
      oldest = ssrc;
  }
  *oldest = (GstAfxdpSplitSsrc){ .ssrc = wanted };
  return oldest;
}

/* The first that is heard is the first leg's. When a sender begins anew, its two new ones
 * come while the old ones have just been heard: they are told apart soon after. */
static guint
leg_of_ssrc (GstAfxdpSplit *split, guint32 wanted, guint64 now)
{
  GstAfxdpSplitSsrc *ssrc = find_ssrc (split, wanted);

  if (!ssrc->heard_at)
    ssrc->leg = is_first_leg_heard (split, now);
  else if (ssrc->leg && has_first_leg_changed (split, ssrc))
    ssrc->leg = 0;
  ssrc->heard_at = now;
  if (ssrc->leg)
    ssrc->n++;
  else
    note_first_leg (split);
  return ssrc->leg;
}

static guint
leg_of (GstAfxdpSplit *split, const AfxdpPacket *packet)
{
  if (split->second)
    return afxdp_sources_match (split->second, packet->sender.address);
  return afxdp_rtp_is_numbered (&packet->rtp)
      ? leg_of_ssrc (split, packet->rtp.ssrc, packet->arrival)
      : 0;
}

void
gst_afxdp_split_look (GstAfxdpSplit *split, const AfxdpBatch *batch)
{
  for (guint i = 0; i < batch->n; i++)
    split->legs[i] = leg_of (split, &batch->packets[i]);
}

guint
gst_afxdp_split_part (const GstAfxdpSplit *split, const AfxdpBatch *batch,
    guint first, AfxdpBatch *part)
{
  guint end = first;

  while (end < batch->n && split->legs[end] == split->legs[first])
    end++;
  *part = *batch;
  part->packets += first;
  part->n = end - first;
  return split->legs[first];
}
