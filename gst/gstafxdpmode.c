/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The current path, as it is told. */
#include "gstafxdpmode.h"

#include "error.h"
#include "gstafxdpenums.h"
#include "gstafxdpsrc.h"

#define GST_CAT_DEFAULT gst_afxdp_src_debug

/* An overload changes the path hundreds of times a second, and hundreds of elements may
 * have it at once: a few messages at once, then one in each interval. */
#define AT_ONCE 4
#define INTERVAL GST_SECOND

void
gst_afxdp_current_mode_init (
    GstAfxdpCurrentMode *mode, GstElement *element, GstAfxdpReport *report)
{
  mode->element = element;
  mode->report = report;
}

static void
set (GstAfxdpCurrentMode *mode, AfxdpPath path)
{
  gboolean changed;

  GST_OBJECT_LOCK (mode->element);
  changed = mode->current != path;
  mode->current = path;
  GST_OBJECT_UNLOCK (mode->element);
  if (changed && !mode->leg)
    g_object_notify (G_OBJECT (mode->element), "current-mode");
}

void
gst_afxdp_current_mode_reset (GstAfxdpCurrentMode *mode)
{
  afxdp_path_change_clear (&mode->change);
  g_clear_pointer (&mode->detour, g_free);
  gst_afxdp_outbox_empty (&mode->outbox);
  gst_afxdp_outbox_empty (&mode->warnings);
  mode->is_unposted = mode->is_unwarned = FALSE;
  mode->posted = AFXDP_PATH_NONE;
  mode->n_posted = 0;
  mode->post_at = 0;
  set (mode, AFXDP_PATH_NONE);
}

AfxdpPath
gst_afxdp_current_mode_get (GstAfxdpCurrentMode *mode)
{
  AfxdpPath path;

  GST_OBJECT_LOCK (mode->element);
  path = mode->current;
  GST_OBJECT_UNLOCK (mode->element);
  return path;
}

/* Of n changes that end with AF_XDP every other one was to the socket, and it is that
 * one whose reason a user needs. */
static gchar *
explain (const GstAfxdpCurrentMode *mode, guint n)
{
  const AfxdpPathChange *change = &mode->change;

  if (change->path != AFXDP_PATH_FAST || !mode->detour ||
      (n < 2 && mode->is_detour_posted))
    return g_strdup (change->reason);
  if (n < 2)
    return g_strdup_printf (
        "%s. Before that: %s", change->reason, mode->detour);
  return g_strdup_printf ("%s. In between, %u %s: %s", change->reason, n / 2,
      n / 2 == 1 ? "time" : "times", mode->detour);
}

static GstStructure *
describe (const GstAfxdpCurrentMode *mode, const gchar *interface, guint n)
{
  const AfxdpPathChange *change = &mode->change;
  g_autofree gchar *reason = explain (mode, n);
  GValue queues = G_VALUE_INIT;
  GstStructure *structure =
      gst_structure_new ("GstAfxdpSrcMode", "mode", G_TYPE_STRING,
          gst_afxdp_enum_nick (GST_TYPE_AFXDP_CURRENT_MODE, change->path),
          "previous-mode", G_TYPE_STRING,
          gst_afxdp_enum_nick (GST_TYPE_AFXDP_CURRENT_MODE, mode->posted),
          "interface", G_TYPE_STRING, interface, "xdp-mode", G_TYPE_STRING,
          gst_afxdp_xdp_mode_name (change->path, change->xdp_mode), "zero-copy",
          G_TYPE_BOOLEAN, change->zero_copy, "changes", G_TYPE_UINT, n, "leg",
          G_TYPE_INT, (gint) mode->leg, "provider", G_TYPE_STRING,
          change->provider ? change->provider : AFXDP_OWN_PROVIDER, "reason",
          G_TYPE_STRING, reason, NULL);

  g_value_init (&queues, GST_TYPE_ARRAY);
  for (guint i = 0; i < change->n_queues; i++) {
    GValue value = G_VALUE_INIT;

    g_value_init (&value, G_TYPE_INT);
    g_value_set_int (&value, change->queues[i]);
    gst_value_array_append_and_take_value (&queues, &value);
  }
  gst_structure_take_value (structure, "queues", &queues);
  return structure;
}

static gboolean
is_taken (const AfxdpPathChange *change)
{
  return g_error_matches (change->error, AFXDP_ERROR, AFXDP_ERROR_TAKEN);
}

/* FALSE: nobody reads, and this one waits. */
static gboolean
warn (GstAfxdpCurrentMode *mode)
{
  g_autofree gchar *text = g_strdup_printf ("%s.", mode->change.reason);

  if (is_taken (&mode->change))
    return gst_afxdp_outbox_warn (&mode->warnings, mode->element,
        GST_RESOURCE_ERROR_BUSY, text, "The socket gets no packets.");
  return gst_afxdp_outbox_warn (&mode->warnings, mode->element,
      GST_RESOURCE_ERROR_READ, text,
      "mode is af-xdp; the socket is used until AF_XDP is available again.");
}

static void
take_change (GstAfxdpCurrentMode *mode, AfxdpPathChange *change,
    const gchar *interface, gboolean warns)
{
  GST_INFO_OBJECT (mode->element, "%s", change->reason);
  gst_afxdp_report_set_path (mode->report, change, interface);
  set (mode, change->path);
  mode->is_unwarned = change->error && (warns || is_taken (change));
  mode->is_unposted = TRUE;
  if (change->path == AFXDP_PATH_SLOW) {
    g_free (mode->detour);
    mode->detour = g_strdup (change->reason);
    mode->is_detour_posted = FALSE;
  }
  afxdp_path_change_clear (&mode->change);
  mode->change = *change;
}

/* So many changes are to be told. At an overload the stream may be on another path than
 * the one that it told of last: that change counts when it has come back from there, or
 * has told of it. */
static guint
count_changes (const GstAfxdpCurrentMode *mode, AfxdpStream *stream)
{
  guint n = afxdp_stream_n_path_changes (stream) - mode->n_posted;
  gboolean is_other = mode->change.path != mode->posted;

  if (n && mode->posted != AFXDP_PATH_NONE && n % 2 != (guint) is_other)
    n--;
  return n;
}

guint64
gst_afxdp_current_mode_follow (
    GstAfxdpCurrentMode *mode, AfxdpStream *stream, gboolean warns, guint64 now)
{
  const gchar *known = afxdp_stream_interface (stream);
  const gchar *interface = known ? known : "";
  AfxdpPathChange change;
  guint n;

  if (afxdp_stream_path_changed (stream, &change))
    take_change (mode, &change, interface, warns);
  if (mode->is_unwarned && warn (mode))
    mode->is_unwarned = FALSE;
  n = count_changes (mode, stream);
  if (G_LIKELY (!mode->is_unposted && !n))
    return G_MAXUINT64;
  if (now + (AT_ONCE - 1) * INTERVAL < mode->post_at)
    return mode->post_at - (AT_ONCE - 1) * INTERVAL;
  if (!gst_afxdp_outbox_has_room (&mode->outbox))
    return G_MAXUINT64;
  mode->post_at = MAX (mode->post_at, now) + INTERVAL;
  gst_afxdp_outbox_post (
      &mode->outbox, mode->element, describe (mode, interface, n));
  mode->is_detour_posted = TRUE;
  mode->posted = mode->change.path;
  mode->n_posted += n;
  mode->is_unposted = FALSE;
  return G_MAXUINT64;
}
