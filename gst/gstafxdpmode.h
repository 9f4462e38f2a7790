/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The way of reception in use, as it is told: the property current-mode, and
 * GstAfxdpSrcMode with the reason. A change that cannot be posted, since many were
 * posted in the last second or are unread, is posted later: the last one of them then,
 * with the number of all.
 *
 * follow() is for the streaming thread, get() for any, the rest for the thread that
 * changes state.
 */
#pragma once

#include "gstafxdpoutbox.h"
#include "gstafxdpreport.h"

G_BEGIN_DECLS

typedef struct
{
  GstElement *element;    /* which owns us, */
  GstAfxdpReport *report; /* and that */
  guint leg;         /* whose path it is; the property is the first one's */
  AfxdpPath current; /* object lock */
  AfxdpPath posted;  /* by the last message */
  guint n_posted;    /* changes that it and those before told of */
  guint64 post_at; /* when the next one is due if one comes in each interval */
  AfxdpPathChange change; /* the latest; its reason is NULL: none */
  gchar *detour;          /* why the socket was used last; owned */
  gboolean is_detour_posted;
  gboolean is_unposted; /* the latest is to be posted */
  gboolean is_unwarned; /* likewise, by a warning */
  GstAfxdpOutbox outbox, warnings;
} GstAfxdpCurrentMode;

void gst_afxdp_current_mode_init (
    GstAfxdpCurrentMode *mode, GstElement *element, GstAfxdpReport *report);
/* Nothing is received any more. Lets go of the messages that were posted. */
void gst_afxdp_current_mode_reset (GstAfxdpCurrentMode *mode);

/* Tells of a change of paths. warns: the socket is not what was asked for. Returns when
 * to come again for what waits, or G_MAXUINT64; now likewise, ns of CLOCK_MONOTONIC. */
guint64 gst_afxdp_current_mode_follow (GstAfxdpCurrentMode *mode,
    AfxdpStream *stream, gboolean warns, guint64 now);
AfxdpPath gst_afxdp_current_mode_get (GstAfxdpCurrentMode *mode);

G_END_DECLS
