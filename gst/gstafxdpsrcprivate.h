/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an afxdpsrc is made of, for the five files that the element consists of: the
 * element (states, queries: gstafxdpsrc.c), its opening and closing
 * (gstafxdplifetime.c), its properties (gstafxdpproperties.c), its
 * streaming thread (gstafxdpreceive.c), and a receiver's thread in its place
 * (gstafxdpserved.c). What is said to be the streaming thread's own is nobody else's
 * while that runs.
 */
#pragma once

#include <gio/gio.h>

#include "gstafxdpbacklog.h"
#include "gstafxdpgaps.h"
#include "gstafxdpgate.h"
#include "gstafxdpmode.h"
#include "gstafxdplegs.h"
#include "gstafxdpnegotiation.h"
#include "gstafxdpordered.h"
#include "gstafxdpreport.h"
#include "gstafxdpsettings.h"
#include "gstafxdpsrc.h"
#include "gstafxdpstall.h"
#include "gstafxdptimeout.h"
#include "receivers.h"
#include "stream.h"

G_BEGIN_DECLS

struct _GstAfxdpSrc
{
  GstPushSrc parent;

  GstAfxdpSettings settings; /* object lock */
  gint settings_changed;     /* atomic: what may change while playing did */
  gint reconfigured;         /* atomic: downstream has changed */
  guint64
      told_late; /* object lock: 1 << id of what was set too late, as told */

  GstAfxdpReport *report;

  /* Protects the pointer: readers of stats against the state change that
   * closes the stream. Outside all others. */
  GMutex stream_lock;
  AfxdpStream *stream; /* of the first leg; NULL -> READY to READY -> NULL */
  /* The second may have no stream. Their reports: lock of ordered. */
  GstAfxdpLeg legs[GST_AFXDP_LEGS];
  GstAfxdpCurrentMode current_mode;

  GstAfxdpGate gate;
  GstAfxdpStall stall;

  /* With the property receiver, or two legs, else NULL. NULL -> READY to READY ->
   * NULL. */
  AfxdpReceiver *receiver;

  /* The streaming thread's own. */
  GstAfxdpSettings active;
  gint packets_left; /* of num-buffers, or below 0: any number */
  GstAfxdpBacklog backlog;
  GstAfxdpOrdered ordered;
  GstAfxdpNegotiation negotiation;
  GstAfxdpTiming timing;
  GstAfxdpSenders senders;
  GstAfxdpTimeout timeout;
  GstAfxdpGaps gaps;
  guint64 next_stats;
  gchar *not_moved; /* why, on an interface that came again, or NULL */
  GstAfxdpOutbox warnings;
  guint64 next_look;     /* for errors of the socket */
  guint64 socket_errors; /* that passed, and were told */
  gboolean handed_over;  /* to the receiver, whose next turn takes over */
  gboolean in_turn;      /* this thread is the receiver's */
  GstFlowReturn flow;    /* that create() returns then */
  gboolean told_long_push;
};

void gst_afxdp_src_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec);
void gst_afxdp_src_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec);
/* Has the stream, if there is one, follow what takes effect at once. */
void gst_afxdp_src_set_skip (GstAfxdpSrc *self);

/* Has the report know what is put in order. Streaming thread, or none. */
void gst_afxdp_src_tell_ordered (GstAfxdpSrc *self);
/* gstafxdplifetime.c. */

/* NULL -> READY. FALSE: an error was posted. */
gboolean gst_afxdp_src_open (GstAfxdpSrc *self);
/* READY -> NULL, or what open() has begun. */
void gst_afxdp_src_close (GstAfxdpSrc *self);

/* Receives until the backlog has something to deliver. Streaming thread. */
GstFlowReturn gst_afxdp_src_receive (GstAfxdpSrc *self);
/* Receives what is there, at most a batch. Sets ready if there is something for
 * create() to return, and else lowers due. Streaming thread. */
GstFlowReturn gst_afxdp_src_receive_now (
    GstAfxdpSrc *self, GstAfxdpLeg *leg, guint64 *due, gboolean *ready);

/* gstafxdpserved.c. */

/* NULL -> READY, before the stream is opened: finds the receiver that is set, and
 * takes over its settings. FALSE: an error was posted. */
gboolean gst_afxdp_src_choose_receiver (GstAfxdpSrc *self);
/* Once it is opened; and before it is closed, when no task runs. */
void gst_afxdp_src_begin_to_be_served (GstAfxdpSrc *self);
void gst_afxdp_src_end_to_be_served (GstAfxdpSrc *self);
/* Has the receiver see a change. Any thread. */
void gst_afxdp_src_call_receiver (GstAfxdpSrc *self);
/* Of create(), in the task's own thread. */
GstFlowReturn gst_afxdp_src_hand_over (GstAfxdpSrc *self);
/* FALSE: this thread would wait for itself; an error was posted. */
gboolean gst_afxdp_src_may_stop (GstAfxdpSrc *self);

G_END_DECLS
