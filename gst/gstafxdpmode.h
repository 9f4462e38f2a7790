/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The way of reception in use, as it is told: the property current-mode, and
 * GstAfxdpSrcMode with the reason. A change that cannot be posted, since too many
 * messages are unread, is posted later, unless there is another one by then.
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
  AfxdpPath current;      /* object lock */
  AfxdpPath posted;       /* by the last message */
  AfxdpPathChange change; /* to be posted, */
  gboolean is_unposted;   /* if so */
  gboolean is_unwarned;   /* likewise, by a warning */
  GstAfxdpOutbox outbox, warnings;
} GstAfxdpCurrentMode;

void gst_afxdp_current_mode_init (
    GstAfxdpCurrentMode *mode, GstElement *element, GstAfxdpReport *report);
/* Nothing is received any more. Lets go of the messages that were posted. */
void gst_afxdp_current_mode_reset (GstAfxdpCurrentMode *mode);

/* Tells of a change of paths. warns: the socket is not what was asked for. */
void gst_afxdp_current_mode_follow (
    GstAfxdpCurrentMode *mode, AfxdpStream *stream, gboolean warns);
/* Forgets a change that is to be posted. */
void gst_afxdp_current_mode_stop (GstAfxdpCurrentMode *mode);
AfxdpPath gst_afxdp_current_mode_get (GstAfxdpCurrentMode *mode);

G_END_DECLS
