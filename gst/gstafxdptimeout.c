/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* That nothing came for some time. */
#include "gstafxdptimeout.h"

#include "clock.h"

#define SHORTEST GST_MSECOND

void
gst_afxdp_timeout_restart (GstAfxdpTimeout *timeout)
{
  g_atomic_int_set (&timeout->restarted, TRUE);
}

guint64
gst_afxdp_timeout_due (GstAfxdpTimeout *timeout, GstClockTime length)
{
  guint64 wait = MAX (length, SHORTEST);

  if (!length)
    return G_MAXUINT64;
  if (g_atomic_int_compare_and_exchange (&timeout->restarted, TRUE, FALSE))
    timeout->since = afxdp_now ();
  return wait < G_MAXUINT64 - timeout->since ? timeout->since + wait
                                             : G_MAXUINT64;
}

gboolean
gst_afxdp_timeout_is_over (GstAfxdpTimeout *timeout, GstClockTime length)
{
  guint64 due = gst_afxdp_timeout_due (timeout, length);

  return due != G_MAXUINT64 && afxdp_now () >= due;
}

guint64
gst_afxdp_timeout_check (
    GstAfxdpTimeout *timeout, GstElement *element, GstClockTime length)
{
  if (!gst_afxdp_timeout_is_over (timeout, length))
    return gst_afxdp_timeout_due (timeout, length);
  timeout->since = afxdp_now ();
  if (gst_afxdp_outbox_has_room (&timeout->outbox))
    gst_afxdp_outbox_post (&timeout->outbox, element,
        gst_structure_new (
            "GstUDPSrcTimeout", "timeout", G_TYPE_UINT64, length, NULL));
  return gst_afxdp_timeout_due (timeout, length);
}

void
gst_afxdp_timeout_clear (GstAfxdpTimeout *timeout)
{
  gst_afxdp_outbox_empty (&timeout->outbox);
}
