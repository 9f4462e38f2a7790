/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages of rx/ for GStreamer's log. */
#include "gstafxdplog.h"

#include "log.h"

G_STATIC_ASSERT ((gint) AFXDP_LOG_LEVEL_INFO == GST_LEVEL_INFO);
G_STATIC_ASSERT ((gint) AFXDP_LOG_LEVEL_DEBUG == GST_LEVEL_DEBUG);
G_STATIC_ASSERT ((gint) AFXDP_LOG_LEVEL_LOG == GST_LEVEL_LOG);
G_STATIC_ASSERT ((gint) AFXDP_LOG_LEVEL_TRACE == GST_LEVEL_TRACE);
/* Read as one. */
G_STATIC_ASSERT (sizeof (GstDebugLevel) == sizeof (gint));

#ifdef GST_DISABLE_GST_DEBUG

void
gst_afxdp_log_init (void)
{
}

#else

static const struct
{
  const gchar *name, *about;
} rooms[AFXDP_N_LOGS] = {
  [AFXDP_LOG_XDP] = { "afxdp-xdp", "XDP program, AF_XDP sockets and frames" },
  [AFXDP_LOG_STREAM] = { "afxdp-stream", "paths and inputs of AF_XDP streams" },
  [AFXDP_LOG_STATS] = { "afxdp-stats", "statistics of AF_XDP streams" },
};

static GstDebugCategory *categories[AFXDP_N_LOGS];

static void
tell (AfxdpLogRoom room, AfxdpLogLevel level, const gchar *file,
    const gchar *function, gint line, const gchar *name, const gchar *format,
    va_list arguments)
{
  g_autofree gchar *text = NULL, *named = NULL;

  if ((GstDebugLevel) level >
      gst_debug_category_get_threshold (categories[room]))
    return;
  text = g_strdup_vprintf (format, arguments);
  named = name ? g_strdup_printf ("%s: %s", name, text) : NULL;
  gst_debug_log (categories[room], (GstDebugLevel) level, file, function, line,
      NULL, "%s", named ? named : text);
}

void
gst_afxdp_log_init (void)
{
  for (guint i = 0; i < AFXDP_N_LOGS; i++)
    GST_DEBUG_CATEGORY_INIT (categories[i], rooms[i].name, 0, rooms[i].about);
  afxdp_log_init (tell, (const gint *) &_gst_debug_min);
}

#endif
